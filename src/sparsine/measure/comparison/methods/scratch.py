"""Scratch, the paper's baseline: the narrow dense network from random numbers, without meta-learning."""

from collections.abc import Sequence

from sparsine.fields.mlp import MLP
from sparsine.measure.comparison.contenders import Contender, FromStart
from sparsine.measure.comparison.methods.contract import Case, Family, Method
from sparsine.measure.comparison.plan import Level, Plan, random_start
from sparsine.measure.comparison.stages import Made
from sparsine.measure.comparison.tuning import at_omegas, in_the_middle


class Scratch(Method):
    name, label = "scratch", "Scratch"
    family: Family = "baseline"

    def needs(self, plan: Plan, level: Level) -> list[Made]:
        return []

    def contender(self, case: Case) -> Contender:
        return from_scratch(case)

    def to_tune(self, case: Case) -> Sequence[Contender]:
        return from_scratch_to_tune(case)


def from_scratch(case: Case) -> FromStart:
    """The narrow field of the cell's level at random numbers."""
    return _from(case, _narrow(case))


def from_scratch_to_tune(case: Case) -> list[FromStart]:
    """The same, by omega_0, with its output in the middle of the values."""
    return [_from(case, field) for field in at_omegas(in_the_middle(_narrow(case), case.plan.dataset.kind))]


def _narrow(case: Case) -> MLP:
    return case.plan.narrow_field(case.plan.narrow_width(case.level.weights))


def _from(case: Case, field: MLP) -> FromStart:
    plan = case.plan
    return FromStart(random_start(field, plan.domain, plan.seed, plan.dataset.kind))
