"""What a method answers: at which levels it stands, what must be learned for one, and what is then fitted."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sparsine.lazy import cached_property
from sparsine.measure.comparison.contenders import Contender
from sparsine.measure.comparison.plan import Level, Plan
from sparsine.measure.comparison.stages import Made
from sparsine.starts.start import Start

Family = Literal["ours", "baseline", "other", "linear", "ablation", "transfer"]


@dataclass(frozen=True)
class Case:
    """One cell, when everything that it needs has been learned."""

    plan: Plan
    level: Level
    needs: Sequence[Made]
    root: Path
    needs_to_tune: Sequence[Made] = ()

    @cached_property
    def starts(self) -> list[Start]:
        """What was learned, in the order of `needs`."""
        return [made.start(self.root) for made in self.needs]

    @cached_property
    def starts_to_tune(self) -> list[Start]:
        """What was learned for the tuned protocol, in the order of `needs_to_tune`."""
        return [made.start(self.root) for made in self.needs_to_tune]


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
        ...     def contender(self, case):
        ...         return FromStart(pruned_once(case.starts[0], case.level.weights))
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
    def needs(self, plan: Plan, level: Level) -> list[Made]:
        """What must be learned first. Stages that other methods share are learned once."""

    @abstractmethod
    def contender(self, case: Case) -> Contender:
        """What is fitted to each test signal."""

    def needs_to_tune(self, plan: Plan, level: Level) -> list[Made]:
        """What must be learned besides, where the tuned protocol is asked for."""
        return []

    def to_tune(self, case: Case) -> Sequence[Contender]:
        """Among what the tuned protocol chooses, each at its own best step size; nothing, where it cannot be tuned."""
        return [self.contender(case)]
