"""No encoding."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from sparsine.fields.encodings.contract import Encoding


@dataclass(frozen=True)
class Identity(Encoding):
    """Coordinates as they are."""

    name: ClassVar[str] = "none"

    def width(self, num_coords: int) -> int:
        return num_coords

    def __call__(self, coords: Tensor) -> Tensor:
        return coords
