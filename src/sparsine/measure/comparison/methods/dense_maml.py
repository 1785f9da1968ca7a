"""Dense meta-learning (MetaSDF, Sitzmann et al. 2020; Learnit, Tancik et al. 2021): the 100 % point."""

from sparsine.measure.comparison.fitted_models import FittedModel, FromStart
from sparsine.measure.comparison.methods.contract import Context, Family, Method
from sparsine.measure.comparison.plan import Level, Plan
from sparsine.measure.comparison.stages import Artifact


class DenseMaml(Method):
    name, label = "dense-maml", "Dense MAML (MetaSDF, Learnit)"
    family: Family = "other"

    def levels(self, plan: Plan) -> list[Level]:
        return [plan.level(0)]

    def needs(self, plan: Plan, level: Level) -> list[Artifact]:
        return [plan.dense().at()]

    def fitted_model(self, context: Context) -> FittedModel:
        return FromStart(context.starts[0])
