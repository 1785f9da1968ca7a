"""Starts published by Learnit (Tancik et al., CVPR 2021), in its own conventions: coordinates arange(n)/n in [0, 1)
with the row first, 0.5 added to the output."""

import os
import zlib
from pathlib import Path
from typing import BinaryIO
from zipfile import BadZipFile

import numpy as np
import torch

from sparsine.errors import BadInput
from sparsine.fields.pattern import Pattern
from sparsine.fields.siren import Siren
from sparsine.meta.start import Start
from sparsine.signals.grid import Grid
from sparsine.signals.kinds.image import Rgb
from sparsine.storage import open_to_read


def import_learnit(path: Path, *, omega_0: float = 200.0, shape: tuple[int, int] = (178, 178)) -> Start:
    """A dense start from an npz with `layers.{i}.weight` (out, in) and `layers.{i}.bias` (out,).

    Raises:
        BadInput: missing file, missing or surplus keys, shapes that do not chain, numbers that are not finite.
    """
    arrays = _read(path)
    num_layers = sum(name.endswith(".weight") for name in arrays)
    expected = {f"layers.{i}.{part}" for i in range(num_layers) for part in ("weight", "bias")}
    if num_layers < 2 or set(arrays) != expected:
        raise BadInput(f"{path} holds {sorted(arrays)}; expected layers.0.weight, layers.0.bias, layers.1.weight, ...")
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


def _promised_members(file: BinaryIO, comment_length: int) -> int:
    """How many members the end of a zip file speaks of: zipfile takes a directory that lists fewer."""
    file.seek(-22 - comment_length, os.SEEK_END)
    return int.from_bytes(file.read(22)[10:12], "little")


def _read(path: Path) -> dict[str, np.ndarray]:
    try:
        with open_to_read(path) as file:
            archive = np.load(file, allow_pickle=False)
            if not hasattr(archive, "files"):
                raise ValueError("it is a single array")
            # reading an array stops short of the checksum where the size that stands for it is damaged, too
            if (damaged := archive.zip.testzip()) is not None:
                raise ValueError(f"{damaged} is damaged")
            if (promised := _promised_members(file, len(archive.zip.comment))) != len(archive.zip.namelist()):
                raise ValueError(f"its directory lists {len(archive.zip.namelist())} of {promised} members")
            arrays = {name: archive[name] for name in archive.files}
    except FileNotFoundError as error:
        raise BadInput(f"cannot read {path}: no such file") from error
    except (OSError, ValueError, BadZipFile, EOFError, KeyError, RuntimeError, zlib.error) as error:
        raise BadInput(f"{path} is not an npz of plain arrays ({error})") from error
    for name, array in arrays.items():
        # a member that is no npy file at all comes back as bytes
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu":
            raise BadInput(f"{path}: {name} must hold real numbers, but is {getattr(array, 'dtype', 'not an array')}")
    return arrays
