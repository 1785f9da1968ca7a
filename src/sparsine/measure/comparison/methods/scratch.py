"""Scratch, the paper's baseline: the narrow dense network from random numbers, without meta-learning."""

from collections.abc import Sequence

from sparsine.fields.mlp import MLP
from sparsine.measure.comparison.fitted_models import FittedModel, FromStart
from sparsine.measure.comparison.methods.contract import Context, Family, Method
from sparsine.measure.comparison.plan import Level, Plan, random_start
from sparsine.measure.comparison.stages import Artifact
from sparsine.measure.comparison.tuning import at_omegas, in_the_middle


class Scratch(Method):
    name, label = "scratch", "Scratch"
    family: Family = "baseline"

    def needs(self, plan: Plan, level: Level) -> list[Artifact]:
        return []

    def fitted_model(self, context: Context) -> FittedModel:
        return from_scratch(context)

    def to_tune(self, context: Context) -> Sequence[FittedModel]:
        return from_scratch_to_tune(context)


def from_scratch(context: Context) -> FromStart:
    """The narrow field of the cell's level at random numbers."""
    return _from(context, _narrow(context))


def from_scratch_to_tune(context: Context) -> list[FromStart]:
    """The same, by omega_0, with its output in the middle of the values."""
    return [_from(context, field) for field in at_omegas(in_the_middle(_narrow(context), context.plan.dataset.kind))]


def _narrow(context: Context) -> MLP:
    return context.plan.narrow_field(context.plan.narrow_width(context.level.weights))


def _from(context: Context, field: MLP) -> FromStart:
    plan = context.plan
    return FromStart(random_start(field, plan.domain, plan.seed, plan.dataset.kind))
