"""Arrays as signals: in memory, mapped from a file larger than memory, or what any sequence of them gives."""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, Protocol, final, runtime_checkable

import numpy as np
from jaxtyping import Float, Int

from sparsine.errors import BadInput, UnreadableSignal
from sparsine.signals.dataset import Dataset, SignalSet, check_index
from sparsine.signals.domain import Domain
from sparsine.signals.fingerprint import UNREADABLE, fingerprint_bytes
from sparsine.signals.kind import Kind, kind_named
from sparsine.signals.mapped import packed, unpacked
from sparsine.signals.splits import hold_out, tenth
from sparsine.signals.values import as_values

SAMPLES_LOOKED_AT = 1 << 16
"""Of an array whose parts can be read: enough to notice that it is another one."""


@runtime_checkable
class Items(Protocol):
    """Lists, stacked arrays, `torch.utils.data.Dataset`, data sets of Hugging Face: whatever has a length and items."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Any: ...


@final
class Arrays(SignalSet):
    """One signal for each item of a sequence. An item is an array (*axes, channels), a tensor, or a PIL image where
    the kind is one of pictures; the first of a tuple; or the entry `key` of a mapping.

    Arrays that need not be in memory (`np.memmap`, Zarr) are read as far as their samples are asked for.
    """

    def __init__(
        self, items: Items, kind: Kind, *, names: Sequence[str] | None = None, key: str | None = None,
        coords: Items | None = None, shape: tuple[int, ...] | None = None,
    ) -> None:  # fmt: skip
        """`coords`: of each item its own coordinates (*axes, coords). `shape`: (*axes, channels) that all must have."""
        self._items, self._kind, self._key, self._coords, self._shape = items, kind, key, coords, shape
        self._names = [f"signal-{index:06d}" for index in range(len(items))] if names is None else list(names)
        if len(self._names) != len(items) or len(set(self._names)) != len(items):
            raise BadInput(f"{len(items)} signals need as many names, each another, but got {len(self._names)}")
        if coords is not None and len(coords) != len(items):
            raise BadInput(f"{len(items)} signals need coordinates for each, but got {len(coords)}")

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_items": packed(self._items), "_coords": packed(self._coords)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ |= {**state, "_items": unpacked(state["_items"]), "_coords": unpacked(state["_coords"])}

    def __len__(self) -> int:
        return len(self._items)

    def name(self, index: int) -> str:
        check_index(index, len(self))
        return self._names[index]

    def load(self, index: int) -> Float[np.ndarray, "*axes channels"]:
        values = self._values(index, self._item(index))
        return np.array(values) if np.shares_memory(values, self._item(index)) else np.ascontiguousarray(values)

    def values_at(self, index: int, places: Int[np.ndarray, " points"]) -> Float[np.ndarray, "points channels"]:
        item = self._item(index)
        if not _has_parts(item):
            return super().values_at(index, places)
        self._check(index, item.shape)
        return self._values(index, _part(item, places), whole=False)

    def coords_of(
        self, index: int, places: Int[np.ndarray, " points"] | None = None
    ) -> Float[np.ndarray, "points coords"] | None:
        check_index(index, len(self))
        if self._coords is None:
            return None
        coords = np.asarray(self._coords[index], dtype=np.float32)
        if not np.isfinite(coords).all():
            raise UnreadableSignal(f"{self._names[index]}: its coordinates hold NaN or infinity")
        flat = coords.reshape(-1, coords.shape[-1])
        return np.ascontiguousarray(flat if places is None else flat[places])

    def shape_of(self, index: int) -> tuple[int, ...] | None:
        item = self._item(index)
        return tuple(item.shape[:-1]) if hasattr(item, "shape") else None

    def fingerprint(self, index: int) -> str:
        item = self._item(index)
        if not _has_parts(item) or prod(item.shape[:-1]) <= SAMPLES_LOOKED_AT:
            return super().fingerprint(index)
        places = np.linspace(0, prod(item.shape[:-1]) - 1, SAMPLES_LOOKED_AT).astype(np.int64)
        try:
            values = self.values_at(index, places)
        except UnreadableSignal:
            return UNREADABLE
        return fingerprint_bytes(str(tuple(item.shape)).encode(), np.ascontiguousarray(values).data)

    def _item(self, index: int) -> Any:
        check_index(index, len(self))
        item = self._items[index]
        if isinstance(item, Mapping):
            if self._key is None:
                raise BadInput(
                    f"an item of these signals is a mapping of {', '.join(map(str, item))}; say which: key=..."
                )
            item = item[self._key]
        return item[0] if isinstance(item, tuple) else item

    def _values(self, index: int, item: Any, whole: bool = True) -> np.ndarray:
        try:
            values = as_values(item, self._kind)
            if whole:
                self._check(index, values.shape)
            return values
        except UnreadableSignal:
            raise
        except BadInput as error:
            raise UnreadableSignal(f"{self._names[index]}: {error}") from error

    def _check(self, index: int, shape: tuple[int, ...]) -> None:
        if self._shape is not None and tuple(shape) != self._shape:
            raise UnreadableSignal(f"{self._names[index]}: it has shape {tuple(shape)}, the data set {self._shape}")
        try:
            self._kind.check(tuple(shape))
        except BadInput as error:
            raise UnreadableSignal(f"{self._names[index]}: {error}") from error


def dataset_from_arrays(
    arrays: Items,
    kind: Kind | str = "values",
    *,
    val: Items | None = None,
    test: Items | None = None,
    names: Sequence[str] | None = None,
    coords: Items | None = None,
    domain: Domain | None = None,
    key: str | None = None,
    spec: str = "arrays",
    description: str = "",
    seed: int = 0,
) -> Dataset:
    """Arrays as a data set: what `Dataset.from_arrays` says.

    Raises:
        BadInput: no array, arrays that are not of the kind, names or coordinates that do not go with them.
    """
    kind = kind_named(kind) if isinstance(kind, str) else kind
    if len(arrays) == 0:
        raise BadInput("there is no array; give at least one signal")
    first = Arrays(arrays, kind, key=key, coords=coords)
    shape = _shape_of(first)
    whole = Arrays(arrays, kind, names=names, key=key, coords=coords, shape=shape)
    parts = {"train": whole, "val": whole, "test": whole}
    others = {"val": val, "test": test}
    given = {split: Arrays(items, kind, key=key, shape=shape) for split, items in others.items() if items is not None}
    if coords is not None and given:
        raise BadInput(
            "signals with coordinates of their own are split by `seed`; give one sequence without val and test"
        )
    rest = list(range(len(whole)))
    for name in ("test", "val"):
        if name in given:
            parts[name] = given[name]
            continue
        rest, held = _held_out(whole, rest, seed)
        parts[name] = whole if held == rest else _chosen(arrays, kind, whole, held, key, coords, shape)
    if len(rest) < len(whole):
        parts["train"] = _chosen(arrays, kind, whole, rest, key, coords, shape)
    said = description or f"{len(arrays)} arrays of shape {shape}, handed over in Python."
    placed: dict[str, Any] = {} if domain is None else {"domain": domain}
    return Dataset(
        spec=spec, source="arrays", kind=kind, shape=shape[:-1], num_channels=shape[-1], description=said,
        train=parts["train"], val=parts["val"], test=parts["test"], **placed,
    )  # fmt: skip


def _held_out(whole: Arrays, rest: list[int], seed: int) -> tuple[list[int], list[int]]:
    """(what is left, a tenth held out); of one signal both are that one."""
    if len(rest) < 2:
        return rest, rest
    places = {whole.name(index): index for index in rest}
    kept, held = hold_out(list(places), tenth(len(rest)), seed)
    return sorted(places[name] for name in kept), sorted(places[name] for name in held)


@final
class _Chosen:
    """Some items of a sequence, in an order; read when they are asked for."""

    def __init__(self, items: Items, indices: Sequence[int]) -> None:
        self._items, self._indices = items, indices

    def __getstate__(self) -> tuple[Any, Sequence[int]]:
        return packed(self._items), self._indices

    def __setstate__(self, state: tuple[Any, Sequence[int]]) -> None:
        self._items, self._indices = unpacked(state[0]), state[1]

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, index: int) -> Any:
        return self._items[self._indices[index]]


def _chosen(
    items: Items, kind: Kind, whole: Arrays, indices: Sequence[int], key: str | None, coords: Items | None,
    shape: tuple[int, ...],
) -> Arrays:  # fmt: skip
    own = None if coords is None else _Chosen(coords, indices)
    names = [whole.name(index) for index in indices]
    return Arrays(_Chosen(items, indices), kind, names=names, key=key, coords=own, shape=shape)


def _shape_of(signals: Arrays) -> tuple[int, ...]:
    """(*axes, channels) of the first that can be read."""
    reasons = []
    for index in range(min(len(signals), 100)):
        try:
            known = signals._item(index)
            return tuple(known.shape) if _has_parts(known) else signals.load(index).shape
        except UnreadableSignal as error:
            reasons.append(str(error))
    raise BadInput(f"not one of the first {len(reasons)} arrays can be used; the first says: {reasons[0]}")


def _has_parts(item: Any) -> bool:
    """Whether some samples can be read without the rest."""
    return isinstance(item, np.memmap) or hasattr(item, "vindex")


def _part(item: Any, places: Int[np.ndarray, " points"]) -> np.ndarray:
    along = np.unravel_index(places, item.shape[:-1])
    if not hasattr(item, "vindex"):
        return np.asarray(item[along])
    columns = (place[:, None] for place in along)
    return np.asarray(item.vindex[(*columns, np.arange(item.shape[-1])[None])])
