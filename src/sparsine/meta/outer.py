"""The outer loop: Adam on whatever is learned, one meta-gradient after the other."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from sparsine.errors import WorkFailed
from sparsine.fields.pattern import Pattern
from sparsine.meta.config import LearnConfig, Moments
from sparsine.meta.learner import Learner
from sparsine.meta.tasks import TaskSampler
from sparsine.optim import AdamState, adam_step


@dataclass(frozen=True)
class LearnState:
    """All that must be remembered to go on: where it is, what is learned so far, and Adam's moments."""

    pattern: Pattern
    theta: Float[Tensor, " numbers"]
    """The start's vector; of another learner, its vector."""
    adam: AdamState
    round: int = 0
    """0 is the dense start; round k comes after the k-th pruning."""
    round_step: int = 0
    """Outer steps taken in this round."""
    step: int = 0
    """Outer steps taken in all."""

    def pruned_to(self, pattern: Pattern, moments: Moments) -> "LearnState":
        """The first state of the next round, on a smaller pattern."""
        theta = pattern.gather_from(self.pattern, self.theta)
        if moments == "keep":
            adam = AdamState(
                pattern.gather_from(self.pattern, self.adam.mean),
                pattern.gather_from(self.pattern, self.adam.square),
                self.adam.num_steps,
            )
        else:
            adam = AdamState.zeros_like(theta)
        return LearnState(pattern, theta, adam, self.round + 1, 0, self.step)


class NotFinite(WorkFailed):
    """The loss or its gradient overflowed; nothing of that step was kept."""

    def __init__(self, message: str, loss: float = math.nan, good_step: int | None = None) -> None:
        """`loss` is that of the step; `good_step` is where a checkpoint from before is, if there is one."""
        super().__init__(message)
        self.loss, self.good_step = loss, good_step


def meta_train(
    learner: Learner[Any],
    state: LearnState,
    sampler: TaskSampler,
    config: LearnConfig,
    num_steps: int,
    after_step: Callable[[LearnState, float], None],
) -> LearnState:
    """Take outer steps until the round has `num_steps` of them; `after_step(state, outer loss)` sees each. Ranks that
    share the tasks of `sampler` take them together, each step on all of them.

    Raises:
        RankLost: another rank does not answer.
        NotFinite: the loss or the meta-gradient is not finite.
    """
    first = state.step
    for step, tasks in sampler.steps(first, first + num_steps - state.round_step):
        loss, grad = learner.gradient(learner.from_vector(state.theta), tasks)
        if not (torch.isfinite(loss) and torch.isfinite(grad).all()):
            raise NotFinite(
                f"the outer loss{learner.form.what} is {loss.item():g} at outer step {step} (round {state.round}) and "
                f"its gradient is {'' if torch.isfinite(grad).all() else 'not '}finite; lower --inner-step-size "
                f"(now {config.inner.inner_step_size:g}) or --outer-step-size "
                f"(now {config.outer.outer_step_size:g})",
                loss.item(),
            )
        step_size = config.outer.step_size_at(state.round_step, num_steps)
        theta, adam = adam_step(state.theta, grad, state.adam, step_size)
        state = replace(state, theta=theta, adam=adam, round_step=state.round_step + 1, step=step + 1)
        after_step(state, loss.item())
    return state
