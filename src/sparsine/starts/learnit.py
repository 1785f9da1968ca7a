"""Starts published by Learnit (Tancik et al., CVPR 2021), in its own conventions: coordinates arange(n)/n in [0, 1)
with the row first, 0.5 added to the output."""

from functools import partial
from pathlib import Path

import numpy as np
import torch

from sparsine.errors import BadInput
from sparsine.fields.pattern import Pattern
from sparsine.fields.siren import Siren
from sparsine.npz import Promised, read_arrays
from sparsine.signals.grid import Grid
from sparsine.signals.kinds.image import Rgb
from sparsine.starts.start import Start

_EXPECTED = "layers.0.weight, layers.0.bias, layers.1.weight, ..."


def import_learnit(path: Path | str, *, omega_0: float = 200.0, shape: tuple[int, int] = (178, 178)) -> Start:
    """A dense start from an npz with `layers.{i}.weight` (out, in) and `layers.{i}.bias` (out,).

    Raises:
        BadInput: missing file, missing or surplus keys, shapes that do not chain, numbers that are not finite.
    """
    path = Path(path)
    arrays = read_arrays(path, partial(_check_numbers, path), _EXPECTED)
    num_layers = sum(name.endswith(".weight") for name in arrays)
    expected = {f"layers.{i}.{part}" for i in range(num_layers) for part in ("weight", "bias")}
    if num_layers < 2 or set(arrays) != expected:
        raise BadInput(f"{path} holds {sorted(arrays)}; expected {_EXPECTED}")
    weights = [arrays[f"layers.{i}.weight"] for i in range(num_layers)]
    biases = [arrays[f"layers.{i}.bias"] for i in range(num_layers)]
    if any(w.ndim != 2 for w in weights):
        raise BadInput(
            f"{path}: every weight must be a matrix (out, in), but the shapes are {[w.shape for w in weights]}"
        )
    field = Siren(sizes=(weights[0].shape[1], *(w.shape[0] for w in weights)), omega_0=omega_0, output_offset=0.5)
    if [w.shape for w in weights] != list(field.layer_shapes) or [b.shape for b in biases] != [
        (n,) for n in field.sizes[1:]
    ]:
        raise BadInput(
            f"{path}: the layers do not fit one another: weights {[w.shape for w in weights]}, "
            f"biases {[b.shape for b in biases]}"
        )
    with np.errstate(over="ignore"):  # too large for float32: refused below
        theta = torch.from_numpy(np.concatenate([a.ravel() for a in weights + biases]).astype(np.float32))
    if not torch.isfinite(theta).all():
        raise BadInput(f"{path} holds numbers that are not finite")
    info = {"data": "celeba", "recipe": "learnit", "round": 0,
            "description": "Dense meta-initialisation published by Learnit (MIT licence), imported."}  # fmt: skip
    grid = Grid(shape=shape, extent=(0.0, 1.0), alignment="lower")
    return Start(Pattern.full(field), theta, grid, info, kind=Rgb())


def _check_numbers(path: Path, promised: dict[str, Promised]) -> list[str]:
    """All names, if all are of real numbers."""
    for name, array in promised.items():
        if array.dtype.kind not in "fiu":
            raise BadInput(f"{path}: {name} must hold real numbers, but is {array.dtype}")
    return list(promised)
