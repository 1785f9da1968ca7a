"""Which engine computes: by name, or by device and density."""

import torch

from sparsine.engines.contract import Engine
from sparsine.engines.dense import DenseEngine
from sparsine.engines.reference import ReferenceEngine
from sparsine.errors import BadInput
from sparsine.fields.pattern import Pattern

ENGINES: dict[str, type[Engine]] = {"reference": ReferenceEngine, "dense": DenseEngine}


def make_engine(
    pattern: Pattern, name: str = "auto", *, device: str = "cpu", dtype: torch.dtype = torch.float32
) -> Engine:
    """The engine called `name`; `auto` picks the fastest that can do it, which today is `dense` everywhere.

    Raises:
        BadInput: no such engine, or no such device on this machine.
    """
    if name != "auto" and name not in ENGINES:
        raise BadInput(f"unknown engine {name!r}; use auto, {', '.join(ENGINES)}")
    try:
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError, ImportError) as error:
        raise BadInput(f"device {device!r} cannot be used here ({str(error).splitlines()[0]}); use cpu") from error
    return ENGINES["dense" if name == "auto" else name](pattern, device=device, dtype=dtype)
