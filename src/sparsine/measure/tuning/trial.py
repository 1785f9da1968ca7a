"""One candidate on one rung: its start is found as `learn` finds it, and validation signals are fitted from it."""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Any

from sparsine.errors import WorkFailed
from sparsine.fields.pattern import Pattern
from sparsine.fitting.collection import FittedSignal
from sparsine.fitting.plan_search import best_plan, fits_by, mean_of, plan_of, share_of, usual_step_size
from sparsine.measure.records import signal
from sparsine.measure.tuning.config import Rung
from sparsine.meta.config import LearnConfig
from sparsine.meta.cost import course_of, gradient_cost
from sparsine.meta.outer import LearnState
from sparsine.meta.sparse import next_round
from sparsine.meta.tasks import sampler_of
from sparsine.optim import AdamState
from sparsine.psnr import psnr_of
from sparsine.signals.dataset import Dataset
from sparsine.starts.plan import FULL_STEPS, Effort, FitPlan
from sparsine.starts.start import Start
from sparsine.usage import Stopwatch

Progress = Callable[[str, float], None]
"""Told what is going on, and how much of the trial's work is done."""
TRIED = 4
"""Step sizes that are tried for a start, as a rule."""


@dataclass(frozen=True)
class Problem:
    """A configuration, and the signals that it is judged on."""

    config: LearnConfig
    rung: Rung
    dataset: Dataset
    guess: float | None = None
    """Where the search for a step size begins; None is the usual one."""

    @property
    def first_pattern(self) -> Pattern:
        domain = self.config.grid.domain(self.dataset.domain)
        return Pattern.full(self.config.field.field(domain.num_coords, self.dataset.num_channels))

    @property
    def searched(self) -> Effort:
        """Whose step sizes are tried: `best` takes those of `balanced`, as plans of a start do."""
        return "balanced" if self.rung.effort == "best" else self.rung.effort

    @property
    def cost(self) -> tuple[float, float]:
        """Of finding the start and of the fits, in multiply-adds, roughly."""
        first = self.first_pattern
        survivors = self.config.pruning.survivors(first.num_weights)
        points = self.dataset.domain.num_points
        finding = course_of(self.config, first.field, [first.num_weights, *survivors], points).learning
        gradient = gradient_cost(first.field, [first.num_weights, *survivors][-1], points)
        return finding, self.rung.signals * gradient * self._full_steps

    @property
    def _full_steps(self) -> float:
        more = FULL_STEPS["best"] if self.rung.effort == "best" else 0
        return TRIED * FULL_STEPS[self.searched] + more


def found_start(problem: Problem, on_progress: Callable[[float], None] = lambda _: None) -> Start:
    """The last start of a run with a configuration that learns no numbers: the same to the bit, without a folder.

    Raises:
        WorkFailed: a fit that a pruning looks at overflowed.
    """
    config, dataset, pattern = problem.config, problem.dataset, problem.first_pattern
    assert not config.learns_numbers
    sampler = sampler_of(config, dataset, config.grid.domain(dataset.domain))
    theta = pattern.field.initial_theta(config.seed).to(config.device)
    state = LearnState(pattern, theta, AdamState.zeros_like(theta))
    survivors = config.pruning.survivors(pattern.num_weights, pattern.field.num_weights)
    course = course_of(config, pattern.field, [pattern.num_weights, *survivors], sampler.domain.num_points)
    for count in survivors:

        def pruning(done: int, of: int, round: int = state.round) -> None:
            on_progress(course.until(round, 0, done / of))

        state = next_round(config, state, count, sampler, pruning)
    return Start(state.pattern, state.theta.cpu(), sampler.domain, kind=dataset.kind)


def measured(problem: Problem, on_progress: Progress = lambda what, worked: None) -> dict[str, Any]:
    """The record of one trial; one that could not be finished is `failed`, with the reason."""
    clock = Stopwatch()
    finding, fitting = problem.cost
    try:
        start = found_start(problem, lambda worked: on_progress("which weights stay", worked))
        found_seconds = clock.usage().seconds
        plan, fits, tried = _fitted(problem, start, lambda number, what: on_progress(
            what, finding + min(number / TRIED, 1.0) * fitting))  # fmt: skip
    except WorkFailed as error:
        return {"status": "failed", "reason": str(error), "mean_psnr_db": -inf, "signals": [],
                "seconds": {"all": round(clock.usage().seconds, 3)}}  # fmt: skip
    signals = [signal(fit.name, fit.status, {"psnr_db": fit.psnr_db[-1:]}, fit.reason,
                      seconds=[round(second, 6) for second in fit.seconds[-1:]]) for fit in fits]  # fmt: skip
    return {
        "status": "ok", "mean_psnr_db": mean_of(fits), "signals": signals, "step_size": plan.lr, "steps": plan.steps,
        "share": plan.share, "tried": {f"{lr:g}": reached for lr, reached in sorted(tried.items())},
        "weights": start.pattern.num_weights, "biases": start.pattern.num_biases, "start": start.digest,
        "seconds": {"all": round(clock.usage().seconds, 3), "pattern": round(found_seconds, 3)},
    }  # fmt: skip


def score_of(trial: dict[str, Any]) -> float:
    """What the race compares."""
    found = psnr_of(trial["mean_psnr_db"])
    return -inf if found is None else found


def _fitted(
    problem: Problem, start: Start, on_tried: Callable[[int, str], None]
) -> tuple[FitPlan, list[FittedSignal], dict[float, float]]:
    """The best plan, the fits by it, and what each step size that was tried reached."""
    kept: dict[float, list[FittedSignal]] = {}
    config, rung = problem.config, problem.rung
    validation = problem.dataset.split("val")
    share = share_of(start.domain.num_points)

    def fits(plan: FitPlan) -> list[FittedSignal]:
        on_tried(len(kept), f"{rung.effort}, step size {plan.lr:.2g}")
        return fits_by(start, validation, rung.signals, plan, engine=config.engine, device=config.device)

    def tried(plan: FitPlan) -> float:
        kept[plan.lr] = fits(plan)
        return mean_of(kept[plan.lr])

    guess = problem.guess or usual_step_size(start.pattern.num_weights)
    plan = best_plan(FULL_STEPS[problem.searched], share, guess, tried)
    means = {lr: mean_of(found) for lr, found in kept.items()}
    if rung.effort == problem.searched:
        return plan, kept[plan.lr], means
    plan = plan_of(FULL_STEPS[rung.effort], share, plan.lr)
    return plan, fits(plan), means
