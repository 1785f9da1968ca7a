"""`mesh:FILE_OR_DIR`: solids in mesh files, as signed distance on a lattice over their box.

Each is brought into the box from -1 to 1, but for a margin of a tenth. Where few train or validate, each does so in
several poses: as it is, and turned and made smaller at random, by the seed. What tests is left as it is. Splits are by
file; of fewer than thirty files, a third tests and a sixth validates. One file alone is every split.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, final

import numpy as np
from cachetools import LRUCache
from jaxtyping import Float, Int

from sparsine.counted import counted
from sparsine.errors import BadInput, UnreadableSignal
from sparsine.signals.cache import Cached
from sparsine.signals.dataset import SPLITS, Dataset, SignalSet, check_index
from sparsine.signals.fingerprint import fingerprint_bytes, fingerprint_file
from sparsine.signals.kinds.shape import Shape
from sparsine.signals.listing import Listing, list_files
from sparsine.signals.mesh_files import library, read_solid
from sparsine.signals.named_files import named_files
from sparsine.signals.paths import expanded
from sparsine.signals.solid import Solid
from sparsine.signals.source import SOURCES, Source
from sparsine.signals.split_folder import split_files
from sparsine.signals.splits import tenth

KNOWN = ", ".join(sorted(Shape.suffixes))
SAMPLES = 64
"""Along each axis, where nobody says otherwise."""
MOST_SAMPLES = 512
ENOUGH = {"train": 48, "val": 4, "test": 1}
"""Signals of a split that need no more poses."""
MOST_POSES = 16
"""Of one file."""
SMALLEST = 0.75
"""What a turned solid is made smaller by, at most."""
FEW = 30
"""Files of which so few are held out by tenths that they would say nothing."""
LOOKED_AT = 100
"""Files that are read when a data set is opened: to notice that none can be, and what had to be mended."""
HELD = 4
"""Solids that are kept by the reader."""


@dataclass(frozen=True)
class Pose:
    """A file as it is, or turned by a seed."""

    name: str
    path: Path
    seed: tuple[int, ...] | None = None


@final
class Solids(SignalSet):
    """float32 (x, y, z, 1) in [-1, 1]: distances bounded by the band of `kind`."""

    def __init__(
        self, poses: Sequence[Pose], kind: Shape, shape: tuple[int, ...], notes: Sequence[str] = ()
    ) -> None:  # fmt: skip
        self._poses, self._kind, self._shape, self.notes = list(poses), kind, tuple(shape), tuple(notes)
        self._held: LRUCache[Path, Solid] = LRUCache(HELD)
        self._lock = Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickles and copies read for themselves."""
        return Solids, (self._poses, self._kind, self._shape, self.notes)

    def __len__(self) -> int:
        return len(self._poses)

    def name(self, index: int) -> str:
        check_index(index, len(self))
        return self._poses[index].name

    def shape_of(self, index: int) -> tuple[int, ...]:
        check_index(index, len(self))
        return self._shape

    def load(self, index: int) -> Float[np.ndarray, "x y z one"]:
        return self.solid(index).values(self._shape, self._kind.band)[..., None]

    def values_at(self, index: int, places: Int[np.ndarray, " points"]) -> Float[np.ndarray, "points one"]:
        return self.solid(index).values_at(places, self._shape, self._kind.band)[:, None]

    def about(self, index: int) -> dict[str, Any]:
        """Where the box lies in the units of the file; nothing of one that was turned."""
        if self._poses[index].seed is not None:
            return {}
        with suppress(UnreadableSignal):
            solid = self.solid(index)
            return {"centre": [_short(n) for n in solid.centre], "unit": _short(solid.unit)}
        return {}

    def fingerprint(self, index: int) -> str:
        pose = self._poses[index]
        identity = f"{fingerprint_file(pose.path)} {pose.seed} {self._shape} {self._kind}"
        return fingerprint_bytes(identity.encode())

    def solid(self, index: int) -> Solid:
        """Raises UnreadableSignal."""
        check_index(index, len(self))
        pose = self._poses[index]
        solid = self._read(pose.path)
        if pose.seed is None:
            return solid
        rng = np.random.default_rng(pose.seed)
        return solid.turned(rotation(rng), rng.uniform(SMALLEST, 1.0))

    def _read(self, path: Path) -> Solid:
        with self._lock:
            held: Solid | None = self._held.get(path)
        if held is not None:
            return held
        solid = read_solid(path)
        with self._lock:
            self._held[path] = solid
        return solid


