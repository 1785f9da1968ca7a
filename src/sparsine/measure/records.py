"""What every record of an experiment has: `kind`, `record_version`, where it was measured, and of each signal `input`,
`status`, `metrics` (by name, a number for each step) and, where it is not ok, `reason`.

Before version 2 the numbers of a signal had no place of their own. `metrics_of` reads both.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sparsine.environment import environment
from sparsine.errors import BadInput
from sparsine.parts import NUMBER

Record = dict[str, Any]
METRICS = {str: [NUMBER]}
"""How `metrics` of a signal must be built."""
_NO_METRICS = ("steps", "seconds")
"""Lists beside the metrics, in version 1."""


def head(kind: str, version: int) -> Record:
    """What a record begins with."""
    return {"kind": kind, "record_version": version, **environment()}


def check_head(record: Any, kind: str, versions: Collection[int], where: str, what: str, otherwise: str) -> None:
    """Raises BadInput unless `record` is of this kind and of a version that is read.

    Args:
        what: a record of this kind in words, such as "a record of a race".
        otherwise: what to do with another one.
    """
    if not isinstance(record, Mapping) or record.get("kind") != kind:
        found = record.get("kind") if isinstance(record, Mapping) else type(record).__name__
        raise BadInput(f"{where} is not {what} (found {found!r}); {otherwise}")
    if (version := record.get("record_version")) not in versions:
        reads = " and ".join(map(str, sorted(versions)))
        raise BadInput(
            f"{where} is of record version {version!r:.20}, but this version of sparsine reads {reads}; use the "
            f"sparsine that wrote it, or {otherwise}"
        )


def signal(
    name: str, status: str, metrics: Mapping[str, Sequence[float | None]], reason: str = "", **more: Any
) -> Record:
    """The record of one signal."""
    told = {"input": name, "status": status, "metrics": {name: list(values) for name, values in metrics.items()}}
    return {**told, **more, **({"reason": reason} if reason else {})}


def metrics_of(signal: Mapping[str, Any]) -> dict[str, list[Any]]:
    """By name, a number for each step, as JSON has it: a text for an infinite one, None where it is not known."""
    told = signal.get("metrics", {})
    if "psnr_db" in told:
        return dict(told)
    beside = {name: value for name, value in signal.items() if isinstance(value, list) and name not in _NO_METRICS}
    last = len(beside.get("psnr_db", [None])) - 1
    return beside | {name: [*[None] * last, value] for name, value in told.items()}
