"""A comparison so small that a cell takes milliseconds. Learning is done in this process, where shapes are checked."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from sparsine.fitting import FitConfig
from sparsine.measure.comparison.comparison import Comparison, stages_of
from sparsine.measure.comparison.config import CompareConfig
from sparsine.meta.config import FieldConfig, GridConfig, LearnConfig, OuterConfig, WatchConfig
from sparsine.meta.maml import InnerConfig
from sparsine.pruning.prune import PruningConfig

LEARN = LearnConfig(
    field=FieldConfig(width=6, hidden_layers=2, omega_0=9.0),
    grid=GridConfig(resolution=(13, 11)),
    inner=InnerConfig(points=37),
    outer=OuterConfig(outer_step_size=1e-3, dense_steps=5, steps_per_round=3, tasks_per_step=2),
    pruning=PruningConfig(fraction=0.3, rounds=3),
    watch=WatchConfig(val_signals=0),
)
"""2 - 6 - 6 - 1: 54 weights, of which 38, 27 and 19 survive; 13 biases."""
SURVIVORS = [54, 38, 27, 19]

CONFIG = CompareConfig(
    recipe="tiny", learn=LEARN, methods=("meta-sparse",), levels=(1, 3), ablation_levels=(2,), latents=(3,),
    latent_steps=4, seeds=(0,), signals=3, pictures=1, adam=FitConfig(steps=7, report=(0, 3), batch=2),
)  # fmt: skip


def comparison(root: Path, data: dict[str, str] | None = None, **changes: Any) -> Comparison:
    return Comparison(replace(CONFIG, **changes), data or {"curves": "curves"}, root)


def learned(made: Comparison) -> Comparison:
    """With every stage run, one after the other."""
    for key, stage in stages_of(made.cells()).items():
        if not stage.is_done(made.root):
            stage.run(made.root, made.datasets[key.split("/")[1]], lambda fraction: None)
    return made


def save_photos(folder: Path, count: int = 30) -> Path:
    """Smooth colour pictures, so that there is something to learn."""
    folder.mkdir(parents=True)
    rows, columns = np.mgrid[:15, :17] / 16
    for i in range(count):
        a, b, c = np.random.default_rng([i, 8]).uniform(1, 5, 3)
        waves = [np.sin(a * rows + c), np.cos(b * columns + a), np.sin(c * rows * columns + b)]
        picture = np.stack([(127 + 120 * wave) for wave in waves], axis=-1).astype(np.uint8)
        Image.fromarray(picture).save(folder / f"{i:02d}.png")
    return folder
