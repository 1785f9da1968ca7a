"""HOW MUCH survives after every round: exact counts of weights."""

from typing import Protocol, runtime_checkable

from sparsine.errors import BadInput


@runtime_checkable
class Schedule(Protocol):
    """From the weights that survive now, `of` those of the dense field, to the survivors after rounds 1, 2, ..."""

    def __call__(self, num_weights: int, of: int | None = None) -> list[int]: ...


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
