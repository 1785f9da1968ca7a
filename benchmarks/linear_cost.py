"""The sparse engine's cost against points and against surviving weights, over two decades of each, with a line fitted.

Network: SIREN 2-256-256-256-256-3. Loss and gradient of one signal; medians. Makes the record and its figure.
"""

import argparse
import statistics
from pathlib import Path

import matplotlib
import numpy as np
import torch

from sparsine.benchmarks import BenchmarkConfig
from sparsine.benchmarks.measure import timed
from sparsine.benchmarks.problem import Problem, make_problem
from sparsine.engines import SparseEngine
from sparsine.environment import environment
from sparsine.storage import write_json

POINTS = (400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 51_200)
WEIGHT_DENSITIES = (0.005, 0.0115, 0.025, 0.05, 0.1, 0.2, 0.35, 0.5, 1.0)


def seconds_of(problem: Problem, num_points: int, repeats: int) -> float:
    engine = SparseEngine(problem.pattern)
    coords, values = problem.coords[:num_points].contiguous(), problem.values[:, :num_points].contiguous()
    ask = lambda: engine.loss_and_grad(problem.theta, coords, values)  # noqa: E731
    ask()
    return statistics.median(timed(ask).seconds for _ in range(repeats))


def line(x: list[float], y: list[float]) -> dict[str, float]:
    """Least squares in relative terms (each point weighs the same, small or large): y = constant + slope x."""
    weights = 1 / np.asarray(y)
    slope, constant = np.polyfit(x, y, 1, w=weights)
    off = np.abs((constant + slope * np.asarray(x)) / np.asarray(y) - 1)
    return {"constant_seconds": float(constant), "slope_seconds": float(slope), "largest_deviation": float(off.max())}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--figure", type=Path)
    args = parser.parse_args()
    torch.manual_seed(0)

    config = BenchmarkConfig(what="engines", size=(227, 227))
    at_five = make_problem(config, 0.05, 1)
    by_points = [{"points": n, "seconds": seconds_of(at_five, n, args.repeats)} for n in POINTS]
    by_weights = []
    for density in WEIGHT_DENSITIES:
        problem = make_problem(config, density, 1)
        by_weights.append({"density": density, "num_weights": problem.pattern.num_weights,
                           "alive": SparseEngine(problem.pattern).alive,
                           "seconds": seconds_of(problem, 178 * 178, args.repeats)})  # fmt: skip
    points_line = line([r["points"] for r in by_points], [r["seconds"] for r in by_points])
    # rows are loaded several at a time from half density on, which is cheaper than the line: fitted below it
    below = [r for r in by_weights if r["density"] <= 0.5]
    weights_line = line([r["num_weights"] for r in below], [r["seconds"] for r in below])
    record = {"kind": "benchmark", "name": "linear_cost", **environment(), "repeats": args.repeats,
              "by_points": by_points, "by_weights": by_weights, "points_line": points_line,
              "weights_line": weights_line}  # fmt: skip
    for row in (*by_points, *by_weights):
        print(row)
    print("points:", points_line)
    print("weights:", weights_line)
    if args.json:
        write_json(args.json, record)
    if args.figure:
        draw(record, args.figure)


def draw(record: dict, path: Path) -> None:
    matplotlib.use("agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), constrained_layout=True)
    panels = (("by_points", "points", "points_line", "points (5 % of the hidden weights)"),
              ("by_weights", "num_weights", "weights_line", "surviving weights (31,684 points)"))  # fmt: skip
    for axis, (rows, key, fitted, label) in zip(axes, panels, strict=True):
        x, y = [r[key] for r in record[rows]], [1e3 * r["seconds"] for r in record[rows]]
        fit = record[fitted]
        axis.loglog(x, y, "o", label="measured (median)")
        made = [1e3 * (fit["constant_seconds"] + fit["slope_seconds"] * v) for v in x]
        cost = f"{1e3 * fit['constant_seconds']:.2g} ms + {1e9 * fit['slope_seconds']:.3g} ns each"
        axis.loglog(x, made, "-", label=cost)
        axis.set_xlabel(label)
        axis.set_ylabel("loss and gradient, ms")
        axis.grid(alpha=0.3, which="both")
        axis.legend(frameon=False)
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
