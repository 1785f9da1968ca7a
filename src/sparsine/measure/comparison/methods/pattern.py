"""Pattern only: which weights fits of training signals need, found in a field of random numbers. Nothing is learned:
what a learned start with a pattern by the same score has more is what meta-learning is worth."""

from collections.abc import Sequence

from sparsine.measure.comparison.fitted_models import FittedModel, FromStart
from sparsine.measure.comparison.methods.contract import Context, Family, Method
from sparsine.measure.comparison.plan import Level, Plan
from sparsine.measure.comparison.stages import Artifact
from sparsine.measure.comparison.tuning import at_omegas, in_the_middle

NAME = "pattern"


class PatternOnly(Method):
    name, label = NAME, "Pattern only, nothing learned"
    family: Family = "baseline"

    def needs(self, plan: Plan, level: Level) -> list[Artifact]:
        assert level.round is not None
        return [plan.pattern_chain(NAME, plan.field).at(level.round)]

    def fitted_model(self, context: Context) -> FittedModel:
        return FromStart(context.starts[0])

    def needs_to_tune(self, plan: Plan, level: Level) -> list[Artifact]:
        assert level.round is not None
        fields = at_omegas(in_the_middle(plan.field, plan.dataset.kind))
        return [plan.pattern_chain(f"{NAME}-tuned-{number}", field).at(level.round)
                for number, field in enumerate(fields)]  # fmt: skip

    def to_tune(self, context: Context) -> Sequence[FittedModel]:
        return [FromStart(start) for start in context.starts_to_tune]
