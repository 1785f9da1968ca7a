"""What a GPU must reach, measured in one run of less than four minutes, beside plain PyTorch with products in TF32:

gradient   loss and gradient at 178 x 178: 2 times as fast at 20 % of the weights, 4 times at 5 %, 6 times at 1.15 %
fits       50 fits a second at 2,284 weights: 1,600 Adam steps, each on a sixteenth of the points
meta       the exact meta-gradient of the dense field, 3 tasks and 2 inner steps: 13.5 ms, half of the 27 ms of before

    python benchmarks/gpu_bars.py --json gpu_bars.json

Every engine that this machine can make takes part; one that cannot is named with the reason. What is not begun within
--seconds is left out, and said so. `--device cpu` and small sizes try the script itself.
"""

import argparse
import statistics
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from sparsine import load_start
from sparsine.cli.outputs import Output
from sparsine.cli.scripts import record_file
from sparsine.engines import make_engine
from sparsine.engines.choose import check_device
from sparsine.engines.replay import ReplayedEngine
from sparsine.environment import environment
from sparsine.errors import BadInput
from sparsine.fitting import FitConfig, fit
from sparsine.measure.timing.config import BenchmarkConfig
from sparsine.measure.timing.plain import PlainField
from sparsine.measure.timing.problem import made_up_image, make_problem
from sparsine.measure.timing.run import matrix_products
from sparsine.measure.timing.tasks import LossAndGrad, MetaGradient
from sparsine.measure.timing.timed import interleaved, timed

BARS = {0.2: 2.0, 0.05: 4.0, 0.0115: 6.0}
"""Times as fast as plain PyTorch, by density."""
FITS_PER_SECOND, META_SECONDS = 50.0, 0.0135
TOLERANCE = 0.1
"""Between the two ways: TF32 has ten bits, and sines make phases of what is lost."""
Row = dict[str, Any]


def gradients(config: BenchmarkConfig, engines: list[str]) -> Iterator[Row]:
    """Signals one by one in plain PyTorch, together in ours."""
    for density in config.densities:
        bar = BARS.get(density)
        for batch in config.batch:
            for engine in engines:
                for row in row_of(LossAndGrad, replace(config, engine=engine), density, batch):
                    yield row | {"reached": None if bar is None or "left_out" in row else row["ratio"] >= bar}


def meta_gradients(config: BenchmarkConfig, engines: list[str]) -> Iterator[Row]:
    for density in (1.0, 0.05):
        for engine in engines:
            for row in row_of(MetaGradient, replace(config, what="meta", engine=engine), density, config.tasks):
                barred = density == 1.0 and "left_out" not in row
                yield row | {"reached": row["ours_seconds"] <= META_SECONDS if barred else None}


def row_of(task_of: Any, config: BenchmarkConfig, density: float, batch: int) -> Iterator[Row]:
    row: Row = {"task": task_of.name, "engine": config.engine, "density": density, "batch": batch}
    try:
        problem = make_problem(config, density, batch)
    except BadInput as error:
        yield row | {"left_out": str(error)}
        return
    task = task_of(problem, config)
    task.plain(), task.ours()  # compiles, and wakes up libraries
    plain, ours = interleaved((task.plain, task.ours), config.repeats)
    difference = task.difference(plain[-1].result, ours[-1].result)
    seconds = {way: statistics.median(run.seconds for run in runs) for way, runs in (("plain", plain), ("ours", ours))}
    ratio = seconds["plain"] / seconds["ours"]
    yield row | {"plain_seconds": seconds["plain"], "ours_seconds": seconds["ours"], "ratio": ratio,
                 "difference": difference, "same": difference <= TOLERANCE,
                 "plain_runs": [run.seconds for run in plain], "ours_runs": [run.seconds for run in ours]}  # fmt: skip


