"""`sdf2d:FILE.npz`: the file format of Learnit's 2-D signed distance fields."""

import zipfile
import zlib
from pathlib import Path
from typing import final

import numpy as np
from jaxtyping import Float

from sparsine.errors import BadInput, UnreadableSignal
from sparsine.signals.cache import Cached
from sparsine.signals.dataset import Dataset, SignalSet, check_index
from sparsine.signals.fingerprint import fingerprint_bytes
from sparsine.signals.kinds.image import Grey, Rgb
from sparsine.signals.resize import cover_crop_values
from sparsine.signals.source import SOURCES, of_pictures
from sparsine.signals.splits import hold_out, validation_count

_EXPECTED = "an .npz file with arrays train_data and test_data of shape (N, rows, columns, 1 or 3), values 0 to 255"


@final
class StoredArrays(SignalSet):
    """Rows of one array (N, rows, columns, channels), divided by 255."""

    fingerprint_loads = False

    def __init__(self, path: Path, key: str, data: np.ndarray, indices: list[int], shape: tuple[int, int]) -> None:
        self._path, self._key, self._data, self._indices, self._shape = path, key, data, indices, shape

    def __len__(self) -> int:
        return len(self._indices)

    def name(self, index: int) -> str:
        check_index(index, len(self))
        return f"{self._key}-{self._indices[index]:06d}"

    def fingerprint(self, index: int) -> str:
        check_index(index, len(self))
        values = np.ascontiguousarray(self._data[self._indices[index]])
        return fingerprint_bytes(f"{values.dtype.str} {values.shape}".encode(), values.view(np.uint8).data)

    def load(self, index: int) -> Float[np.ndarray, "rows columns channels"]:
        where = f"{self._path}, {self.name(index)}"
        values = self._data[self._indices[index]]
        if not np.isfinite(values).all():
            raise UnreadableSignal(f"{where}: it holds values that are not finite (NaN or infinity)")
        if values.min() < 0 or values.max() > 255:
            raise UnreadableSignal(
                f"{where}: its values run from {values.min()} to {values.max()}, but 0 to 255 was expected"
            )
        values = values.astype(np.float32) / np.float32(255.0)
        if self._shape != values.shape[:2]:
            values = np.clip(cover_crop_values(values, self._shape), 0.0, 1.0)
        return np.ascontiguousarray(values)


def open_sdf2d(spec: str, path: Path, resolution: tuple[int, int] | None, seed: int) -> Dataset:
    """Grey or RGB values in [0, 1]: stored values / 255. min(100, 10 %) of the training signals, by seed, are val.

    Raises:
        BadInput: not such a file; says what was found and what was expected.
    """
    train_data, test_data = _read(path)
    if train_data.shape[1:] != test_data.shape[1:]:
        raise BadInput(
            f"{path}: train_data has signals of shape {train_data.shape[1:]}, "
            f"test_data of {test_data.shape[1:]}; both must be the same"
        )
    if len(train_data) < 2 or len(test_data) < 1:
        raise BadInput(
            f"{path} holds {len(train_data)} training and {len(test_data)} test signals; at least 2 and 1 are needed"
        )
    rows, columns, num_channels = train_data.shape[1:]
    shape = resolution or (rows, columns)
    # Padded, so that sorted names are sorted indices.
    names = [f"{i:09d}" for i in range(len(train_data))]
    trains, vals = hold_out(names, validation_count(len(names)), seed)
    train, val, test = (
        Cached(StoredArrays(path, key, data, [int(name) for name in chosen], shape))
        for key, data, chosen in (
            ("train", train_data, trains),
            ("train", train_data, vals),
            ("test", test_data, [str(i) for i in range(len(test_data))]),
        )
    )
    resized = "" if shape == (rows, columns) else f", resized to {shape[0]} x {shape[1]}"
    return Dataset(
        spec=spec,
        source="sdf2d",
        shape=shape,
        num_channels=num_channels,
        kind=Rgb() if num_channels == 3 else Grey(),
        description=f"2-D signed distance fields from {path.name}, stored {rows} x {columns}, values / 255"
        f"{resized}; {len(vals)} of its training signals (seed {seed}) are val.",
        train=train,
        val=val,
        test=test,
    )


def _read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """(train, test), each (N, rows, columns, channels)."""
    if not path.is_file():
        raise BadInput(f"{path} {'is not a file' if path.exists() else 'does not exist'}; give {_EXPECTED}")
    try:
        with zipfile.ZipFile(path) as archive:  # also refuses a bare .npy file and a pickle
            archive.namelist()
        # allow_pickle stays off: an object array could run code.
        with np.load(path, allow_pickle=False) as file:
            train, test = (_array(path, file, split) for split in ("train", "test"))
            return train, test
    except BadInput:
        raise
    except (
        OSError,
        ValueError,
        EOFError,
        KeyError,
        MemoryError,
        NotImplementedError,
        RuntimeError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise BadInput(f"{path} cannot be read ({reason}); expected {_EXPECTED}") from error


def _array(path: Path, file: "np.lib.npyio.NpzFile", split: str) -> np.ndarray:
    # numpy strips ".npy" from a member's name; Learnit's file carries it once more.
    key = next((key for key in (f"{split}_data", f"{split}_data.npy") if key in file.files), None)
    if key is None:
        raise BadInput(f"{path} has the keys {', '.join(file.files) or '(none)'}; expected {_EXPECTED}")
    data = file[key]
    if data.dtype.kind not in "uif":
        raise BadInput(f"{path}: {key} has dtype {data.dtype}; expected {_EXPECTED}")
    if data.ndim == 3:
        data = data[..., None]
    if data.ndim != 4 or data.shape[3] not in (1, 3) or min(data.shape[1:3]) < 2:
        raise BadInput(f"{path}: {key} has shape {data.shape}; expected {_EXPECTED}")
    return data


SOURCES["sdf2d"] = of_pictures(
    "sdf2d:FILE.npz, Learnit's 2-D signed distance fields (train_data, test_data)",
    open_sdf2d,
)
