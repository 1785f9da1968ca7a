"""What every encoding of coordinates answers."""

from abc import ABC, abstractmethod

from jaxtyping import Float
from torch import Tensor

from sparsine.fields.described import Described


class Encoding(Described, ABC):
    """From coordinates to what the first layer is given. A frozen dataclass of its constants; nothing is learned."""

    @abstractmethod
    def width(self, num_coords: int) -> int:
        """Numbers for each point."""

    @abstractmethod
    def __call__(self, coords: Float[Tensor, "*points coords"]) -> Float[Tensor, "*points width"]:
        """In the dtype and on the device of `coords`; differentiable in them to any order."""
