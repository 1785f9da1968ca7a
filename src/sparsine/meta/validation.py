"""How well held-out signals are met while a start is learned. Decides no bit of it."""

from collections.abc import Iterator

from jaxtyping import Float
from torch import Tensor

from sparsine.engines.contract import Engine
from sparsine.errors import BadInput
from sparsine.meta.config import LearnConfig
from sparsine.meta.keeper import Keeper
from sparsine.meta.maml import inner_step
from sparsine.meta.outer import LearnState
from sparsine.meta.tasks import TaskSampler
from sparsine.psnr import psnr_db
from sparsine.signals.dataset import Dataset

MOST_STEPS = 10
"""Inner steps that are looked at."""
NOTHING_DB = 0.05
"""A loss of PSNR that is not worth a word."""


class Validation:
    """The first validation signals, as `config.watch` asks for them."""

    def __init__(self, config: LearnConfig, dataset: Dataset, sampler: TaskSampler) -> None:
        """Raises BadInput where some are asked for and there are none."""
        self.inner, self.peak = config.inner, dataset.kind.peak
        if config.watch.val_signals and not len(dataset.val):
            raise BadInput(
                f"{dataset.spec} has no signal in its val split ({dataset.counts}); add some, or say "
                "--val-signals 0 to learn without looking at any"
            )
        self.samples = sampler.held_out(dataset.val, config.watch.val_signals)

    def adapted_db(self, engine: Engine, theta: Float[Tensor, " params"]) -> list[float]:
        """Mean PSNR after 0, 1, ..., K inner steps on all samples (of huge signals on some); nothing where there are no
        signals."""
        if self.samples is None:
            return []
        samples, steps = self.samples, min(self.inner.inner_steps, MOST_STEPS)
        adapted, curve = theta.expand(len(samples.values), -1), []
        for step in range(steps + 1):
            loss = engine.loss(adapted, samples.coords, samples.values, samples.weights)
            curve.append(sum(psnr_db(x, self.peak) for x in loss.tolist()) / len(loss))
            if step < self.inner.inner_steps:
                adapted = inner_step(engine, adapted, samples, self.inner.inner_step_size)
        return curve


def notes_on_round(keeper: Keeper, state: LearnState, config: LearnConfig) -> Iterator[str]:
    """Learning that made the start worse is not passed over in silence."""
    inner, outer = config.inner.inner_step_size, config.outer.outer_step_size
    for began, ended in zip(keeper.began_db, keeper.ended_db, strict=False):
        if ended < began - NOTHING_DB:
            yield (
                f"the loss of round {state.round} ended above where it began: from {began:.2f} dB on validation "
                f"signals to {ended:.2f} dB; lower --outer-step-size (now {outer:g}) or --inner-step-size "
                f"(now {inner:g}), or take more steps"
            )
