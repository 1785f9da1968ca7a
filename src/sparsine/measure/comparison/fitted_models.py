"""What is fitted in a cell: numbers stored for a signal, and how a signal becomes those numbers."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from sparsine.engines.choose import make_engine
from sparsine.fields.layers import layers
from sparsine.fields.mlp import MLP
from sparsine.fitting.fit import FitConfig, Objective, Status, fit
from sparsine.fitting.prune_on_the_way import fit_and_prune
from sparsine.measure.score import OnDrawn as OnDrawn
from sparsine.signals.values import ANY
from sparsine.starts.start import Start

FLOAT_BITS = 32


class FittedModel(ABC):
    """Fits batches of signals, and draws on the way what a decoder would draw."""

    engine: str = "auto"
    """Which engine computes."""
    shape: tuple[int, ...] | None = None
    """Of a signal's samples; where steps see a part of them, lattices are spaced along these axes."""
    is_fitted: bool = True
    """Whether steps change anything."""

    @property
    @abstractmethod
    def field(self) -> MLP | None:
        """None of what is no field."""

    @property
    @abstractmethod
    def weights(self) -> int:
        """The paper's count: surviving weights (of a code: its numbers)."""

    @property
    def biases(self) -> int:
        return self.field.num_biases if self.field else 0

    @property
    def numbers(self) -> int:
        """Stored for each signal."""
        return self.weights + self.biases

    @property
    def bits(self) -> int:
        """Stored for each signal."""
        return FLOAT_BITS * self.numbers

    @property
    def shared_numbers(self) -> int:
        """A base that a decoder must hold once for the collection."""
        return 0

    @abstractmethod
    def fit(
        self,
        coords: Float[Tensor, "*own points dims"],
        values: Float[Tensor, "signals points channels"],
        config: FitConfig,
        on_drawn: OnDrawn,
        weights: Float[Tensor, "*each points"] | None = None,
    ) -> list[Status]:
        """Fit every signal; `weights`: how much each sample counts, not given where all count alike."""  # fmt: skip


@dataclass
class FromStart(FittedModel):
    """Every surviving weight and bias, from a start that all signals share."""

    start: Start

    @property
    def field(self) -> MLP:
        return self.start.field

    @property
    def weights(self) -> int:
        return self.start.pattern.num_weights

    def fit(
        self, coords: Tensor, values: Tensor, config: FitConfig, on_drawn: OnDrawn, weights: Tensor | None = None
    ) -> list[Status]:
        return self.fit_drawn_as(lambda theta: theta, coords, values, config, on_drawn, weights)

    def fit_drawn_as(
        self, stored: Callable[[Tensor], Tensor], coords: Tensor, values: Tensor, config: FitConfig, on_drawn: OnDrawn,
        weights: Tensor | None = None,
    ) -> list[Status]:  # fmt: skip
        """As `fit`, where what is drawn is what `stored` leaves of the fitted vectors."""

        def see(step: int, objective: Objective, theta: Tensor) -> None:
            on_drawn(step, objective.predict(stored(theta), coords))

        device = str(coords.device)
        engine = make_engine(self.start.pattern, self.engine, device=device)
        theta = self.start.theta.to(device)
        return fit(
            engine, theta, coords, values, config, see, value_range=ANY, shape=self.shape, weights=weights
        ).status


@dataclass
class PrunedOnTheWay(FittedModel):
    """A dense start, pruned by each signal for itself while it is fitted."""

    start: Start
    survivors: Sequence[int]
    """Weights after each pruning."""
    once_at_half: bool = False
    """One pruning in the middle of the fit; else as many as there are survivors, evenly spread."""

    @property
    def field(self) -> MLP:
        return self.start.field

    @property
    def weights(self) -> int:
        return self.survivors[-1]

    def prunings(self, num_steps: int) -> list[tuple[int, int]]:
        """(step, survivors) of a fit with so many steps: with equally many (but for rounding) around each pruning."""
        counts = self.survivors[-1:] if self.once_at_half else self.survivors
        return [(num_steps * number // (len(counts) + 1), count) for number, count in enumerate(counts, 1)]

    def fit(
        self, coords: Tensor, values: Tensor, config: FitConfig, on_drawn: OnDrawn, weights: Tensor | None = None
    ) -> list[Status]:
        seen: dict[int, list[Tensor]] = {}

        def collect(step: int, objective: Objective, theta: Tensor) -> None:
            seen.setdefault(step, []).append(objective.predict(theta, own))

        status: list[Status] = []
        for row, signal in enumerate(values):
            own = coords if coords.ndim == 2 else coords[row]
            result = fit_and_prune(
                self.start.pattern, self.start.theta.to(coords.device), own, signal, config,
                self.prunings(config.num_steps), engine=self.engine, observe=collect, shape=self.shape,
                weights=weights if weights is None or weights.ndim == 1 else weights[row],
            )  # fmt: skip
            status += result.status
        for step, drawn in sorted(seen.items()):
            on_drawn(step, torch.cat(drawn))
        return status


@dataclass
class Quantised(FittedModel):
    """Every weight and bias in `bits_each` bits: COIN (Dupont et al., 2021). Each tensor is rounded to a uniform grid
    from its smallest number to its largest, and these two are stored beside it."""

    inner: FromStart
    bits_each: int

    @property
    def field(self) -> MLP:
        return self.inner.field

    @property
    def weights(self) -> int:
        return self.inner.weights

    @property
    def bits(self) -> int:
        tensors = 2 * len(self.field.layer_shapes)
        return self.bits_each * self.numbers + 2 * FLOAT_BITS * tensors

    def quantised(self, theta: Float[Tensor, "signals params"]) -> Float[Tensor, "signals params"]:
        """What a decoder would have."""
        rounded = self.inner.start.pattern.scatter(theta).clone()
        for weight, bias in layers(self.field, rounded):
            for tensor in (weight, bias):
                flat = tensor.reshape(len(tensor), -1)
                low, high = flat.amin(1, keepdim=True), flat.amax(1, keepdim=True)
                step = ((high - low) / (2**self.bits_each - 1)).clamp_min(torch.finfo(flat.dtype).tiny)
                tensor.copy_((low + step * ((flat - low) / step).round()).reshape(tensor.shape))
        return self.inner.start.pattern.gather(rounded)

    def fit(
        self, coords: Tensor, values: Tensor, config: FitConfig, on_drawn: OnDrawn, weights: Tensor | None = None
    ) -> list[Status]:
        self.inner.engine, self.inner.shape = self.engine, self.shape
        return self.inner.fit_drawn_as(self.quantised, coords, values, config, on_drawn, weights)
