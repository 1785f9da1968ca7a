"""COIN (Dupont et al., 2021): each signal's own network, fitted from random numbers and stored in fewer bits."""

from collections.abc import Sequence

from sparsine.measure.comparison.fitted_models import FittedModel, Quantised
from sparsine.measure.comparison.methods.contract import Context, Family, Method
from sparsine.measure.comparison.methods.scratch import from_scratch, from_scratch_to_tune
from sparsine.measure.comparison.plan import Level, Plan
from sparsine.measure.comparison.stages import Artifact


class Coin(Method):
    family: Family = "other"

    def __init__(self, bits_each: int):
        self.name, self.label, self.bits_each = f"coin-{bits_each}", f"COIN, {bits_each} bit", bits_each

    def needs(self, plan: Plan, level: Level) -> list[Artifact]:
        return []

    def fitted_model(self, context: Context) -> FittedModel:
        return Quantised(from_scratch(context), self.bits_each)

    def to_tune(self, context: Context) -> Sequence[FittedModel]:
        return [Quantised(one, self.bits_each) for one in from_scratch_to_tune(context)]
