"""What does half precision save when fields are drawn, and what does it cost in PSNR? Each field is drawn both ways, in
one process and in turns.

Fields are fits of the given pictures: by built-in starts (1.15 to 8.7 % of the hidden weights), and, since denser ones
do not come with the package, from random numbers on random patterns of 20 and 50 % and on all weights. Times are those
of the engine alone, all points of a drawing at once; PSNR is that of the drawing at the picture's own size, before it
is rounded to 8 bits. An hour on two cores with the usual options, most of it fits.

    python benchmarks/half.py PICTURES --json results/benchmarks/half.json
"""

import argparse
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from sparsine import FitConfig, Start, fit_array, load_start
from sparsine.cli.outputs import Output
from sparsine.cli.scripts import record_file
from sparsine.engines.choose import drawing_engine
from sparsine.environment import environment
from sparsine.fields import Siren
from sparsine.fitting.fitted_field import FittedField
from sparsine.measure.timing.problem import random_pattern, random_theta
from sparsine.measure.timing.timed import interleaved
from sparsine.psnr import psnr_db
from sparsine.signals.grid import Grid
from sparsine.signals.kinds import Rgb

BUILT_IN = ("photos-2k", "photos-9k", "photos-17k")
DENSITIES = (0.2, 0.5, 1.0)
WIDTH, LR = 256, 3e-4


def starts(wanted: list[str], shape: tuple[int, int]) -> Iterator[tuple[str, Start, float]]:
    """Name, start, step size (0: its plan's)."""
    for name in BUILT_IN:
        if name in wanted:
            yield name, load_start(name), 0.0
    field = Siren(sizes=(2, *[WIDTH] * 4, 3), omega_0=30.0, output_offset=0.5)
    for density in DENSITIES:
        if f"{density:g}" in wanted:
            pattern = random_pattern(field, density, 0)
            yield f"{density:g}", Start(pattern, random_theta(pattern, 0), Grid(shape=shape), kind=Rgb()), LR


def picture_of(path: Path, longest: int) -> np.ndarray:
    with Image.open(path) as image:
        image.thumbnail((longest, longest), Image.Resampling.LANCZOS)
        return np.asarray(image.convert("RGB"), np.float32) / 255


def fitted(start: Start, picture: np.ndarray, steps: int, lr: float) -> FittedField:
    return fit_array(start, picture, FitConfig(steps=steps, lr=lr, optimizer="adam") if lr else FitConfig(steps=steps))


def cost_of(field: FittedField, picture: np.ndarray) -> dict[str, Any]:
    exact, half = field.render(), field.render(half=True)
    psnr = [psnr_db(float(np.square(one - picture, dtype=np.float64).mean())) for one in (exact, half)]
    between = psnr_db(float(np.square(exact - half, dtype=np.float64).mean()))
    return {"psnr_db": psnr[0], "half_psnr_db": psnr[1], "cost_db": psnr[0] - psnr[1], "between_db": between,
            "largest_difference": float(np.abs(exact - half).max())}  # fmt: skip


def times_of(field: FittedField, size: tuple[int, int], repeats: int) -> dict[str, Any]:
    engine = drawing_engine(field.start.pattern, half=True)
    theta, coords = field.theta[None], field.start.domain.drawn(size).coords()
    ways = [lambda half=half: engine.predict(theta, coords, half=half) for half in (False, True)]
    for way in ways:
        way()
    runs = [[run.seconds for run in done] for done in interleaved(ways, repeats)]
    medians = [statistics.median(one) for one in runs]
    return {"float32_seconds": medians[0], "half_seconds": medians[1], "times": medians[0] / medians[1],
            "float32_runs": runs[0], "half_runs": runs[1]}  # fmt: skip


def measure(args: argparse.Namespace, json: Output) -> None:
    pictures = {path.stem: picture_of(path, args.longest) for path in args.pictures}
    size, rows = (args.drawn, args.drawn), []
    for name, start, lr in starts(args.fields, next(iter(pictures.values())).shape[:2]):
        fields = {label: fitted(start, picture, args.steps, lr) for label, picture in pictures.items()}
        costs = [{"picture": label, **cost_of(field, pictures[label])} for label, field in fields.items()]
        row = {"field": name, "density": start.pattern.density, "weights": int(start.pattern.keep.sum()),
               "pictures": costs, **times_of(next(iter(fields.values())), size, args.repeats)}  # fmt: skip
        rows.append(row)
        print(f"{name}: {row['times']:.2f} times as fast ({1e3 * row['half_seconds']:.3g} ms); "
              f"{costs[0]['psnr_db']:.2f} dB, of which it costs "
              f"{statistics.fmean(one['cost_db'] for one in costs):.4f}", flush=True)  # fmt: skip
    json.write_json({"kind": "benchmark", "name": "half", **environment(), "drawn": list(size), "longest": args.longest,
                     "steps": args.steps, "repeats": args.repeats, "rows": rows})  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", nargs="+", type=Path)
    parser.add_argument("--fields", nargs="+", default=[*BUILT_IN, *(f"{density:g}" for density in DENSITIES)])
    parser.add_argument("--longest", type=int, default=256, help="pixels along the longer side of what is fitted")
    parser.add_argument("--drawn", type=int, default=512, help="of both sides of the drawing that is timed")
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=11)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    torch.manual_seed(0)
    with record_file(args.json) as json:
        measure(args, json)


if __name__ == "__main__":
    main()
