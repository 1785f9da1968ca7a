"""Learning on several processes: is it worth it, what do their messages cost, and where would 64 of them stop?

learning   seconds of an outer step of `sparsine learn`: one process with one thread and with two, two ranks with one
           thread each; they take turns, and metrics.jsonl of the run has the clock. Efficiency of two ranks is the step
           of one process with two threads over theirs
messages   seconds of what ranks send each other in a step (the gradients of all tasks to all), beside a sum on the way
           (all-reduce), at several sizes, between two ranks on this machine
on paper   a step of 64 tasks on 1 to 64 ranks: computing as measured with one thread, sums and Adam as measured for 64
           tasks, messages round a ring (ranks - 1 times a latency and a part of the bytes) with the latency and the
           rate measured here, and with those of networks as they are usually told

A quarter of an hour on two quiet cores; `--tiny` is to see that it runs.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sparsine.cli.outputs import Output
from sparsine.cli.scripts import record_file
from sparsine.environment import environment
from sparsine.measure.timing.timed import timed
from sparsine.meta.metrics import read_metrics
from sparsine.optim import AdamState, adam_step
from sparsine.starts.start import load_start

BAR = 0.9
"""Of the efficiency of two ranks."""
TASKS = 4
FIELDS = {
    "quick": ("--width", "64", "--hidden-layers", "3", "--resolution", "48x48", "--points", "768"),
    "small": ("--width", "128", "--hidden-layers", "4", "--resolution", "64x64", "--points", "1024"),
    "paper": ("--width", "256", "--hidden-layers", "4", "--resolution", "178x178", "--points", "2500"),
}
STEPS = {"quick": 400, "small": 200, "paper": 30}
LEFT = {"quick": 0.06, "small": 0.05, "paper": 0.05}
"""Of the weights in the second round."""
WAYS = {"one thread": (1, 1), "two threads": (1, 2), "two ranks": (2, 1)}
"""(processes, threads of each)."""
SIZES = (2_000, 9_000, 35_000, 200_000, 800_000)
"""Bytes of a gradient: 2,284 weights are 9 kB, 8,704 are 35 kB; 200 and 800 kB are dense, of `small` and the paper."""
NETWORKS = {"10 Gb/s": (50e-6, 1.25e9), "1 Gb/s": (100e-6, 1.25e8)}
"""(seconds of latency, bytes a second), as they are usually told; not measured."""
PAPER_TASKS, PAPER_RANKS = 64, (1, 2, 4, 8, 16, 32, 64)
MESSAGES = "--messages"


@dataclass(frozen=True)
class Work:
    """What does not depend on the number of ranks."""

    task_seconds: float
    """Computing of one task with one thread."""
    sum_seconds: float
    """Of the gradients of all tasks: every rank does it."""
    adam_seconds: float
    """Of its step."""
    gradient_bytes: int


@dataclass(frozen=True)
class Network:
    latency: float
    bytes_per_second: float


def exchange_seconds(network: Network, ranks: int, tasks: int, gradient_bytes: int) -> float:
    """Every gradient to every rank, round a ring: ranks - 1 times the gradients of one rank."""
    return (ranks - 1) * (network.latency + tasks / ranks * gradient_bytes / network.bytes_per_second)


def reduce_seconds(network: Network, ranks: int, gradient_bytes: int) -> float:
    """The sum alone, round a ring: 2 (ranks - 1) times a part of one gradient."""
    return 2 * (ranks - 1) * (network.latency + gradient_bytes / ranks / network.bytes_per_second)


def on_paper(work: Work, network: Network, tasks: int, ranks: int) -> dict[str, float]:
    """A step, and its efficiency: the step of one rank over the work that all of them take for it."""
    alone = tasks * work.task_seconds + work.sum_seconds + work.adam_seconds
    computing = tasks / ranks * work.task_seconds + work.adam_seconds
    exchange = exchange_seconds(network, ranks, tasks, work.gradient_bytes)
    step = computing + work.sum_seconds + exchange
    by_sum = computing + work.sum_seconds / ranks + reduce_seconds(network, ranks, work.gradient_bytes)
    return {"ranks": ranks, "step_seconds": step, "exchange_seconds": exchange, "efficiency": alone / (ranks * step),
            "efficiency_by_sum": alone / (ranks * by_sum)}  # fmt: skip


def learned(name: str, way: str, steps: int, folder: Path) -> Iterator[dict[str, Any]]:
    """Seconds of a step in each of the two rounds of a run."""
    processes, threads = WAYS[way]
    command = ["-m", "sparsine"] if processes == 1 else ["-m", "torch.distributed.run", "--nproc-per-node",
                                                         str(processes), "-m", "sparsine"]  # fmt: skip
    options = ["learn", "curves:0/16", "--out", str(folder), "--recipe", "quick", *FIELDS[name], "--tasks-per-step",
               str(TASKS), "--dense-steps", str(steps), "--steps-per-round", str(steps), "--rounds", "1", "--fraction",
               str(1 - LEFT[name]), "--val-signals", "0", "--plan-signals", "0"]  # fmt: skip
    done = subprocess.run([sys.executable, *command, *options], capture_output=True, text=True,
                          env={**os.environ, "OMP_NUM_THREADS": str(threads)})  # fmt: skip
    if done.returncode:
        sys.exit(f"{way} of {name} failed:\n{done.stdout}{done.stderr}")
    for round in range(2):
        lines = [line for line in read_metrics(folder) if line["round"] == round]
        seconds, taken = (lines[-1][key] - lines[0][key] for key in ("seconds", "step"))
        start = load_start(folder / "starts" / f"round-{round:02d}.safetensors")
        yield {"field": name, "round": round, "weights": start.pattern.num_weights, "params": start.theta.numel(),
               "step_seconds": seconds / taken, "digest": start.digest}  # fmt: skip


def learning_rows(steps: dict[str, int], repeats: int) -> Iterator[dict[str, Any]]:
    """Both rounds of every field, by all ways in turns."""
    for name in FIELDS:
        found: dict[str, list[list[dict[str, Any]]]] = {way: [] for way in WAYS}
        for _ in range(repeats):
            for way, runs in found.items():
                with tempfile.TemporaryDirectory() as folder:
                    runs.append(list(learned(name, way, steps[name], Path(folder) / "run")))
        for round in range(2):
            yield learning_row({way: [run[round] for run in runs] for way, runs in found.items()})


def learning_row(runs: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    assert len({run["digest"] for each in runs.values() for run in each}) == 1, "not the same start by every way"
    first = runs["one thread"][0]
    seconds = {way: [run["step_seconds"] for run in each] for way, each in runs.items()}
    median = {way: statistics.median(each) for way, each in seconds.items()}
    efficiency = median["two threads"] / median["two ranks"]
    return {**{key: first[key] for key in ("field", "round", "weights", "params")}, "tasks": TASKS,
            "step_seconds": median, "step_runs": seconds, "efficiency": efficiency, "reached": efficiency >= BAR,
            **shared_by_none(first["params"])}  # fmt: skip


def shared_by_none(params: int) -> dict[str, float]:
    """What every rank does alone, with one thread: medians, for PAPER_TASKS tasks."""
    rows, theta = torch.randn(PAPER_TASKS, params), torch.randn(params)
    state = AdamState.zeros_like(theta)
    ways = {"sum_seconds": lambda: rows.sum(dim=0), "adam_seconds": lambda: adam_step(theta, theta, state, 1e-3)}
    return {name: statistics.median(timed(way).seconds for _ in range(21)) for name, way in ways.items()}


def message_rows(repeats: int) -> list[dict[str, Any]]:
    """Two ranks that do nothing else."""
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", __file__, MESSAGES, str(repeats)]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    if done.returncode:
        sys.exit(f"messages failed:\n{done.stderr}")
    rows: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return rows


def time_messages(repeats: int) -> None:
    """What each of the two ranks does; the first prints what it measured."""
    import torch.distributed as dist

    from sparsine.meta.rank_group import RankGroup, connected

    ranks, rows = RankGroup(120.0), []
    with connected(ranks, "cpu"):
        for size in SIZES:
            start, sums = torch.zeros(size // 4), torch.zeros(size // 4)
            losses, gradients = torch.randn(TASKS // 2), torch.randn(TASKS // 2, size // 4)
            share = ranks.share(TASKS)
            gather = [timed(lambda: share.gathered(start, losses, gradients)).seconds for _ in range(repeats)]  # noqa: B023
            summed = [timed(lambda: dist.all_reduce(sums)).seconds for _ in range(repeats)]  # noqa: B023
            seconds = {"gathered_seconds": statistics.median(gather), "all_reduce_seconds": statistics.median(summed)}
            rows.append({"gradient_bytes": size, "message_bytes": 8 + TASKS // 2 * (size + 4), **seconds})
    if ranks.number == 0:
        print(json.dumps(rows))


def measured_network(rows: list[dict[str, Any]]) -> Network:
    """The line through what messages of two ranks took; relative errors count."""
    sizes, seconds = (np.array([row[key] for row in rows]) for key in ("message_bytes", "gathered_seconds"))
    system = np.stack([np.ones(len(sizes)), sizes], axis=1) / seconds[:, None]
    latency, per_byte = np.linalg.lstsq(system, np.ones(len(sizes)), rcond=None)[0]
    return Network(max(float(latency), 1e-7), 1 / max(float(per_byte), 1e-13))


def paper_rows(learning: list[dict[str, Any]], here: Network) -> Iterator[dict[str, Any]]:
    for row in learning:
        work = Work(
            row["step_seconds"]["one thread"] / TASKS, row["sum_seconds"], row["adam_seconds"], 4 * row["params"]
        )
        for name, network in {"this machine": here, **{n: Network(*told) for n, told in NETWORKS.items()}}.items():
            steps = [on_paper(work, network, PAPER_TASKS, ranks) for ranks in PAPER_RANKS]
            yield {"field": row["field"], "weights": row["weights"], "network": name, **asdict(network),
                   **asdict(work), "steps": steps, "half_up_to": half_up_to(work, network)}  # fmt: skip


def half_up_to(work: Work, network: Network) -> int:
    """The most ranks, a task or more for each, that reach half of what they could."""
    each = range(1, PAPER_TASKS + 1)
    return max(n for n in each if on_paper(work, network, PAPER_TASKS, n)["efficiency"] >= 0.5)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--tiny", action="store_true", help="few steps: its numbers say nothing")
    parser.add_argument("--json", type=Path)
    parser.add_argument(MESSAGES, type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.messages:
        time_messages(args.messages)
        return
    with record_file(args.json) as json:
        measure(args, json)


def measure(args: argparse.Namespace, json: Output) -> None:
    torch.set_num_threads(1)
    steps = {name: 20 if args.tiny else count for name, count in STEPS.items()}
    repeats = 1 if args.tiny else args.repeats
    messages = message_rows(20 if args.tiny else 400)
    here, rows = measured_network(messages), []
    for row in learning_rows(steps, repeats):
        rows.append(row)
        told = ", ".join(f"{way} {1e3 * value:.2f} ms" for way, value in row["step_seconds"].items())
        print(f"{row['field']}, {row['weights']} weights: {told}; efficiency {row['efficiency']:.2f}", flush=True)
    json.write_json({"kind": "benchmark", "name": "ranks", **environment(), "tiny": args.tiny, "bar": BAR,
                     "repeats": repeats, "steps": steps, "rows": rows, "messages": messages,
                     "paper_tasks": PAPER_TASKS, "paper": list(paper_rows(rows, here))})  # fmt: skip


if __name__ == "__main__":
    main()
