"""What the encoder wrote down about the codes of a folder: which input each came from, and its PSNR.

It is never trusted for more than being shown and for finding an original by name.
"""

import json
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from pathlib import PurePosixPath
from typing import Any

from sparsine.codec.files.journal import JOURNAL
from sparsine.codec.format.header import SUFFIX
from sparsine.errors import BadInput
from sparsine.psnr import psnr_of
from sparsine.viewer.folder import CodeFolder

MOST_BYTES = 256 << 20


@dataclass(frozen=True)
class Note:
    """About one code."""

    input: str | None
    psnr_db: float | None


def read_notes(folder: CodeFolder, level: str) -> dict[str, Note]:
    """By the name of the code; empty where there are none. Lines that cannot be read are passed over."""
    try:
        lines = folder.read((level, JOURNAL) if level else (JOURNAL,), MOST_BYTES).splitlines()
    except BadInput:
        return {}
    return dict(pair for line in lines if (pair := _note(line)) is not None)


def _note(line: bytes) -> tuple[str, Note] | None:
    written: Any = None
    with suppress(ValueError, RecursionError):
        written = json.loads(line)
    if not isinstance(written, dict) or not isinstance(written.get("file"), str):
        return None
    given, told = written.get("input"), written.get("psnr_db")
    psnr = None if told == inf else psnr_of(told)  # a perfect fit is a text: no encoder writes such a number
    note = Note(given if isinstance(given, str) else None, psnr)
    return PurePosixPath(written["file"]).name.removesuffix(SUFFIX), note
