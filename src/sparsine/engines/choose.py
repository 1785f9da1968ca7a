"""Which engine computes: by name, or the fastest that can."""

from collections.abc import Iterator

import torch

from sparsine.checks import check_memory
from sparsine.engines.contract import Engine
from sparsine.engines.dense import DenseEngine
from sparsine.engines.fused import TritonEngine
from sparsine.engines.native import chosen_instructions, is_built
from sparsine.engines.referee import check_values
from sparsine.engines.reference import ReferenceEngine
from sparsine.engines.sparse import SparseEngine
from sparsine.errors import BadInput
from sparsine.fields.pattern import Pattern
from sparsine.memory import is_cpu
from sparsine.registry import Registry

ENGINES: Registry[type[Engine]] = Registry(
    "engine", "sparsine.engines",
    {"reference": ReferenceEngine, "dense": DenseEngine, "sparse": SparseEngine, "triton": TritonEngine},
    wanted="a subclass of Engine", suits=lambda name, value: isinstance(value, type) and issubclass(value, Engine),
)  # fmt: skip
OWN = (ReferenceEngine, DenseEngine, SparseEngine, TritonEngine)
"""The engines that tests of this package hold against the referee."""

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
    """The engine called `name`; `auto` asks one after the other, fastest first: `sparse` before `dense` unless the
    pattern is dense and the processor old or the field very wide (on a GPU `dense`), then registered ones, `reference`
    last.

    Raises:
        BadInput: no such engine, or no such device on this machine, or one with too little memory, or an engine that
            cannot do what is asked or draws something else than the field says.
    """
    kind = engine_kind(pattern, name, device=device, dtype=dtype)
    if reason := kind.supports(pattern.field, torch.device(device), dtype):
        raise BadInput(reason)
    engine = kind(pattern, device=device, dtype=dtype)
    if not is_cpu(device):
        check_memory(f"engine '{engine.name}'", engine.workspace_bytes, "use another device, or cpu", device)
    if kind not in OWN:
        check_values(engine)
    return engine


def drawing_engine(pattern: Pattern, name: str = "auto", *, device: str = "cpu", half: bool = False) -> Engine:
    """As `make_engine`; with `half`, one that draws in half precision.

    Raises:
        BadInput: as `make_engine` does, and where none draws in half precision.
    """
    engine = make_engine(pattern, "sparse" if half and name == "auto" else name, device=device)
    if half and (reason := engine.why_not_half()):
        raise BadInput(reason)
    return engine


def engine_kind(
    pattern: Pattern, name: str = "auto", *, device: str = "cpu", dtype: torch.dtype = torch.float32
) -> type[Engine]:
    """What `make_engine` makes one of. Raises BadInput as it does, but for what an engine that is named cannot do."""
    if name != "auto" and name not in ENGINES:
        ENGINES.refuse(name, "auto")
    check_device(device)
    return _fastest(pattern, torch.device(device), dtype) if name == "auto" else ENGINES[name]


def check_device(device: str) -> None:
    """Raises BadInput unless this machine can compute on `device`."""
    try:
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError, ImportError) as error:
        raise BadInput(f"device {device!r} cannot be used here ({str(error).splitlines()[0]}); use cpu") from error


def _fastest(pattern: Pattern, device: torch.device, dtype: torch.dtype) -> type[Engine]:
    """The first that supports what is asked. Raises BadInput with every reason where none does."""
    reasons = []
    for name in _in_turn(pattern, device, dtype):
        reason = ENGINES[name].supports(pattern.field, device, dtype)
        if reason is None:
            return ENGINES[name]
        reasons.append(reason)
    raise BadInput(f"no engine can compute this: {'; '.join(reasons)}")


def _in_turn(pattern: Pattern, device: torch.device, dtype: torch.dtype) -> Iterator[str]:
    """Fastest first; those of others are looked for only when it is their turn."""
    if device.type == "cuda":
        yield from ("dense", "triton")  # no card has run these kernels yet: they are there for who names them
    else:
        yield from ["sparse", "dense"] if _sparse_wins(pattern, device, dtype) else ["dense", "sparse"]
    yield from (name for name in ENGINES if name not in ("sparse", "dense", "triton", "reference"))
    yield "reference"


def _sparse_wins(pattern: Pattern, device: torch.device, dtype: torch.dtype) -> bool:
    if device.type != "cpu" or dtype != torch.float32 or not is_built():
        return False
    if chosen_instructions() == "portable" and pattern.density > PORTABLE_UP_TO:
        return False
    return max(pattern.field.sizes) < WIDE or pattern.density <= WIDE_UP_TO
