"""data.json of a run: which signals it learns from, and which start it began with, by content.

What is learned from is what is measured on: a run finds its own splits again among whatever its folder of signals holds
later, and says what has gone, come or changed.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sparsine.errors import BadInput
from sparsine.meta.config import LearnConfig
from sparsine.signals.dataset import Dataset
from sparsine.signals.manifest import SPLITS, Manifest, OnLook, take
from sparsine.signals.open import absolute_spec, is_there, open_dataset
from sparsine.signals.selection import find
from sparsine.starts.start import Start
from sparsine.storage import read_json, write_json

FILE = "data.json"
KIND, VERSION = "sparsine-data", 1
UNKNOWN = "{} is from before runs kept which signals they learn from: whether these are the same cannot be checked"


@dataclass(frozen=True)
class RunData:
    """What a run learns from."""

    manifest: Manifest
    place: str
    """The data set's spec, with the whole path."""
    start: str = ""
    """Which start it began with (`start_identity`); empty for random numbers."""


@dataclass(frozen=True)
class Pinned:
    """A data set with the splits of the run."""

    dataset: Dataset
    data: RunData | None
    """None for a run from before this was kept."""
    notes: tuple[str, ...] = ()
    """What is not as it was, a sentence each."""


def start_identity(start: Start | None) -> str:
    """SHA-256 of all that a run takes over: numbers, pattern, field, grid and kind. Empty where there is no start."""
    if start is None:
        return ""
    about = {
        "start": start.digest,
        "field": start.field.to_dict(),
        "grid": start.domain.to_dict(),
        "kind": start.kind.to_dict(),
    }
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()


def read_run_data(folder: Path) -> RunData | None:
    """None where the run is older than this file. Raises BadInput where it is damaged."""
    return read_run_data_at(folder / FILE)


def write_run_data(folder: Path, data: RunData) -> None:
    write_run_data_at(folder / FILE, data)


def read_run_data_at(path: Path) -> RunData | None:
    """As `read_run_data`, by the path of the file."""
    if not path.exists():
        return None
    saved = read_json(path)
    if not isinstance(saved, dict) or (saved.get("kind"), saved.get("record_version")) != (KIND, VERSION):
        raise BadInput(f"{path} does not say what the run learned from, as far as this version can read it; restore it")
    try:
        return RunData(Manifest.from_dict(saved.get("data")), str(saved["place"]), str(saved["start"]))
    except (BadInput, KeyError) as error:
        raise BadInput(f"{path} is damaged: {error}; restore it from a copy") from error


def write_run_data_at(path: Path, data: RunData) -> None:
    """Raises WorkFailed when the system refuses."""
    about: dict[str, Any] = {"kind": KIND, "record_version": VERSION, "place": data.place, "start": data.start}
    write_json(path, {**about, "data": data.manifest.to_dict()})


def pinned_to_learn(
    folder: Path, dataset: Dataset, start: Start | None, *, begun: bool, manifest: Manifest | None = None,
    on_look: OnLook | None = None,
) -> Pinned:  # fmt: skip
    """The data set that the run in `folder` learns from: `dataset` for a new run, the splits it began with for one that
    is gone on with.

    Args:
        start: what it begins with; None is random numbers.
        begun: whether the run has learned already.
        manifest: what `dataset` is, where that is known and need not be looked at.

    Raises:
        BadInput: the run learned from other signals, or began with another start.
    """
    saved, identity, place = read_run_data(folder), start_identity(start), absolute_spec(dataset.spec)
    if saved is None:
        if begun:
            return Pinned(dataset, None, (UNKNOWN.format(folder),))
        # digests are enough where the names are kept elsewhere
        known = manifest.summary if manifest else take(dataset, on_look)
        return Pinned(dataset, RunData(known, place, identity))
    if saved.start != identity:
        raise BadInput(
            f"{folder} holds a run that began with {_named(saved.start)}, but now there is {_named(identity)}; put the "
            "first back, or choose another folder"
        )
    if manifest is not None:
        _check_digests(folder, saved.manifest, manifest)
        return Pinned(dataset, replace(saved, place=place))
    found = find(saved.manifest, dataset, {split: saved.manifest.splits[split].count for split in SPLITS}, on_look)
    if lost := found.differences("train", "val"):
        raise BadInput(
            f"{folder} holds a run that learned from other data than {dataset.spec} is now: {'; '.join(lost)}; bring "
            "them back to go on, or learn in another folder"
        )
    notes = _sentences(dataset, found.differences("test") + found.additions())
    return Pinned(found.dataset, replace(saved, place=place), notes)


def pinned_to_measure(folder: Path, dataset: Dataset, count: int) -> Pinned:
    """The data set with the splits of the run in `folder`, the first `count` test signals looked at: those that are not
    there as they were cannot be read.

    Raises:
        BadInput: not one of these test signals is there as it was.
    """
    saved = read_run_data(folder)
    if saved is None:
        return Pinned(dataset, None, (UNKNOWN.format(folder) + ", nor whether it saw the signals it is measured on",))
    found = find(saved.manifest, dataset, {"train": 0, "val": 0, "test": count})
    gone, test = found.gone("test"), found.dataset.test
    if "test" in found.others or all(test.name(i) in gone for i in range(min(count, len(test)))):
        raise BadInput(
            f"{dataset.spec} has not one of the test signals that {folder} left aside when it learned "
            f"({'; '.join(found.differences('test'))}); bring them back, or say where they are now by --data"
        )
    return Pinned(found.dataset, saved, _sentences(dataset, found.differences(*SPLITS) + found.additions()))


def open_data_of(folder: Path, config: LearnConfig, place: str | None = None) -> Dataset:
    """The data set of the run in `folder`: where it was when the run began, or at `place`.

    Raises:
        BadInput: it cannot be opened.
    """
    if place is None:
        saved = read_run_data(folder)
        place = saved.place if saved is not None and is_there(saved.place) else config.data
    dataset = open_dataset(place, resolution=config.grid.resolution, seed=config.split_seed)
    return replace(dataset, spec=config.data)


def _check_digests(folder: Path, saved: Manifest, now: Manifest) -> None:
    differing = [split for split in SPLITS if saved.splits[split].sha256 != now.splits[split].sha256]
    if differing:
        raise BadInput(
            f"{folder} holds a run that learned from other data: {', '.join(differing)} differ; bring them back, or "
            "choose another folder"
        )


def _sentences(dataset: Dataset, found: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"{dataset.spec} is not as it was when learning began: {what}" for what in found)


def _named(identity: str) -> str:
    return f"start {identity[:12]}" if identity else "random numbers"
