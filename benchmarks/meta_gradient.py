"""Exact second-order meta-gradient: ours (reverse recursion, no graph) beside plain PyTorch (`create_graph=True`).

The paper's network and grid: SIREN 2-256-256-256-256-3 at 178 x 178, three tasks, two inner steps. Times are medians
over interleaved runs in one process. Memory is the growth of the resident set's peak over its value just before, as
the kernel counts it (Linux); freed memory is handed back to the system before every measurement.
"""

import argparse
import ctypes
import statistics
import time
from pathlib import Path

import torch

from sparsine.engines import DenseEngine, ReferenceEngine
from sparsine.environment import environment
from sparsine.fields import Pattern, Siren
from sparsine.meta.maml import InnerConfig, Samples, Tasks, meta_gradient
from sparsine.signals.grid import Grid
from sparsine.storage import write_json


def plain(engine: ReferenceEngine, theta: torch.Tensor, tasks: Tasks, config: InnerConfig):
    """The way everybody writes it: one graph over all tasks and inner steps, then one backward pass."""
    leaf = theta.clone().requires_grad_()
    losses = []
    for values in tasks.query.values:
        adapted = leaf
        for _ in range(config.inner_steps):
            loss = engine.mse(adapted, tasks.support.coords, values)
            adapted = adapted - config.inner_step_size * torch.autograd.grad(loss, adapted, create_graph=True)[0]
        losses.append(engine.mse(adapted, tasks.query.coords, values))
    outer = torch.stack(losses).mean()
    return outer.detach(), torch.autograd.grad(outer, leaf)[0]


def measured(work):
    """(seconds, growth of peak resident bytes, result)."""
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    before = _status("VmRSS")
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, _status("VmHWM") - before, result


def _status(name: str) -> int:
    line = next(x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith(name))
    return int(line.split()[1]) * 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--size", type=int, default=178, help="samples per axis")
    parser.add_argument("--tasks", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--many-steps", type=int, default=64, help="inner steps of the memory test")
    parser.add_argument("--many-size", type=int, default=60, help="samples per axis of that test")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()

    field = Siren(sizes=(2, *[args.width] * 4, 3))
    pattern, coords = Pattern.full(field), Grid(shape=(args.size, args.size)).coords()
    torch.manual_seed(0)
    samples = Samples(coords, torch.rand(args.tasks, len(coords), 3))
    tasks, theta = Tasks(samples, samples), field.initial_theta(0)
    reference, dense, two = ReferenceEngine(pattern), DenseEngine(pattern), InnerConfig(inner_steps=2)
    ways = {
        "plain": lambda: plain(reference, theta, tasks, two),
        "ours": lambda: meta_gradient(dense, theta, tasks, two),
    }

    dense.loss_and_grad(theta[None], coords[:64], samples.values[:1, :64])  # threads and libraries wake up
    runs: dict[str, list] = {name: [] for name in ways}
    for repeat in range(args.repeats):
        for name, way in ways.items():
            runs[name].append(measured(way))
            print(f"{repeat}: {name} {runs[name][-1][0]:.2f} s, peak {runs[name][-1][1] / 2**20:,.0f} MiB", flush=True)
    gradients = {name: run[-1][2][1] for name, run in runs.items()}
    difference = ((gradients["ours"] - gradients["plain"]).norm() / gradients["plain"].norm()).item()
    fewer = Samples(Grid(shape=(args.many_size, args.many_size)).coords(), samples.values[:, : args.many_size**2])
    many = InnerConfig(inner_steps=args.many_steps, inner_step_size=1e-4)
    peak_two = statistics.median(
        measured(lambda: meta_gradient(dense, theta, Tasks(fewer, fewer), two))[1] for _ in range(args.repeats)
    )
    seconds_many, peak_many, _ = measured(lambda: meta_gradient(dense, theta, Tasks(fewer, fewer), many))

    seconds = {name: statistics.median(r[0] for r in run) for name, run in runs.items()}
    peaks = {name: statistics.median(r[1] for r in run) for name, run in runs.items()}
    record = {
        "kind": "benchmark", "name": "meta_gradient", **environment(), "width": args.width, "size": args.size,
        "tasks": args.tasks, "inner_steps": 2, "seconds": {n: [r[0] for r in run] for n, run in runs.items()},
        "peak_bytes": {n: [r[1] for r in run] for n, run in runs.items()},
        "plain_seconds": seconds["plain"], "ours_seconds": seconds["ours"], "ratio": seconds["plain"] / seconds["ours"],
        "plain_peak_bytes": peaks["plain"], "ours_peak_bytes": peaks["ours"],
        "peak_ratio": peaks["plain"] / peaks["ours"], "gradient_difference": difference,
        "many_steps": args.many_steps, "many_steps_seconds": seconds_many, "many_steps_peak_bytes": peak_many,
        "many_size": args.many_size, "two_steps_peak_bytes": peak_two, "many_steps_peak_ratio": peak_many / peak_two,
    }  # fmt: skip
    print(f"plain {seconds['plain']:.2f} s, {peaks['plain'] / 2**20:,.0f} MiB; ours {seconds['ours']:.2f} s, "
          f"{peaks['ours'] / 2**20:,.0f} MiB; {record['ratio']:.2f} times as fast in 1/{record['peak_ratio']:.0f} of "
          f"the memory; gradients differ by {difference:.1e}")  # fmt: skip
    print(f"{args.many_steps} inner steps at {args.many_size} x {args.many_size}: {seconds_many:.1f} s, "
          f"{peak_many / 2**20:,.0f} MiB, {record['many_steps_peak_ratio']:.2f} times the memory of 2")  # fmt: skip
    if args.json:
        write_json(args.json, record)


if __name__ == "__main__":
    main()
