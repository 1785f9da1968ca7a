"""`sparsine plan START SIGNALS --out START2`: the same start, which also knows how signals are fitted best from it."""

import dataclasses
from dataclasses import asdict, dataclass, replace

from rich.table import Table

from sparsine.cli.console import Waiting, console, counted, say, tell
from sparsine.cli.outputs import Output
from sparsine.cli.start_and_signals import StartAndSignals
from sparsine.fitting.config import FitConfig
from sparsine.fitting.plan_search import USUAL_FULL_STEPS, PlanConfig, find_plans
from sparsine.report.wording import in_db
from sparsine.starts.plan import FULL_STEPS, Effort
from sparsine.starts.start import start_bytes


@dataclass(frozen=True, kw_only=True)
class Options(StartAndSignals):
    plan: PlanConfig = dataclasses.field(default_factory=PlanConfig)


def run(options: Options, result: Output) -> int:
    with options.out_file() as out:
        return _run(options, out, result)


def _run(options: Options, out: Output, result: Output) -> int:
    path, start, signals = options.opened("try fits on")
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
    planned = replace(start, plans=plans)
    out.write(start_bytes(planned))
    tell(
        f"{out.name}: fit, encode, calibrate and report follow these plans; --effort chooses, --protocol paper does not"
    )
    tried = [{"effort": effort, "step_size": step_size, "psnr_db": psnr_db}
             for (effort, step_size), psnr_db in reached.items()]  # fmt: skip
    result.write_json(
        {"kind": "plan-summary", "record_version": 1, "start": out.name, "start_sha256": planned.digest,
         "signals": config.plan_signals, "plans": {effort: asdict(plan) for effort, plan in plans.items()},
         "tried": tried}
    )  # fmt: skip
    return 0
