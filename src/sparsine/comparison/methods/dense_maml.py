"""Dense meta-learning (MetaSDF, Sitzmann et al. 2020; Learnit, Tancik et al. 2021): the 100 % point."""

from sparsine.comparison.contenders import Contender, FromStart
from sparsine.comparison.methods.contract import Case, Family, Method
from sparsine.comparison.plan import Level, Plan
from sparsine.comparison.stages import Made


class DenseMaml(Method):
    name, label = "dense-maml", "Dense MAML (MetaSDF, Learnit)"
    family: Family = "other"

    def levels(self, plan: Plan) -> list[Level]:
        return [plan.level(0)]

    def needs(self, plan: Plan, level: Level) -> list[Made]:
        return [plan.dense().at()]

    def contender(self, case: Case) -> Contender:
        return FromStart(case.starts[0])
