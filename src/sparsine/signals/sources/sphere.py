"""`sphere:FILE?VARIABLE&...`: a variable of a NetCDF file with latitudes and longitudes; every field along its other
axes (time, ensemble member, level) is a signal, named by its coordinates.

    sphere:t.nc?tas&train=member:0-9,time:0-4&val=member:0-9,time:5&test=member:10-12,time:5&range=200:320

Places along an axis are counted from 0; an axis that is not named is taken whole. Without a word on splits the last
tenth along the longest axis tests and the tenth before it validates: neighbours are alike, so signals are not drawn by
chance. Without a range it is that of the training fields, rounded outwards.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
from jaxtyping import Float

from sparsine.errors import BadInput, UnreadableSignal
from sparsine.signals.cache import Cached
from sparsine.signals.dataset import SPLITS, Dataset, SignalSet, check_index
from sparsine.signals.domain import shown_shape
from sparsine.signals.kinds.globe import Globe
from sparsine.signals.netcdf_files import Variable, labels, read, variables
from sparsine.signals.paths import expanded
from sparsine.signals.placed_splits import SPLIT_IN_ORDER, Index, asks_for_splits, split_places
from sparsine.signals.places import Options, options_of, path_of
from sparsine.signals.ranges import range_said, range_seen, some_of
from sparsine.signals.source import SOURCES, Source
from sparsine.signals.sphere import Sphere

LATITUDE = ("latitude", "lat"), ("degrees_north", "degree_north", "degree_n", "degrees_n", "degreen", "degreesn")
LONGITUDE = ("longitude", "lon"), ("degrees_east", "degree_east", "degree_e", "degrees_e", "degreee", "degreese")
UNEVEN = 0.01
"""Of a step, by which steps along an axis may differ: coordinates are rounded in files."""
LOOKED_AT = 64
"""Training fields that a range is taken from."""


def open_sphere(spec: str, path: str, resolution: tuple[int, ...] | None, seed: int) -> Dataset:
    """A variable on a latitude-longitude grid.

    Raises:
        BadInput: no file, no such variable, one without such a grid or with an axis of one sample, latitudes or
            longitudes that are not evenly spaced, splits that hold nothing or share a field, no netCDF4 library.
    """
    place, options = expanded(path_of(path)), options_of(path, ("range", *SPLITS))
    grid = _grid_of(place, options.name)
    if resolution is not None and tuple(resolution) not in (grid.domain.shape, grid.domain.shape[:1] * 2):
        raise BadInput(
            f"{grid.variable.summary} of {place.name} was asked for at {shown_shape(resolution)}, but fields on a "
            "sphere are taken on their own grid; leave the size out"
        )
    indices = _split(grid, options)
    kind = _kind(grid, options, indices["train"])
    train, val, test = (Cached(Fields(grid, indices[split], kind)) for split in SPLITS)
    counts = " and ".join(f"{dim} {n}" for dim, n in zip(grid.others, grid.lengths, strict=True)) or "one field"
    return Dataset(
        spec=spec, source="sphere", kind=kind, shape=grid.domain.shape, num_channels=1, domain=grid.domain,
        description=f"{grid.variable.name} of {place.name} along {counts}, {grid.domain.summary}; values from "
        f"{kind.lowest:g} to {kind.highest:g} {kind.unit}; "
        f"{'splits as asked' if asks_for_splits(options) else SPLIT_IN_ORDER}.",
        train=train, val=val, test=test,
    )  # fmt: skip


@dataclass(frozen=True)
class FieldsOnAGrid:
    """A variable, its axes told apart."""

    path: Path
    variable: Variable
    latitude: str
    longitude: str
    domain: Sphere
    """Rows from north to south, columns from west to east."""
    turned: tuple[bool, bool]
    """Whether latitudes, longitudes run the other way in the file."""

    @property
    def others(self) -> tuple[str, ...]:
        """The axes along which there are signals."""
        return tuple(dim for dim in self.variable.dims if dim not in (self.latitude, self.longitude))

    @property
    def lengths(self) -> tuple[int, ...]:
        return tuple(n for dim, n in zip(self.variable.dims, self.variable.shape, strict=True) if dim in self.others)

    def read(self, index: Index) -> Float[np.ndarray, "latitudes longitudes"]:
        """One field in the unit, float64, NaN where missing. Raises UnreadableSignal."""
        along = dict(zip(self.others, index, strict=True))
        values = read(self.path, self.variable.name, tuple(along.get(dim, slice(None)) for dim in self.variable.dims))
        if self.variable.dims.index(self.latitude) > self.variable.dims.index(self.longitude):
            values = values.T
        return values[:: -1 if self.turned[0] else 1, :: -1 if self.turned[1] else 1]


@final
class Fields(SignalSet):
    """float32 (latitudes, longitudes, 1), from 0 to 1 over the range of the kind, NaN where a value is missing."""

    def __init__(self, grid: FieldsOnAGrid, indices: Sequence[Index], kind: Globe) -> None:
        self._grid, self._indices, self._kind = grid, list(indices), kind
        words = [labels(grid.path, dim, n) for dim, n in zip(grid.others, grid.lengths, strict=True)]
        self._names = [_name(grid, [words[axis][place] for axis, place in enumerate(index)]) for index in self._indices]

    def __len__(self) -> int:
        return len(self._indices)

    def name(self, index: int) -> str:
        check_index(index, len(self))
        return self._names[index]

    def shape_of(self, index: int) -> tuple[int, ...]:
        check_index(index, len(self))
        return self._grid.domain.shape

    def load(self, index: int) -> Float[np.ndarray, "latitudes longitudes channels"]:
        check_index(index, len(self))
        values = np.ascontiguousarray(self._kind.from_unit(self._grid.read(self._indices[index])))[..., None]
        if np.isnan(values).all():
            raise UnreadableSignal(f"{self._names[index]}: every value is missing")
        return values


def _name(grid: FieldsOnAGrid, along: Sequence[str]) -> str:
    """'realization=3,time=5'; of a file with one field the variable's name."""
    return ",".join(f"{dim}={at}" for dim, at in zip(grid.others, along, strict=True)) or grid.variable.name


