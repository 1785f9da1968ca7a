"""`sparsine report RUN`: measure a run on held-out signals and write its page."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from rich.table import Table

from sparsine.cli.console import Waiting, console
from sparsine.evaluation.evaluate import EvaluationConfig, evaluate_run
from sparsine.evaluation.report import write_report
from sparsine.meta.run import read_config, read_metrics
from sparsine.signals.open import open_dataset
from sparsine.storage import locked


@dataclass(frozen=True, kw_only=True)
class Options:
    run: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="RUN")]
    """Folder of a run, finished or not."""
    evaluation: EvaluationConfig = dataclasses.field(default_factory=EvaluationConfig)


def run(options: Options) -> int:
    config = read_config(options.run)
    dataset = open_dataset(config.data, resolution=config.grid.resolution, seed=config.split_seed)
    with locked(options.run / "evaluation"), Waiting("measuring", 1) as waiting:

        def on_row(name: str, number: int, total: int) -> None:
            waiting.set_total(total)
            waiting.at(number, f"measuring {name}")

        record = evaluate_run(options.run, dataset, options.evaluation, on_row)
    table = Table("start", "weights", "with biases", "density", *(f"{s} steps" for s in record["rows"][0]["steps"]),
                  title="PSNR (dB), mean over test signals")  # fmt: skip
    for row in record["rows"]:
        table.add_row(row["name"], str(row["weights"]), str(row["total"]), f"{row['density']:.2%}",
                      *(f"{x:.2f}" for x in row["mean_psnr_db"]))  # fmt: skip
    console.print(table)
    page = write_report(options.run, record, read_metrics(options.run))
    console.print(f"[bold green]report[/]: {page.resolve()}", soft_wrap=True)
    return 0
