"""The signals of a manifest, found again in a data set that may have lost, replaced, moved or gained some."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, final

import numpy as np
from jaxtyping import Float, Int

from sparsine.errors import BadInput, UnreadableSignal
from sparsine.signals.dataset import Dataset, SignalSet, check_index
from sparsine.signals.fingerprint import UNREADABLE
from sparsine.signals.manifest import BY_NAME, SPLITS, Manifest, OnLook, SplitManifest, take_split

MISSING = "the data set had it when learning began, and has it no more"
CHANGED = "it is not what it was when learning began: its content is another one"
SHOWN = 3
"""Names in a message; the others are counted."""

Place = tuple[SignalSet, int] | str
"""Where a signal lies, or why it cannot be had."""


@final
class Selected(SignalSet):
    """Signals of other sets under given names, in a given order; some may be gone."""

    def __init__(self, places: Mapping[str, Place]) -> None:
        self._names, self._places = list(places), list(places.values())

    def __len__(self) -> int:
        return len(self._names)

    def name(self, index: int) -> str:
        check_index(index, len(self))
        return self._names[index]

    def load(self, index: int) -> Float[np.ndarray, "*axes channels"]:
        signals, place = self._found(index)
        return signals.load(place)

    def values_at(self, index: int, places: Int[np.ndarray, " points"]) -> Float[np.ndarray, "points channels"]:
        signals, place = self._found(index)
        return signals.values_at(place, places)

    def coords_of(
        self, index: int, places: Int[np.ndarray, " points"] | None = None
    ) -> Float[np.ndarray, "points coords"] | None:
        signals, place = self._found(index)
        return signals.coords_of(place, places)

    def shape_of(self, index: int) -> tuple[int, ...] | None:
        with suppress(UnreadableSignal):
            signals, place = self._found(index)
            return signals.shape_of(place)
        return None

    def about(self, index: int) -> dict[str, Any]:
        with suppress(UnreadableSignal):
            signals, place = self._found(index)
            return signals.about(place)
        return {}

    def fingerprint(self, index: int) -> str:
        with suppress(UnreadableSignal):
            signals, place = self._found(index)
            return signals.fingerprint(place)
        return UNREADABLE

    def _found(self, index: int) -> tuple[SignalSet, int]:
        check_index(index, len(self))
        place = self._places[index]
        if isinstance(place, str):
            raise UnreadableSignal(f"{self._names[index]}: {place}")
        return place


@dataclass
class Found:
    """What is there now of the signals of a manifest."""

    dataset: Dataset
    """With the splits of the manifest; signals that are gone, or are others now, cannot be read."""
    missing: dict[str, list[str]] = field(default_factory=dict)
    """By split: names that the data set has no more."""
    changed: dict[str, list[str]] = field(default_factory=dict)
    """By split: names of other content, among those that were looked at."""
    others: list[str] = field(default_factory=list)
    """Splits that are not the same ones, where single signals are not known."""
    new: list[str] = field(default_factory=list)
    """Names of the data set that no split of the manifest has."""

    def differences(self, *splits: str) -> list[str]:
        """What these splits lack, in words."""
        said = [f"the {split} split is another one" for split in splits if split in self.others]
        said += [f"{_named(names, split)} missing" for split in splits if (names := self.missing.get(split))]
        return said + [
            f"{_named(names, split)} of other content" for split in splits if (names := self.changed.get(split))
        ]

    def gone(self, split: str) -> set[str]:
        """Names that are missing or of other content."""
        return {*self.missing.get(split, ()), *self.changed.get(split, ())}

    def additions(self) -> list[str]:
        """What it has that is left out, in words."""
        return [f"{_named(self.new, 'new')} left out"] if self.new else []


def find(manifest: Manifest, dataset: Dataset, look: Mapping[str, int], on_look: OnLook | None = None) -> Found:
    """The signals of `manifest` in `dataset`, in whichever of its splits they are now.

    Args:
        look: how many signals from the front of each split are compared by content too.

    Raises:
        BadInput: the data set is from another source, so that the same files would become other values.
    """
    if manifest.source != dataset.source:
        raise BadInput(f"the data set came from {manifest.source!r}, but {dataset.spec} comes from {dataset.source!r}")
    found, places = Found(dataset), _Places(dataset)
    progress = _Progress(sum(min(look[s], manifest.splits[s].count) for s in SPLITS), on_look)
    train, val, test = (_find_split(s, manifest.splits[s], places, look[s], found, progress) for s in SPLITS)
    if all(split.signals is not None for split in manifest.splits.values()):
        known = {name for split in manifest.splits.values() for name in split.signals or ()}
        found.new = sorted(name for name in places.names() if name not in known)
    found.dataset = replace(dataset, train=train, val=val, test=test)
    return found


def _find_split(
    split: str, known: SplitManifest, places: "_Places", look: int, found: Found, progress: "_Progress"
) -> SignalSet:
    here: SignalSet = getattr(found.dataset, split)
    if known.signals is None:
        if not _same(split, known, here, look):
            found.others.append(split)
        return here
    chosen: dict[str, Place] = {name: places.of(split, name) or MISSING for name in known.signals}
    missing = [name for name, place in chosen.items() if place == MISSING]
    changed = []
    for name, fingerprint in list(known.signals.items())[:look]:
        place = chosen[name]
        progress.add()
        if isinstance(place, str) or fingerprint == BY_NAME:
            continue
        if place[0].fingerprint(place[1]) != fingerprint:
            changed.append(name)
            chosen[name] = CHANGED
    found.missing |= {split: missing} if missing else {}
    found.changed |= {split: changed} if changed else {}
    as_it_is = [(here, i) for i in range(len(here))] if len(here) == len(chosen) else None
    return here if list(chosen.values()) == as_it_is else Selected(chosen)


def _same(split: str, known: SplitManifest, here: SignalSet, look: int) -> bool:
    """Of a split whose signals are not named one by one."""
    if known.recipe is not None or here.recipe is not None or len(here) != known.count:
        return (known.recipe, known.count) == (here.recipe, len(here))
    return look == 0 or take_split(split, here).sha256 == known.sha256


class _Places:
    """Where each name lies in the splits of a data set that have names to list."""

    def __init__(self, dataset: Dataset) -> None:
        self._sets = {split: getattr(dataset, split) for split in SPLITS}
        self._index = {
            split: {signals.name(i): i for i in range(len(signals))}
            for split, signals in self._sets.items()
            if signals.recipe is None
        }

    def of(self, split: str, name: str) -> tuple[SignalSet, int] | None:
        """In that split, or else in another one."""
        for where in (split, *SPLITS):
            index = self._index.get(where, {}).get(name)
            if index is not None:
                return self._sets[where], index
        return None

    def names(self) -> Iterator[str]:
        for index in self._index.values():
            yield from index


class _Progress:
    def __init__(self, total: int, on_look: OnLook | None) -> None:
        self.done, self.total, self.on_look = 0, total, on_look

    def add(self) -> None:
        self.done += 1
        if self.on_look:
            self.on_look(self.done, self.total)


def _named(names: Iterable[str], what: str) -> str:
    """'2 train signals (a.png, b.png)'."""
    names = list(names)
    shown = ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
    return f"{len(names)} {what} signal{'' if len(names) == 1 else 's'} ({shown})"
