"""The sparse engine's cost against points and against surviving weights, over two decades of each, with a line fitted.

Network: SIREN 2-256-256-256-256-3. Loss and gradient of one signal; medians. Makes the record and its figure.
"""

import argparse
import io
import statistics
from pathlib import Path

import matplotlib
import numpy as np
import torch

from sparsine.cli.outputs import Output
from sparsine.cli.scripts import record_file
from sparsine.engines import SparseEngine
from sparsine.environment import environment
from sparsine.measure.timing import BenchmarkConfig
from sparsine.measure.timing.problem import Problem, make_problem
from sparsine.measure.timing.timed import timed
from sparsine.storage import read_json

POINTS = (400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 51_200)
WEIGHT_DENSITIES = (0.005, 0.0115, 0.025, 0.05, 0.1, 0.2, 0.35, 0.5, 1.0)


def seconds_of(problem: Problem, num_points: int, repeats: int) -> float:
    engine = SparseEngine(problem.pattern)
    coords, values = problem.coords[:num_points].contiguous(), problem.values[:, :num_points].contiguous()
    ask = lambda: engine.loss_and_grad(problem.theta, coords, values)  # noqa: E731
    ask()
    return statistics.median(timed(ask).seconds for _ in range(repeats))


def fitted(costs: dict[str, list[float]], seconds: list[float]) -> dict[str, float]:
    """Seconds as a sum of costs times counts, by least squares in relative terms (each row weighs the same)."""
    counts = np.array([costs[name] for name in costs], dtype=float).T
    measured = np.asarray(seconds)
    each, *_ = np.linalg.lstsq(counts / measured[:, None], np.ones(len(measured)), rcond=None)
    off = np.abs(counts @ each / measured - 1)
    return {**dict(zip(costs, map(float, each), strict=True)), "largest_deviation": float(off.max())}


def with_lines(record: dict) -> dict:
    """Points: a constant and a cost for each. Weights: a cost for each, and for each hidden neuron that is alive."""
    points, weights = record["by_points"], record["by_weights"]
    # from 55 % of a layer on rows share their loads, which is cheaper than the line: it is fitted below that
    below = [row for row in weights if row["density"] <= 0.5]
    record["points_line"] = fitted(
        {"constant": [1.0] * len(points), "per_point": [row["points"] for row in points]},
        [row["seconds"] for row in points],
    )
    record["weights_line"] = fitted(
        {"per_neuron": [neurons(row) for row in below], "per_weight": [row["num_weights"] for row in below]},
        [row["seconds"] for row in below],
    )
    return record


def neurons(row: dict) -> int:
    """Hidden neurons that are computed for every point."""
    return sum(row["alive"][1:-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--figure", type=Path)
    parser.add_argument("--redraw", type=Path, metavar="RECORD", help="measure nothing: fit and draw this record")
    args = parser.parse_args()
    with record_file(args.json) as json, record_file(args.figure, "--figure") as figure:
        record = with_lines(read_json(args.redraw) if args.redraw else measured(args.repeats))
        for row in (*record["by_points"], *record["by_weights"]):
            print(row)
        print("points:", record["points_line"])
        print("weights:", record["weights_line"])
        json.write_json(record)
        if args.figure:
            draw(record, figure, args.figure.suffix.removeprefix(".") or "png")


def measured(repeats: int) -> dict:
    torch.manual_seed(0)

    config = BenchmarkConfig(what="engines", size=(227, 227))
    at_five = make_problem(config, 0.05, 1)
    by_points = [{"points": n, "seconds": seconds_of(at_five, n, repeats)} for n in POINTS]
    by_weights = []
    for density in WEIGHT_DENSITIES:
        problem = make_problem(config, density, 1)
        by_weights.append({"density": density, "num_weights": problem.pattern.num_weights,
                           "alive": SparseEngine(problem.pattern).alive,
                           "seconds": seconds_of(problem, 178 * 178, repeats)})  # fmt: skip
    return {"kind": "benchmark", "name": "linear_cost", **environment(), "repeats": repeats,
            "by_points": by_points, "by_weights": by_weights}  # fmt: skip


def draw(record: dict, out: Output, form: str) -> None:
    matplotlib.use("agg")
    from matplotlib import pyplot as plt

    points, weights = record["points_line"], record["weights_line"]
    panels = (
        ("by_points", "points", "points (5 % of the hidden weights)",
         lambda row: points["constant"] + points["per_point"] * row["points"],
         f"{1e3 * points['constant']:.2g} ms + {1e9 * points['per_point']:.3g} ns for each point"),
        ("by_weights", "num_weights", "surviving weights (31,684 points)",
         lambda row: weights["per_neuron"] * neurons(row) + weights["per_weight"] * row["num_weights"],
         f"{1e6 * weights['per_neuron']:.3g} us for each neuron + {1e6 * weights['per_weight']:.3g} us a weight"),
    )  # fmt: skip
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.8), constrained_layout=True)
    for axis, (rows, key, label, predicted, cost) in zip(axes, panels, strict=True):
        x = [row[key] for row in record[rows]]
        axis.loglog(x, [1e3 * predicted(row) for row in record[rows]], "-", label=cost)
        axis.loglog(x, [1e3 * row["seconds"] for row in record[rows]], "o", label="measured (median)")
        axis.set_xlabel(label)
        axis.set_ylabel("loss and gradient, ms")
        axis.grid(alpha=0.3, which="both")
        axis.legend(frameon=False, fontsize=8)
    picture = io.BytesIO()
    figure.savefig(picture, dpi=120, format=form)
    plt.close(figure)
    out.write(picture.getvalue())


if __name__ == "__main__":
    main()
