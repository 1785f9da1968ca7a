"""How a fit is asked for: an effort, which the start has a plan for, or every number by itself."""

import math
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

from sparsine.checks import check_choice, check_range
from sparsine.counted import counted
from sparsine.errors import BadInput
from sparsine.memory import is_cpu
from sparsine.signals.sampling import Sampling
from sparsine.starts.plan import Decay, Effort, Optimizer, Plans

Protocol = Literal["start", "paper"]

MOST_STEPS = 10**7
PAPER_STEP_SIZE = {"adam": 1e-4, "sgd": 1e-2}
USUAL_BATCH = {"cpu": 8, "gpu": 128}
"""A step on a lattice of one small signal is far too little for a GPU."""
PAPER_STEPS = {"adam": 100, "sgd": 2}


@dataclass(frozen=True, kw_only=True)
class FitConfig:
    """How signals are fitted from a start: by the start's own plan, or, where it has none, by the paper's test-time
    protocol. What is given here comes before both."""

    effort: Effort | None = None
    """What it may cost, in steps that see all samples: instant 10, fast 30, balanced 100, best 400. None: balanced."""
    protocol: Protocol = "start"
    """start: the plan that was found for the start, on validation signals. paper: the paper's, to the letter."""
    optimizer: Optimizer | None = None
    """adam (the paper's: 100 steps at 1e-4) or sgd (its second protocol: 2 steps at 1e-2). None is the plan's."""
    steps: int | None = None
    """Steps for each signal; None is the plan's, or the paper's: 100 for adam, 2 for sgd."""
    lr: float | None = None
    """Step size; None is the plan's, or the paper's: 1e-4 for adam, 1e-2 for sgd."""
    decay: Decay | None = None
    """How the step size falls: none, or cosine, to almost 0 at the end. None is the plan's; the paper's is none."""
    share: float | None = None
    """Part of each signal's samples that a step sees, on a lattice at a random offset. None is the plan's; the paper's
    is 1, all of them."""
    report: tuple[int, ...] | None = None
    """Steps at which PSNR is measured, besides the last; None is 0, 1, 2, 5, 10, 20, 50, 100, ..."""
    batch: int | None = None
    """Signals fitted at the same time; None is 8 on the CPU, and 128 on a GPU, or as many as its memory holds. Changes
    speed and memory only."""
    points: int | None = None
    """Samples of each signal that a step sees, drawn anew for each; takes the place of share."""
    sampling: Sampling = "random"
    """How `points` are drawn. random: each by itself. lattice: evenly spaced, moved by a random offset."""
    points_seed: int = 0
    """Decides which samples a step sees."""

    def __post_init__(self) -> None:
        for name, words in (("effort", Effort), ("optimizer", Optimizer), ("decay", Decay)):
            if (given := getattr(self, name)) is not None:
                check_choice(name, given, words)
        check_choice("protocol", self.protocol, Protocol)
        check_choice("sampling", self.sampling, Sampling)
        for number, low, high in (
            ("steps", 0, MOST_STEPS),
            ("lr", 1e-12, 1e3),
            ("share", 1e-9, 1.0),
            ("points", 1, 10**9),
        ):
            if (value := getattr(self, number)) is not None:
                check_range(number, value, low, high)
        if self.batch is not None:
            check_range("batch", self.batch, 1, 100_000)
        check_range("points_seed", self.points_seed, 0, 2**32 - 1)
        if self.points is not None and self.share is not None:
            raise BadInput("both points and share say how many samples a step sees; give one of them")
        if self.steps is not None or self.protocol == "paper":  # otherwise a start may still say how many
            self.check_report()

    def check_report(self) -> None:
        """Raises BadInput when PSNR is to be measured after more steps than are taken."""
        for step in self.report or ():
            check_range("report", step, 0, self.num_steps)

    def by(self, plans: Plans) -> "FitConfig":
        """With everything that was left open said by the plan of a start for this effort, if there is one.

        Raises:
            BadInput: an effort was asked for that the start has no plan for.
        """
        if self.protocol == "paper" or (not plans and self.effort is None):
            self.check_report()
            return self
        effort: str = self.effort or ("balanced" if "balanced" in plans else next(iter(plans)))
        if effort not in plans:
            has = f"it has plans for {', '.join(plans)}" if plans else "it has no plans; sparsine plan finds them"
            raise BadInput(f"the start was not asked how to be fitted with effort {effort}: {has}")
        plan = plans[effort]
        if self.optimizer not in (None, plan.optimizer):  # its numbers are another's
            self.check_report()
            return self
        return replace(
            self, optimizer=plan.optimizer, steps=_or(self.steps, plan.steps), lr=_or(self.lr, plan.lr),
            decay=self.decay or plan.decay,
            share=self.share if self.points is not None else _or(self.share, plan.share),
        )  # fmt: skip

    @property
    def chosen(self) -> Optimizer:
        """The optimizer."""
        return self.optimizer or "adam"

    def together(self, device: str = "cpu") -> int:
        """Signals fitted at the same time, if there is memory for so many."""
        return USUAL_BATCH["cpu" if is_cpu(device) else "gpu"] if self.batch is None else self.batch

    @property
    def num_steps(self) -> int:
        return PAPER_STEPS[self.chosen] if self.steps is None else self.steps

    @property
    def step_size(self) -> float:
        """Of the first step."""
        return PAPER_STEP_SIZE[self.chosen] if self.lr is None else self.lr

    def step_size_at(self, step: int) -> float:
        """Of a step, from 0."""
        if self.decay != "cosine":
            return self.step_size
        return self.step_size * 0.5 * (1 + math.cos(math.pi * step / self.num_steps))

    @property
    def description(self) -> str:
        """'3,600 steps of adam from 0.0014 down, each on 1/36 of the samples', for people."""
        part = "" if self.share in (None, 1.0) else f", each on 1/{1 / self.share:.3g} of the samples"
        part = f", each on {counted(self.points, 'sample')}" if self.points is not None else part
        at = f"from {self.step_size:g} down" if self.decay == "cosine" else f"at {self.step_size:g}"
        return f"{counted(self.num_steps, 'step')} of {self.chosen} {at}{part}"

    @property
    def report_steps(self) -> tuple[int, ...]:
        if self.report is not None:
            return tuple(sorted({*self.report, self.num_steps}))
        usual = {0} | {m * 10**e for e in range(7) for m in (1, 2, 5)}
        return tuple(sorted({s for s in usual if s <= self.num_steps} | {self.num_steps}))

    def points_of(self, num_samples: int) -> int | None:
        """Samples that a step sees of a signal with so many; None is all of them."""
        wanted = self.points if self.points is not None else round((self.share or 1.0) * num_samples)
        return max(1, wanted) if wanted < num_samples else None

    @property
    def sampled(self) -> Sampling:
        """How they are drawn."""
        return self.sampling if self.points is not None else "lattice"


def recorded(config: FitConfig) -> dict[str, Any]:
    """What a record says of how signals were fitted."""
    return {"optimizer": config.chosen, "lr": config.step_size, "steps": config.num_steps} | how_sampled(config)


def how_sampled(config: FitConfig) -> dict[str, Any]:
    """What a record says of a fit that is not the paper's, besides its optimizer, step size and steps."""
    said = {"decay": config.decay, "share": config.share, "points": config.points, "sampling": config.sampled,
            "points_seed": config.points_seed}  # fmt: skip
    if config.decay in (None, "none") and config.points is None and config.share in (None, 1.0):
        return {}
    return {name: value for name, value in said.items() if value is not None}


N = TypeVar("N", int, float)


def _or(given: N | None, otherwise: N) -> N:
    return otherwise if given is None else given
