"""`sparsine learn DATASET --out RUN`: learn a sparse start for a collection of signals."""

import argparse
import dataclasses
from dataclasses import dataclass
from pathlib import Path

import tyro

from sparsine.cli.console import Waiting, console, counted
from sparsine.errors import BadInput
from sparsine.meta.config import FieldConfig, GridConfig, LearnConfig, OuterConfig, WatchConfig
from sparsine.meta.maml import InnerConfig
from sparsine.meta.outer import LearnState
from sparsine.meta.run import open_run, read_config, starts_of
from sparsine.meta.sparse import learn_sparse_start
from sparsine.pruning.prune import PruningConfig
from sparsine.recipes import RECIPES, recipe
from sparsine.signals.open import open_dataset

DEFAULT_RECIPE = "small"


@dataclass(frozen=True, kw_only=True)
class Options:
    dataset: tyro.conf.Positional[str]
    """images:DIR, celeba:DIR, imagenette:DIR, sdf2d:FILE.npz, or curves (built in)."""
    out: Path
    """Folder of the run: configuration, metrics, starts, checkpoint."""
    recipe: str = DEFAULT_RECIPE
    """quick (minutes), small (half an hour) or paper (the paper's; days without a GPU)."""
    resume: bool = False
    """Go on with the run in --out, to the same bits as if it had never stopped."""
    field: FieldConfig
    grid: GridConfig
    inner: InnerConfig
    outer: OuterConfig
    pruning: PruningConfig
    watch: WatchConfig
    seed: int
    """Decides the random start, the order of the signals and the points drawn."""
    split_seed: int
    """Chooses held-out signals where the data set has no split of its own."""
    engine: str
    """auto, dense or reference."""
    device: str
    """cpu or cuda."""


def defaults(args: list[str]) -> Options:
    """The recipe's values; those of the run itself when it is resumed."""
    early = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    early.add_argument("--recipe", default=DEFAULT_RECIPE)
    early.add_argument("--out", type=Path, default=None)
    early.add_argument("--resume", action="store_true")
    try:
        given, _ = early.parse_known_args(args)
    except SystemExit:
        raise BadInput(f"--recipe needs one of: {', '.join(RECIPES)}; --out needs a folder") from None
    resumes = given.resume and given.out is not None and (given.out / "config.json").is_file()
    config = read_config(given.out) if resumes else recipe(given.recipe)
    values = {f.name: getattr(config, f.name) for f in dataclasses.fields(LearnConfig) if f.name != "data"}
    return Options(dataset=tyro.MISSING, out=given.out or tyro.MISSING, resume=False, **values)


def run(options: Options) -> int:
    names = {f.name for f in dataclasses.fields(LearnConfig)} - {"data"}
    config = LearnConfig(data=options.dataset, **{name: getattr(options, name) for name in names})
    dataset = open_dataset(config.data, resolution=config.grid.resolution, seed=config.split_seed)
    rounds = config.pruning.num_rounds(config.field.field(2, dataset.num_channels).num_weights)
    total = config.outer.dense_steps + rounds * config.outer.steps_per_round
    console.print(
        f"[bold]learning[/] a start for {config.data} ({dataset.shape[0]} x {dataset.shape[1]}, "
        f"{len(dataset.train)} training signals), recipe {config.recipe}, {rounds} prunings, {total} outer steps"
    )
    with Waiting("dense", total) as waiting:

        def on_step(state: LearnState, loss: float) -> None:
            waiting.at(state.step, f"round {state.round}/{rounds}, {state.pattern.num_weights} weights")

        with open_run(config, options.out, dataset, resume=options.resume, on_step=on_step) as learning:
            start = learn_sparse_start(config, learning)
            unreadable = learning.unreadable
    for reason in unreadable.values():
        console.print(f"[yellow]skipped[/] {reason}", markup=True)
    if unreadable:
        console.print(f"{counted(len(unreadable), 'signal')} could not be read; the run went on without")
    console.print(
        f"[bold green]done[/]: {start.pattern.counts} ({start.pattern.density:.2%} of the weights) in "
        f"{start.info['learn_seconds']:.0f} s; {counted(len(starts_of(options.out)), 'start')} in "
        f"{options.out / 'starts'}"
    )
    console.print(f"next: sparsine report {options.out}")
    return 0
