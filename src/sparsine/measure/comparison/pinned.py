"""data/LABEL.json of a comparison: which signals each of its data sets held when the comparison began. What is learned
from and what is measured stays the same in every sitting, in every process and for every method."""

from pathlib import Path

from sparsine.errors import BadInput
from sparsine.meta.run_data import RunData, read_run_data_at, write_run_data_at
from sparsine.signals.dataset import Dataset
from sparsine.signals.manifest import SPLITS, Manifest, take
from sparsine.signals.open import absolute_spec
from sparsine.signals.selection import find


def manifest_of(root: Path, label: str) -> Manifest | None:
    """What was kept of a data set; None in a comparison from before that. Raises BadInput where it is damaged."""
    saved = read_run_data_at(_path(root, label))
    return saved.manifest if saved else None


def as_it_began(root: Path, label: str, dataset: Dataset) -> Dataset:
    """`dataset` with the splits that the comparison began with, by names alone; as it is where none were kept.

    Raises:
        BadInput: it comes from another source.
    """
    manifest = manifest_of(root, label)
    return find(manifest, dataset, dict.fromkeys(SPLITS, 0)).dataset if manifest else dataset


def pin(root: Path, label: str, dataset: Dataset, signals: int) -> list[str]:
    """Keep what `dataset` holds, or compare every signal with what was kept. Returns sentences on what is not as it was
    and does not hinder.

    Args:
        dataset: as it was opened, not as it began.
        signals: how many test signals are measured.

    Raises:
        BadInput: a signal that is learned from, watched or measured is missing, or is another one now.
    """
    saved = read_run_data_at(_path(root, label))
    if saved is None:
        if (root / "learning" / label).exists() or (root / "cells" / label).exists():
            return [f"{root} is from before comparisons kept which signals they use: whether those of {label} are the "
                    "same cannot be checked"]  # fmt: skip
        write_run_data_at(_path(root, label), RunData(take(dataset), absolute_spec(dataset.spec)))
        return []
    found = find(saved.manifest, dataset, {split: saved.manifest.splits[split].count for split in SPLITS})
    lost, test = found.differences("train", "val"), found.differences("test")
    measured = {found.dataset.test.name(i) for i in range(min(signals, len(found.dataset.test)))}
    if lost or "test" in found.others or measured & found.gone("test"):
        raise BadInput(
            f"{root} compares on other data than {label}={dataset.spec} is now: {'; '.join(lost + test)}; bring them "
            "back to go on, or choose another folder"
        )
    return [f"{dataset.spec} is not as it was when the comparison began: {what}" for what in test + found.additions()]


def _path(root: Path, label: str) -> Path:
    return root / "data" / f"{label}.json"
