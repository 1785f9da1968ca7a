"""What every activation answers: enough for outputs, gradients and exact Hessian-vector products."""

from abc import ABC, abstractmethod
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from sparsine.fields.described import Described


class Activation(Described, ABC):
    """What follows the weights and biases of a hidden layer, elementwise. A frozen dataclass of its constants.

    A layer computes value(z) with z = scale(layer) * (W x + b). `h` and `slope` below are what `value` and `slope`
    said of the same z: most activations can spare themselves work by looking at them. None of the four may change a
    tensor that it is given. `value` must be made of torch operations that autograd differentiates twice: the reference
    engine does, and referees the two that are written by hand.
    """

    cost: ClassVar[float] = 5.0
    """Multiply-adds that one number is worth, roughly: for guesses of the time left."""

    def scale(self, layer: int) -> float:
        """What the pre-activation of a hidden layer is multiplied by; 0 is the first. Engines fold it into weights."""
        return 1.0

    @abstractmethod
    def value(self, z: Float[Tensor, "..."]) -> Float[Tensor, "..."]: ...

    @abstractmethod
    def slope(self, z: Float[Tensor, "..."], h: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        """The derivative of `value` at z."""

    @abstractmethod
    def curvature(
        self, z: Float[Tensor, "..."], h: Float[Tensor, "..."], slope: Float[Tensor, "..."]
    ) -> Float[Tensor, "..."]:
        """The derivative of `slope` at z: what the slope changes by."""

    @abstractmethod
    def initial_bounds(self, layer: int, n_in: int) -> tuple[float, float]:
        """Random weights and biases of a layer with `n_in` inputs are uniform within (+-weights, +-biases). The last
        layer, which no activation follows, is asked for too."""
