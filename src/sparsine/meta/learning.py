"""One round of any learner in a folder: the outer loop, and its keeper beside it."""

from collections.abc import Callable
from typing import Any

from sparsine.fields.pattern import Pattern
from sparsine.meta.checkpoint import load_checkpoint
from sparsine.meta.config import LearnConfig
from sparsine.meta.keeper import Keeper
from sparsine.meta.learner import Learner
from sparsine.meta.outer import LearnState, meta_train
from sparsine.meta.run_folder import CHECKPOINT_FILE
from sparsine.optim import AdamState


def learn_in(
    keeper: Keeper,
    learner: Learner[Any],
    pattern: Pattern,
    config: LearnConfig,
    on_step: Callable[[int, float], None] | None = None,
) -> LearnState:
    """From the last checkpoint in the keeper's folder, or from the beginning, to the last of config.outer.dense_steps.
    A call that ended early is gone on with by the same call, to the same bits. `pattern`: of the field in use.

    Raises:
        BadInput: the checkpoint is damaged or of another learner.
        NotFinite: the loss overflowed; the last good checkpoint stays.
        WorkFailed: a file could not be written.
    """
    vector = learner.to_vector(learner.initial())
    path = keeper.folder / CHECKPOINT_FILE
    found = load_checkpoint(path, str(vector.device), learner.form, vector.numel()) if path.exists() else None
    state = found.state if found else LearnState(pattern, vector, AdamState.zeros_like(vector))

    def after_step(state: LearnState, loss: float) -> None:
        keeper.after_step(state, loss)
        if on_step:
            on_step(state.step, loss)

    keeper.begin(found)
    try:
        with keeper.watching(state):
            state = meta_train(learner, state, keeper.sampler, config, config.outer.dense_steps, after_step)
        if state.step > keeper.saved_step:
            keeper.checkpoint(state)
    finally:
        keeper.close()
    return state
