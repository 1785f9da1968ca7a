"""Arrays in files: .npy, .npz, Zarr, NIfTI and NetCDF, told apart by suffix; parts are read without the rest.

What is compressed as a whole is unpacked once: .nii.gz into a temporary file, an array of .npz into memory.
"""

import gzip
import shutil
import tempfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any
from weakref import finalize
from zipfile import BadZipFile, ZipFile

import numpy as np
from jaxtyping import Int

from sparsine.errors import BadInput, UnreadableSignal
from sparsine.extras import optional
from sparsine.signals import netcdf_files
from sparsine.signals.fingerprint import fingerprint_bytes, fingerprint_file

NIFTI = frozenset({".nii", ".nii.gz"})
ZARR = ".zarr"
"""Of folders."""
SUFFIXES = frozenset({".npy", ".npz", *NIFTI, *netcdf_files.SUFFIXES})
KNOWN = ".npy, .npz, .nii, .nii.gz, .nc, .nc4, .cdf, .zarr"
HELD = 8
"""Arrays that are kept open."""
NIFTI_AXES = ("x", "y", "z", "t", "u", "v", "w")


@dataclass(frozen=True)
class StoredArray:
    """One array of a file, as it lies there."""

    path: Path
    name: str
    """In a file of several; '' where there is one."""
    shape: tuple[int, ...]
    axes: tuple[str, ...]
    """Names of the axes; their numbers where the file has none."""
    unit: str = ""
    affine: tuple[float, ...] = ()
    """Of NIfTI: three rows of four, from places to millimetres."""

    @property
    def summary(self) -> str:
        return " x ".join(map(str, self.shape)) or "a single number"

    def read(self, part: tuple[int | slice, ...]) -> np.ndarray:
        """A part, in the unit, NaN where a value is missing. Raises UnreadableSignal."""
        return self._told(lambda opened: opened.scaled(opened.values[part]))

    def read_at(self, along: Sequence[Int[np.ndarray, " points"]]) -> np.ndarray:
        """Values at places along each axis; what lies between is not read. Raises UnreadableSignal."""

        def of(opened: "Opened") -> np.ndarray:
            values = opened.values
            return opened.scaled(values.vindex[tuple(along)] if hasattr(values, "vindex") else values[tuple(along)])

        return self._told(of)

    def fingerprint(self) -> str:
        """Of the file: of a folder by what its files are called and how long they are."""
        if self.path.is_dir():
            files = sorted((file.relative_to(self.path).as_posix(), file.stat().st_size, file.stat().st_mtime_ns)
                           for file in self.path.rglob("*") if file.is_file())  # fmt: skip
            return fingerprint_bytes(repr((files, self.name)).encode(errors="surrogateescape"))
        return fingerprint_bytes(f"{fingerprint_file(self.path)} {self.name}".encode())

    def _told(self, of: Callable[["Opened"], Any]) -> np.ndarray:
        try:
            return np.asarray(of(_kept(self.path, self.name, _stamp(self.path))))
        except BadInput as error:
            raise UnreadableSignal(str(error)) from error
        except _FAILURES as error:
            raise UnreadableSignal(f"{self.path}: {_reason(error)}") from error


@dataclass(frozen=True)
class Opened:
    """Values that are read as they are indexed."""

    values: Any
    slope: float = 1.0
    intercept: float = 0.0
    about: Mapping[str, Any] = field(default_factory=dict)
    """What StoredArray takes beside the shape."""

    def scaled(self, values: Any) -> np.ndarray:
        plain: np.ndarray = np.asarray(values)
        if (self.slope, self.intercept) != (1.0, 0.0):
            plain = plain * self.slope + self.intercept
        return plain


def open_array(path: Path, name: str = "") -> StoredArray:
    """What a file says of its array, or of the one called `name`.

    Raises:
        UnreadableSignal: no such file or array, several where none was named, no real numbers in it, or a library is
            missing.
    """
    try:
        opened = _kept(path, name, _stamp(path))
    except UnreadableSignal:
        raise
    except BadInput as error:
        raise UnreadableSignal(str(error)) from error
    except _FAILURES as error:
        raise UnreadableSignal(f"{path}: {_reason(error)}") from error
    kind = np.dtype(opened.values.dtype)
    if kind.kind not in "biuf":
        what = "complex numbers; save real and imaginary parts as two channels" if kind.kind == "c" else (
            f"{kind}; save an array of real numbers")  # fmt: skip
        raise UnreadableSignal(f"{path}: it holds {what}")
    shape = tuple(int(n) for n in opened.values.shape)
    about = {"axes": tuple(map(str, range(len(shape)))), **opened.about}
    return StoredArray(path, name, shape, **about)


def suffix_of(path: Path) -> str:
    """'.nii.gz' too."""
    lower = path.name.lower()
    return ".nii.gz" if lower.endswith(".nii.gz") else path.suffix.lower()


def _stamp(path: Path) -> int:
    """Another one once the file was written anew."""
    if not path.exists():
        raise UnreadableSignal(f"{path} does not exist; give the path of an array ({KNOWN})")
    return path.stat().st_mtime_ns


@lru_cache(maxsize=HELD)
def _kept(path: Path, name: str, stamp: int) -> Opened:
    del stamp
    suffix = suffix_of(path)
    opened = _READERS.get(suffix)
    if opened is None or (path.is_dir() != (suffix == ZARR)):
        raise UnreadableSignal(f"{path} is no array that is read here ({KNOWN})")
    return opened(path, name)


def _npy(path: Path, name: str) -> Opened:
    _check_alone(path, name)
    return Opened(np.load(path, mmap_mode="r", allow_pickle=False))


