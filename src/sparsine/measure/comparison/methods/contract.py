"""What a method answers: at which levels it stands, what must be learned for one, and what is then fitted."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sparsine.lazy import cached_property
from sparsine.measure.comparison.fitted_models import FittedModel
from sparsine.measure.comparison.plan import Level, Plan
from sparsine.measure.comparison.stages import Artifact
from sparsine.starts.start import Start

Family = Literal["ours", "baseline", "other", "linear", "ablation", "transfer"]


@dataclass(frozen=True)
class Context:
    """One cell, when everything that it needs has been learned."""

    plan: Plan
    level: Level
    needs: Sequence[Artifact]
    root: Path
    needs_to_tune: Sequence[Artifact] = ()

    @cached_property
    def starts(self) -> list[Start]:
        """What was learned, in the order of `needs`."""
        return [artifact.start(self.root) for artifact in self.needs]

    @cached_property
    def starts_to_tune(self) -> list[Start]:
        """What was learned for the tuned protocol, in the order of `needs_to_tune`."""
        return [artifact.start(self.root) for artifact in self.needs_to_tune]


class Method(ABC):
    """
    Example:
        A start whose smallest weights were pruned all at once, without learning on:

        >>> class Naive(Method):
        ...     name, label, family = "naive", "pruned, nothing more", "ablation"
        ...
        ...     def needs(self, plan, level):
        ...         return [plan.dense().at()]
        ...
        ...     def fitted_model(self, context):
        ...         return FromStart(pruned_once(context.starts[0], context.level.weights))
    """

    name: str
    """In records and on the command line."""
    label: str
    """In figures and tables."""
    family: Family

    def levels(self, plan: Plan) -> list[Level]:
        """Where it is measured: usually at every level of the comparison."""
        return [plan.level(round) for round in plan.config.levels]

    def check(self, plan: Plan) -> None:  # noqa: B027 - most have nothing to say
        """Asked before anything is learned. Raises BadInput where it cannot be measured on the data set."""

    @abstractmethod
    def needs(self, plan: Plan, level: Level) -> list[Artifact]:
        """What must be learned first. Stages that other methods share are learned once."""

    @abstractmethod
    def fitted_model(self, context: Context) -> FittedModel:
        """What is fitted to each test signal."""

    def needs_to_tune(self, plan: Plan, level: Level) -> list[Artifact]:
        """What must be learned besides, where the tuned protocol is asked for."""
        return []

    def to_tune(self, context: Context) -> Sequence[FittedModel]:
        """Among what the tuned protocol chooses, each at its own best step size; nothing, where it cannot be tuned."""
        return [self.fitted_model(context)]
