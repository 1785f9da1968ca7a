"""HOW MUCH survives after every round: exact counts of weights.

A new schedule is a function (weights, of=None) to the survivors of each round, or a frozen dataclass whose fields are
its options, and one line: SCHEDULES[name] = it. Fields called fraction, rounds and target_sparsity are given what
`--fraction`, `--rounds` and `--sparsity` say.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from sparsine.choices import CHOSEN, can_be_chosen
from sparsine.errors import BadInput
from sparsine.pruning.contract import Schedule
from sparsine.registry import Registry


def geometric(fraction: float, num_rounds: int) -> Schedule:
    """The paper's: every round removes int(fraction * n) of the n survivors."""

    def survivors(num_weights: int, of: int | None = None) -> list[int]:
        counts = []
        for _ in range(num_rounds):
            num_weights -= int(fraction * num_weights)
            counts.append(num_weights)
        return counts

    return survivors


def geometric_to(fraction: float, target_sparsity: float) -> Schedule:
    """As `geometric`, for as many rounds as it takes; the last one removes only what is left to the target."""

    def survivors(num_weights: int, of: int | None = None) -> list[int]:
        of = num_weights if of is None else of
        target = of - int(target_sparsity * of)
        counts: list[int] = []
        while num_weights > target:
            removed = int(fraction * num_weights)
            if removed == 0:
                raise BadInput(
                    f"removing {fraction:g} of {num_weights} weights removes none, so the target sparsity "
                    f"{target_sparsity:g} ({target} weights) is never reached; prune a larger fraction"
                )
            num_weights = max(target, num_weights - removed)
            counts.append(num_weights)
        return counts

    return survivors


@dataclass(frozen=True, kw_only=True)
class Geometric:
    """`geometric`, or `geometric_to` where a target is given."""

    fraction: float = 0.2
    rounds: int = 20
    target_sparsity: float | None = None

    def __call__(self, num_weights: int, of: int | None = None) -> list[int]:
        if self.target_sparsity is None:
            return geometric(self.fraction, self.rounds)(num_weights, of)
        return geometric_to(self.fraction, self.target_sparsity)(num_weights, of)


def check_survivors(name: str, num_weights: int, survivors: Sequence[int]) -> list[int]:
    """Raises BadInput unless every round leaves a whole number of weights, and none more than there were before."""
    counts = list(survivors)
    if any(not isinstance(count, int) or isinstance(count, bool) for count in counts):
        raise BadInput(f"schedule {name} must say whole numbers of weights, but said {counts}")
    for before, after in pairwise([num_weights, *counts]):
        if not 0 <= after <= before:
            raise BadInput(f"schedule {name} leaves {after} weights after {before}; no round can add weights")
    return counts


SCHEDULES: Registry[Schedule | type[Schedule]] = Registry(
    "schedule", "sparsine.schedules", {"geometric": Geometric}, wanted=CHOSEN, suits=can_be_chosen
)
