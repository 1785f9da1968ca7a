"""Dense-Narrow, the paper's baseline: dense MAML on a narrower network with as many weights."""

from sparsine.measure.comparison.fitted_models import FittedModel, FromStart
from sparsine.measure.comparison.methods.contract import Context, Family, Method
from sparsine.measure.comparison.plan import Level, Plan
from sparsine.measure.comparison.stages import Artifact


class DenseNarrow(Method):
    name, label = "dense-narrow", "Dense-Narrow"
    family: Family = "baseline"

    def needs(self, plan: Plan, level: Level) -> list[Artifact]:
        return [plan.dense(width=plan.narrow_width(level.weights)).at()]

    def fitted_model(self, context: Context) -> FittedModel:
        return FromStart(context.starts[0])
