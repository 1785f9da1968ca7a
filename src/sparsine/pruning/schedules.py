"""HOW MUCH survives after every round: exact counts of weights."""

from collections.abc import Callable

from sparsine.errors import BadInput

Schedule = Callable[[int], list[int]]
"""From the number of weights of the dense field to the survivors after rounds 1, 2, ..."""


def geometric(fraction: float, num_rounds: int) -> Schedule:
    """The paper's: every round removes int(fraction * n) of the n survivors."""

    def survivors(num_weights: int) -> list[int]:
        counts = []
        for _ in range(num_rounds):
            num_weights -= int(fraction * num_weights)
            counts.append(num_weights)
        return counts

    return survivors


def geometric_to(fraction: float, target_sparsity: float) -> Schedule:
    """As `geometric`, for as many rounds as it takes; the last one removes only what is left to the target."""

    def survivors(num_weights: int) -> list[int]:
        target, counts = num_weights - int(target_sparsity * num_weights), []
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
