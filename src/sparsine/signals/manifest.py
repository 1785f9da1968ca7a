"""Which signals a data set holds, by name and by content, split by split."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sparsine.errors import BadInput
from sparsine.signals.dataset import Dataset, SignalSet

SPLITS = ("train", "val", "test")
MOST_LOADED = 1_000
"""Of a set that must load a signal to tell its fingerprint, only so many are looked at, evenly spread. The others are
known by their names."""
BY_NAME = ""
"""Stands for a fingerprint where a signal is known by its name alone."""
OnLook = Callable[[int, int], None]
"""Told how many signals were looked at, and how many there are."""


@dataclass(frozen=True)
class SplitManifest:
    """The signals of one split."""

    count: int
    sha256: str
    """Over all names and fingerprints in their order, or over recipe and count."""
    signals: dict[str, str] | None
    """Fingerprints by name, in order; None where the recipe says it all, or only the digest was kept."""
    recipe: str | None = None
    """Of a set that is made on the spot."""

    def to_dict(self) -> dict[str, Any]:
        known = {"count": self.count, "sha256": self.sha256, "recipe": self.recipe, "signals": self.signals}
        return {key: value for key, value in known.items() if value is not None}

    @classmethod
    def from_dict(cls, data: Any) -> "SplitManifest":
        signals, recipe = data.get("signals"), data.get("recipe")
        known = signals is None or all(isinstance(value, str) for value in signals.values())
        if not (known and isinstance(recipe, str | None) and isinstance(data["sha256"], str)):
            raise TypeError("names, fingerprints and digests must be text")
        return cls(int(data["count"]), data["sha256"], signals, recipe)


@dataclass(frozen=True)
class Manifest:
    """The signals of a data set."""

    source: str
    """images, celeba, ...: how files become values."""
    splits: dict[str, SplitManifest]

    def to_dict(self) -> dict[str, Any]:
        return {"source": self.source, "splits": {name: split.to_dict() for name, split in self.splits.items()}}

    @classmethod
    def from_dict(cls, data: Any) -> "Manifest":
        """Raises BadInput when `data` is not what `to_dict` gives."""
        try:
            return cls(str(data["source"]), {name: SplitManifest.from_dict(data["splits"][name]) for name in SPLITS})
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise BadInput(f"it does not say which signals there were ({type(error).__name__}: {error})") from error

    @property
    def summary(self) -> "Manifest":
        """Digests alone: enough to tell that a data set is the same, not in what it differs."""
        return replace(self, splits={name: replace(split, signals=None) for name, split in self.splits.items()})


def take(dataset: Dataset, on_look: OnLook | None = None) -> Manifest:
    """Look at every signal.

    Raises:
        BadInput: two signals of a split have one name.
    """
    sets = {name: getattr(dataset, name) for name in SPLITS}
    total = sum(len(signals) for signals in sets.values() if signals.recipe is None)
    looked = 0

    def on_signal() -> None:
        nonlocal looked
        looked += 1
        if on_look:
            on_look(looked, total)

    return Manifest(dataset.source, {name: take_split(name, sets[name], on_signal) for name in SPLITS})


def digest_of(signals: Mapping[str, str]) -> str:
    """SHA-256 over names and fingerprints in their order."""
    digest = hashlib.sha256()
    for name, fingerprint in signals.items():
        digest.update(f"{name}\0{fingerprint}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()


def take_split(split: str, signals: SignalSet, on_signal: Callable[[], None] = lambda: None) -> SplitManifest:
    """As `take`, of the set that is called `split`."""
    if signals.recipe is not None:
        return SplitManifest(len(signals), digest_of({signals.recipe: str(len(signals))}), None, signals.recipe)
    prints: dict[str, str] = {}
    for name, fingerprint in _prints(signals):
        if name in prints:
            raise BadInput(f"two signals of the {split} split are called {name!r}; each needs a name of its own")
        prints[name] = fingerprint
        on_signal()
    return SplitManifest(len(signals), digest_of(prints), prints)


def _prints(signals: SignalSet) -> Iterator[tuple[str, str]]:
    count = len(signals)
    few = signals.fingerprint_loads and count > MOST_LOADED
    looked_at = {i * (count - 1) // (MOST_LOADED - 1) for i in range(MOST_LOADED)} if few else range(count)
    for index in range(count):
        yield signals.name(index), signals.fingerprint(index) if index in looked_at else BY_NAME
