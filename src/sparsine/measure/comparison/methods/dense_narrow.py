"""Dense-Narrow, the paper's baseline: dense MAML on a narrower network with as many weights."""

from sparsine.measure.comparison.contenders import Contender, FromStart
from sparsine.measure.comparison.methods.contract import Case, Family, Method
from sparsine.measure.comparison.plan import Level, Plan
from sparsine.measure.comparison.stages import Made


class DenseNarrow(Method):
    name, label = "dense-narrow", "Dense-Narrow"
    family: Family = "baseline"

    def needs(self, plan: Plan, level: Level) -> list[Made]:
        return [plan.dense(width=plan.narrow_width(level.weights)).at()]

    def contender(self, case: Case) -> Contender:
        return FromStart(case.starts[0])
