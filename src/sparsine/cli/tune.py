"""`sparsine tune DATASET --out DIR`: a short race of settings, and a recipe file that `learn --config` takes.

DIR/recipe.json   the winner
DIR/tune.json     the record of every trial
DIR/tune.html     drawn from it
"""

import dataclasses
import shlex
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from rich.table import Table

from sparsine.checks import Known, check_range
from sparsine.cli.console import Waiting, console, counted, say, say_notes, tell
from sparsine.cli.given import given_command
from sparsine.cli.learn import opened
from sparsine.cli.options import Device, EngineName, Size, Working, as_tuple
from sparsine.cli.outputs import Output
from sparsine.folders import locked
from sparsine.measure.tuning.config import TuneConfig
from sparsine.measure.tuning.race import UNTUNED
from sparsine.measure.tuning.records import RECIPE, Record
from sparsine.measure.tuning.run import open_race
from sparsine.measure.tuning.trial import score_of
from sparsine.meta.config import GridConfig, LearnConfig
from sparsine.recipes import best, detailed_axes, for_kind, for_size
from sparsine.report.tuning.page import commands, write_page
from sparsine.report.wording import in_db
from sparsine.signals.dataset import Dataset
from sparsine.signals.domain import shown_shape
from sparsine.signals.open import size_for, specs


@dataclass(frozen=True, kw_only=True)
class Options(TuneConfig, Working):
    dataset: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="DATASET"), Known(specs)]
    """What it is tuned for; its training signals show which weights count, its validation signals judge."""
    out: Path
    """Folder for the recipe, the record and the page. Given again, the command goes on where it ended."""
    resolution: Size | None = None
    """Samples along each axis that signals are brought to, as in 96x128; None keeps the data set's own."""
    seed: int = 0
    """Decides the random numbers of every field, and which settings race."""
    split_seed: int = 0
    """Chooses held-out signals where the data set has no split of its own."""
    engine: EngineName = "auto"
    """Who computes: auto is the fastest of them that can."""
    device: Device = "cpu"
    """cpu, cuda, or one of several GPUs, as in cuda:1."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("seed", self.seed, 0, 2**32 - 1)
        check_range("split_seed", self.split_seed, 0, 2**32 - 1)


def run(options: Options, result: Output) -> int:
    base, dataset = _base(options)
    config = TuneConfig(**{f.name: getattr(options, f.name) for f in dataclasses.fields(TuneConfig)})
    with locked(options.out):
        record = _raced(config, base, dataset, options.out)
        page = write_page(options.out, record, given_command())
    console.print(_table(record))
    tell(("recipe", "bold green"), f": {options.out / RECIPE}")
    tell(("page", "bold green"), f": {page.resolve()}")
    say(f"next: {commands(options.out, record)[0]}")
    result.write_json(record)
    return 0


def _base(options: Options) -> tuple[LearnConfig, Dataset]:
    """Recipe `best` as `learn` would use it."""
    size = size_for(options.dataset, as_tuple(options.resolution))
    config = dataclasses.replace(
        best(), data=options.dataset, seed=options.seed, split_seed=options.split_seed, engine=options.engine,
        device=options.device, grid=GridConfig(resolution=size),
    )  # fmt: skip
    config, dataset = opened(config)
    return for_kind(for_size(config, detailed_axes(dataset.domain)), dataset.kind), dataset


def _raced(config: TuneConfig, base: LearnConfig, dataset: Dataset, folder: Path) -> Record:
    looking, waiting = Waiting("looking at the signals", 1), Waiting("tuning", 1, percent=True)

    def on_look(done: int, total: int) -> None:
        if done == 1:
            bar.enter_context(looking)
            looking.set_total(total)
        looking.at(done)

    with ExitStack() as bar:
        tuning = open_race(config, base, dataset, folder, on_look)
    say_notes([*dataset.notes, *tuning.notes])
    if tuning.record["winner"] is None:
        said = (
            f"{counted(len(tuning.candidates), 'setting')} for {shlex.quote(base.data)} ({shown_shape(dataset.shape)}, "
        )
        said += f"{counted(len(dataset.train), 'training signal')}), {config.numbers:,} weights, effort {config.effort}"
        say(("racing", "bold"), f": {said}")
    else:
        say(("finished", "bold"), " already: the table, the recipe and the page are written again")

    def on_trial(what: str, facts: str, worked: float, total: float) -> None:
        waiting.set_total(1, max(total, worked))
        waiting.at(0, what, facts=facts, worked=worked)

    with waiting:
        return tuning.run(on_trial)


def _table(record: Record) -> Table:
    """Who was there at the end."""
    last = len(record["rungs"]) - 1
    effort, signals = (record["rungs"][last][name] for name in ("effort", "signals"))
    table = Table("setting", "omega_0", "offset", "layers", "width", "fit step", "PSNR",
                  title=f"effort {effort}, {counted(signals, 'validation signal')}")  # fmt: skip
    trials = sorted((t for t in record["trials"] if t["rung"] == last), key=lambda t: -score_of(t))
    for trial in trials:
        number = trial["candidate"]
        of = record["candidates"][number]
        name = "recipe best" if number == UNTUNED else f"{of['family']} {number}"
        table.add_row(name + (", chosen" if number == record["winner"] else ""), f"{of['omega_0']:g}",
                      f"{of['output_offset']:g}", str(of["hidden_layers"]), str(of["width"]),
                      f"{trial.get('step_size', 0):g}", in_db(score_of(trial)))  # fmt: skip
    return table
