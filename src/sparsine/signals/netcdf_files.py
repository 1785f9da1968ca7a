"""NetCDF files, by netCDF4: what variables there are, and parts of them, scaled and masked as the CF conventions say.

The C library is not made for threads: everything that touches a file holds one lock.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from types import ModuleType
from typing import Any

import numpy as np
from jaxtyping import Float

from sparsine.errors import BadInput, UnreadableSignal
from sparsine.extras import optional
from sparsine.locks import kept_over_forks

SUFFIXES = frozenset({".nc", ".nc4", ".cdf"})
_LOCK = kept_over_forks(RLock())


@dataclass(frozen=True)
class Variable:
    """What a file says of one of its arrays, without reading it."""

    name: str
    dims: tuple[str, ...]
    shape: tuple[int, ...]
    attributes: Mapping[str, str]

    @property
    def unit(self) -> str:
        return self.attributes.get("units", "")

    @property
    def summary(self) -> str:
        """'surface_temperature (time 6, latitude 145, longitude 192)'."""
        return f"{self.name} ({', '.join(f'{dim} {n}' for dim, n in zip(self.dims, self.shape, strict=True))})"


def library() -> ModuleType:
    """netCDF4. Raises BadInput where it is missing."""
    return optional("netCDF4", "netcdf", "NetCDF files are read by netCDF4")


def variables(path: Path) -> dict[str, Variable]:
    """All arrays of a file, by name. Raises BadInput: no such file, or none that netCDF4 reads."""
    with _opened(path) as file:
        return {name: _described(name, array) for name, array in file.variables.items()}


def read(path: Path, name: str, index: tuple[int | slice, ...]) -> Float[np.ndarray, "*axes"]:
    """A part of an array, float64: scale_factor and add_offset applied, NaN where a value is missing (_FillValue,
    missing_value, outside of valid_range). Raises UnreadableSignal."""
    try:
        with _opened(path) as file:
            values: Any = np.ma.asarray(file.variables[name][index])
            return np.asarray(values.astype(np.float64).filled(np.nan))
    except (BadInput, OSError, RuntimeError, KeyError, IndexError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UnreadableSignal(reason if isinstance(error, BadInput) else f"{path}: {name}: {reason}") from error


def labels(path: Path, dim: str, length: int) -> list[str]:
    """What the places along a dimension are called: dates and numbers of its coordinate variable, unless they repeat;
    else 0, 1, 2, ..."""
    counted = [str(place) for place in range(length)]
    with _opened(path) as file:
        array = file.variables.get(dim)
        if array is None or array.dimensions != (dim,):
            return counted
        values = np.ma.asarray(array[:])
        if values.dtype.kind not in "iuf" or np.ma.is_masked(values):
            return counted
        unit = str(getattr(array, "units", ""))
        dates = _dates(values, unit, str(getattr(array, "calendar", "standard"))) if " since " in unit else None
    found = dates or [f"{value:g}" for value in values.tolist()]
    return found if len(set(found)) == length else counted


def write(
    values: Float[np.ndarray, "*axes"], dims: Sequence[str], name: str, unit: str,
    coordinates: Mapping[str, tuple[np.ndarray, Mapping[str, str]]],
) -> bytes:  # fmt: skip
    """A file (NetCDF-4, compressed without loss) of one float32 array and of coordinates, each with its attributes. NaN
    is written as a missing value."""
    with _LOCK:
        file = library().Dataset("in memory", mode="w", memory=1024)
        for dim, length in zip(dims, values.shape, strict=True):
            file.createDimension(dim, length)
        for dim, (along, attributes) in coordinates.items():
            file.createVariable(dim, "f8", (dim,))[:] = along
            file.variables[dim].setncatts(dict(attributes))
        array = file.createVariable(name, "f4", tuple(dims), zlib=True, fill_value=np.float32(np.nan))
        array[:] = np.asarray(values, dtype=np.float32)
        array.setncatts({"units": unit} if unit else {})
        file.setncattr("Conventions", "CF-1.8")
        return bytes(file.close())


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    netcdf = library()
    if not path.is_file():
        raise BadInput(f"{path} {'is no file' if path.exists() else 'does not exist'}; give the path of a NetCDF file")
    with _LOCK:
        try:
            file = netcdf.Dataset(str(path))
        except (OSError, RuntimeError) as error:
            raise BadInput(f"{path} cannot be read as NetCDF ({_reason(error)})") from error
        try:
            yield file
        finally:
            file.close()


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error).splitlines()[0]


def _described(name: str, array: Any) -> Variable:
    attributes = {key: str(array.getncattr(key)) for key in array.ncattrs()}
    return Variable(name, tuple(array.dimensions), tuple(int(n) for n in array.shape), attributes)


def _dates(values: np.ndarray, unit: str, calendar: str) -> list[str] | None:
    """'2026-11-28', or with the hour where that says something; None for units that are no dates."""
    try:
        times = library().num2date(values, unit, calendar)
    except (ValueError, OverflowError):
        return None
    whole = all(time.hour == time.minute == time.second == 0 for time in times)
    return [time.strftime("%Y-%m-%d" if whole else "%Y-%m-%dT%H:%M") for time in times]
