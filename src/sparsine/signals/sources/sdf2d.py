"""`sdf2d:FILE.npz`: the file format of Learnit's 2-D signed distance fields."""

from functools import partial
from pathlib import Path
from typing import final

import numpy as np
from jaxtyping import Float

from sparsine.errors import BadInput, UnreadableSignal
from sparsine.npz import Promised, read_arrays
from sparsine.signals.cache import Cached
from sparsine.signals.dataset import Dataset, SignalSet, check_index
from sparsine.signals.fingerprint import fingerprint_bytes
from sparsine.signals.kinds.image import Grey, Rgb
from sparsine.signals.resize import cover_crop_values
from sparsine.signals.source import SOURCES, of_pictures
from sparsine.signals.splits import hold_out, validation_count

_EXPECTED = (
    "an .npz file with arrays train_data and test_data of shape (N, rows, columns, 1 or 3), values 0 to 255 or 0 to 1"
)
BYTES, UNIT = 255.0, 1.0
"""The brightest value: as Learnit stores them, or as they are used."""
_ROUNDING = 1e-6
_DARKEST = 0.1
"""Of 255: signals that are mostly darker than that are of no such range."""


@final
class StoredArrays(SignalSet):
    """Rows of one array (N, rows, columns, channels), divided by the brightest value that there can be."""

    fingerprint_loads = False

    def __init__(
        self, path: Path, key: str, data: np.ndarray, indices: list[int], shape: tuple[int, int], brightest: float
    ) -> None:
        self._path, self._key, self._data, self._indices, self._shape = path, key, data, indices, shape
        self._brightest = brightest

    def __len__(self) -> int:
        return len(self._indices)

    def name(self, index: int) -> str:
        check_index(index, len(self))
        return f"{self._key}-{self._indices[index]:06d}"

    def shape_of(self, index: int) -> tuple[int, ...]:
        check_index(index, len(self))
        return self._shape

    def fingerprint(self, index: int) -> str:
        check_index(index, len(self))
        values = np.ascontiguousarray(self._data[self._indices[index]])
        return fingerprint_bytes(f"{values.dtype.str} {values.shape}".encode(), values.view(np.uint8).data)

    def load(self, index: int) -> Float[np.ndarray, "rows columns channels"]:
        where = f"{self._path}, {self.name(index)}"
        values = self._data[self._indices[index]]
        if not np.isfinite(values).all():
            raise UnreadableSignal(f"{where}: it holds values that are not finite (NaN or infinity)")
        low, high = float(values.min()), float(values.max())
        # of 255, what is all below 1 was divided already; whole numbers may be as dark as that
        divided = self._brightest == BYTES and 0 < high <= 1 and values.dtype.kind == "f" and (values % 1).any()
        if low < 0 or high > self._brightest * (1 + _ROUNDING) or divided:
            raise UnreadableSignal(
                f"{where}: its values run from {low:.4g} to {high:.4g}, but 0 to {self._brightest:g} was expected, as "
                "in the others"
            )
        values = values.astype(np.float32) / np.float32(self._brightest)
        if self._shape != values.shape[:2]:
            values = np.clip(cover_crop_values(values, self._shape), 0.0, 1.0)
        return np.ascontiguousarray(values)


def open_sdf2d(spec: str, path: Path, resolution: tuple[int, int] | None, seed: int) -> Dataset:
    """Grey or RGB values in [0, 1]: stored values, divided by 255 where they run up to that. min(100, 10 %) of the
    training signals, by seed, are val.

    Raises:
        BadInput: not such a file; says what was found and what was expected.
    """
    train_data, test_data = _read(path)
    brightest = _brightest_of(path, {"train_data": train_data, "test_data": test_data})
    rows, columns, num_channels = train_data.shape[1:]
    shape = resolution or (rows, columns)
    # Padded, so that sorted names are sorted indices.
    names = [f"{i:09d}" for i in range(len(train_data))]
    trains, vals = hold_out(names, validation_count(len(names)), seed)
    train, val, test = (
        Cached(StoredArrays(path, key, data, [int(name) for name in chosen], shape, brightest))
        for key, data, chosen in (
            ("train", train_data, trains),
            ("train", train_data, vals),
            ("test", test_data, [str(i) for i in range(len(test_data))]),
        )
    )
    resized = "" if shape == (rows, columns) else f", resized to {shape[0]} x {shape[1]}"
    scaled = "values / 255" if brightest == BYTES else "values as they are, 0 to 1"
    return Dataset(
        spec=spec,
        source="sdf2d",
        shape=shape,
        num_channels=num_channels,
        kind=Rgb() if num_channels == 3 else Grey(),
        description=f"2-D signed distance fields from {path.name}, stored {rows} x {columns}, {scaled}"
        f"{resized}; {len(vals)} of its training signals (seed {seed}) are val.",
        train=train,
        val=val,
        test=test,
    )


