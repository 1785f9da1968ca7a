"""Is `auto` the best engine at every density and width? Every engine on the same problems, in turns.

For each width and density: seconds of each question for the dense engine and for each instruction set of the sparse
one (medians over interleaved runs), and which engine `make_engine(..., "auto")` takes.
"""

import argparse
import statistics
from pathlib import Path

import torch

from sparsine.cli.outputs import Output
from sparsine.cli.scripts import record_file
from sparsine.engines import DenseEngine, SparseEngine, make_engine
from sparsine.engines.native import instruction_sets
from sparsine.environment import environment
from sparsine.measure.timing import BenchmarkConfig
from sparsine.measure.timing.problem import make_problem
from sparsine.measure.timing.timed import interleaved

DENSITIES = (1.0, 0.85, 0.7, 0.5, 0.35, 0.2, 0.1, 0.05, 0.01)
CASES = ((64, 64, 4), (128, 64, 4), (256, 178, 1), (512, 100, 1), (1024, 60, 1))  # width, samples per axis, signals


def seconds_of(problem, engines, repeats: int) -> dict[str, dict[str, float]]:
    """Median seconds by question and engine."""
    v = torch.randn(problem.theta.shape, generator=torch.Generator().manual_seed(0))
    theta, samples = problem.theta, (problem.coords, problem.values)
    questions = {
        "predict": lambda e: e.predict(theta, problem.coords),
        "loss_and_grad": lambda e: e.loss_and_grad(theta, *samples),
        "hvp": lambda e: e.hvp(theta, v, *samples),
    }
    found: dict[str, dict[str, float]] = {}
    for question, ask in questions.items():
        ways = [lambda e=e, ask=ask: ask(e) for e in engines.values()]
        interleaved(ways, 1)
        runs = interleaved(ways, repeats)
        medians = [statistics.median(run.seconds for run in way) for way in runs]
        found[question] = dict(zip(engines, medians, strict=True))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--widths", type=int, nargs="+", default=[width for width, _, _ in CASES])
    parser.add_argument("--densities", type=float, nargs="+", default=DENSITIES)
    parser.add_argument("--instructions", nargs="+", default=instruction_sets()[:2])
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    with record_file(args.json) as json:
        measure(args, json)


def measure(args: argparse.Namespace, json: Output) -> None:
    """The record is written anew after every row, where it can be."""
    rows = []
    record = {"kind": "benchmark", "name": "engine_choice", **environment(), "repeats": args.repeats, "rows": rows}
    for width, size, signals in CASES:
        if width not in args.widths:
            continue
        for density in args.densities:
            config = BenchmarkConfig(what="engines", width=width, size=(size, size))
            problem = make_problem(config, density, signals)
            pattern = problem.pattern
            engines = {f"sparse-{name}": SparseEngine(pattern, instructions=name) for name in args.instructions}
            engines["dense"] = DenseEngine(pattern)
            auto = make_engine(pattern)
            chosen = f"sparse-{auto.instructions}" if isinstance(auto, SparseEngine) else auto.name
            seconds = seconds_of(problem, engines, args.repeats)
            # engines of other instruction sets are not what anybody would choose here: auto competes with dense
            over_best = {q: s[chosen] / min(s[chosen], s["dense"]) - 1 for q, s in seconds.items()}
            rows.append({"width": width, "size": [size, size], "batch": signals, "density": density,
                         "num_weights": pattern.num_weights, "auto": chosen, "seconds": seconds,
                         "auto_over_best": over_best})  # fmt: skip
            print(f"width {width} density {density:g} auto {chosen}: "
                  + "; ".join(f"{q} " + " ".join(f"{n} {x * 1e3:.1f}" for n, x in s.items())
                              + f" (+{over_best[q]:.0%})" for q, s in seconds.items()), flush=True)  # fmt: skip
            json.draft_json(record)
    json.write_json(record)


if __name__ == "__main__":
    main()
