"""`sparsine compare RECIPE --data SPEC... --out DIR`: methods beside each other, as in the paper's figures."""

import dataclasses
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro
from rich.table import Table

from sparsine.checks import Named, OneOf, check_range
from sparsine.cli.console import Waiting, console, counted, say, say_notes, shown_steps, tell
from sparsine.cli.early import with_chosen
from sparsine.cli.find_start import with_home
from sparsine.cli.given import given_command
from sparsine.cli.options import Device, EngineName, Working
from sparsine.cli.outputs import Output
from sparsine.errors import BadInput, WorkFailed
from sparsine.folders import as_it_is, watched
from sparsine.measure.comparison.comparison import Comparison, parse_data
from sparsine.measure.comparison.config import CompareConfig
from sparsine.measure.comparison.methods import METHODS
from sparsine.measure.comparison.methods.registry import TRANSFER
from sparsine.measure.comparison.records import read_cells
from sparsine.measure.comparison.run import Outcome, run_comparison
from sparsine.meta.config import FieldConfig, GridConfig, OuterConfig, WatchConfig
from sparsine.meta.maml import InnerConfig
from sparsine.pruning.prune import PruningConfig
from sparsine.recipes import COMPARISONS, comparison
from sparsine.report.comparison.figures import write_figures
from sparsine.report.comparison.notes import trial_note
from sparsine.report.comparison.page import write_comparison_page
from sparsine.report.comparison.points import points_of
from sparsine.report.comparison.results import results_of
from sparsine.report.comparison.tables import missing
from sparsine.report.wording import DASH, db
from sparsine.starts.plan import Effort

PROGRESS_PARTS = 1_000
_LEARN_PARTS = ("field", "grid", "inner", "outer", "pruning", "watch", "split_seed", "engine", "device")
_OWN_PARTS = ("methods", "levels", "ablation_levels", "latents", "latent_steps", "seeds", "signals", "pictures",
              "tuned_signals", "tuned_effort")  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Options(Working):
    recipe: Annotated[str, tyro.conf.Positional, OneOf(COMPARISONS)]
    """quick: minutes; too few steps and signals to judge methods by. small: hours. paper: the paper's, to the letter;
    days without a GPU. paper-cpu: hours; the paper's pruning from a published dense start, given by --start-from."""
    data: Annotated[tuple[str, ...], tyro.conf.arg(metavar="SPEC [SPEC ...]")]
    """Data sets, each as SPEC or LABEL=SPEC: faces=celeba:DIR photos=imagenette:DIR curves."""
    out: Path
    """Folder of the comparison. Cells that are there already are not measured again."""
    methods: tuple[Annotated[str, OneOf(METHODS, TRANSFER)], ...]
    """What is compared: methods of this package, and those of --load."""
    levels: tuple[int, ...]
    """Rounds of pruning after which is measured."""
    ablation_levels: tuple[int, ...]
    """The same for the lottery-ticket variants, each of which is a learning run of its own."""
    latents: tuple[int, ...]
    """Latent modulations: numbers stored for a signal, one level each."""
    latent_steps: int
    """Latent modulations: outer steps after the dense ones."""
    seeds: tuple[int, ...]
    """Each decides a random start, the order of the signals and the points drawn."""
    signals: Annotated[int, Named("limit", "signals")]
    """Only so many signals, from the front of the test split."""
    pictures: int
    """How many of them are drawn, for the first seed."""
    tuned_signals: int
    """Validation signals that a third protocol chooses each method's own best settings on (step size, omega_0), with
    fits in many small steps; 0: it is not measured. 4 will do."""
    tuned_effort: Effort
    """What a fit of that protocol may cost, in steps that see all samples: instant 10, fast 30, balanced 100, best
    400."""
    workers: int | None = None
    """Jobs at a time; the cores are shared out among them. None is one for each core."""
    field: FieldConfig
    grid: GridConfig
    inner: InnerConfig
    outer: OuterConfig
    pruning: PruningConfig
    watch: WatchConfig
    split_seed: int
    """Chooses held-out signals where the data set has no split of its own."""
    engine: EngineName
    """Who computes: auto is the fastest of them that can."""
    device: Device
    """cpu, cuda, or one of several GPUs, as in cuda:1."""