def rotation(rng: np.random.Generator) -> Float[np.ndarray, "xyz xyz"]:
    """Each as likely as any other: by a quaternion from the sphere."""
    w, x, y, z = (q := rng.standard_normal(4)) / np.linalg.norm(q)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def open_mesh(spec: str, path: str, resolution: tuple[int, ...] | None, seed: int) -> Dataset:
    """Mesh files below a folder, or one.

    Raises:
        BadInput: no mesh file, none that encloses anything, a lattice that makes no sense, or a library is missing.
    """
    library()
    place, shape, kind = expanded(path), _shape(resolution), Shape()
    folder, names, how, notes = _split(place, seed)
    poses = {split: _poses(split, len(names[split])) for split in SPLITS}
    sets = {split: Solids(_posed(folder, names[split], poses[split], seed), kind, shape) for split in SPLITS}
    found_notes = _looked_at(place, {name: folder / name for split in SPLITS for name in names[split]})
    turned = f", {poses['train']} poses of a training file" * (poses["train"] > 1)
    turned += f", {poses['val']} of one that validates" * (poses["val"] > 1)
    train, val, test = (Cached(sets[split]) for split in SPLITS)
    return Dataset(
        spec=spec, source="mesh", kind=kind, shape=shape, num_channels=1,
        description=f"Solids of {place.name}: signed distance in a band of {kind.band:g} half extents around the "
        f"surface on {' x '.join(map(str, shape))} samples{turned}; {how}.",
        notes=(*notes, *found_notes), train=train, val=val, test=test,
    )  # fmt: skip


def open_mesh_files(paths: Sequence[str | Path], kind: Shape, shape: tuple[int, ...] | None) -> SignalSet:
    """Named files and folders of them.

    Raises:
        BadInput: nothing was given, a folder without a mesh, or a library is missing.
    """
    library()
    named, notes = named_files(paths, _list, "mesh", KNOWN)
    return Solids([Pose(name, path) for name, path in named.items()], kind, _shape(shape), notes)


def _list(folder: Path, skip: Sequence[str] = ()) -> Listing:
    return list_files(folder, Shape.suffixes, "mesh file", skip)


def _split(place: Path, seed: int) -> tuple[Path, dict[str, list[str]], str, tuple[str, ...]]:
    """(folder, names per split, how they were made, notes)."""
    if place.is_file():
        return place.parent, {split: [place.name] for split in SPLITS}, "the one file is in every split", ()
    names, how, notes = split_files(place, _list, "mesh file", KNOWN, seed, _held_out)
    return place, names, how, notes


def _held_out(split: str, num_files: int) -> int:
    """How many of so many files."""
    if num_files >= FEW:
        return tenth(num_files)
    return max(1, num_files // (3 if split == "test" else 6))


def _poses(split: str, num_files: int) -> int:
    """Of each of so many files."""
    return max(1, min(MOST_POSES, -(-ENOUGH[split] // max(num_files, 1))))


def _posed(folder: Path, names: Sequence[str], poses: int, seed: int) -> list[Pose]:
    """Of each file itself first; the same for a file whatever others there are."""
    digits = len(str(poses - 1))
    found = []
    for name in names:
        own = int(fingerprint_bytes(name.encode(errors="surrogateescape")), 16)
        found += [Pose(f"{name}@{number:0{digits}}" if poses > 1 else name, folder / name,
                       (seed, own, number) if number else None) for number in range(poses)]  # fmt: skip
    return found


def _looked_at(place: Path, paths: Mapping[str, Path]) -> list[str]:
    """What had to be mended of the first files. Raises BadInput where none of all files can be used."""
    notes, reasons = [], []
    for name, path in list(paths.items())[:LOOKED_AT]:
        try:
            notes += [f"{name}: {note}" for note in read_solid(path).notes]
        except UnreadableSignal as error:
            reasons.append(str(error))
    if reasons and len(reasons) == len(paths):
        more = f" ({counted(len(reasons), 'file')} looked at)" if len(reasons) > 1 else ""
        raise BadInput(f"no mesh of {place} can be used{more}; the first: {reasons[0]}")
    return notes


def _shape(resolution: tuple[int, ...] | None) -> tuple[int, ...]:
    """Samples along each axis; one number stands for all."""
    shape = resolution or (SAMPLES,)
    shape = tuple(shape) * 3 if len(shape) == 1 else tuple(shape)
    if len(shape) != 3 or not all(2 <= n <= MOST_SAMPLES for n in shape):
        asked = "x".join(map(str, shape))
        raise BadInput(
            f"the lattice of shapes is {asked}; give one number of samples or three, from 2 to {MOST_SAMPLES}"
        )
    return shape


def _short(number: float) -> float:
    """Seven digits are what float32 has."""
    return float(f"{number:.7g}")


SOURCES["mesh"] = Source(
    "mesh:FILE_OR_DIR, closed surfaces (OBJ, PLY, STL, OFF, GLB) as signed distance on a lattice, 64 samples along "
    "each axis if nobody says otherwise; its train/, val/ and test/ if present",
    open_mesh,
    num_axes=3,
)
