"""Started by test_resume.py in a process of its own: runs that are really killed, and resumed until they end.

Every run is a forked child that gets SIGKILL at a chosen moment. Prints, as JSON, what each way of dying led to.
"""

import json
import os
import signal
import sys
from pathlib import Path

import torch
import torch.utils.tensorboard

import sparsine.meta.learner as learner
import sparsine.storage as storage
from sparsine.meta.config import FieldConfig, GridConfig, LearnConfig, OuterConfig, WatchConfig
from sparsine.meta.maml import InnerConfig
from sparsine.meta.metrics import read_metrics
from sparsine.meta.run import open_run
from sparsine.meta.run_folder import starts_of
from sparsine.meta.sparse import learn_sparse_start
from sparsine.pruning.prune import PruningConfig
from sparsine.signals.open import open_dataset
from sparsine.starts.start import load_start

CONFIG = LearnConfig(
    field=FieldConfig(width=7, hidden_layers=2, omega_0=30.0),
    grid=GridConfig(resolution=(5, 9)),
    inner=InnerConfig(points=11),
    outer=OuterConfig(outer_step_size=1e-3, dense_steps=5, steps_per_round=3, tasks_per_step=2),
    pruning=PruningConfig(rounds=2, fraction=0.3, score="saliency", score_options={"signals": 2, "steps": 3}),
    watch=WatchConfig(checkpoint_seconds=0.0, log_every=1, val_every=2, val_signals=2),
)


def learn(folder: Path) -> None:
    dataset = open_dataset(CONFIG.data, resolution=CONFIG.grid.resolution)
    with open_run(CONFIG, folder, dataset, resume=True) as run:
        learn_sparse_start(CONFIG, run)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def at_call(number, function):
    """`function`, but `die` is called instead at the `number`-th call."""
    calls = iter(range(1, 10**6))

    def wrapped(*args, **kwargs):
        return die() if next(calls) == number else function(*args, **kwargs)

    return wrapped


def in_gradient(number):
    learner.meta_gradient = at_call(number, learner.meta_gradient)


def while_writing(number):
    """Half of the `number`-th file is on disk, under its temporary name, when the end comes."""
    calls = iter(range(1, 10**6))
    real = os.fsync

    def fsync(descriptor):
        if next(calls) == number:
            os.ftruncate(descriptor, os.fstat(descriptor).st_size // 2)
            die()
        real(descriptor)

    storage.os.fsync = fsync


def before_rename(number):
    storage.os.replace = at_call(number, os.replace)


def in_child(work) -> int:
    """The signal that ended the child; 0 when it ended by itself and well."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except BaseException as error:
            print(f"child failed: {error!r}", file=sys.stderr)
            os._exit(1)
    status = os.waitpid(child, 0)[1]
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else -os.WEXITSTATUS(status)


def bits(folder: Path) -> dict:
    """Everything that must come out the same: starts in full, metrics without the clock."""
    starts = {p.name: load_start(p) for p in starts_of(folder)}
    metrics = [{k: v for k, v in line.items() if k != "seconds"} for line in read_metrics(folder)]
    vectors = {name: start.theta.numpy().tobytes().hex() for name, start in starts.items()}
    patterns = {name: start.pattern.to_bits().tolist() for name, start in starts.items()}
    return {"theta": vectors, "patterns": patterns, "metrics": metrics, "leftovers": sorted(folder.glob(".*.tmp"))}


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    assert in_child(lambda: learn(folder / "whole")) == 0
    expected, outcomes = bits(folder / "whole"), []
    cases = [(way, n) for way, ns in
             ((in_gradient, (1, 4, 6, 8, 11)), (while_writing, range(1, 18, 2)), (before_rename, range(2, 18, 2)))
             for n in ns]  # fmt: skip
    for way, number in cases:
        run = folder / f"{way.__name__}-{number}"
        killed = in_child(lambda way=way, number=number, run=run: (way(number), learn(run)))
        resumed = in_child(lambda run=run: learn(run))
        outcomes.append({"case": run.name, "killed_by": killed, "resumed": resumed, "same": bits(run) == expected})
    many = folder / "many"
    deaths = sum(in_child(lambda: (in_gradient(2), learn(many))) == signal.SIGKILL for _ in range(30))
    outcomes.append({"case": "killed at every second step", "killed_by": signal.SIGKILL if deaths >= 10 else 0,
                     "resumed": in_child(lambda: learn(many)), "same": bits(many) == expected})  # fmt: skip
    print(json.dumps(outcomes))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
