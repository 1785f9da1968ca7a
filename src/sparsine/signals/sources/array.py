"""`array:FILE_OR_DIR?NAME&...`: arrays of one to four axes in files, whole or cut into boxes.

    array:brain.nii.gz?box=32,32,32&from=16,16,0&std=12&val=z:4&test=z:2&range=0:255
    array:sea.nc?temperature&box=1,all,all        array:scans        array:runs.zarr?pressure&channels=last

NAME is an array of a file of several (.npz, Zarr, NetCDF). `channels=last`: the last axis holds the channels; without,
there is one channel. `box=`: samples along each axis of the boxes that an array is cut into, `all` for all, from the
corner `from=` on; what does not fill a box is left out. An axis with one sample is dropped. `std=`: boxes whose
standard deviation, in the unit, is not above that are left out. `range=` is what PSNR is beside, in the unit; without,
that of the training signals, outwards to a round number.

Splits of a folder are by its own train/, val/ and test/, or by file; of one file by the places of its boxes, counted
from 0 along each axis, as `val=` and `test=` say; without a word the ends of the longest axis are held out.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import product
from math import prod
from pathlib import Path
from typing import Any, final

import numpy as np
from jaxtyping import Float, Int

from sparsine.counted import counted
from sparsine.errors import BadInput, UnreadableSignal
from sparsine.signals.arrays import SAMPLES_LOOKED_AT
from sparsine.signals.cache import Cached
from sparsine.signals.dataset import SPLITS, Dataset, SignalSet, check_index
from sparsine.signals.fingerprint import fingerprint_bytes
from sparsine.signals.kinds.array import MOST_AXES, Array
from sparsine.signals.listing import Listing, list_files
from sparsine.signals.named_files import named_files
from sparsine.signals.paths import expanded
from sparsine.signals.placed_splits import SPLIT_IN_ORDER, asks_for_splits, split_places
from sparsine.signals.places import Options, options_of, path_of
from sparsine.signals.ranges import range_said, range_seen, some_of
from sparsine.signals.source import SOURCES, Source
from sparsine.signals.split_folder import split_files
from sparsine.signals.stored_arrays import KNOWN, SUFFIXES, ZARR, StoredArray, open_array

KEYS = ("range", "box", "from", "std", "channels", *SPLITS)
LOOKED_AT = 64
"""Training signals that a range is taken from."""
LARGE = 1 << 24
"""Samples of a signal from which on it is not held in memory, and is looked at in parts."""
Axes = tuple[slice, ...]


@dataclass(frozen=True)
class Box:
    """A part of an array that is a signal; or the reason why a file is none."""

    name: str
    array: StoredArray | str
    part: tuple[int | slice, ...] = ()
    """Of the axes that are no channels, from place to place; all of each without a word."""
    has_channels: bool = False
    whole: bool = True

    @property
    def stored(self) -> StoredArray:
        """Raises UnreadableSignal."""
        if isinstance(self.array, str):
            raise UnreadableSignal(self.array)
        return self.array

    @property
    def kept(self) -> list[int]:
        """Axes of the array with more than one sample in this part, the channels not among them."""
        return [axis for axis, part in enumerate(self._slices) if part.stop - part.start > 1]

    @property
    def shape(self) -> tuple[int, ...]:
        """(*axes, channels)."""
        slices = self._slices
        channels = self.stored.shape[-1] if self.has_channels else 1
        return (*(slices[axis].stop - slices[axis].start for axis in self.kept), channels)

    @property
    def _slices(self) -> Axes:
        lengths = self.stored.shape[: len(self.stored.shape) - self.has_channels]
        given = self.part or (slice(None),) * len(lengths)
        return tuple(slice(*part.indices(n)) if isinstance(part, slice) else slice(part, part + 1)
                     for part, n in zip(given, lengths, strict=True))  # fmt: skip

    def read(self) -> Float[np.ndarray, "*axes channels"]:
        """In the unit."""
        return self.stored.read(self._slices).reshape(self.shape)

    def read_at(self, places: Int[np.ndarray, " points"]) -> Float[np.ndarray, "points channels"]:
        """Of some samples, by their places in array order."""
        slices, shape = self._slices, self.shape
        along = [np.full(len(places), part.start) for part in slices]
        for axis, place in zip(self.kept, np.unravel_index(places, shape[:-1]), strict=True):
            along[axis] = along[axis] + place
        channels = [[*along, np.full(len(places), n)] if self.has_channels else along for n in range(shape[-1])]
        return np.stack([self.stored.read_at(one) for one in channels], axis=-1)


@final
class Boxes(SignalSet):
    """float32 (*axes, channels), from 0 to 1 over the range of the kind, NaN where a value is missing."""

    fingerprint_loads = False

    def __init__(
        self, boxes: Sequence[Box], kind: Array, shape: tuple[int, ...] | None = None, notes: Sequence[str] = ()
    ) -> None:  # fmt: skip
        """`shape`: (*axes, channels) that all must have."""
        self._boxes, self._kind, self._shape, self.notes = list(boxes), kind, shape, tuple(notes)

    def __len__(self) -> int:
        return len(self._boxes)

    def name(self, index: int) -> str:
        check_index(index, len(self))
        return self._boxes[index].name

    def shape_of(self, index: int) -> tuple[int, ...] | None:
        check_index(index, len(self))
        with suppress(UnreadableSignal):
            return self._checked(index).shape[:-1]
        return None

    def load(self, index: int) -> Float[np.ndarray, "*axes channels"]:
        return self._brought(index, self._checked(index).read())

    def values_at(self, index: int, places: Int[np.ndarray, " points"]) -> Float[np.ndarray, "points channels"]:
        return self._brought(index, self._checked(index).read_at(places), whole=False)

    def about(self, index: int) -> dict[str, Any]:
        """Where a whole NIfTI lies; of boxes their names say it."""
        box = self._boxes[index]
        affine = box.array.affine if isinstance(box.array, StoredArray) and box.whole else ()
        return {"affine": [float(f"{n:.7g}") for n in affine]} if affine else {}

    def fingerprint(self, index: int) -> str:
        check_index(index, len(self))
        box = self._boxes[index]
        if isinstance(box.array, str):
            return fingerprint_bytes(box.array.encode(errors="surrogateescape"))
        return fingerprint_bytes(f"{box.array.fingerprint()} {box.part} {box.has_channels} {self._kind}".encode())

    def _checked(self, index: int) -> Box:
        check_index(index, len(self))
        box = self._boxes[index]
        if self._shape is not None and box.shape != self._shape:
            raise UnreadableSignal(f"{box.name}: its shape is {_by(box.shape)}, that of the others {_by(self._shape)}")
        return box

    def _brought(self, index: int, values: np.ndarray, whole: bool = True) -> np.ndarray:
        name, kind = self._boxes[index].name, self._kind
        if np.isinf(values).any():
            raise UnreadableSignal(f"{name}: it holds infinity; mark missing values by NaN")
        there = values[~np.isnan(values)]
        if not there.size and whole:
            raise UnreadableSignal(f"{name}: every value is missing (NaN)")
        room = kind.slack * kind.span
        if there.size and not (kind.lowest - room <= there.min() and there.max() <= kind.highest + room):
            raise UnreadableSignal(
                f"{name}: its values run from {there.min():.6g} to {there.max():.6g}, far outside of the range "
                f"{kind.lowest:g}:{kind.highest:g}; state another one by &range="
            )
        return np.ascontiguousarray(kind.from_unit(values))


def open_arrays(spec: str, path: str, resolution: tuple[int, ...] | None, seed: int) -> Dataset:
    """Arrays of a file or below a folder.

    Raises:
        BadInput: no array that can be used, options that make no sense, another size than they have.
    """
    place, options = expanded(path_of(path)), options_of(path, KEYS)
    boxes, how, notes = _one_file(place, options) if _is_file(place) else _folder(place, options, seed)
    boxes, left_out = _worth_it(boxes, options)
    shape = _shape(place, boxes)
    if resolution is not None and tuple(resolution) not in (shape[:-1], tuple(set(shape[:-1]))):
        raise BadInput(
            f"{_by(resolution)} samples of {place.name} were asked for, but arrays are taken as they are, "
            f"{_by(shape[:-1])}; leave the size out, or cut them by &box="
        )
    kind = _kind(place, options, [box for box in boxes["train"] if _shape_of(box) == shape])
    train, val, test = (_held(Boxes(boxes[split], kind, shape), shape) for split in SPLITS)
    said = "" if "range" in options.values else " as training signals have them"
    return Dataset(
        spec=spec, source="array", kind=kind, shape=shape[:-1], num_channels=shape[-1],
        description=f"Arrays of {place.name}, {_by(shape[:-1])} samples, {counted(shape[-1], 'channel')}, "
        f"from {kind.lowest:g} to {kind.highest:g}{' ' * bool(kind.unit)}{kind.unit}{said}; {how}.",
        notes=(*notes, *left_out, *_unequal(boxes, shape)), train=train, val=val, test=test,
    )  # fmt: skip


def open_array_files(
    paths: Sequence[str | Path], kind: Array, shape: tuple[int, ...] | None, num_channels: int
) -> SignalSet:
    """Named files and folders of them, each whole. Those that have not the `shape` are reported.

    Raises:
        BadInput: nothing was given, or a folder without an array.
    """
    found, stores = list(map(str, paths)), [str(path) for path in paths if _is_file(expanded(str(path)))]
    rest = [path for path in found if path not in stores]
    named = {Path(path).name if stores.count(path) == 1 else path: expanded(path) for path in stores}
    if len(named) < len(stores):
        named = {path: expanded(path) for path in stores}
    of_folders, notes = named_files(rest, _list, "array", KNOWN) if rest or not stores else ({}, ())
    boxes = [Box(name, _opened(path, ""), (), num_channels > 1) for name, path in {**named, **of_folders}.items()]
    return Boxes(boxes, kind, None if shape is None else (*shape, num_channels), notes)


def _is_file(place: Path) -> bool:
    return place.is_file() or place.suffix.lower() == ZARR


def _list(folder: Path, skip: Sequence[str] = ()) -> Listing:
    return list_files(folder, SUFFIXES, "array", skip, folders_too=(ZARR,))


def _opened(path: Path, name: str) -> StoredArray | str:
    try:
        return open_array(path, name)
    except UnreadableSignal as error:
        return str(error)


def _one_file(place: Path, options: Options) -> tuple[dict[str, list[Box]], str, tuple[str, ...]]:
    """(boxes by split, how they were split, notes)."""
    found = _opened(place, options.name)
    if isinstance(found, str):
        raise BadInput(found)
    cut = _cut(place.name, found, options)
    axes = {axis: len({index[number] for index in cut}) for number, axis in enumerate(_axes(found, options))}
    places = split_places(axes, options, "box", lambda index: cut[index].name)
    boxes = {split: [cut[index] for index in indices] for split, indices in places.items()}
    if asks_for_splits(options):
        return boxes, "splits as asked", ()
    held_out = places["train"] != places["test"]
    return boxes, SPLIT_IN_ORDER if held_out else "too few to hold any out: all are in every split", ()


def _folder(place: Path, options: Options, seed: int) -> tuple[dict[str, list[Box]], str, tuple[str, ...]]:
    if asks_for_splits(options):
        raise BadInput(f"{place} is a folder, whose splits are by file; make folders train, val and test in it")
    names, how, notes = split_files(place, _list, "array", KNOWN, seed)
    opened = {name: _opened(place / name, options.name) for split in SPLITS for name in names[split]}
    boxes = {split: [box for name in names[split] for box in _boxes_of(name, opened[name], options)]
             for split in SPLITS}  # fmt: skip
    return boxes, how, notes


def _boxes_of(name: str, found: StoredArray | str, options: Options) -> list[Box]:
    """One for a file that cannot be used, so that it is reported."""
    if isinstance(found, str):
        return [Box(name, found)]
    try:
        return list(_cut(name, found, options).values())
    except UnreadableSignal as error:
        return [Box(name, str(error))]


def _axes(array: StoredArray, options: Options) -> tuple[str, ...]:
    """Names of those that are no channels. Raises UnreadableSignal for too many or too few."""
    channels = options.values.get("channels", "none")
    if channels not in ("none", "last"):
        raise BadInput(f"channels={channels} is not known; channels=last is the last axis, channels=none is none")
    axes = array.axes[: len(array.axes) - (channels == "last")]
    if not axes or max(array.shape) < 2 or 0 in array.shape:
        raise UnreadableSignal(f"{array.path}: its array is {array.summary}; an axis of two or more samples is needed")
    return axes


def _cut(name: str, array: StoredArray, options: Options) -> dict[tuple[int, ...], Box]:
    """The boxes of an array by their places."""
    axes, channels = _axes(array, options), options.values.get("channels") == "last"
    if "box" not in options.values:
        if "from" in options.values:
            raise BadInput("from= says where boxes begin; say how large they are too, as in box=32,32,32")
        box = Box(name, array, (), channels)
        _check_rank(box)
        return {(0,) * len(axes): box}
    sizes = [n if said is None else said for said, n in zip(_numbers(options, "box", axes), array.shape, strict=False)]
    corner = [said or 0 for said in _numbers(options, "from", axes)]
    counts = [(n - first) // size for n, first, size in zip(array.shape, corner, sizes, strict=False)]
    if min(counts) < 1 or max(sizes) < 2:
        raise UnreadableSignal(f"{array.path}: no box of {_by(sizes)} fits into {array.summary} from {_by(corner)} on")
    digits = [len(str(n - 1)) for n in array.shape]
    found = {}
    for index in product(*map(range, counts)):
        firsts = [first + place * size for first, place, size in zip(corner, index, sizes, strict=True)]
        where = "-".join(f"{first:0{width}}" for first, width in zip(firsts, digits, strict=False))
        part = tuple(slice(first, first + size) for first, size in zip(firsts, sizes, strict=True))
        found[index] = Box(f"{name}@{where}", array, part, channels, whole=False)
    _check_rank(next(iter(found.values())))
    return found


def _check_rank(box: Box) -> None:
    if not 1 <= len(box.kept) <= MOST_AXES:
        raise UnreadableSignal(
            f"{box.name}: its array has {len(box.kept)} axes of two or more samples ({box.stored.summary}); "
            f"1 to {MOST_AXES} are wanted; cut it by box=, or say channels=last"
        )


def _numbers(options: Options, key: str, axes: Sequence[str]) -> list[int | None]:
    """'32,32,all': None for all, and for what nobody says."""
    said = options.values.get(key, "").split(",") if key in options.values else ["all"] * len(axes)
    least = 1 if key == "box" else 0
    if len(said) != len(axes) or not all(s == "all" or (s.isdecimal() and int(s) >= least) for s in said):
        raise BadInput(
            f"{key}={options.values.get(key)} is no box in an array of the axes {', '.join(axes)}; give "
            f"{counted(len(axes), 'whole number')} as in {key}={','.join(['32'] * len(axes))}, or `all`"
        )
    return [None if s == "all" else int(s) for s in said]


def _worth_it(boxes: Mapping[str, list[Box]], options: Options) -> tuple[dict[str, list[Box]], list[str]]:
    """Those whose values differ enough, where somebody says how much that is; and a note on the others."""
    if "std" not in options.values:
        return dict(boxes), []
    try:
        least = float(options.values["std"])
    except ValueError as error:
        raise BadInput(f"std={options.values['std']} is no number; give one in the unit of the values") from error
    known = {box.name: _differs(box, least) for split in boxes.values() for box in split}
    kept = {split: [box for box in found if known[box.name]] for split, found in boxes.items()}
    if not any(kept.values()):
        raise BadInput(f"none of {counted(len(known), 'signal')} has a standard deviation above {least:g}; take less")
    left_out = len(known) - sum(known.values())
    return kept, [f"{counted(left_out, 'signal')} with a standard deviation of at most {least:g} left out"] * (
        left_out > 0)  # fmt: skip


def _differs(box: Box, least: float) -> bool:
    """What cannot be read is reported when it is asked for."""
    try:
        values = box.read().astype(np.float64)
    except UnreadableSignal:
        return True
    finite = values[np.isfinite(values)]
    return bool(finite.size and finite.std() > least)


def _shape_of(box: Box) -> tuple[int, ...] | None:
    with suppress(UnreadableSignal):
        return box.shape
    return None


def _shape(place: Path, boxes: Mapping[str, Sequence[Box]]) -> tuple[int, ...]:
    """The one that most have. Raises BadInput where nothing can be read."""
    every = [box for split in SPLITS for box in boxes[split]]
    known = Counter(shape for box in every if (shape := _shape_of(box)) is not None)
    if not known:
        reason = next(box.array for box in every if isinstance(box.array, str))
        raise BadInput(f"not one of the {counted(len(every), 'array')} of {place} can be used; the first: {reason}")
    return known.most_common(1)[0][0]


def _unequal(boxes: Mapping[str, Sequence[Box]], shape: tuple[int, ...]) -> list[str]:
    every = {box.name: _shape_of(box) for split in SPLITS for box in boxes[split]}
    others = sum(found not in (None, shape) for found in every.values())
    return [f"{counted(others, 'array')} of another shape than {_by(shape)} cannot be used; cut them by box="] * (
        others > 0)  # fmt: skip


def _kind(place: Path, options: Options, training: Sequence[Box]) -> Array:
    unit = next((box.stored.unit for box in training), "")
    asked = options.values.get("range")
    found = range_said(asked) if asked is not None else range_seen(_seen(training))
    if found is None:
        raise BadInput(f"{place} holds no value in its training signals: all are missing")
    return Array(lowest=found[0], highest=found[1], unit=unit, quantity=options.name or "value")


def _seen(training: Sequence[Box]) -> Iterator[np.ndarray]:
    """Some training signals; of large ones some samples."""
    for index in some_of(len(training), LOOKED_AT):
        box = training[index]
        samples = prod(box.shape[:-1])
        with suppress(UnreadableSignal):
            few = np.array(some_of(samples, SAMPLES_LOOKED_AT)) if samples > LARGE else None
            yield box.read() if few is None else box.read_at(few)


def _held(boxes: Boxes, shape: tuple[int, ...]) -> SignalSet:
    """Small ones stay in memory; of large ones only what is asked for is read."""
    return boxes if prod(shape) > LARGE else Cached(boxes)


def _by(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))


SOURCES["array"] = Source(
    "array:FILE_OR_DIR, arrays of one to four axes (.npy, .npz, Zarr, NIfTI, NetCDF): ?NAME says which of a file, "
    "&box=32,32,32 cuts them, &channels=last, &range=, &std=, &val= and &test= (z:2) say more",
    open_arrays,
    has_options=True,
    resizes=False,
)
