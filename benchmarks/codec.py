"""How fast are codes? Encoding and drawing beside plain PyTorch in one process, in turns, and coding alone.

    python benchmarks/codec.py START DATASET [--json FILE]

encode   arrays to bytes: 100 steps of Adam from the start, rounding, entropy coding; a batch of signals. Plain PyTorch:
         the same fit with dense weights times masks and autograd, on some of the signals, scaled to all.
draw     a code to a picture of 1024 x 1024: decoding and all. Plain PyTorch: its forward alone.
code     fitted vectors to codes, and codes to vectors, without fitting or drawing.

A start that was never calibrated is calibrated first, on validation signals, which is not timed. About three minutes on
two quiet cores.
"""

import argparse
import statistics
from pathlib import Path

import numpy as np
import torch

from sparsine import load_start, open_dataset
from sparsine.cli.outputs import Output
from sparsine.cli.scripts import record_file
from sparsine.codec import CalibrationConfig, Coder, EncodeConfig, calibrate, decode, encode_batch
from sparsine.environment import environment
from sparsine.fitting.fit import FitConfig
from sparsine.measure.timing.plain import PlainField
from sparsine.measure.timing.timed import interleaved
from sparsine.psnr import psnr_db

BARS = {"encode": 15.0, "draw": 10.0}
"""Times as fast as plain PyTorch."""
CODES_PER_SECOND, MOST_LOST_DB = 200.0, 0.05
SAME_FIT_DB = 0.1
"""The two ways fit alike if their mean PSNR differs by no more."""


def beside_plain(name: str, plain, ours, repeats: int, scale: float = 1.0) -> tuple[dict, object, object]:
    """(row, last result of plain, of ours); `scale`: how many times the work of plain the work of ours is."""
    found = interleaved((plain, ours), repeats)
    plain_runs, ours_runs = ([run.seconds for run in runs] for runs in found)
    plain_seconds, ours_seconds = scale * statistics.median(plain_runs), statistics.median(ours_runs)
    ratio = plain_seconds / ours_seconds
    row = {"task": name, "plain_seconds": plain_seconds, "ours_seconds": ours_seconds, "ratio": ratio,
           "bar": BARS[name], "reached": ratio >= BARS[name],
           "plain_runs": [scale * s for s in plain_runs], "ours_runs": ours_runs}  # fmt: skip
    return row, found[0][-1].result, found[1][-1].result


def encode_row(start, signals, config: EncodeConfig, num_plain: int, repeats: int):
    field = PlainField(start.pattern, start.theta)
    shape = signals[0].shape
    coords = start.domain.resized(shape[:-1]).coords()
    values = torch.from_numpy(np.stack(signals[:num_plain])).reshape(num_plain, -1, shape[-1])
    row, plain, ours = beside_plain(
        "encode", lambda: [field.fit(coords, v, config.fit.num_steps, config.fit.step_size) for v in values],
        lambda: encode_batch(start, signals, config), repeats, len(signals) / num_plain,
    )  # fmt: skip
    difference = abs(statistics.mean(psnr_db(mse) for mse in plain)
                     - statistics.mean(code.fitted_psnr_db for code in ours[:num_plain]))  # fmt: skip
    assert difference < SAME_FIT_DB, f"the two fits differ by {difference:.3f} dB, so their times cannot be compared"
    lost = [code.fitted_psnr_db - code.psnr_db for code in ours]
    row |= {"signals": len(signals), "plain_signals_timed": num_plain,
            "signals_per_second": len(signals) / row["ours_seconds"],
            "plain_signals_per_second": len(signals) / row["plain_seconds"], "difference_db": difference,
            "lost_db": lost, "mean_lost_db": statistics.mean(lost), "lost_bar_db": MOST_LOST_DB,
            "bytes": [len(code.data) for code in ours], "psnr_db": [code.psnr_db for code in ours]}  # fmt: skip
    return row, ours


