"""Any record whose rows hold signals, as a table and as figures: what an experiment of one's own has for nothing.

{"kind": ..., "record_version": ..., "rows": [{"name": ..., "weights": ..., "steps": [...], "signals": [...]}]}
"""

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from sparsine.measure.records import Record, metrics_of
from sparsine.psnr import psnr_of
from sparsine.report.axes import Counts, Steps
from sparsine.report.figure import Axis, Figure, Line
from sparsine.report.styles import styles_of
from sparsine.report.table import Table
from sparsine.report.wording import DASH, count, db, lacking, measure


def measured_table(record: Record, title: str = "") -> Table:
    """A line for each row: its weights, and the mean of every metric after the last step, over the signals that are
    ok."""
    labels = labels_of(record)
    lines = [
        (row["name"] + _lacking(row), count(row.get("weights")), *(_said(name, mean(row, name)) for name in labels))
        for row in record["rows"]
    ]
    return Table("measured", title, ("", "weights", *labels.values()), tuple(lines))


def over_weights(record: Record, metric: str = "psnr_db") -> Figure:
    """The mean of a metric after the last step over the weights of a row, a line for all rows of one `method` (else of
    one name)."""
    methods: dict[str, list[Record]] = {}
    for row in sorted(record["rows"], key=lambda row: row["weights"]):
        methods.setdefault(row.get("method", row["name"]), []).append(row)
    styles = styles_of(methods)
    lines = [_line(method, styles, [row["weights"] for row in rows], [mean(row, metric) for row in rows])
             for method, rows in methods.items()]  # fmt: skip
    return Figure(Axis("weights", Counts()), Axis(labels_of(record)[metric]), lines, is_wide=True)


def over_steps(record: Record, metric: str = "psnr_db") -> Figure:
    """The mean of a metric while signals are fitted, a line for each row."""
    styles = styles_of(row["name"] for row in record["rows"])
    lines = [_line(row["name"], styles, row["steps"], [mean(row, metric, at) for at in range(len(row["steps"]))])
             for row in record["rows"]]  # fmt: skip
    steps = Steps([step for row in record["rows"] for step in row["steps"]])
    return Figure(Axis("fitting steps", steps), Axis(labels_of(record)[metric]), lines, is_wide=True)


def labels_of(record: Record) -> dict[str, str]:
    """Every metric of the record, by name as an axis says it."""
    told: dict[str, str] = record.get("data", {}).get("metrics", {})
    names = dict.fromkeys(name for row in record["rows"] for one in row["signals"] for name in metrics_of(one))
    return {name: told.get(name, "PSNR (dB)" if name == "psnr_db" else name) for name in names}


def mean(row: Mapping[str, Any], metric: str, at: int = -1) -> float | None:
    """Over the signals that are ok and of which it is known, after one of the steps; None where there is none."""
    good = [metrics_of(one).get(metric) for one in row["signals"] if one["status"] == "ok"]
    found = [value for values in good if values and (value := psnr_of(values[at])) is not None]
    return fmean(found) if found else None


def _line(name: str, styles: Mapping[str, Any], xs: Sequence[float], ys: Sequence[float | None]) -> Line:
    notes = [f"{name}\n{count(round(x))}: {measure(y)}" for x, y in zip(xs, ys, strict=True)]
    return Line(name, styles[name], xs, ys, notes)


def _lacking(row: Mapping[str, Any]) -> str:
    return lacking(sum(one["status"] == "ok" for one in row["signals"]), len(row["signals"]))


def _said(name: str, value: float | None) -> str:
    return DASH if value is None else db(value) if name.endswith("_db") else measure(value)