def _grid_of(path: Path, name: str) -> FieldsOnAGrid:
    known = variables(path)
    suitable = {n: axes for n, v in known.items() if (axes := _axes_of(v, known)) is not None}
    there = "; ".join(known[n].summary for n in suitable) or "none"
    if name and name not in known:
        raise BadInput(f"{path} has no variable {name!r}; with latitudes and longitudes it has: {there}")
    if name and name not in suitable:
        raise BadInput(
            f"{known[name].summary} of {path} has no latitudes and longitudes along two of its axes (coordinate "
            f"variables in degrees_north and degrees_east); variables that have: {there}"
        )
    if not name and len(suitable) != 1:
        which = "say which, as in sphere:FILE?NAME" if suitable else "a grid of latitudes and longitudes is needed"
        raise BadInput(f"{path} has {len(suitable)} variables with latitudes and longitudes: {there}; {which}")
    variable = known[name or next(iter(suitable))]
    latitude, longitude = suitable[variable.name]
    (north, upside_down), (west, mirrored) = _ends(path, known[latitude], -1), _ends(path, known[longitude], 1)
    domain = Sphere(shape=(known[latitude].shape[0], known[longitude].shape[0]), latitudes=north, longitudes=west)
    return FieldsOnAGrid(path, variable, latitude, longitude, domain, (upside_down, mirrored))


def _axes_of(variable: Variable, known: dict[str, Variable]) -> tuple[str, str] | None:
    """The dimensions that are latitude and longitude."""
    if len(variable.dims) < 2:
        return None
    found = [
        next((d for d in variable.dims if d in known and known[d].dims == (d,) and _is(known[d], names, units)), None)
        for names, units in (LATITUDE, LONGITUDE)
    ]
    return None if found[0] is None or found[1] is None else (found[0], found[1])


def _is(axis: Variable, names: Sequence[str], units: Sequence[str]) -> bool:
    standard, unit = axis.attributes.get("standard_name", ""), axis.unit.lower()
    return standard == names[0] or unit in units or (axis.name.lower() in names and unit in ("", "degrees", "degree"))


def _ends(path: Path, axis: Variable, way: int) -> tuple[tuple[float, float], bool]:
    """The first and the last of an axis that is to run that way, and whether it runs the other way in the file."""
    if axis.shape[0] < 2:
        raise BadInput(f"the axis {axis.name} of {path} has one sample; two or more are needed")
    along = read(path, axis.name, (slice(None),))
    steps = np.diff(along)
    if not np.isfinite(steps).all() or (np.abs(steps - steps.mean()) > UNEVEN * np.abs(steps.mean())).any():
        raise BadInput(
            f"the axis {axis.name} of {path} is not evenly spaced (steps from {np.nanmin(np.abs(steps)):.4g} to "
            f"{np.nanmax(np.abs(steps)):.4g}; a Gaussian grid?); bring it to even steps first, with cdo or xarray"
        )
    ends = (float(along[0]), float(along[-1]))
    turned = bool(steps.mean() * way < 0)
    return (ends[::-1] if turned else ends), turned


def _split(grid: FieldsOnAGrid, options: Options) -> dict[str, list[Index]]:
    axes = dict(zip(grid.others, grid.lengths, strict=True))
    return split_places(axes, options, "field", lambda index: _name(grid, [str(n) for n in index]))


def _kind(grid: FieldsOnAGrid, options: Options, indices: Sequence[Index]) -> Globe:
    asked = options.values.get("range")
    lowest, highest = range_said(asked) if asked is not None else _range_seen(grid, indices)
    return Globe(lowest=lowest, highest=highest, unit=grid.variable.unit, quantity=grid.variable.name)


def _range_seen(grid: FieldsOnAGrid, indices: Sequence[Index]) -> tuple[float, float]:
    """Of some training fields."""

    def fields() -> Iterator[np.ndarray]:
        for place in some_of(len(indices), LOOKED_AT):
            with suppress(UnreadableSignal):
                yield grid.read(indices[place])

    found = range_seen(fields())
    if found is None:
        raise BadInput(f"{grid.variable.summary} of {grid.path} holds no value in its training fields: all are missing")
    return found


SOURCES["sphere"] = Source(
    "sphere:FILE?VARIABLE, fields on latitudes and longitudes of a NetCDF file, one for every place along its other "
    "axes; &train=, &val=, &test= say which (time:0-9,member:3) and &range= their range",
    open_sphere,
    has_options=True,
    resizes=False,
)
