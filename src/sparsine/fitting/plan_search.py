"""How signals are best fitted from a start: step sizes tried on validation signals, an effort after the other."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from math import inf, log2

from sparsine.checks import check_range
from sparsine.errors import WorkFailed
from sparsine.fitting.collection import FittedSignal, fit_collection
from sparsine.fitting.config import FitConfig
from sparsine.psnr import reached_db
from sparsine.signals.dataset import SignalSet
from sparsine.starts.plan import FULL_STEPS, Effort, FitPlan, Plans
from sparsine.starts.start import Start

PER_OCTAVE = 2
"""Step sizes that are tried: two in each factor of 2."""
FEWEST_POINTS = 256
"""That a step sees, where a signal has so many: fewer say too little of it."""
SHARE = 1 / 36
"""Of the samples: every sixth of a picture's along both axes. For as many samples, more steps that see fewer get
further, until the noise of their gradients asks for smaller steps."""
GAIN_DB = 0.05
"""What a step size must be better by to be preferred to a smaller one, which is the safer choice."""
LOWEST = -40
"""Rung of the smallest step size: 1e-6."""
USUAL_FULL_STEPS = 4 * FULL_STEPS["balanced"] + 3 * (FULL_STEPS["fast"] + FULL_STEPS["instant"])
"""That all trials take together for each signal, where the guess was good."""
Trial = Callable[[Effort, float, float], None]
"""Told (effort, step size, mean PSNR)."""


@dataclass(frozen=True, kw_only=True)
class PlanConfig:
    """How plans are looked for, once a start is learned."""

    plan_signals: int = 4
    """Validation signals that every candidate is tried on; 0 looks for none, and fits are then the paper's."""

    def __post_init__(self) -> None:
        check_range("plan_signals", self.plan_signals, 0, 10_000)


def usual_step_size(num_weights: int) -> float:
    """Where the search begins. Fields that are smaller want larger steps: at 178 x 178 the best was about 2e-3 for
    2,284 weights, and 1.4e-3 for 8,704."""
    return float(0.8e-3 * (max(num_weights, 1) / 33_201) ** -0.3)


def find_plans(
    start: Start,
    signals: SignalSet,
    config: PlanConfig,
    *,
    engine: str = "auto",
    device: str = "cpu",
    on_trial: Trial | None = None,
) -> dict[str, FitPlan]:
    """A plan for each effort: small lattices, a step size that falls as a cosine, and of the step sizes that were tried
    the one with the highest mean PSNR on the first signals of a validation split. `best` takes that of `balanced`.

    Raises:
        WorkFailed: not one of the signals could be read and fitted.
    """
    plans: dict[str, FitPlan] = {}
    share = share_of(start.domain.num_points)
    guess = usual_step_size(start.pattern.num_weights)
    for effort in ("balanced", "fast", "instant"):

        def tried(plan: FitPlan, effort: Effort = effort) -> float:
            reached = _reached(start, signals, config.plan_signals, plan, engine, device)
            if on_trial:
                on_trial(effort, plan.lr, reached)
            return reached

        plans[effort] = best_plan(FULL_STEPS[effort], share, guess, tried)
        guess = plans[effort].lr
    plans["best"] = plan_of(FULL_STEPS["best"], share, plans["balanced"].lr)
    return {effort: plans[effort] for effort in FULL_STEPS}


def share_of(num_samples: int) -> float:
    """Part of a signal that a step sees: a sixteenth, but more of signals with few samples."""
    return min(1.0, max(SHARE, FEWEST_POINTS / num_samples))


def plan_of(full_steps: int, share: float, step_size: float) -> FitPlan:
    """So much work in small steps."""
    return FitPlan(steps=round(full_steps / share), lr=float(f"{step_size:.3g}"), share=share)


def fit_by(plan: FitPlan) -> FitConfig:
    """A fit by this plan, whatever a start says."""
    return FitConfig(protocol="paper", **asdict(plan))


def plans_like(plans: Plans, measured: int, num_weights: int) -> dict[str, FitPlan]:
    """Plans that were found for a start with `measured` weights, for another of the same run."""
    factor = usual_step_size(num_weights) / usual_step_size(measured)
    return {effort: plan_of(round(plan.full_steps), plan.share, plan.lr * factor) for effort, plan in plans.items()}


def best_plan(full_steps: int, share: float, guess: float, tried: Callable[[FitPlan], float]) -> FitPlan:
    """The plan with so much work whose step size is best: climbs from the guess, by factors of sqrt(2), as long as what
    is `tried` gets better.

    Raises:
        WorkFailed: no step size gives more than -inf.
    """
    found: dict[int, float] = {}

    def at(rung: int) -> float:
        if rung not in found:
            found[rung] = tried(plan_of(full_steps, share, 2 ** (rung / PER_OCTAVE)))
        return found[rung]

    rung = round(PER_OCTAVE * log2(guess))
    while at(rung) < inf and at(rung - 1) >= at(rung) - GAIN_DB:
        rung -= 1
        if rung < LOWEST:
            raise WorkFailed("no step size fits the validation signals; are they of the start's kind?")
    while at(rung + 1) > at(rung) + GAIN_DB:
        rung += 1
    return plan_of(full_steps, share, 2 ** (rung / PER_OCTAVE))


def _reached(start: Start, signals: SignalSet, count: int, plan: FitPlan, engine: str, device: str) -> float:
    return mean_of(fits_by(start, signals, count, plan, engine=engine, device=device))


def fits_by(
    start: Start, signals: SignalSet, count: int, plan: FitPlan, *, engine: str = "auto", device: str = "cpu"
) -> list[FittedSignal]:
    """The first `count` signals, as far as they can be read, fitted by `plan`.

    Raises:
        WorkFailed: not one could be read.
    """
    config = replace(fit_by(plan), report=(), batch=count)
    indices = range(min(count, len(signals)))
    fits = [fit for fit in fit_collection(start, signals, config, indices=indices, engine=engine, device=device)
            if fit.status != "unreadable"]  # fmt: skip
    if not fits:
        raise WorkFailed("not one validation signal could be read, so that no plan of fits can be found")
    return fits


def mean_of(fits: Sequence[FittedSignal]) -> float:
    """As `reached_db`."""
    return reached_db([fit.psnr_db[-1] for fit in fits])
