"""What does torch cost on top of the engine? A field's module beside the engine's own calls and beside autograd of the
dense field, in one process and in turns.

draw   module(coords), no gradient wanted                       the engine's own: predict
step   module.mse(coords, values), backward                     loss_and_grad
loss   a loss of one's own on module(coords), backward          predict and loss_and_grad
hvp    the gradient of module.mse, and a product with the Hessian by autograd     loss_and_grad and hvp

The paper's network and grid (SIREN 2-256-256-256-256-3 at 178 x 178), and one of 64 at 64 x 64 whose calls are short.
The module's calls and the engine's take turns; autograd of the dense field, which is slow, comes after them. A few
minutes.
"""

import argparse
import statistics
from collections.abc import Callable
from pathlib import Path

import torch

from sparsine.cli.outputs import Output
from sparsine.cli.scripts import record_file
from sparsine.environment import environment
from sparsine.fitting.fitted_field import FittedField
from sparsine.measure.timing import BenchmarkConfig
from sparsine.measure.timing.problem import Problem, make_problem
from sparsine.measure.timing.timed import interleaved
from sparsine.starts.start import Start

BAR = 1.3
"""Most that the module's calls may take, over the engine's own."""
SIZES = ((256, (178, 178)), (64, (64, 64)))
DENSITIES = (0.2, 0.05, 0.0115)
TOLERANCE = 1e-4

Way = Callable[[], torch.Tensor]


def module_ways(module: torch.nn.Module, coords: torch.Tensor, values: torch.Tensor, v: torch.Tensor) -> dict[str, Way]:
    def draw() -> torch.Tensor:
        with torch.no_grad():
            return module(coords)

    def gradient(loss: torch.Tensor) -> torch.Tensor:
        return torch.autograd.grad(loss, module.theta)[0]

    def hvp() -> torch.Tensor:
        (grad,) = torch.autograd.grad(module.mse(coords, values), module.theta, create_graph=True)
        return torch.autograd.grad(grad, module.theta, v)[0]

    return {"draw": draw, "step": lambda: gradient(module.mse(coords, values)),
            "loss": lambda: gradient((module(coords) - values).square().mean()), "hvp": hvp}  # fmt: skip


def engine_ways(problem: Problem, v: torch.Tensor) -> dict[str, Way]:
    engine, theta, coords, values = problem.engine, problem.theta, problem.coords, problem.values

    def loss() -> torch.Tensor:
        engine.predict(theta, coords)
        return engine.loss_and_grad(theta, coords, values)[1][0]

    def hvp() -> torch.Tensor:
        engine.loss_and_grad(theta, coords, values)
        return engine.hvp(theta, v[None], coords, values)[0]

    return {"draw": lambda: engine.predict(theta, coords)[0],
            "step": lambda: engine.loss_and_grad(theta, coords, values)[1][0], "loss": loss, "hvp": hvp}  # fmt: skip


def rows_of(width: int, size: tuple[int, int], density: float, repeats: int, dense_repeats: int):
    problem = make_problem(BenchmarkConfig(what="engines", width=width, size=size), density, 1)
    start = Start(problem.pattern, problem.theta[0], BenchmarkConfig(what="engines", size=size).grid)
    field = FittedField(start, start.theta, size)
    field._engines["auto", "cpu", False] = problem.engine  # one for both ways: where its buffers lie makes a difference
    dense = field.as_module()
    dense._on_engine = None  # plain torch operations, as a module of another type would
    v = torch.randn(start.theta.shape, generator=torch.Generator().manual_seed(0))
    samples = (problem.coords, problem.values[0])
    ours, plain = module_ways(field.as_module(), *samples, v), module_ways(dense, *samples, v)
    for name, alone in engine_ways(problem, v).items():
        ours[name](), alone()
        module_runs, engine_runs = interleaved((ours[name], alone), repeats)
        found, expected = module_runs[-1].result, engine_runs[-1].result
        (dense_runs,) = interleaved((plain[name],), dense_repeats)
        for answer in (expected, dense_runs[-1].result):
            difference = float((found - answer).norm() / answer.norm())
            assert difference < TOLERANCE, f"{name} differs by {difference:.2g}: its times cannot be compared"
        seconds = {way: [run.seconds for run in runs] for way, runs in
                   (("module", module_runs), ("engine", engine_runs), ("dense", dense_runs))}  # fmt: skip
        medians = {f"{way}_seconds": statistics.median(runs) for way, runs in seconds.items()}
        over = medians["module_seconds"] / medians["engine_seconds"]
        yield {"task": name, "width": width, "size": list(size), "density": density, **medians, "over_engine": over,
               "times_dense": medians["dense_seconds"] / medians["module_seconds"], "reached": over <= BAR,
               **{f"{way}_runs": runs for way, runs in seconds.items()}}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=21)
    parser.add_argument("--dense-repeats", type=int, default=3)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    with record_file(args.json) as json:
        measure(args, json)


def measure(args: argparse.Namespace, json: Output) -> None:
    rows = []
    for width, size in SIZES:
        for density in DENSITIES:
            for row in rows_of(width, size, density, args.repeats, args.dense_repeats):
                rows.append(row)
                print(f"{width} {density:g} {row['task']}: {1e3 * row['module_seconds']:.3g} ms, over the engine "
                      f"{row['over_engine']:.2f}, dense over it {row['times_dense']:.1f}", flush=True)  # fmt: skip
    json.write_json({"kind": "benchmark", "name": "module", **environment(), "bar": BAR, "repeats": args.repeats,
                     "dense_repeats": args.dense_repeats, "rows": rows})  # fmt: skip


if __name__ == "__main__":
    main()
