"""What a score, a distribution and a schedule are: a function each, or a frozen dataclass whose fields are options.

A score that needs much memory says so by a method `memory(num_params, num_values)`: roughly how many bytes it holds,
for a field of so many parameters and signals of so many values. One that takes long says so by a method
`num_gradients()`: roughly how many gradients of one signal its time is worth.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from sparsine.engines.contract import Engine
from sparsine.errors import BadInput
from sparsine.fields.pattern import Pattern


@dataclass(frozen=True)
class TrainingSignals:
    """Signals of the collection, at the points of a step, and an engine that computes with the pattern as it is now."""

    engine: Engine
    coords: Float[Tensor, "*signals points dims"]
    values: Float[Tensor, "signals points channels"]
    weights: Float[Tensor, "*each points"] | None = None
    """How much each sample counts; None where all count alike."""


@dataclass(frozen=True)
class Context:
    """What a score may look at besides the weights."""

    generator: torch.Generator
    """Seeded anew for each pruning."""
    draw: Callable[[int], TrainingSignals] | None = None
    on_progress: Callable[[int, int], None] | None = None

    def progress(self, done: int, of: int) -> None:
        """Say how far a score is that takes long."""
        if self.on_progress:
            self.on_progress(done, of)

    def signals(self, count: int) -> TrainingSignals:
        """So many training signals, or all if there are fewer: the same whenever this pruning is done again.

        Raises:
            BadInput: the pruning was given none.
        """
        if self.draw is None:
            raise BadInput("this score looks at fits of signals, but prune(...) was given none: pass draw")
        return self.draw(count)


Score = Callable[[Pattern, Float[Tensor, " params"], Context], Float[Tensor, " surviving_weights"]]
"""A number for each surviving weight; the lowest go."""

Distribution = Callable[[Pattern, Float[Tensor, " surviving_weights"], int], Sequence[int]]
"""(pattern, scores, survivors) to the survivors of each layer: just so many together, in none more than there are."""


@runtime_checkable
class Schedule(Protocol):
    """From the weights that survive now, `of` those of the dense field, to the survivors after rounds 1, 2, ..."""

    def __call__(self, num_weights: int, of: int | None = None) -> list[int]: ...


def memory_of(score: Any, num_params: int, num_values: int) -> int:
    """Bytes, roughly; 0 for a score that does not say."""
    memory = getattr(score, "memory", None)
    return int(memory(num_params, num_values)) if memory else 0
