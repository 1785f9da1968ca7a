"""`sparsine learn DATASET --out RUN`: learn a sparse start for a collection of signals."""

import argparse
import dataclasses
import shlex
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, NoReturn

import tyro

from sparsine.checks import Known, OneOf, check_range
from sparsine.cli.console import Waiting, counted, say, say_notes, tell
from sparsine.cli.early import with_chosen
from sparsine.cli.find_start import with_home
from sparsine.cli.options import Device, EngineName, Reporting
from sparsine.cli.outputs import DASH, Output, output
from sparsine.errors import BadInput, SeveralSizes
from sparsine.fitting.plan_search import USUAL_FULL_STEPS, PlanConfig
from sparsine.meta.config import FieldConfig, GridConfig, LearnConfig, OuterConfig, WatchConfig
from sparsine.meta.cost import Course
from sparsine.meta.maml import InnerConfig
from sparsine.meta.outer import LearnState, NotFinite
from sparsine.meta.ranks import ALONE, Ranks
from sparsine.meta.recipe_file import laid_over, read_recipe_file, recipe_bytes
from sparsine.meta.run import Run, open_run
from sparsine.meta.run_folder import holds_run, read_config, start_files, starts_of
from sparsine.meta.sparse import learn_sparse_start
from sparsine.plugins import as_options, changed, made_with, read_loaded
from sparsine.pruning.prune import PruningConfig
from sparsine.psnr import psnr_db
from sparsine.recipes import RECIPES, detailed_axes, for_kind, for_size, recipe, with_score_step
from sparsine.report.wording import in_db
from sparsine.signals.dataset import Dataset
from sparsine.signals.domain import shown_shape
from sparsine.signals.open import open_dataset, size_for, specs
from sparsine.signals.paths import expanded
from sparsine.starts.plan import FULL_STEPS, Effort
from sparsine.starts.start import Start
from sparsine.torchrun import as_ranks, number_of_ranks

DEFAULT_RECIPE = "best"
USUAL_SIZE = (178, 178)
"""Of pictures that have no common one: the paper's."""
LOSS_RATE = 0.05
"""Of a step in the mean loss that is shown."""


@dataclass(frozen=True, kw_only=True)
class Options(Reporting):
    dataset: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="DATASET"), Known(specs)]
    """What is learned from; curves is built in."""
    out: Path
    """Folder of the run: configuration, metrics, starts, checkpoint."""
    config: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """Recipe file, or config.json of a run. What it says comes before the recipe, options here come before both."""
    print_config: bool = False
    """Print the whole configuration that would be used, as --config takes it, and do nothing else."""
    recipe: Annotated[str, OneOf(RECIPES)] = DEFAULT_RECIPE
    """best: minutes. quick: to try things. small: the paper's loop in half an hour. paper: the paper's, to the
    letter; days without a GPU."""
    resume: bool = False
    """Go on with the run in --out, to the same bits as if it had never stopped."""
    field: FieldConfig
    grid: GridConfig
    inner: InnerConfig
    outer: OuterConfig
    pruning: PruningConfig
    plan: PlanConfig
    watch: WatchConfig
    seed: int
    """Decides the random start, the order of the signals and the points drawn."""
    split_seed: int
    """Chooses held-out signals where the data set has no split of its own."""
    engine: EngineName
    """Who computes: auto is the fastest of them that can."""
    device: Device
    """cpu, cuda, or one of several GPUs, as in cuda:1."""
    rank_timeout: float = 1800.0
    """Seconds that a rank waits for another one (of several, started by torchrun) before it gives up."""

    def __post_init__(self) -> None:
        check_range("rank_timeout", self.rank_timeout, 1.0, 1e7)


def to_go_on(options: Options) -> str:
    """The command that goes on with an interrupted run; nothing, where none has begun."""
    if not holds_run(options.out):
        return ""
    return as_ranks(shlex.join(["sparsine", "learn", options.dataset, "--out", str(options.out), "--resume"]))


