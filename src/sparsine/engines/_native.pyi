from typing import Any

from numpy.typing import NDArray
from torch import Tensor

def instruction_sets() -> list[str]: ...
def draws_half(instructions: str) -> bool: ...
def activations() -> list[str]: ...
def constants(activation: str) -> list[str]: ...
def sine_and_slope(instructions: str, half_turns: Tensor, sine: Tensor, slope: Tensor) -> None: ...
def value_and_slope(activation: str, instructions: str, z: Tensor, value: Tensor, slope: Tensor) -> None: ...

class Engine:
    def __init__(
        self,
        sizes: list[int],
        keep: NDArray[Any],
        omega_0: float,
        output_offset: float,
        instructions: str,
        activation: str = "sine",
        omega_first: float | None = None,
    ) -> None: ...
    def predict(self, theta: Tensor, coords: Tensor, out: Tensor, num_threads: int, half: bool = False) -> None: ...
    def loss_and_grad(
        self,
        theta: Tensor,
        coords: Tensor,
        values: Tensor,
        loss: Tensor,
        grad: Tensor,
        num_threads: int,
        weights: Tensor | None = None,
    ) -> None: ...
    def vjp(
        self,
        theta: Tensor,
        coords: Tensor,
        cotangents: Tensor,
        theta_grad: Tensor,
        coords_grad: Tensor | None,
        num_threads: int,
    ) -> None: ...
    def hvp(
        self,
        theta: Tensor,
        v: Tensor,
        coords: Tensor,
        values: Tensor,
        out: Tensor,
        num_threads: int,
        weights: Tensor | None = None,
    ) -> None: ...
    @property
    def instructions(self) -> str: ...
    @property
    def alive(self) -> list[int]: ...
    @property
    def draws_half(self) -> bool: ...
