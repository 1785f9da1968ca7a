"""MAML+OneShot and MAML+IMP, the paper's baselines: a dense meta-learned start, pruned by each signal for itself.

The published evaluation starts its lists at zero prunings, so that what it plots at 0.8^k of the weights was pruned
k - 1 times. Here level k is pruned to what k prunings leave.
"""

from sparsine.measure.comparison.fitted_models import FittedModel, PrunedOnTheWay
from sparsine.measure.comparison.methods.contract import Context, Family, Method
from sparsine.measure.comparison.plan import Level, Plan
from sparsine.measure.comparison.stages import Artifact


class OneShot(Method):
    """Half of the steps, one pruning to the target, the other half."""

    name, label = "maml-oneshot", "MAML+OneShot"
    family: Family = "baseline"
    once_at_half = True

    def needs(self, plan: Plan, level: Level) -> list[Artifact]:
        return [plan.dense().at()]

    def fitted_model(self, context: Context) -> FittedModel:
        assert context.level.round is not None
        survivors = context.plan.survivors[1 : context.level.round + 1]
        return PrunedOnTheWay(context.starts[0], survivors, self.once_at_half)


class IterativeMagnitudePruning(OneShot):
    """As many prunings as lead to the level, evenly spread over the fit."""

    name, label = "maml-imp", "MAML+IMP"
    once_at_half = False