class _Told:
    """Progress of a run: where it is, how good it is, and what all of it costs."""

    def __init__(self, waiting: Waiting, peak: float):
        self.waiting, self.peak = waiting, peak
        self.course: Course | None = None
        self.round, self.loss, self.tried = -1, 0.0, 0.0

    def step(self, state: LearnState, loss: float) -> None:
        """The PSNR is that of a mean loss: of one step it jumps with the signals that were drawn."""
        self.loss = loss if state.round != self.round else self.loss + LOSS_RATE * (loss - self.loss)
        self.round = state.round
        what = f"round {state.round}, {counted(state.pattern.num_weights, 'weight')}"
        self._at(state, what, in_db(psnr_db(self.loss, self.peak)), 0.0)

    def pruning(self, state: LearnState, done: int, of: int) -> None:
        """A score that takes long, before the next round."""
        self._at(state, f"round {state.round + 1}: which weights stay", f"{done:,} of {of:,}", done / of)

    def trial(self, effort: Effort, step_size: float, reached: float) -> None:
        """All is learned, and it is looked for how to fit."""
        assert self.course is not None
        self.tried += FULL_STEPS[effort] / USUAL_FULL_STEPS
        what = f"how to fit: {effort}, step size {step_size:.2g}"
        worked = self.course.learning + min(self.tried, 1.0) * self.course.planning
        self.waiting.at(self.waiting.total, what, facts=in_db(reached), worked=worked)

    def _at(self, state: LearnState, what: str, facts: str, pruned: float) -> None:
        assert self.course is not None
        worked = self.course.until(state.round, state.round_step, pruned)
        self.waiting.at(state.step, what, facts=facts, worked=worked)


class _Early(argparse.ArgumentParser):
    """Looks ahead for what decides the defaults."""

    def error(self, message: str) -> NoReturn:
        raise BadInput(f"{message}; --recipe is one of {', '.join(RECIPES)}, --out is a folder, --config a file")


def defaults(args: list[str]) -> Options:
    """The recipe's values, and before them those of a recipe file; those of the run itself when it is resumed."""
    early = _Early(add_help=False, allow_abbrev=False)
    early.add_argument("--recipe", default=None)
    early.add_argument("--out", type=expanded, default=None)
    early.add_argument("--config", type=expanded, default=None)
    early.add_argument("--resume", action="store_true")
    early.add_argument("--print-config", action="store_true")
    given, _ = early.parse_known_args(args)
    said = read_recipe_file(given.config) if given.config else {}
    named = given.recipe or said.get("recipe", DEFAULT_RECIPE)
    config = read_config(given.out) if given.resume and _is_there(given.out) else recipe(named)
    config = laid_over(config, {**said, "recipe": named}, given.config) if given.config else config
    config = dataclasses.replace(
        config, field=with_chosen(config.field, args), pruning=with_chosen(config.pruning, args)
    )
    values = {f.name: getattr(config, f.name) for f in dataclasses.fields(LearnConfig) if f.name != "data"}
    nowhere = Path() if given.print_config else tyro.MISSING
    return Options(dataset=said.get("data", tyro.MISSING), out=given.out or nowhere, **values)


def _is_there(out: Path | None) -> bool:
    """Whether a run is."""
    return out is not None and holds_run(out)


def run(options: Options, result: Output) -> int:
    if options.print_config:
        with output(DASH, "--print-config") as out:
            out.write(recipe_bytes(_configured(options)[0]))
        return 0
    if number_of_ranks() == 1:
        return _run(options, result, ALONE)
    from sparsine.cli.learn_ranks import among_ranks  # brings what torch has for that

    return among_ranks(options, partial(_run, options, result), _configured, to_go_on)


def _run(options: Options, result: Output, ranks: Ranks) -> int:
    loaded = read_loaded(options.out) if options.resume else []
    say_notes(changed(loaded))
    with made_with(loaded, str(options.out)):
        return _learn(options, result, ranks)


def _configured(options: Options) -> tuple[LearnConfig, Dataset]:
    """All that is used, and what is learned from: what nobody said follows from the data set."""
    names = {f.name for f in dataclasses.fields(LearnConfig)} - {"data"}
    given = {name: getattr(options, name) for name in names} | {"outer": with_home(options.outer)}
    said = _said(options)
    # nobody asked for a size: the recipe's is for pictures
    if "resolution" not in said.get("grid", {}) and options.grid == recipe(options.recipe).grid:
        size = size_for(options.dataset, options.grid.resolution)
        given["grid"] = dataclasses.replace(options.grid, resolution=size)
    config, dataset = opened(LearnConfig(data=options.dataset, **given))
    field = said.get("field", {})
    if "omega_0" not in field:
        config = for_size(config, detailed_axes(dataset.domain))
    elif "score_options" not in said.get("pruning", {}):
        config = with_score_step(config)
    return config if "output_offset" in field else for_kind(config, dataset.kind), dataset


def _said(options: Options) -> dict[str, Any]:
    """What was decided before: by the run that is resumed, or by a recipe file."""
    if options.resume and _is_there(options.out):
        return read_config(options.out).to_dict()
    return read_recipe_file(options.config) if options.config else {}


