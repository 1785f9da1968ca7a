"""The paper's loop (Lee et al., NeurIPS 2021, algorithm 1): meta-train, prune, meta-train again, until sparse."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Protocol, TypeVar, runtime_checkable

from sparsine.engines.choose import make_engine
from sparsine.engines.contract import Engine
from sparsine.meta.config import LearnConfig
from sparsine.meta.learner import StartLearner
from sparsine.meta.outer import LearnState, meta_train
from sparsine.meta.run import Run
from sparsine.meta.shared_engine import SharedEngine
from sparsine.meta.tasks import TaskSampler
from sparsine.pruning.contract import TrainingSignals
from sparsine.pruning.prune import prune
from sparsine.starts.start import Start

T = TypeVar("T", covariant=True)


@runtime_checkable
class Learning(Protocol[T]):
    """What the loop asks: a run, or a rank that keeps no folder."""

    @property
    def sampler(self) -> TaskSampler: ...
    @property
    def survivors(self) -> list[int]: ...
    def begin(self) -> LearnState: ...
    def watching(self, engine: Engine, state: LearnState) -> AbstractContextManager[None]: ...
    def after_step(self, state: LearnState, loss: float) -> None: ...
    def end_round(self, state: LearnState) -> T: ...
    def while_pruning(self, state: LearnState, done: int, of: int) -> None: ...


def learn_sparse_start(config: LearnConfig, run: Run) -> Start:
    """Learn one start for the collection of `run`, sparser after every round; each round's start is kept.

    Raises:
        BadInput: the data or the configuration cannot be used.
        WorkFailed: the loss overflowed or a file could not be written; the last checkpoint stays.
    """
    if run.finished:
        return run.finished
    return run.with_plans(learn_rounds(config, run))


def learn_rounds(config: LearnConfig, run: Learning[T]) -> T:
    """Learn and prune to the end; what the last round led to."""
    state = run.begin()
    while True:
        engine = make_engine(state.pattern, config.engine, device=config.device)
        with run.watching(engine, state):
            learner = StartLearner(engine, config.inner, state.theta, run.sampler.share)
            state = meta_train(learner, state, run.sampler, config, config.outer.steps_of(state.round), run.after_step)
        start = run.end_round(state)
        if state.round == len(run.survivors):
            return start
        state = next_round(config, state, run.survivors[state.round], run.sampler, partial(run.while_pruning, state))


def next_round(
    config: LearnConfig,
    state: LearnState,
    num_survivors: int,
    sampler: TaskSampler,
    on_progress: Callable[[int, int], None] | None = None,
) -> LearnState:
    """Prune, and carry the survivors over. `sampler` is asked for signals by scores that look at fits, which its ranks
    share out among them."""

    def draw(count: int) -> TrainingSignals:
        engine = make_engine(state.pattern, config.engine, device=config.device)
        engine = engine if sampler.share.is_all else SharedEngine(engine, sampler.ranks)
        samples = sampler.apart(state.round, count)
        return TrainingSignals(engine, samples.coords, samples.values, samples.weights)

    score, seed = config.pruning.make_score(), config.seed + state.round
    distribution = config.pruning.make_distribution()
    pattern = prune(state.pattern, state.theta, num_survivors, score, seed, draw, distribution=distribution,
                    on_progress=on_progress)  # fmt: skip
    return state.pruned_to(pattern, config.outer.moments)
