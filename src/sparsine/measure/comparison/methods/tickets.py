"""Lottery tickets (Frankle and Carbin, ICLR 2019): what of Meta-SparseINR is in its pattern, what in its numbers, and
what in the alternation?

Each variant learns on for as many outer steps as the alternation took to the level, so that all have had the same.
"""

from collections.abc import Sequence
from dataclasses import replace

from sparsine.measure.comparison.fitted_models import FittedModel, FromStart
from sparsine.measure.comparison.methods.contract import Context, Family, Method
from sparsine.measure.comparison.plan import Level, Plan
from sparsine.measure.comparison.stages import Artifact
from sparsine.pruning.prune import prune
from sparsine.starts.start import Start


class Ticket(Method):
    """A sparse start made of others, which then learns on at its final sparsity."""

    family: Family = "ablation"
    learns_dense_steps_too = False

    def levels(self, plan: Plan) -> list[Level]:
        return [plan.level(round) for round in plan.config.ablation_levels]

    def needs(self, plan: Plan, level: Level) -> list[Artifact]:
        dense_steps = plan.config.learn.outer.dense_steps if self.learns_dense_steps_too else 0
        return [
            plan.relearned(
                self.name, level, self.sources(plan, level), lambda starts: self.begin(starts, plan, level),
                dense_steps=dense_steps,
            ).at()
        ]  # fmt: skip

    def sources(self, plan: Plan, level: Level) -> list[Artifact]:
        """The dense start and the alternation's start at this level."""
        assert level.round is not None
        return [plan.dense().at(), plan.chain("magnitude").at(level.round)]

    def begin(self, starts: Sequence[Start], plan: Plan, level: Level) -> Start:
        """The start to learn on from."""
        raise NotImplementedError

    def fitted_model(self, context: Context) -> FittedModel:
        return FromStart(context.starts[0])


class Rewound(Ticket):
    """The pattern that the alternation found; its survivors as they were in the dense start."""

    name, label = "ticket-rewound", "survivors rewound to the dense start"

    def begin(self, starts: Sequence[Start], plan: Plan, level: Level) -> Start:
        dense, sparse = starts
        return replace(dense, pattern=sparse.pattern, theta=sparse.pattern.gather(dense.theta[None])[0], coding=None)


class Reinitialised(Ticket):
    """The pattern that the alternation found; its survivors at random numbers, with the dense start's outer steps on
    top."""

    name, label = "ticket-random", "survivors at random values"
    learns_dense_steps_too = True

    def begin(self, starts: Sequence[Start], plan: Plan, level: Level) -> Start:
        dense, sparse = starts
        theta = dense.field.initial_theta(plan.seed + 2)
        return replace(dense, pattern=sparse.pattern, theta=sparse.pattern.gather(theta[None])[0], coding=None)


class PrunedOnce(Ticket):
    """The dense start, its smallest weights pruned all at once, without alternation."""

    name, label = "ticket-oneshot", "pruned once, no alternation"

    def sources(self, plan: Plan, level: Level) -> list[Artifact]:
        return [plan.dense().at()]

    def begin(self, starts: Sequence[Start], plan: Plan, level: Level) -> Start:
        return pruned_once(starts[0], level.weights)


def pruned_once(start: Start, weights: int) -> Start:
    """The start with its `weights` largest weights."""
    pattern = prune(start.pattern, start.theta, weights, "magnitude", seed=0)
    return replace(start, pattern=pattern, theta=pattern.gather_from(start.pattern, start.theta), coding=None)
