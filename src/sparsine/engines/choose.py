"""Which engine computes: by name, or by device, dtype, density and width."""

import torch

from sparsine.engines.contract import Engine
from sparsine.engines.dense import DenseEngine
from sparsine.engines.native import chosen_instructions, is_built
from sparsine.engines.reference import ReferenceEngine
from sparsine.engines.sparse import SparseEngine
from sparsine.errors import BadInput
from sparsine.fields.pattern import Pattern

ENGINES: dict[str, type[Engine]] = {"reference": ReferenceEngine, "dense": DenseEngine, "sparse": SparseEngine}

# Where `auto` leaves the CPU to the dense engine (measured, results/benchmarks/engine_choice.json): without AVX2 the
# compiled code has vectors of four and the matrix library's are longer; in very wide and nearly full layers a tile
# outgrows the cache.
PORTABLE_UP_TO = 0.3
"""Density up to which the portable build of the sparse engine wins."""
WIDE, WIDE_UP_TO = 1024, 0.7
"""Width from which, and density up to which, the sparse engine still wins."""


def make_engine(
    pattern: Pattern, name: str = "auto", *, device: str = "cpu", dtype: torch.dtype = torch.float32
) -> Engine:
    """The engine called `name`; `auto` picks the fastest that can do it: `sparse` for float32 on the CPU, unless
    the pattern is dense and the processor old or the field very wide; `dense` otherwise.

    Raises:
        BadInput: no such engine, or no such device on this machine, or an engine that cannot do what is asked.
    """
    if name != "auto" and name not in ENGINES:
        raise BadInput(f"unknown engine {name!r}; use auto, {', '.join(ENGINES)}")
    check_device(device)
    if name == "auto":
        name = "sparse" if _sparse_wins(pattern, torch.device(device), dtype) else "dense"
    return ENGINES[name](pattern, device=device, dtype=dtype)


def check_device(device: str) -> None:
    """Raises BadInput unless this machine can compute on `device`."""
    try:
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError, ImportError) as error:
        raise BadInput(f"device {device!r} cannot be used here ({str(error).splitlines()[0]}); use cpu") from error


def _sparse_wins(pattern: Pattern, device: torch.device, dtype: torch.dtype) -> bool:
    if device.type != "cpu" or dtype != torch.float32 or not is_built():
        return False
    if chosen_instructions() == "portable" and pattern.density > PORTABLE_UP_TO:
        return False
    return max(pattern.field.sizes) < WIDE or pattern.density <= WIDE_UP_TO
