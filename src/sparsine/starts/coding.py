"""What a start knows about coding vectors fitted from it: numbers that are paid once for a collection.

How they are used is described byte for byte in docs/format.md; codec/calibrate.py chooses them.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from sparsine.errors import BadInput

CODING_VERSION = 1
SURVIVAL_POINTS = 257
"""Entries of `survival`: the distance from 0 to 16 scales in sixteenths of a scale."""
WHOLE = 1 << 30
"""The first entry of `survival`."""
MAX_EXPONENT = 1024
"""Bound of `step` and `scale`, in sixteenths of an octave: steps from 2**-64 to 2**64."""


@dataclass(frozen=True, eq=False)
class CodingTables:
    """Per parameter: where its values lie, how far they spread, their quantisation steps; and one shape for all."""

    centre: Float[Tensor, " params"]
    """float32: what is coded is the distance of a fitted vector from here."""
    step: Int[Tensor, " params"]
    """int16: the quantisation step at the default quality is 2**(step / 16)."""
    scale: Int[Tensor, " params"]
    """int16: fitted values spread over about 2**(scale / 16) around the centre."""
    survival: Int[Tensor, " distances"]
    """int32, the survival function (one minus the cumulative distribution): how many of 2**30 values lie further from
    the centre than 0, 1/16, 2/16, ..., 16 scales. Files call it `coding_tails`."""

    def __post_init__(self) -> None:
        num_params = self.centre.shape[0] if self.centre.ndim == 1 else -1
        kinds = {"centre": torch.float32, "step": torch.int16, "scale": torch.int16, "survival": torch.int32}
        lengths = {"centre": num_params, "step": num_params, "scale": num_params, "survival": SURVIVAL_POINTS}
        for name, kind in kinds.items():
            tensor = getattr(self, name)
            if tensor.dtype != kind or tensor.shape != (lengths[name],):
                raise BadInput(
                    f"coding tables need {name} of {lengths[name]} numbers of {kind}, "
                    f"but got {tuple(tensor.shape)} of {tensor.dtype}"
                )
        if not torch.isfinite(self.centre).all():
            raise BadInput("the centre of coding tables holds numbers that are not finite")
        for name in ("step", "scale"):
            exponents = getattr(self, name).int()
            if exponents.numel() and int(exponents.abs().max()) > MAX_EXPONENT:
                raise BadInput(f"{name} of coding tables must lie between -{MAX_EXPONENT} and {MAX_EXPONENT}")
        if int(self.survival[0]) != WHOLE or bool((self.survival.diff() > 0).any()) or int(self.survival[-1]) < 0:
            raise BadInput(f"the survival function (coding_tails) must fall from {WHOLE} and never below 0")

    def to_tensors(self) -> dict[str, Tensor]:
        """As they lie in a start's file."""
        return {_tensor_name(name): getattr(self, name) for name in ("centre", "scale", "step", "survival")}

    @classmethod
    def from_tensors(cls, tensors: dict[str, Tensor]) -> "CodingTables":
        """Raises BadInput when one is missing or is not what it should be."""
        try:
            return cls(*(tensors[_tensor_name(name)] for name in ("centre", "step", "scale", "survival")))
        except KeyError as error:
            raise BadInput(f"the coding tables are not whole: {error} is missing") from error


def _tensor_name(name: str) -> str:
    """In files, whose names are frozen."""
    return "coding_tails" if name == "survival" else f"coding_{name}"
