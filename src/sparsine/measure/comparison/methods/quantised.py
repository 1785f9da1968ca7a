"""COIN (Dupont et al., 2021): each signal's own network, fitted from random numbers and stored in fewer bits."""

from collections.abc import Sequence

from sparsine.measure.comparison.contenders import Contender, Quantised
from sparsine.measure.comparison.methods.contract import Case, Family, Method
from sparsine.measure.comparison.methods.scratch import from_scratch, from_scratch_to_tune
from sparsine.measure.comparison.plan import Level, Plan
from sparsine.measure.comparison.stages import Made


class Coin(Method):
    family: Family = "other"

    def __init__(self, bits_each: int):
        self.name, self.label, self.bits_each = f"coin-{bits_each}", f"COIN, {bits_each} bit", bits_each

    def needs(self, plan: Plan, level: Level) -> list[Made]:
        return []

    def contender(self, case: Case) -> Contender:
        return Quantised(from_scratch(case), self.bits_each)

    def to_tune(self, case: Case) -> Sequence[Contender]:
        return [Quantised(one, self.bits_each) for one in from_scratch_to_tune(case)]
