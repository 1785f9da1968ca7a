"""STRAINER (Vyas et al., NeurIPS 2024): one network is fitted to several training signals at once, each with a last
layer of its own; a new signal begins from the layers that they share and random numbers in the last. Nothing is
meta-learned. What a meta-learned start has more is what learning to be fitted is worth beside learning features."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sparsine.engines.choose import make_engine
from sparsine.fields.mlp import MLP
from sparsine.fields.pattern import Pattern
from sparsine.fitting.fit import FitConfig, fit
from sparsine.fitting.plan_search import share_of, usual_step_size
from sparsine.measure.comparison.fitted_models import FittedModel, FromStart
from sparsine.measure.comparison.methods.contract import Context, Family, Method
from sparsine.measure.comparison.plan import Level, Plan, random_start
from sparsine.measure.comparison.stages import Artifact, OnProgress, Stage
from sparsine.measure.comparison.training_signals import check_training, training_signals
from sparsine.measure.comparison.tuning import at_omegas, in_the_middle
from sparsine.meta.run_folder import start_path
from sparsine.signals.dataset import Dataset
from sparsine.signals.values import ANY
from sparsine.starts.start import Start, save_start
from sparsine.usage import Stopwatch

NAME = "shared-layers"
SIGNALS = 10
"""Training signals that share layers: the paper's number."""


@dataclass(frozen=True)
class SharedLayersStage(Stage):
    """Fits one network to the first training signals. Begun again after an interruption: it takes minutes."""

    begin: Start
    """Random numbers, of a field with one last layer."""
    steps: int

    def _learn(self, root: Path, dataset: Dataset, on_progress: OnProgress) -> list[dict[str, Any]]:
        stopwatch = Stopwatch()
        signals = torch.from_numpy(training_signals(dataset, SIGNALS)).flatten(1, -2)
        start = shared_layers(self.begin, signals, self.steps)
        on_progress(1.0)
        used = stopwatch.usage().to_dict()
        path = start_path(root / self.key, 0)
        path.parent.mkdir(parents=True, exist_ok=True)
        save_start(path, replace(start, info={"data": dataset.spec, "steps": self.steps, "usage": used}))
        return [{"outer_steps": self.steps, **used}]


def shared_layers(start: Start, signals: Tensor, steps: int) -> Start:
    """The start with its hidden layers fitted to all `signals` (signals, points, channels) at once; the last layer
    keeps its random numbers. A step sees a lattice of the samples, the step size falls as a cosine."""
    field, domain = start.field, start.domain
    together = replace(field, sizes=(*field.sizes[:-1], len(signals) * field.out_features))
    theta = _with_body(together.initial_theta(0), together, start.theta, field)

    share = share_of(domain.num_points)
    config = FitConfig(
        steps=steps, lr=usual_step_size(field.num_weights), decay="cosine", share=share, optimizer="adam"
    )
    values = signals.transpose(0, 1).flatten(1)[None]
    fitted = fit(make_engine(Pattern.full(together), "auto"), theta, domain.coords(), values, config,
                 value_range=ANY, shape=domain.shape)  # fmt: skip
    return replace(start, theta=_with_body(start.theta, field, fitted.theta[0], together))


def _with_body(theta: Tensor, field: MLP, other: Tensor, other_field: MLP) -> Tensor:
    """`theta` with the hidden layers of another vector, whose field has another last layer."""
    width, biases = field.sizes[-2], field.num_biases - field.out_features
    weights = field.num_weights - width * field.out_features
    mixed = theta.clone()
    mixed[:weights] = other[:weights]
    mixed[field.num_weights : field.num_weights + biases] = other[other_field.num_weights :][:biases]
    return mixed


class SharedLayers(Method):
    name, label = NAME, "Layers shared with training signals (STRAINER)"
    family: Family = "other"

    def check(self, plan: Plan) -> None:
        check_training(self.name, plan.dataset)

    def needs(self, plan: Plan, level: Level) -> list[Artifact]:
        return [_stage(plan, NAME, plan.narrow_field(plan.narrow_width(level.weights)))]

    def fitted_model(self, context: Context) -> FittedModel:
        return FromStart(context.starts[0])

    def needs_to_tune(self, plan: Plan, level: Level) -> list[Artifact]:
        field = in_the_middle(plan.narrow_field(plan.narrow_width(level.weights)), plan.dataset.kind)
        return [_stage(plan, f"{NAME}-tuned-{number}", one) for number, one in enumerate(at_omegas(field))]

    def to_tune(self, context: Context) -> Sequence[FittedModel]:
        return [FromStart(start) for start in context.starts_to_tune]


def _stage(plan: Plan, name: str, field: MLP) -> Artifact:
    """As many steps as the dense start is learned for."""
    steps = plan.config.learn.outer.dense_steps
    cost = plan.fit_cost(field.num_weights, steps * share_of(plan.domain.num_points))
    begin = random_start(field, plan.domain, plan.seed, plan.dataset.kind)
    return SharedLayersStage(plan.data, plan.seed, f"{name}-{field.sizes[1]:03d}", (), cost, begin, steps).at()
