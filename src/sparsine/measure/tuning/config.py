"""What is asked of a race, and its rungs: each has fewer candidates, and looks at them longer."""

from dataclasses import dataclass
from math import ceil
from typing import Annotated

from sparsine.checks import Named, check_choice, check_range
from sparsine.counted import counted
from sparsine.errors import BadInput
from sparsine.signals.dataset import Dataset
from sparsine.starts.plan import FULL_STEPS, Effort

FEWEST_TRAIN, FEWEST_VAL = 6, 4
"""What pruning looks at; and what a difference of a few tenths of a decibel needs not to be chance."""
KEPT = 3
"""One in so many goes on to the next rung: Hyperband's (Li et al., JMLR 2018)."""
EFFORTS: tuple[Effort, Effort] = ("instant", "fast")
"""Of the first rungs; the last one has the effort that is wanted."""


@dataclass(frozen=True, kw_only=True)
class TuneConfig:
    """A race over omega_0, output offset, width, hidden layers and step sizes."""

    numbers: int = 2_284
    """Weights that a start has in the end; biases come on top, as everywhere."""
    effort: Effort = "balanced"
    """Of the fits that the recipe is for: instant, fast, balanced or best."""
    candidates: int = 18
    """Settings that begin; a third goes on, and a third of these. The recipe as it is always goes on."""
    signals: Annotated[int, Named("limit", "signals")] = 6
    """Only so many signals, from the front of the validation split, judge in the last rung; fewer in earlier ones."""

    def __post_init__(self) -> None:
        check_range("numbers", self.numbers, 2, 10**8)
        check_choice("effort", self.effort, Effort)
        check_range("candidates", self.candidates, 2, 1_000)
        check_range("signals", self.signals, FEWEST_VAL, 10_000)


@dataclass(frozen=True, kw_only=True)
class Rung:
    """How long each candidate is looked at."""

    candidates: int
    """At most, besides the recipe as it is."""
    effort: Effort
    signals: int
    """Validation signals."""
    fraction: float | None = None
    """Of the weights that each pruning removes; None is the recipe's."""
    score_signals: int | None = None
    """Training signals that each pruning looks at; None is the recipe's."""
    score_steps: int | None = None
    """Of the fits that each pruning looks at; None is the recipe's."""


def rungs_of(config: TuneConfig, num_val: int) -> list[Rung]:
    """Three of them. Patterns of the first are found in a hurry; those of the last are the recipe's to the bit."""
    first, second = (min(effort, config.effort, key=lambda e: FULL_STEPS[e]) for effort in EFFORTS)
    most = min(config.signals, num_val)
    some, few = max(ceil(most / 2), FEWEST_VAL), max(ceil(most / 3), FEWEST_VAL - 1)
    number, fewer, fewest = config.candidates, ceil(config.candidates / KEPT), ceil(config.candidates / KEPT**2)
    return [
        Rung(candidates=number, effort=first, signals=few, fraction=0.5, score_signals=3, score_steps=30),
        Rung(candidates=fewer, effort=second, signals=some, fraction=0.35),
        Rung(candidates=fewest, effort=config.effort, signals=most),
    ]


def check_enough(dataset: Dataset) -> None:
    """Raises BadInput unless the data set has enough signals to tell settings apart."""
    if len(dataset.train) >= FEWEST_TRAIN and len(dataset.val) >= FEWEST_VAL:
        return
    has = f"{counted(len(dataset.train), 'training signal')} and {counted(len(dataset.val), 'validation signal')}"
    raise BadInput(
        f"{dataset.spec} is too small to tune on: it has {has}, but at least {FEWEST_TRAIN} and {FEWEST_VAL} are "
        "needed; add some (of 40 files without splits of their own 4 validate), or learn with recipe best as it is"
    )
