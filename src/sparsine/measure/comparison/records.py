"""Records of cells: one file for each while a comparison runs, one line for each when they are collected."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sparsine.errors import BadInput
from sparsine.measure.comparison.cell import KIND, Cell
from sparsine.measure.records import METRICS, check_head
from sparsine.parts import NUMBER, fault
from sparsine.storage import json_value, read_file, read_json, write_atomically

CELLS = "cells.jsonl"
_USAGE = {"seconds": float, "cpu_seconds": float, "peak_bytes": int}
_SIGNALS = {1: {"input": str, "status": str, "psnr_db": [NUMBER]}, 2: {"input": str, "status": str, "metrics": METRICS}}
"""By version of the record."""
_PROTOCOL = {"optimizer": str, "lr": float, "steps": [int], "usage": _USAGE}
_PARTS = {
    "data": {"label": str, "spec": str, "description": str, "value_kind": str, "shape": [int]},
    "comparison": str, "created": str, "seed": int, "method": str, "label": str, "family": str, "level": str,
    "weights": int, "biases": int, "numbers": int, "bits": int, "shared_numbers": int, "pictures": int,
    "field": ({"sizes": [int]}, None),
    "learn": {"dense_steps": int, "steps_per_round": int, "start_from": str},
    "learning": {"outer_steps": int, **_USAGE, "stages": [{"name": str, "outer_steps": int, **_USAGE}]},
}  # fmt: skip
"""What readers of a record rely on."""


def read_cell(path: Path, cell: Cell) -> dict[str, Any] | None:
    """The record of a cell that was measured before; None when there is none.

    Raises:
        BadInput: damaged, of another version, or made from something else than this cell.
    """
    if not path.exists():
        return None
    record = read_json(path)
    check_record(record, str(path))
    wanted, found = cell.made_from, record.get("made_from")
    if isinstance(found, dict) and "signals_sha256" not in found:  # from before it was kept
        del wanted["signals_sha256"]
    if found != wanted:
        raise BadInput(
            f"{path} was made from {found}, but the comparison asks for {wanted}; move it away to have the cell "
            "measured again"
        )
    return record  # type: ignore[no-any-return]


def check_record(record: Any, where: str) -> None:
    """Raises BadInput unless `record` is a cell's, of a version that this package reads."""
    check_head(record, KIND, _SIGNALS, where, "a record of a cell", "move it away to have it measured again")
    protocols = {str: {**_PROTOCOL, "signals": [_SIGNALS[record["record_version"]]]}}
    if wrong := fault(record, {**_PARTS, "protocols": protocols}):
        raise BadInput(f"{where} is damaged: {wrong}; move it away to have it measured again")


def read_cells(path: Path) -> list[dict[str, Any]]:
    """The collected records of a comparison: `path` is cells.jsonl or the folder that holds it.

    Raises:
        BadInput: missing, damaged or of another version.
    """
    path = path / CELLS if path.is_dir() else path
    try:
        lines = read_file(path).decode().splitlines()
    except UnicodeDecodeError as error:
        raise BadInput(f"cannot read {path}: {error}") from error
    cells = []
    for number, line in enumerate(lines, 1):
        where = f"{path}, line {number},"
        try:
            record = json.loads(line)
        except ValueError as error:
            raise BadInput(f"{where} is damaged ({error}); restore the file from a copy") from error
        check_record(record, where)
        cells.append(record)
    if not cells:
        raise BadInput(f"{path} holds no record; run the comparison first")
    return cells


def write_cells(path: Path, cells: Sequence[dict[str, Any]]) -> None:
    """One line for each. Raises WorkFailed when the system refuses."""
    lines = (json.dumps(json_value(cell), allow_nan=False, separators=(",", ":")) + "\n" for cell in cells)
    write_atomically(path, "".join(lines).encode())