def draw_row(start, code: bytes, size: tuple[int, int], repeats: int):
    coder = Coder(start)
    field = PlainField(start.pattern, coder.theta(coder.read(code)))
    coords = start.domain.resized(size).coords()
    row, plain, ours = beside_plain(
        "draw", lambda: field.predict(coords), lambda: decode(start, code, coder=coder).render(size), repeats
    )
    difference = float(np.abs(ours.reshape(plain.shape) - plain.numpy()).max())
    assert difference < 1e-2, f"the two drawings differ by {difference:.3g}, so their times cannot be compared"
    return row | {"size": list(size), "difference": difference}


def code_row(start, codes: list[bytes], repeats: int):
    coder = Coder(start)
    shape = start.domain.shape
    thetas = [coder.theta(coder.read(code)) for code in codes]
    written, read = interleaved(
        (
            lambda: [coder.write(theta, shape) for theta in thetas],
            lambda: [coder.theta(coder.read(code)) for code in codes],
        ),
        repeats,
    )
    rates = {name: len(codes) / statistics.median(run.seconds for run in runs)
             for name, runs in (("written", written), ("read", read))}  # fmt: skip
    return {"task": "code", "codes": len(codes), "written_per_second": rates["written"],
            "read_per_second": rates["read"],
            "bar": CODES_PER_SECOND, "reached": min(rates.values()) >= CODES_PER_SECOND,
            "written_runs": [run.seconds for run in written], "read_runs": [run.seconds for run in read]}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("start", type=Path)
    parser.add_argument("dataset", help="as in celeba:DIR; its test signals are encoded")
    parser.add_argument("--signals", type=int, default=16)
    parser.add_argument("--plain-signals", type=int, default=1)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--size", type=int, default=1024, help="rows and columns of the drawing")
    parser.add_argument(
        "--repeats", type=int, default=3, help="of encoding; drawing and coding are repeated five times as often"
    )
    parser.add_argument("--calibrate-signals", type=int, default=16)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    with record_file(args.json) as json:
        measure(args, json)


def measure(args: argparse.Namespace, json: Output) -> None:
    start = load_start(args.start)
    dataset = open_dataset(args.dataset, resolution=start.domain.shape)
    config = EncodeConfig(fit=FitConfig(steps=args.steps, report=(), batch=args.signals))
    if start.coding is None:
        print(f"calibrating on {args.calibrate_signals} validation signals", flush=True)
        start = calibrate(start, dataset.val, CalibrationConfig(fit=config.fit, signals=args.calibrate_signals))
    signals = [dataset.test.load(i) for i in range(args.signals)]

    row, codes = encode_row(start, signals, config, args.plain_signals, args.repeats)
    rows = [row]
    print(
        f"encode  {row['signals_per_second']:.3f} signals a second; plain PyTorch "
        f"{row['plain_signals_per_second']:.4f}: {row['ratio']:.1f} times as many (bar {row['bar']:g}); "
        f"{len(signals)} signals, {args.steps} steps\n"
        f"        {statistics.mean(row['bytes']):.0f} bytes a code, {statistics.mean(row['psnr_db']):.2f} dB; lost to "
        f"rounding {row['mean_lost_db']:.4f} dB (bar {MOST_LOST_DB:g}), at most {max(row['lost_db']):.4f}",
        flush=True,
    )
    row = draw_row(start, codes[0].data, (args.size, args.size), 5 * args.repeats)
    rows.append(row)
    print(
        f"draw    {row['ours_seconds']:.3f} s for {args.size} x {args.size}; plain PyTorch "
        f"{row['plain_seconds']:.3f} s: {row['ratio']:.1f} times as fast (bar {row['bar']:g})",
        flush=True,
    )
    row = code_row(start, [code.data for code in codes], 5 * args.repeats)
    rows.append(row)
    print(
        f"code    {row['written_per_second']:.0f} codes written, {row['read_per_second']:.0f} read a second "
        f"(bar {CODES_PER_SECOND:g} for each)",
        flush=True,
    )
    json.write_json({
        "kind": "benchmark", "name": "codec", **environment(), "start": start.digest,
        "dataset": dataset.description, "density": start.pattern.density,
        "num_weights": start.pattern.num_weights, "size": list(start.domain.shape), "steps": args.steps,
        "repeats": args.repeats, "rows": rows,
    })  # fmt: skip


if __name__ == "__main__":
    main()