def _learn(options: Options, result: Output, ranks: Ranks) -> int:
    config, dataset = _configured(options)
    waiting = Waiting("dense", 1)
    looking = Waiting("looking at the signals", 1)

    def on_look(done: int, total: int) -> None:
        if done == 1:
            bar.enter_context(looking)
            looking.set_total(total)
        looking.at(done)

    told = _Told(waiting, dataset.kind.peak)
    with ExitStack() as held:
        with ExitStack() as bar:
            learning = held.enter_context(open_run(config, options.out, dataset, resume=options.resume,
                                                   on_look=on_look, on_step=told.step,
                                                   on_pruning=told.pruning, on_trial=told.trial,
                                                   ranks=ranks))  # fmt: skip
        if learning.finished:
            say(("finished", "bold"), f" already: nothing is left to learn in {options.out}")
            start = learning.finished
        else:
            _announce(learning, waiting)
            told.course = learning.course
            start = _learned(options, config, learning, waiting)
    _conclude(options.out, start, learning)
    result.write_json(_record(options.out, start, learning))
    return 0


def opened(config: LearnConfig) -> tuple[LearnConfig, Dataset]:
    """The data set at the size that is asked for, or its own; pictures of several sizes are brought to a usual one."""
    try:
        return config, open_dataset(config.data, resolution=config.grid.resolution, seed=config.split_seed)
    except SeveralSizes:
        usual = dataclasses.replace(config, grid=dataclasses.replace(config.grid, resolution=USUAL_SIZE))
        dataset = open_dataset(config.data, resolution=USUAL_SIZE, seed=config.split_seed)
        say_notes([f"the images differ in size: brought to {shown_shape(USUAL_SIZE)}; --resolution chooses another"])
        return usual, dataset


def _learned(options: Options, config: LearnConfig, learning: Run, waiting: Waiting) -> Start:
    try:
        with waiting:
            return learn_sparse_start(config, learning)
    except NotFinite as error:
        if error.good_step is None:
            raise
        raise NotFinite(
            f"{error}; go on with: {as_ranks(f'sparsine learn {shlex.quote(config.data)}')} --out "
            f"{shlex.quote(str(options.out))} --resume --outer-step-size {config.outer.outer_step_size / 10:g}"
            f"{as_options()}"
        ) from error


def _announce(learning: Run, waiting: Waiting) -> None:
    config, dataset, pattern = learning.config, learning.dataset, learning.first_pattern
    say_notes([*dataset.notes, *learning.take_notes()])
    rounds = len(learning.survivors)
    waiting.percent = not config.outer.dense_steps and not config.outer.steps_per_round  # only scores and trials then
    steps = config.outer.dense_steps + rounds * config.outer.steps_per_round
    waiting.set_total(steps, learning.course.total)
    say(("learning", "bold"), f" a start for {config.data} ({shown_shape(dataset.shape)}, "
        f"{counted(len(dataset.train), 'training signal')}), recipe {config.recipe}, {pattern.counts}, "
        f"{counted(rounds, 'pruning')}, {counted(steps, 'outer step')}")  # fmt: skip
    say(("signals", "bold"), f": {dataset.counts}. {dataset.description}")


def _conclude(folder: Path, start: Start, learning: Run) -> None:
    say_notes(learning.take_notes())
    unreadable = _unreadable(start, learning)
    for reason in unreadable.values():
        tell(("skipped", "yellow"), f" {reason}")
    if unreadable:
        say(f"{counted(len(unreadable), 'signal')} could not be read; the run went on without")
    tell(
        ("done", "bold green"),
        f": {start.pattern.counts} ({start.pattern.density:.2%} of the weights) in "
        f"{start.info['learn_seconds']:.0f} s; {counted(len(starts_of(folder)), 'start')} in {folder}/starts",
    )
    say(f"next: sparsine report {shlex.quote(str(folder))}{as_options()}")


def _unreadable(start: Start, learning: Run) -> dict[str, str]:
    """Reasons by name of the signals that could not be read, also in an earlier sitting."""
    found: dict[str, str] = learning.unreadable or start.info.get("unreadable", {})
    return found


def _record(folder: Path, start: Start, learning: Run) -> dict[str, Any]:
    starts = [str(path) for path in start_files(folder)]
    return {"kind": "learn-summary", "record_version": 1, "run": str(folder), "start": starts[-1], "starts": starts,
            "start_sha256": start.digest, "weights": start.pattern.num_weights, "biases": start.pattern.num_biases,
            "sparsity": start.pattern.sparsity, "learn_seconds": start.info["learn_seconds"],
            "unreadable": _unreadable(start, learning)}  # fmt: skip
