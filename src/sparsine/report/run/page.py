"""The page of a learning run; templates/report.html.j2 says what stands where."""

import shlex
from pathlib import Path
from typing import Any

from sparsine.evenly import evenly
from sparsine.plugins import as_options
from sparsine.report.html import write_page
from sparsine.report.run.figures import psnr_against_steps, psnr_against_weights
from sparsine.report.run.gallery import gallery_lines, gallery_rows
from sparsine.report.run.headline import headline
from sparsine.report.run.rows import Row, rows_of
from sparsine.report.run.training import training_curves

GALLERY_COLUMNS = 8
TABLE_STEPS = 6
MAX_OUTCOMES = 100
RECORDS = ("evaluation.json", "metrics.jsonl", "config.json", "data.json")


def write_report(folder: Path | str, record: dict[str, Any], metrics: list[dict[str, Any]], command: str = "") -> Path:
    """Write `folder`/report.html from an evaluation record and the lines of metrics.jsonl; pictures that are missing on
    disk are left out.

    Args:
        command: which made it; without, one with the usual options is named.

    Raises:
        BadInput: not an evaluation record.
        WorkFailed: the page cannot be written.
    """
    folder = Path(folder)
    path = folder / "report.html"
    write_page(path, "report.html.j2", report_context(folder, record, metrics),
               commands=_commands(folder, command), records=RECORDS)  # fmt: skip
    return path


def _commands(folder: Path, command: str) -> dict[str, str]:
    run = shlex.quote(str(folder))
    config, again = shlex.quote(str(folder / "config.json")), shlex.quote(f"{folder}-again")
    return {
        "This page": command or f"sparsine report {run}{as_options()}",
        "The run, learned anew": f"sparsine learn --config {config} --out {again}{as_options()}",
    }


def report_context(folder: Path, record: dict[str, Any], metrics: list[dict[str, Any]]) -> dict[str, Any]:
    """Everything that the template asks for."""
    rows = rows_of(record)
    shown = gallery_rows(rows, GALLERY_COLUMNS)
    figures = {"weights": psnr_against_weights(rows), "steps": psnr_against_steps(rows)}
    if training := training_curves(metrics):
        figures["training"] = training
    return {
        "record": record, "rows": rows, "figures": figures, "headline": headline(record, rows),
        "gallery_rows": shown, "gallery": gallery_lines(folder, shown),
        "table_steps": evenly(sorted({step for row in rows for step in row.steps}), TABLE_STEPS),
        "metrics": record["data"].get("metrics", {}), "outcomes": outcomes(rows), "max_outcomes": MAX_OUTCOMES,
    }  # fmt: skip


def outcomes(rows: list[Row]) -> list[dict[str, Any]]:
    """The signals that are not ok, each with the rows it concerns."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for row in rows:
        for signal in row.signals:
            if signal["status"] != "ok":
                key = (str(signal["input"]), signal["status"], signal.get("reason", ""))
                found.setdefault(key, []).append(row.label)
    return [{"input": name, "status": status, "reason": reason, "rows": labels}
            for (name, status, reason), labels in found.items()]  # fmt: skip
