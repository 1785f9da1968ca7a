"""tune.json: what was asked, who raced, every trial. Written after each of them, so that a race goes on from there."""

from pathlib import Path
from typing import Any

from sparsine.errors import BadInput
from sparsine.measure.records import check_head
from sparsine.parts import NUMBER, fault
from sparsine.storage import read_json

KIND, VERSION = "sparsine-tuning", 2
RECORD, RECIPE, PAGE = "tune.json", "recipe.json", "tune.html"
Record = dict[str, Any]
_CANDIDATE = {"family": str, "omega_0": float, "output_offset": float, "width": int, "hidden_layers": int,
              "score_step_size": float}  # fmt: skip
_TRIAL = {"rung": int, "candidate": int, "status": str, "mean_psnr_db": NUMBER, "signals": [{"input": str}],
          "seconds": {"all": float}}  # fmt: skip
_PARTS = {
    "request": {"tune": {}, "base": {}}, "candidates": [_CANDIDATE], "trials": [_TRIAL], "winner": (int, None),
    "rungs": [{"candidates": int, "effort": str, "signals": int}], "data": {"spec": str, "description": str},
    "notes": [str],
}  # fmt: skip


def read_record(path: Path) -> Record:
    """Raises BadInput when it is missing, damaged, no record of a race, or of another version."""
    record = read_json(path)
    check_head(record, KIND, {1, VERSION}, str(path), "a record of a race", "choose another folder")
    if wrong := fault(record, _PARTS):
        raise BadInput(f"{path} is damaged: {wrong}; restore it from a copy, or choose another folder")
    return dict(record)


def check_request(path: Path, record: Record, request: Record) -> None:
    """Raises BadInput unless the race of the record at `path` was asked for like this."""
    if record["request"] != request:
        raise BadInput(
            f"{path.parent} holds a race that was asked for otherwise ({_differing(record['request'], request)}); ask "
            "as before to go on, or choose another folder"
        )


def check_racing(path: Path, record: Record, racing: Record) -> None:
    """Raises BadInput unless `racing`, candidates and rungs, are those of the record at `path`."""
    if any(record[part] != racing[part] for part in racing):
        raise BadInput(
            f"{path.parent} holds a race of other settings than this version of sparsine would let race; choose "
            "another folder"
        )


def _differing(was: Record, now: Record) -> str:
    """'numbers was 2284, now 500'."""
    for part in ("tune", "base"):
        for name in now[part]:
            if was[part].get(name) != now[part][name]:
                return f"{name} was {was[part].get(name)!r:.60}, now {now[part][name]!r:.60}"
    return "it has other settings"
