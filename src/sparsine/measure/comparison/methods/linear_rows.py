"""What one would use instead of a field, with as many numbers as the level has weights: a fixed set of cosines, each
signal's own cosines, principal components of the collection, a bicubic grid. Nothing is fitted, and nothing random."""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

import numpy as np
import torch
from torch import Tensor

from sparsine.fitting.fit import FitConfig, Status
from sparsine.measure.comparison.fitted_models import FittedModel, OnDrawn
from sparsine.measure.comparison.linear import Components, Spectrum, lattice_shape, on_lattice
from sparsine.measure.comparison.methods.contract import Context, Family, Method
from sparsine.measure.comparison.plan import Level, Plan
from sparsine.measure.comparison.stages import Artifact
from sparsine.measure.comparison.training_signals import check_training


@dataclass
class Approximated(FittedModel):
    """Signals as some numbers tell them. After every step that is asked for they are the same."""

    is_fitted = False

    sizes: tuple[int, ...]
    """Samples along each axis."""
    count: int
    """Numbers stored for each signal."""
    shared: int
    """Numbers that a decoder must have beside them."""
    tell: Callable[[np.ndarray], np.ndarray]
    """(signals, *axes, channels) to the same."""

    @property
    def field(self) -> None:
        return None

    @property
    def weights(self) -> int:
        return self.count

    @property
    def shared_numbers(self) -> int:
        return self.shared

    def fit(
        self, coords: Tensor, values: Tensor, config: FitConfig, on_drawn: OnDrawn, weights: Tensor | None = None
    ) -> list[Status]:
        assert weights is None  # `check` refused such signals
        signals = values.cpu().double().numpy().reshape(len(values), *self.sizes, -1)
        told = torch.from_numpy(self.tell(signals).reshape(values.shape)).to(values)
        for step in config.report_steps:
            on_drawn(step, told)
        return ["ok"] * len(values)


class LinearRow(Method):
    """At every level, under the first seed alone: another one would say the same."""

    family: Family = "linear"

    def __init__(self, name: str, label: str, make: Callable[[Plan, int], Approximated]):
        self.name, self.label, self.make = name, label, make

    def levels(self, plan: Plan) -> list[Level]:
        return super().levels(plan) if plan.seed == plan.config.seeds[0] else []

    def check(self, plan: Plan) -> None:
        check_training(self.name, plan.dataset)

    def needs(self, plan: Plan, level: Level) -> list[Artifact]:
        return []

    def fitted_model(self, context: Context) -> FittedModel:
        return self.make(context.plan, context.level.weights)


def _fixed_cosines(plan: Plan, count: int) -> Approximated:
    spectrum = _spectrum(plan)
    return Approximated(
        plan.dataset.shape, _at_most_all(plan, count), spectrum.mean.size, lambda x: spectrum.fixed(x, count)
    )


def _own_cosines(plan: Plan, count: int) -> Approximated:
    spectrum = _spectrum(plan)
    return Approximated(plan.dataset.shape, _at_most_all(plan, count), spectrum.mean.size,
                lambda x: np.stack(list(spectrum.own(x, count))))  # fmt: skip


def _components(plan: Plan, count: int) -> Approximated:
    components = Components.of(plan.training_signals)
    found = min(_at_most_all(plan, count), len(components.scales))
    shared = (1 + found) * components.mean.size
    return Approximated(plan.dataset.shape, found, shared, lambda x: components.told(x, count))


def _grid(plan: Plan, count: int) -> Approximated:
    channels = plan.dataset.num_channels
    sizes = lattice_shape(plan.dataset.shape, channels, count)
    return Approximated(plan.dataset.shape, prod(sizes) * channels, 0, lambda x: on_lattice(x, sizes))


def _spectrum(plan: Plan) -> Spectrum:
    return Spectrum.of(plan.training_signals, luma=plan.dataset.num_channels == 3)


def _at_most_all(plan: Plan, count: int) -> int:
    return min(count, prod(plan.dataset.shape) * plan.dataset.num_channels)


COSINES = LinearRow("cosines", "Cosines, a fixed set", _fixed_cosines)
OWN_COSINES = LinearRow("own-cosines", "Cosines, each signal's own (bound)", _own_cosines)
COMPONENTS = LinearRow("components", "Principal components", _components)
BICUBIC_GRID = LinearRow("bicubic-grid", "Bicubic grid", _grid)
