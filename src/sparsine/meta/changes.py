"""changes.json of a run: the step sizes that were lowered on the way, after which outer step.

A run whose loss overflowed can go on from its last good checkpoint with smaller steps; everything else that decides its
bits stays as it began. What was changed is kept here, and in every start that is made after it.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sparsine.errors import BadInput
from sparsine.storage import read_json, write_json

FILE = "changes.json"
LOWERED = ("outer.outer_step_size", "inner.inner_step_size")

Difference = tuple[str, Any, Any]
"""(dotted name of an option, what it was, what it is now)."""


def is_allowed(difference: Difference) -> bool:
    """Whether a run may go on with it."""
    name, was, now = difference
    numbers = isinstance(was, int | float) and isinstance(now, int | float)
    return name in LOWERED and numbers and 0 < now < was


def read_changes(folder: Path) -> list[dict[str, Any]]:
    """In their order; each with step, round, option, was, now. Raises BadInput where the file is damaged."""
    path = folder / FILE
    if not path.exists():
        return []
    saved = read_json(path)
    if not isinstance(saved, list) or not all(isinstance(change, dict) and "option" in change for change in saved):
        raise BadInput(f"{path} is damaged: it is no list of changes; restore it from a copy")
    return saved


def keep_changes(folder: Path, step: int, round: int, differences: Iterable[Difference]) -> None:
    """Note them behind those that are there. A note from a sitting that was cut short before it began is replaced."""
    changes = read_changes(folder)
    for name, was, now in differences:
        place = {"step": step, "round": round, "option": name, "was": was}
        changes = [change for change in changes if change != {**change, **place}] + [{**place, "now": now}]
    write_json(folder / FILE, changes)
