"""A small start and pictures for it, for tests of commands."""

import numpy as np
from PIL import Image
from small_problems import field_of, random_pattern

from sparsine.signals.grid import Grid
from sparsine.signals.kinds import Rgb
from sparsine.starts.start import Start, save_start


def make_start(path, **info):
    """2-7-5-3 on a grid of 5 x 7."""
    field = field_of(2, 7, 5, 3, omega_0=6.5, output_offset=0.5)
    pattern = random_pattern(field, 0.7, 1)
    theta = pattern.gather(field.initial_theta(1)[None])[0]
    path.parent.mkdir(parents=True, exist_ok=True)
    save_start(path, Start(pattern, theta, Grid(shape=(5, 7)), info, kind=Rgb()))
    return path


def make_pictures(folder, *names):
    """Of 5 x 7 pixels, with made-up colours."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names):
        values = np.random.default_rng(number).integers(0, 256, (5, 7, 3), dtype=np.uint8)
        Image.fromarray(values).save(folder / name, format="PNG")
    return folder
