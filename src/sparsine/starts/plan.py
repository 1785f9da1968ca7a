"""How signals are fitted from a start: a plan for each effort, found on validation signals and kept with the start."""

import dataclasses
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from sparsine.checks import check_choice, check_range
from sparsine.errors import BadInput

Optimizer = Literal["adam", "sgd"]
Decay = Literal["none", "cosine"]
Effort = Literal["instant", "fast", "balanced", "best"]

FULL_STEPS: dict[Effort, int] = {"instant": 10, "fast": 30, "balanced": 100, "best": 400}
"""What an effort may cost: as many samples as so many steps on all samples of a signal would see."""


@dataclass(frozen=True, kw_only=True)
class FitPlan:
    """What a fit does, from the first step to the last."""

    optimizer: Optimizer = "adam"
    steps: int
    lr: float
    """Step size of the first step."""
    decay: Decay = "cosine"
    """How the step size falls: none, or cosine, from the whole of it to almost 0."""
    share: float = 1.0
    """Part of a signal's samples that each step sees, on a lattice at a random offset."""

    def __post_init__(self) -> None:
        check_choice("optimizer", self.optimizer, Optimizer)
        check_choice("decay", self.decay, Decay)
        check_range("steps", self.steps, 0, 10**7)
        check_range("lr", self.lr, 1e-12, 1e3)
        check_range("share", self.share, 1e-9, 1.0)

    @property
    def full_steps(self) -> float:
        """Cost, in steps that see every sample."""
        return self.steps * self.share


Plans = Mapping[str, FitPlan]
"""By effort."""


def plans_to_dict(plans: Plans) -> dict[str, Any]:
    return {effort: asdict(plan) for effort, plan in plans.items()}


def plans_from_dict(data: Any) -> dict[str, FitPlan]:
    """What `plans_to_dict` made.

    Raises:
        BadInput: it describes no plans, or plans of a later version.
    """
    if not isinstance(data, dict):
        raise BadInput(f"plans of fits are {data!r:.40}, but should be an object with one for each effort")
    return {str(effort): _plan(str(effort), plan) for effort, plan in data.items()}


def _plan(effort: str, data: Any) -> FitPlan:
    known = {field.name for field in dataclasses.fields(FitPlan)}
    check_choice("the effort of a plan", effort, FULL_STEPS)
    if not isinstance(data, dict) or not {"steps", "lr"} <= data.keys() <= known:
        raise BadInput(f"the plan of effort {effort} is {data!r:.80}, but should have {', '.join(sorted(known))}")
    try:
        return FitPlan(**data)
    except TypeError as error:
        raise BadInput(f"the plan of effort {effort} cannot be used: {error}") from error
