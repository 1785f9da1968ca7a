"""`sparsine plan START SIGNALS --out START2`: the same start, which also knows how signals are fitted best from it."""

import dataclasses
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import tyro
from rich.table import Table

from sparsine.cli.console import Waiting, console, counted, say
from sparsine.cli.find_start import find_start
from sparsine.cli.options import Device, EngineName, Load, Size, as_tuple
from sparsine.cli.outputs import Output, output
from sparsine.cli.signals import Split, open_signals
from sparsine.evaluation.wording import in_db
from sparsine.fitting.config import FitConfig
from sparsine.fitting.plan_search import USUAL_FULL_STEPS, PlanConfig, find_plans
from sparsine.starts.plan import FULL_STEPS, Effort
from sparsine.starts.start import start_bytes


@dataclass(frozen=True, kw_only=True)
class Options:
    start: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="START")]
    """A start file, or the folder of a run (then --sparsity chooses the round)."""
    inputs: Annotated[tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="SIGNALS")]
    """Image files and folders, or one data set as in celeba:DIR or curves. Not those that will be judged."""
    out: Path
    """File of the start with its plans."""
    resolution: Size | None = None
    """Size that signals are brought to; None is that of the start's grid. Best the size of those to be fitted."""
    sparsity: float | None = None
    """Of a run folder: the start whose fraction of removed weights is nearest; the sparsest without."""
    split: Split = "val"
    """Of a data set: the part that is tried on."""
    overwrite: bool = False
    """Replace --out if it is there."""
    plan: PlanConfig = dataclasses.field(default_factory=PlanConfig)
    engine: EngineName = "auto"
    """Who computes: auto is the fastest of them that can."""
    device: Device = "cpu"
    """cpu, cuda, or one of several GPUs, as in cuda:1."""
    load: Load = ()
    """Python file of yours that adds to what can be chosen, run before anything else. May be given several times."""


def run(options: Options) -> int:
    with output(options.out, "--out", instead="" if options.overwrite else "say --overwrite", text=False) as out:
        return _run(options, out)


def _run(options: Options, out: Output) -> int:
    path, start = find_start(options.start, options.sparsity)
    shape = as_tuple(options.resolution) or start.domain.shape
    signals, _ = open_signals(options.inputs, start, options.split, shape, "try fits on")
    config = replace(options.plan, plan_signals=max(1, min(options.plan.plan_signals, len(signals))))
    say(("planning", "bold"), f" fits from {path} ({start.pattern.counts}) on {counted(config.plan_signals, 'signal')}")
    reached: dict[tuple[str, float], float] = {}
    with Waiting("planning", USUAL_FULL_STEPS, percent=True) as waiting:
        spent = 0

        def on_trial(effort: Effort, step_size: float, psnr_db: float) -> None:
            nonlocal spent
            spent = min(spent + FULL_STEPS[effort], USUAL_FULL_STEPS)
            reached[effort, step_size] = psnr_db
            waiting.at(spent, f"{effort}, step size {step_size:.3g}", facts=in_db(psnr_db))

        plans = find_plans(start, signals, config, engine=options.engine, device=options.device, on_trial=on_trial)
    table = Table("effort", "full steps", "fit", "PSNR")
    for effort, plan in plans.items():
        how = FitConfig().by({"balanced": plan}).description
        table.add_row(effort, f"{plan.full_steps:.0f}", how, in_db(reached.get((effort, plan.lr))) or "not tried")
    console.print(table)
    out.write(start_bytes(replace(start, plans=plans)))
    say(
        f"{out.name}: fit, encode, calibrate and report follow these plans; --effort chooses, --protocol paper does not"
    )
    return 0
