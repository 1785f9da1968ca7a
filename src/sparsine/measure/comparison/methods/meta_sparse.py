"""Meta-SparseINR (Lee et al., NeurIPS 2021): meta-learn, prune the smallest weights, meta-learn on, repeat."""

from sparsine.measure.comparison.fitted_models import FittedModel, FromStart
from sparsine.measure.comparison.methods.contract import Context, Family, Method
from sparsine.measure.comparison.plan import Level, Plan
from sparsine.measure.comparison.stages import Artifact


class Alternation(Method):
    """The paper's loop with a given pruning score, from the dense start on or from a later round."""

    def __init__(self, name: str, label: str, family: Family, score: str, after: int = 0):
        self.name, self.label, self.family, self.score, self.after = name, label, family, score, after

    def levels(self, plan: Plan) -> list[Level]:
        return [level for level in super().levels(plan) if level.round is not None and level.round > self.after]

    def needs(self, plan: Plan, level: Level) -> list[Artifact]:
        assert level.round is not None
        return [plan.chain(self.score, self.after).at(level.round - self.after)]

    def fitted_model(self, context: Context) -> FittedModel:
        return FromStart(context.starts[0])


META_SPARSE = Alternation("meta-sparse", "Meta-SparseINR", "ours", "magnitude")
CONNECTED = Alternation("meta-sparse-connected", "Meta-SparseINR, connected", "ours", "connected")
"""The same, but weights that lie on no way from a coordinate to an output go first: ours, not the paper's."""
CONNECTED_LATE = Alternation(
    "meta-sparse-connected-late", "Meta-SparseINR, connected after round 8", "ours", "connected", after=8
)
"""As the paper has it while nearly every weight is on a way, and connected from then on: saves the costly rounds."""
SALIENCY = Alternation("meta-sparse-saliency", "Meta-SparseINR, saliency", "ours", "saliency")
"""The paper's loop, where those weights stay that count in fits of training signals: ours, not the paper's."""