def _brightest_of(path: Path, arrays: dict[str, np.ndarray]) -> float:
    """255 or 1, by what most signals hold; a few may be damaged.

    Raises:
        BadInput: neither, or not the same for both arrays.
    """
    found = {key: _brightest(path, key, data) for key, data in arrays.items() if len(data)}
    # whole numbers up to 1 may be of either range, so the other array decides
    sure = {key: brightest for key, brightest in found.items() if brightest == BYTES or arrays[key].dtype.kind == "f"}
    if len(set(sure.values())) > 1:
        ranges = ", ".join(f"{key} up to {brightest:g}" for key, brightest in sure.items())
        raise BadInput(f"{path}: both arrays must be of one range, but the values run in {ranges}")
    return next(iter((sure or found).values()))


def _brightest(path: Path, key: str, data: np.ndarray) -> float:
    signals = data.reshape(len(data), -1)
    lows, highs = np.fmin.reduce(signals, axis=1), np.fmax.reduce(signals, axis=1)  # which leave NaN out
    low, high = _median(lows[np.isfinite(lows)]), _median(highs[highs > 0])
    if low >= 0 and _DARKEST * BYTES <= high <= BYTES:
        return BYTES
    if low >= 0 and high <= UNIT * (1 + _ROUNDING):
        return UNIT
    raise BadInput(f"{path}: most signals in {key} have values from {low:.4g} to {high:.4g}; expected {_EXPECTED}")


def _median(numbers: np.ndarray) -> float:
    return float(np.median(numbers)) if numbers.size else 0.0


def _read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """(train, test), each (N, rows, columns, channels); N is 0 for one that is not there."""
    arrays = read_arrays(path, partial(_keys, path), _EXPECTED)
    whole = {key: data[..., None] if data.ndim == 3 else data for key, data in arrays.items()}
    of_split = {key.partition("_")[0]: data for key, data in whole.items()}
    empty = next(iter(whole.values()))[:0]
    return of_split.get("train", empty), of_split.get("test", empty)


def _keys(path: Path, promised: dict[str, Promised]) -> list[str]:
    """Of the arrays that are there, if they are as they should be. One of both will do: the other split is empty."""
    # NumPy strips ".npy" from a member's name; Learnit's file carries it once more.
    keys = [key for split in ("train", "test") for key in (f"{split}_data", f"{split}_data.npy") if key in promised]
    if not keys or len(keys) == 1 < len(promised):  # the other one may be there under a wrong name
        raise BadInput(f"{path} has the keys {', '.join(promised) or '(none)'}; expected {_EXPECTED}")
    for key in keys:
        _check(path, key, promised[key])
    shapes = {key: _signal_shape(promised[key]) for key in keys}
    if len(set(shapes.values())) > 1:
        both = ", ".join(f"{key} has signals of shape {shape}" for key, shape in shapes.items())
        raise BadInput(f"{path}: {both}; both must be the same")
    if not sum(promised[key].shape[0] for key in keys):
        raise BadInput(f"{path} holds no signal; expected {_EXPECTED}")
    return keys


def _check(path: Path, key: str, array: Promised) -> None:
    if array.dtype.kind not in "uif":
        raise BadInput(f"{path}: {key} has dtype {array.dtype}; expected {_EXPECTED}")
    shape = _signal_shape(array)
    if len(array.shape) not in (3, 4) or shape[2] not in (1, 3) or min(shape[:2]) < 2:
        raise BadInput(f"{path}: {key} has shape {array.shape}; expected {_EXPECTED}")


def _signal_shape(array: Promised) -> tuple[int, ...]:
    """(rows, columns, channels); one channel where the array has no axis for them."""
    return (*array.shape[1:], 1) if len(array.shape) == 3 else array.shape[1:]


SOURCES["sdf2d"] = of_pictures(
    "sdf2d:FILE.npz, Learnit's 2-D signed distance fields (train_data, test_data)",
    open_sdf2d,
)
