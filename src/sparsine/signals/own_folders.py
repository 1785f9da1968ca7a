"""Folders that this package wrote: what lies in them came from signals, and is none itself."""

import os
from collections.abc import Collection
from pathlib import Path

FIELDS, TABLE = "fields", "psnr.csv"
"""Of a folder of fits: where the fitted vectors lie, and what is written last."""
_MARKS = (
    ("config.json", "metrics.jsonl"),  # of a run, at whatever moment it ended
    ("config.json", "starts"),
    ("config.json", "checkpoint.safetensors"),
    ("config.json", "modulations.safetensors"),
    ("comparison.json", "learning"),
    ("comparison.json", "cells"),
    ("request.json", "journal.jsonl"),  # of codes, or of their drawings
    (TABLE, FIELDS),  # of fits
    ("rate-distortion.json",),
)
"""Entries of a folder that together say what it is."""
_FITS_ON_THE_WAY = ("drawings", "fields", "pictures")
"""Those of fits before their table is there: common words, so what is in them is looked at too."""


def is_own(folder: Path, entries: Collection[str] | None = None) -> bool:
    """Whether `folder` holds a run, a comparison, codes, drawings or fits. `entries` are its names, where known."""
    if entries is None:
        entries = {entry.name for entry in folder.iterdir()}
    if any(all(name in entries for name in mark) for mark in _MARKS):
        return True
    return all(name in entries for name in _FITS_ON_THE_WAY) and any((folder / "fields").glob("*.safetensors"))


def holds_fits(folder: Path) -> bool:
    """Whether `sparsine fit` wrote it, from beginning to end."""
    return os.path.isfile(folder / TABLE) and os.path.isdir(folder / FIELDS)  # False where it may not be asked


def left_out(folders: Collection[str]) -> tuple[str, ...]:
    """A sentence on folders that were passed over; none where there were none."""
    if not folders:
        return ()
    shown = ", ".join(sorted(folders)[:3]) + (f" and {len(folders) - 3} more" if len(folders) > 3 else "")
    return (f"left out, as they hold a run, codes or drawings and no signals: {shown}",)
