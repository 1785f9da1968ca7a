"""What a weight is worth to the fits that a start is for: seen while some signals are fitted from it."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from sparsine.checks import check_range
from sparsine.errors import WorkFailed
from sparsine.fields.pattern import Pattern
from sparsine.optim import AdamState, adam_step
from sparsine.pruning.contract import Context

IN_RANDOM_FIELDS = {"steps": 60, "step_size": 1e-3}
"""Options for patterns that are looked for in fields of random numbers, whose fits go further than those of learned
starts."""


@dataclass(frozen=True, kw_only=True)
class Saliency:
    """What a weight is worth to fits of training signals: ours, not the paper's.

    The score is the mean size of each weight at the end of the fits, times the size of its gradient summed over their
    second half. |w dL/dw| is what a removal costs to first order (Mozer and Smolensky, NeurIPS 1988; Molchanov et al.,
    ICLR 2017). A start is never used as it is, so it is not asked there, but where signals end up: 100 steps of Adam
    move a weight by up to 100 step sizes, further than most weights of a sparse start are from zero, and how large one
    is before the fit says little about how large it will be.
    """

    signals: int = 6
    """Training signals that are fitted before each pruning."""
    steps: int = 100
    """Steps of Adam for each of them, as many as fits will have at test time."""
    step_size: float = 1e-4
    """Step size of these steps."""

    def __post_init__(self) -> None:
        check_range("signals", self.signals, 1, 10_000)
        check_range("steps", self.steps, 2, 10**6)  # one step has no second half
        check_range("step_size", self.step_size, 1e-12, 1e3)

    def __call__(
        self, pattern: Pattern, theta: Float[Tensor, " params"], context: Context
    ) -> Float[Tensor, " surviving_weights"]:
        """Raises WorkFailed when a fit overflowed, or fits got worse: the step size is too large for the field."""
        fits, num_weights = context.signals(self.signals), pattern.num_weights
        thetas = theta.expand(fits.values.shape[0], -1)
        adam = AdamState.zeros_like(thetas)
        gradients = torch.zeros(num_weights, dtype=torch.float64, device=theta.device)
        losses = []
        for step in range(self.steps):
            loss, grad = fits.engine.loss_and_grad(thetas, fits.coords, fits.values, fits.weights)
            losses.append(loss.mean())
            if 2 * step >= self.steps:
                gradients += grad[:, :num_weights].abs().mean(dim=0)
            thetas, adam = adam_step(thetas, grad, adam, self.step_size)
            context.progress(step + 1, self.steps)
        scores = gradients * thetas[:, :num_weights].abs().mean(dim=0)
        if not torch.isfinite(scores).all():
            raise self._failed("a fit that should show which weights count overflowed")
        if losses[-1] > max(losses[0], fits.values.square().mean()):  # worse than nothing: such scores empty layers
            raise self._failed("fits that should show which weights count ended above where they began")
        return scores

    def _failed(self, what: str) -> WorkFailed:
        return WorkFailed(f"{what}; lower --score.step-size (now {self.step_size:g})")

    def num_gradients(self) -> int:
        """One of each signal in every step."""
        return self.signals * self.steps

    def memory(self, num_params: int, num_values: int) -> int:
        """theta, its gradient and two moments of every signal, and its values."""
        return 4 * self.signals * (4 * num_params + 3 * num_values)
