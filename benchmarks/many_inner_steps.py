"""Memory of the exact meta-gradient for few and for many inner steps: it must hardly grow.

The paper's network and grid (SIREN 2-256-256-256-256-3 at 178 x 178), three tasks, 5 % of the hidden weights. Peak
memory is the growth of the resident set's peak over its value just before (Linux).
"""

import argparse
import statistics
from pathlib import Path

from sparsine.cli.outputs import Output
from sparsine.cli.scripts import record_file
from sparsine.environment import environment
from sparsine.measure.timing import BenchmarkConfig
from sparsine.measure.timing.problem import make_problem
from sparsine.measure.timing.timed import peak_bytes, timed
from sparsine.meta.maml import InnerConfig, Samples, Tasks, meta_gradient


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, nargs="+", default=[1, 2, 4, 16, 64])
    parser.add_argument("--density", type=float, default=0.05)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    with record_file(args.json) as json:
        measure(args, json)


def measure(args: argparse.Namespace, json: Output) -> None:
    config = BenchmarkConfig(what="meta")
    problem = make_problem(config, args.density, config.tasks)
    samples = Samples(problem.coords, problem.values)
    rows = []
    for steps in args.steps:
        inner = InnerConfig(inner_steps=steps, inner_step_size=1e-4)
        ask = lambda inner=inner: meta_gradient(problem.engine, problem.theta[0], Tasks(samples, samples), inner)  # noqa: E731
        if not rows:
            ask()  # the engine's buffers are made once and kept: what is counted is what the steps add
        peak = peak_bytes(ask)
        seconds = statistics.median(timed(ask).seconds for _ in range(args.repeats))
        rows.append({"inner_steps": steps, "seconds": seconds, "peak_bytes": peak})
        print(rows[-1], flush=True)
    record = {"kind": "benchmark", "name": "many_inner_steps", **environment(), "density": args.density,
              "engine": problem.engine.name, "tasks": config.tasks, "repeats": args.repeats, "rows": rows}  # fmt: skip
    json.write_json(record)


if __name__ == "__main__":
    main()