def fits(config: BenchmarkConfig, engines: list[str], steps: int, graphs: bool) -> Iterator[Row]:
    """Of made-up pictures, from the pattern of a built-in start; plain PyTorch fits one, on as many points in all."""
    start = load_start("photos-2k")
    values = torch.stack([made_up_image(config.grid, config.seed, i) for i in range(config.signals)]).to(config.device)
    coords, theta = config.grid.coords(device=config.device), start.theta.to(config.device)
    how = FitConfig(protocol="paper", steps=steps, lr=2e-3, decay="cosine", share=1 / 16, report=(), batch=len(values))
    plain = PlainField(start.pattern, theta)
    plain_fit = lambda count: plain.fit(coords, values[0], count, 2e-3)  # noqa: E731
    plain_fit(1)
    plain_seconds = timed(lambda: plain_fit(max(1, steps // 16))).seconds
    for name in engines:
        row: Row = {"task": "fits", "engine": name, "num_weights": start.pattern.num_weights, "steps": steps}
        try:
            engine = make_engine(start.pattern, name, device=config.device)
        except BadInput as error:
            yield row | {"left_out": str(error)}
            continue
        for way in [engine, ReplayedEngine(engine)] if graphs else [engine]:
            ask = lambda asked, way=way: fit(way, theta, coords, values, asked, shape=config.grid.shape)  # noqa: E731
            ask(replace(how, steps=2))
            run = timed(lambda ask=ask: ask(how))
            per_second = len(values) / run.seconds
            yield row | {"graphs": way is not engine, "signals": len(values), "seconds": run.seconds,
                         "fits_per_second": per_second, "plain_fits_per_second": 1 / plain_seconds,
                         "reached": per_second >= FITS_PER_SECOND, "ok": run.result.status.count("ok"),
                         "mean_psnr_db": statistics.mean(curve[-1] for curve in run.result.psnr_db)}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--engines", nargs="+", default=["dense", "triton"])
    parser.add_argument("--densities", nargs="+", type=float, default=list(BARS))
    parser.add_argument("--batch", nargs="+", type=int, default=[1, 8])
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--size", nargs=2, type=int, default=[178, 178], metavar=("ROWS", "COLUMNS"))
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--signals", type=int, default=128, help="of the fits")
    parser.add_argument("--steps", type=int, default=1600, help="of the fits")
    parser.add_argument("--seconds", type=float, default=200, help="nothing more is begun after so many")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    with record_file(args.json) as json:
        measure(args, json)


def measure(args: argparse.Namespace, json: Output) -> None:
    check_device(args.device)
    config = BenchmarkConfig(
        what="engines", device=args.device, densities=tuple(args.densities), batch=tuple(args.batch), width=args.width,
        size=tuple(args.size), repeats=args.repeats, signals=args.signals, tf32=args.device != "cpu",
    )  # fmt: skip
    began, rows, left_out = time.monotonic(), [], False
    with matrix_products(tf32=config.tf32):
        for part in (gradients(config, args.engines), fits(config, args.engines, args.steps, config.tf32),
                     meta_gradients(config, args.engines)):  # fmt: skip
            for row in part:
                rows.append(row)
                print(told(row), flush=True)
                if left_out := time.monotonic() - began > args.seconds:
                    print(f"{args.seconds:g} seconds have passed: what is left is left out", flush=True)
                    break
            if left_out:
                break
    json.write_json({"kind": "benchmark", "name": "gpu-bars", **environment(), "tf32": config.tf32,
                     "device": args.device, "width": args.width, "size": args.size, "repeats": args.repeats,
                     "cut_short": left_out, "rows": rows})  # fmt: skip


def told(row: Row) -> str:
    what = ", ".join(f"{name} {row[name]:g}" for name in ("density", "batch", "steps") if name in row)
    head = f"{row['task']} by {row['engine']}{' (graphs)' if row.get('graphs') else ''}, {what}: "
    if "left_out" in row:
        return head + row["left_out"]
    reached = {True: "bar reached", False: "below the bar", None: "no bar"}[row["reached"]]
    if row["task"] == "fits":
        return head + f"{row['fits_per_second']:.3g} a second (plain: {row['plain_fits_per_second']:.3g}), {reached}"
    same = "" if row["same"] else f"; THE ANSWERS DIFFER by {row['difference']:.2g}"
    return head + f"{1e3 * row['ours_seconds']:.3g} ms, {row['ratio']:.2f} times as fast as plain, {reached}{same}"


if __name__ == "__main__":
    main()
