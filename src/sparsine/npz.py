"""Arrays of an npz file: what they are is read, and whether memory holds them, before anything is inflated."""

import os
import zipfile
import zlib
from collections.abc import Callable, Collection
from math import prod
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from sparsine.checks import check_memory
from sparsine.errors import BadInput
from sparsine.storage import open_to_read

_FAULTS = (OSError, ValueError, EOFError, KeyError, MemoryError, NotImplementedError, RuntimeError,
           zipfile.BadZipFile, zlib.error)  # fmt: skip
_SINGLE = b"\x93NUMPY"


class Promised(NamedTuple):
    """What the head of an array says."""

    dtype: np.dtype
    shape: tuple[int, ...]

    @property
    def num_bytes(self) -> int:
        return self.dtype.itemsize * prod(self.shape)


Choose = Callable[[dict[str, Promised]], Collection[str]]
"""Told what there is, says which arrays are wanted, or raises."""


def read_arrays(path: Path, choose: Choose, expected: str) -> dict[str, np.ndarray]:
    """The arrays that are chosen, by name.

    Raises:
        BadInput: no npz file of plain arrays, or one that is damaged, or arrays larger than memory; or what `choose`
            raises. `expected` says what would be right.
    """
    try:
        with open_to_read(path) as file:
            return _read(path, file, choose)
    except BadInput:
        raise
    except FileNotFoundError as error:
        raise BadInput(f"cannot read {path}: no such file; expected {expected}") from error
    except _FAULTS as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise BadInput(f"{path} is not an npz of plain arrays ({reason}); expected {expected}") from error


def _read(path: Path, file: BinaryIO, choose: Choose) -> dict[str, np.ndarray]:
    if file.read(len(_SINGLE)) == _SINGLE:
        raise ValueError("it is a single array")
    with zipfile.ZipFile(file) as archive:
        promised = {member.filename.removesuffix(".npy"): _head(archive, member) for member in archive.infolist()}
        chosen = choose(promised)
        check_memory(f"reading {path}", sum(promised[name].num_bytes for name in chosen), "give smaller arrays")
        _check_whole(file, archive)
    file.seek(0)
    # allow_pickle stays off: an object array could run code.
    with np.load(file, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in chosen}


def _head(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Promised:
    try:
        return _promise(archive, member)
    except zipfile.BadZipFile as error:
        raise ValueError(f"{member.filename} is damaged") from error


def _promise(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Promised:
    with archive.open(member) as file:
        if file.read(len(_SINGLE)) != _SINGLE:
            raise ValueError(f"{member.filename} is not an array")
        version = tuple(file.read(2))
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(file)
        if dtype.hasobject:
            raise ValueError(f"{member.filename} holds Python objects, which are never loaded")
        return Promised(dtype, shape)


def _check_whole(file: BinaryIO, archive: zipfile.ZipFile) -> None:
    """What NumPy and zipfile take for granted: a directory may list fewer members than the end of the file speaks of;
    reading an array stops short of its checksum where the size that stands for it is damaged, too."""
    if (damaged := archive.testzip()) is not None:
        raise ValueError(f"{damaged} is damaged")
    file.seek(-22 - len(archive.comment), os.SEEK_END)
    promised = int.from_bytes(file.read(22)[10:12], "little")
    if promised != len(archive.namelist()):
        raise ValueError(f"its directory lists {len(archive.namelist())} of {promised} members")