def defaults(args: list[str]) -> Options:
    """The recipe's values."""
    name = next((arg for arg in args[:1] if not arg.startswith("-")), None)
    if name is None and not any(arg in ("-h", "--help") for arg in args):
        raise BadInput(f"the recipe comes first: sparsine compare RECIPE ..., one of {', '.join(COMPARISONS)}")
    config = comparison(name or "small")
    values = {part: getattr(config.learn, part) for part in _LEARN_PARTS}
    values |= {part: with_chosen(values[part], args) for part in ("field", "pruning")}
    values |= {part: getattr(config, part) for part in _OWN_PARTS}
    return Options(recipe=name or tyro.MISSING, data=tyro.MISSING, out=tyro.MISSING, **values)


def run(options: Options, result: Output) -> int:
    workers = (os.cpu_count() or 1) if options.workers is None else options.workers
    check_range("workers", workers, 1, 1_000)
    wanted = Comparison(_config(options), parse_data(options.data), options.out)
    say(
        ("comparing", "bold"),
        f" {counted(len(wanted.methods), 'method')} on {', '.join(wanted.data)}, "
        f"{counted(len(options.seeds), 'seed')}, recipe {options.recipe}, {counted(workers, 'worker')}",
    )
    with Waiting("comparing", PROGRESS_PARTS, percent=True) as waiting:

        def on_progress(fraction: float, what: str) -> None:
            waiting.at(int(fraction * PROGRESS_PARTS), what)

        outcome = run_comparison(wanted, workers=workers, on_progress=on_progress)
    with watched(as_it_is(options.out)):
        return _conclude(options.out, outcome, result)


def _config(options: Options) -> CompareConfig:
    recipe = comparison(options.recipe)
    given = {part: getattr(options, part) for part in _LEARN_PARTS} | {"outer": with_home(options.outer)}
    learn = dataclasses.replace(recipe.learn, **given)
    return dataclasses.replace(recipe, learn=learn, **{part: getattr(options, part) for part in _OWN_PARTS})


def _conclude(folder: Path, outcome: Outcome, result: Output) -> int:
    say_notes(outcome.notes)
    for key, reason in outcome.failed.items():
        tell(("failed", "red"), f" {key}: {reason}")
    cells = read_cells(folder) if outcome.num_measured else []
    result.write_json(_record(folder, cells, outcome))
    if outcome.num_measured:
        console.print(_table(cells))
        if note := trial_note(cells):
            say(("note", "yellow"), f": {note}")
        figures = write_figures(folder, cells, folder / "figures")
        page = write_comparison_page(folder, cells, given_command())
        tell(f"{counted(len(figures), 'figure')} in {folder / 'figures'}")
        tell(("report", "bold green"), f": {page.resolve()}")
    if outcome.failed or outcome.num_measured < outcome.num_cells:
        raise WorkFailed(
            f"{outcome.num_measured} of {outcome.num_cells} cells are measured; the same command goes on where this "
            "one ended"
        )
    return 0


def _record(folder: Path, cells: list[dict[str, Any]], outcome: Outcome) -> dict[str, Any]:
    points = [{"data": p.data, "method": p.label, "level": p.level, "round": p.round, "weights": p.weights,
               "biases": p.biases, "numbers": p.numbers, "psnr_db": p.mean, "signals": p.num_signals, "ok": p.num_ok}
              for p in points_of(cells)]  # fmt: skip
    return {"kind": "compare-summary", "record_version": 1, "folder": str(folder), "cells": outcome.num_cells,
            "measured": outcome.num_measured, "failed": outcome.failed, "points": points}  # fmt: skip


def _table(cells: list[dict[str, Any]]) -> Table:
    """PSNR after the last step, a line for each method, a column for some of the levels."""
    points = points_of(cells)
    found = sorted({(point.round, point.level) for point in points if point.round is not None})
    shown = [found[i][1] for i in shown_steps(found)]
    title = "mean PSNR in dB of test signals after the last step, by rounds of pruning"
    table = Table("data", "method", *shown, title=title)
    datasets = {results.label: results for results in results_of(cells)}
    told = {(p.data, p.label, p.level): db(p.mean) + missing(datasets[p.data], p) for p in points}
    for data, label in dict.fromkeys((point.data, point.label) for point in points if point.round is not None):
        table.add_row(data, label, *(told.get((data, label, level), DASH) for level in shown))
    return table
