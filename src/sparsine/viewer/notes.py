"""What the encoder wrote down about the codes of a folder: which input each came from, and its PSNR.

It is never trusted for more than being shown and for finding an original by name.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from math import isfinite
from pathlib import PurePosixPath
from typing import Any

from sparsine.errors import BadInput
from sparsine.viewer.folder import SUFFIX, CodeFolder

NOTES_NAME = "manifest.json"
MOST_BYTES = 64 << 20


@dataclass(frozen=True)
class Note:
    """About one code."""

    input: str | None
    psnr_db: float | None


def read_notes(folder: CodeFolder, level: str) -> dict[str, Note]:
    """By the name of the code; empty where there are none, or none that can be read."""
    parts = (level, NOTES_NAME) if level else (NOTES_NAME,)
    with suppress(BadInput, ValueError, RecursionError):
        return dict(_notes(json.loads(folder.read(parts, MOST_BYTES))))
    return {}


def _notes(written: Any) -> Iterator[tuple[str, Note]]:
    entries = written.get("files") if isinstance(written, dict) else written
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, dict) and isinstance(entry.get("code"), str):
            name = PurePosixPath(entry["code"]).name.removesuffix(SUFFIX)
            given = entry.get("input")
            yield name, Note(given if isinstance(given, str) else None, _number(entry.get("psnr_db")))


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and isfinite(value) else None
