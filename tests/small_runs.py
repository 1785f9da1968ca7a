"""Runs that learn from a few small pictures of a folder, in moments."""

import shutil
from dataclasses import replace

import numpy as np
from PIL import Image

from sparsine.meta.config import FieldConfig, GridConfig, LearnConfig, OuterConfig, WatchConfig
from sparsine.meta.maml import InnerConfig
from sparsine.meta.run import open_run
from sparsine.meta.run_folder import starts_of
from sparsine.meta.sparse import learn_sparse_start
from sparsine.pruning.prune import PruningConfig
from sparsine.signals.open import open_dataset
from sparsine.starts.start import load_start

CONFIG = LearnConfig(
    field=FieldConfig(width=7, hidden_layers=2, omega_0=20.0),
    grid=GridConfig(resolution=(5, 6)),
    inner=InnerConfig(points=19),
    outer=OuterConfig(outer_step_size=1e-3, dense_steps=7, steps_per_round=5, tasks_per_step=2),
    pruning=PruningConfig(rounds=2, fraction=0.3),
    watch=WatchConfig(checkpoint_seconds=0.0, log_every=1, val_every=3, val_signals=2),
)


class Killed(BaseException):
    """As if the process had ended here: nothing catches it but what cleans up."""


def put(path, seed):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng([seed]).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


def photos(folder, count=20, first=0):
    for i in range(first, first + count):
        put(folder / f"{i:02d}.png", i)
    return folder


def config_of(folder, **outer):
    return replace(CONFIG, data=f"images:{folder}", outer=replace(CONFIG.outer, **outer))


def opened(config):
    return open_dataset(config.data, resolution=config.grid.resolution)


def learn(config, run, *, resume=False, until=None, **more):
    """Learn in `run`; ends as if it were killed once `until` outer steps are taken. Returns (last start, notes)."""

    def on_step(state, loss):
        if state.step == until:
            raise Killed

    with open_run(config, run, opened(config), resume=resume, on_step=on_step, **more) as learning:
        start = learn_sparse_start(config, learning)
        return start, learning.take_notes()


def begin(config, run, until=9):
    """A run that was killed in the middle of round 1, with a checkpoint of that step."""
    try:
        learn(config, run, until=until)
    except Killed:
        return run
    raise AssertionError("it was not killed")


def digests(run):
    return [load_start(path).digest for path in starts_of(run)]


def contents(folder):
    """Every file with its bytes and its date."""
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in sorted(folder.rglob("*"))
            if path.is_file() and path.name != ".lock"}  # fmt: skip


def copied(folder, to):
    shutil.copytree(folder, to)
    return to
