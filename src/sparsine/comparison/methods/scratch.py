"""Scratch, the paper's baseline: the narrow dense network from random numbers, without meta-learning."""

from sparsine.comparison.contenders import Contender, FromStart
from sparsine.comparison.methods.contract import Case, Family, Method
from sparsine.comparison.plan import Level, Plan, random_start
from sparsine.comparison.stages import Made


class Scratch(Method):
    name, label = "scratch", "Scratch"
    family: Family = "baseline"

    def needs(self, plan: Plan, level: Level) -> list[Made]:
        return []

    def contender(self, case: Case) -> Contender:
        return from_scratch(case)


def from_scratch(case: Case) -> FromStart:
    """The narrow field of the cell's level at random numbers."""
    plan = case.plan
    field = plan.narrow_field(plan.narrow_width(case.level.weights))
    return FromStart(random_start(field, plan.domain, plan.seed, plan.dataset.kind))
