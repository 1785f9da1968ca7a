"""What the outer loop asks of whatever is learned: where it begins, and its gradient."""

from typing import NamedTuple, Protocol, TypeVar, runtime_checkable

from jaxtyping import Float
from torch import Tensor

from sparsine.engines.contract import Engine
from sparsine.meta.maml import InnerConfig, Tasks, meta_gradient
from sparsine.meta.ranks import Share

S = TypeVar("S")


class Form(NamedTuple):
    """How checkpoints of a learner are written, so that none is taken for one of another."""

    format: str
    vector: str
    """The name of its numbers."""
    what: str = ""
    """In messages: 'the outer loss' of what."""


START = Form("sparsine-checkpoint", "theta")
"""Of a start, which is a vector itself."""


@runtime_checkable
class Learner(Protocol[S]):
    """Something that Adam can move: a value of any class, and its numbers in one flat vector. One class like this is
    all that a new idea of what to learn needs: steps are the loop's; logs, checkpoints and going on the keeper's."""

    form: Form

    def initial(self) -> S:
        """Before the first step; the same at every call."""

    def to_vector(self, learned: S) -> Float[Tensor, " numbers"]: ...

    def from_vector(self, vector: Float[Tensor, " numbers"]) -> S: ...

    def gradient(self, learned: S, tasks: Tasks) -> tuple[Float[Tensor, ""], Float[Tensor, " numbers"]]:
        """The outer loss, and its gradient with respect to the vector; both averaged over the tasks."""


class StartLearner:
    """A start on one pattern, by the meta-gradient that `inner` says."""

    form = START

    def __init__(
        self, engine: Engine, inner: InnerConfig, theta: Float[Tensor, " params"], share: Share | None = None
    ) -> None:
        """`theta`: where it begins. `share`: the ranks that take the tasks of a step together."""
        self.engine, self.inner, self.theta, self.share = engine, inner, theta, share

    def initial(self) -> Tensor:
        return self.theta

    def to_vector(self, learned: Tensor) -> Tensor:
        return learned

    def from_vector(self, vector: Tensor) -> Tensor:
        return vector

    def gradient(self, learned: Tensor, tasks: Tasks) -> tuple[Tensor, Tensor]:
        """Raises RankLost where another rank does not answer."""
        return meta_gradient(self.engine, learned, tasks, self.inner, self.share)
