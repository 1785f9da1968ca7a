"""`sparsine report RUN`: measure a run on held-out signals and write its page."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro
from rich.table import Table

from sparsine.cli.console import Waiting, console, say_notes, shown_steps, tell
from sparsine.cli.given import given_command
from sparsine.cli.options import Working
from sparsine.cli.outputs import Output
from sparsine.cli.status import status_of
from sparsine.folders import as_it_is, check_places, locked, watched
from sparsine.measure.evaluation import EvaluationConfig, evaluate_run
from sparsine.meta.metrics import read_metrics
from sparsine.meta.run_data import open_data_of
from sparsine.meta.run_folder import read_config
from sparsine.plugins import made_with, read_loaded
from sparsine.report.run.page import write_report
from sparsine.report.run.rows import rows_of
from sparsine.report.wording import db
from sparsine.storage import remove_leftovers


@dataclass(frozen=True, kw_only=True)
class Options(Working):
    run: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="RUN")]
    """Folder of a run, finished or not."""
    data: Annotated[str | None, tyro.conf.arg(metavar="SPEC")] = None
    """Where its data set lies now, as in images:DIR, if it was moved; the run knows where it was."""
    evaluation: EvaluationConfig = dataclasses.field(default_factory=EvaluationConfig)


def run(options: Options, result: Output) -> int:
    with made_with(read_loaded(options.run), str(options.run)):
        return _report(options, result)


def _report(options: Options, result: Output) -> int:
    config = read_config(options.run)
    dataset = open_data_of(options.run, config, options.data)
    say_notes(dataset.notes)
    check_places(options.run, files=["report.html", "evaluation.json"])
    with watched(as_it_is(options.run)), locked(options.run / "evaluation"):
        for folder in (options.run / "evaluation", options.run / "evaluation" / "pictures"):
            remove_leftovers(folder)
        with Waiting("measuring", 1) as waiting:

            def on_row(name: str, number: int, total: int) -> None:
                waiting.set_total(total)
                waiting.at(number, f"measuring {name}")

            record = evaluate_run(options.run, dataset, options.evaluation, on_row)
        say_notes(record["data"]["notes"])
        console.print(_table(record))
        page = write_report(options.run, record, read_metrics(options.run), given_command())
        tell(("report", "bold green"), f": {page.resolve()}")
    result.write_json(record)
    return status_of(all(signal["status"] == "ok" for row in record["rows"] for signal in row["signals"]))


def _table(record: dict[str, Any]) -> Table:
    rows = rows_of(record)
    steps = rows[0].steps
    shown = shown_steps(steps)
    title = f"mean PSNR in dB of test signals after steps of {record['protocol']['optimizer']}"
    table = Table("start", "weights", "+ biases", "density", *(str(steps[i]) for i in shown), title=title)
    for row in rows:
        numbers = (db(row.mean_psnr_db[i]) for i in shown)
        table.add_row(row.name + row.lacks, str(row.weights), str(row.total), f"{row.density:.2%}", *numbers)
    return table