def _npz(path: Path, name: str) -> Opened:
    with ZipFile(path) as file:
        names = [entry.removesuffix(".npy") for entry in file.namelist() if entry.endswith(".npy")]
    chosen = _chosen(path, name, names)
    with np.load(path, allow_pickle=False) as arrays:
        return Opened(arrays[chosen])


def _zarr(path: Path, name: str) -> Opened:
    zarr = optional("zarr", "zarr", "Zarr is read by zarr")
    found = zarr.open(str(path), mode="r")
    if not hasattr(found, "dtype"):
        names = [key for key, value in found.members(max_depth=None) if hasattr(value, "dtype")]
        found = found[_chosen(path, name, names)]
    else:
        _check_alone(path, name)
    dims = getattr(found.metadata, "dimension_names", None) or found.attrs.get("_ARRAY_DIMENSIONS")
    about = {"unit": str(found.attrs.get("units", ""))}
    named = dims is not None and all(dims) and len(set(dims)) == len(found.shape)
    return Opened(found, about={**about, **({"axes": tuple(map(str, dims))} if named else {})})


def _nifti(path: Path, name: str) -> Opened:
    nibabel = optional("nibabel", "nifti", "NIfTI is read by nibabel")
    _check_alone(path, name)
    temporary = _unpacked(path) if suffix_of(path) == ".nii.gz" else None
    try:
        image = nibabel.load(str(path) if temporary is None else temporary.name)
    except (nibabel.filebasedimages.ImageFileError, nibabel.spatialimages.HeaderDataError) as error:
        raise UnreadableSignal(f"{path}: no NIfTI that nibabel reads ({_reason(error)})") from error
    values = image.dataobj.get_unscaled()
    opened = Opened(values, float(image.dataobj.slope), float(image.dataobj.inter), {
        "axes": NIFTI_AXES[: values.ndim], "affine": tuple(float(n) for n in image.affine[:3].ravel()),
    })  # fmt: skip
    if temporary is not None:
        finalize(opened, temporary.close)
    return opened


def _unpacked(path: Path) -> Any:
    """A temporary file with what a .gz holds. What is mapped from it stays until nobody looks at it any more."""
    file = tempfile.NamedTemporaryFile(prefix="sparsine.", suffix=".nii")  # noqa: SIM115 (kept)
    try:
        with gzip.open(path) as packed:
            shutil.copyfileobj(packed, file, 1 << 20)
        file.flush()
    except BaseException:
        file.close()
        raise
    return file


def _netcdf(path: Path, name: str) -> Opened:
    known = netcdf_files.variables(path)
    data = [key for key, variable in known.items() if variable.dims != (key,)]
    chosen = _chosen(path, name, data)
    variable = known[chosen]
    return Opened(_NetcdfValues(path, chosen, variable.shape), about={"axes": variable.dims, "unit": variable.unit})


@dataclass(frozen=True)
class _NetcdfValues:
    path: Path
    name: str
    shape: tuple[int, ...]
    dtype: type = float

    def __getitem__(self, part: tuple[Any, ...]) -> np.ndarray:
        """Slices; or places along each axis, of which one after the other along the first is read."""
        if not part or not isinstance(part[0], np.ndarray):
            return netcdf_files.read(self.path, self.name, part)
        values = np.empty(len(part[0]))
        for first in np.unique(part[0]):
            here = part[0] == first
            values[here] = netcdf_files.read(self.path, self.name, (int(first),))[tuple(p[here] for p in part[1:])]
        return values


_READERS: dict[str, Callable[[Path, str], Opened]] = {
    ".npy": _npy, ".npz": _npz, ZARR: _zarr, **dict.fromkeys(NIFTI, _nifti),
    **dict.fromkeys(netcdf_files.SUFFIXES, _netcdf),
}  # fmt: skip
_FAILURES = (OSError, EOFError, ValueError, KeyError, IndexError, TypeError, RuntimeError, BadZipFile, zlib.error)


def _chosen(path: Path, name: str, names: Sequence[str]) -> str:
    if name in names or (not name and len(names) == 1):
        return name or names[0]
    there = ", ".join(names) or "none"
    if name:
        raise UnreadableSignal(f"{path} has no array {name!r}; it has: {there}")
    raise UnreadableSignal(f"{path} holds {len(names)} arrays: {there}; say which, as in array:FILE?NAME")


def _check_alone(path: Path, name: str) -> None:
    if name:
        raise UnreadableSignal(f"{path} holds one array without a name; leave out ?{name}")


def _reason(error: BaseException) -> str:
    said = str(getattr(error, "strerror", None) or error).strip().splitlines()
    first = said[0] if said else type(error).__name__
    if "bject" in first and ("pickle" in first or "dtype" in first or "memory-mapped" in first):
        return "it holds Python objects, which are never loaded; save an array of numbers"
    return first


def nifti_bytes(values: np.ndarray, affine: np.ndarray, packed: bool) -> bytes:
    """A NIfTI-1 file of float32 values (*axes, channels), at most four axes; several channels are its fifth.

    Raises:
        BadInput: nibabel is missing, or an axis is longer than the format allows.
    """
    nibabel = optional("nibabel", "nifti", "NIfTI is read by nibabel")
    axes = values.shape[:-1]
    if max(axes) > np.iinfo(np.int16).max:
        raise BadInput(f"NIfTI has at most {np.iinfo(np.int16).max} samples along an axis, but got {axes}; write .npy")
    lacking = (1,) * ((4 if values.shape[-1] > 1 else len(axes)) - len(axes))
    shaped = values.reshape(*axes, *lacking, values.shape[-1]) if values.shape[-1] > 1 else values[..., 0]
    data: bytes = nibabel.Nifti1Image(np.asarray(shaped, dtype=np.float32), affine).to_bytes()
    return gzip.compress(data, mtime=0) if packed else data
