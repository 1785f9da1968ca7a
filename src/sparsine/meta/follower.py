"""A rank that keeps no folder: it takes every step with the first one, and writes and says nothing."""

from contextlib import AbstractContextManager, nullcontext

from sparsine.engines.contract import Engine
from sparsine.meta.outer import LearnState
from sparsine.meta.rank_agreement import Beginning
from sparsine.meta.ranks import Ranks
from sparsine.meta.sparse import learn_rounds
from sparsine.meta.tasks import sampler_of
from sparsine.signals.dataset import Dataset


class Follower:
    """Answers what the loop asks, as the first rank said it is."""

    def __init__(self, beginning: Beginning, dataset: Dataset, ranks: Ranks):
        """`dataset`: with the splits of the first rank."""
        self.survivors, self._state = beginning.survivors, beginning.state
        self.sampler = sampler_of(beginning.config, dataset, beginning.domain, ranks)

    def begin(self) -> LearnState:
        return self._state

    def watching(self, engine: Engine, state: LearnState) -> AbstractContextManager[None]:
        return nullcontext()

    def after_step(self, state: LearnState, loss: float) -> None: ...

    def end_round(self, state: LearnState) -> None: ...

    def while_pruning(self, state: LearnState, done: int, of: int) -> None: ...


def follow(beginning: Beginning, dataset: Dataset, ranks: Ranks) -> None:
    """Learn what the first rank learns, beside it, to the end.

    Raises:
        RankLost: another rank does not answer.
        WorkFailed: the loss overflowed, or a fit that a pruning looks at.
    """
    if not beginning.finished:
        learn_rounds(beginning.config, Follower(beginning, dataset, ranks))
