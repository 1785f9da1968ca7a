"""What a benchmark times, and at which sizes."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Annotated, Any, Literal

from sparsine.checks import Named, OneOf, check_choice, check_memory, check_range
from sparsine.engines.choose import ENGINES
from sparsine.errors import BadInput
from sparsine.fields.mlp import MLP
from sparsine.fields.siren import Siren
from sparsine.signals.grid import Grid

What = Literal["engines", "meta", "fit", "decode"]

CHANNELS = 3
RANGES = {
    "batch": (1, 100_000), "width": (1, 65_536), "depth": (1, 64), "size": (2, 16_384), "omega_0": (1e-6, 1e6),
    "tasks": (1, 1_000), "inner_steps": (1, 1_000), "signals": (1, 100_000), "steps": (1, 10**6),
    "repeats": (1, 1_000), "seed": (0, 2**32 - 1),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class BenchmarkConfig:
    """One benchmark: a row for every density, and for every batch where `what` has several."""

    what: What
    """engines: loss and gradient. meta: exact MAML. fit: Adam from a start. decode: values without a gradient."""
    densities: tuple[float, ...] = (1.0, 0.5, 0.2, 0.1, 0.05, 0.0115)
    """Fractions of the weights between hidden neurons that survive, drawn at random; the first and last layer stay."""
    batch: Annotated[tuple[int, ...], Named("batches", "batch")] = (1,)
    """Of engines and decode: signals in one call; a row for each."""
    width: int = 256
    """Neurons in every hidden layer."""
    depth: Annotated[int, Named("hidden-layers", "depth")] = 4
    """Hidden layers, each followed by a sine."""
    size: Annotated[Sequence[int], Named("resolution", "size")] = (178, 178)
    """Samples along each axis; every one of them is used."""
    omega_0: float = 200.0
    """Frequency of the sines."""
    tasks: int = 3
    """Of meta: signals in the outer loss."""
    inner_steps: int = 2
    """Of meta: inner SGD steps to each signal."""
    signals: Annotated[int, Named("limit", "signals")] = 16
    """Of fit: only so many signals."""
    plain_signals: int | None = None
    """Of fit: how many of them the plain way is timed on; its seconds are scaled to all. None is all of them."""
    steps: int = 100
    """Of fit: Adam steps for each signal."""
    repeats: int = 5
    """Runs of each way, taken in turns; times and peaks are their medians."""
    engine: Annotated[str, OneOf(ENGINES, "auto")] = "auto"
    """Ours: auto is the fastest of them that can."""
    device: str = "cpu"
    """cpu or cuda: where both ways compute."""
    tf32: bool = False
    """On CUDA, both ways take matrix products in TF32: ten bits of fraction instead of 23."""
    seed: int = 0
    """Decides the patterns, the random vectors and the signals."""

    def __post_init__(self) -> None:
        check_choice("what", self.what, What)
        if self.engine != "auto":
            ENGINES.named(self.engine)
        if self.tf32 and self.device.partition(":")[0] != "cuda":
            raise BadInput(f"tf32 is for CUDA, but device is {self.device}; leave it out, or say --device cuda")
        for name, (low, high) in RANGES.items():
            for value in _each(name, getattr(self, name)):
                check_range(name, value, low, high)
        if self.plain_signals is not None:
            check_range("plain_signals", self.plain_signals, 1, self.signals)
        for density in _each("densities", self.densities):
            check_range("densities", density, 0.0, 1.0)
            if round(density * self.field.num_weights) < 1:
                raise BadInput(f"densities has {density:g}, which leaves none of {self.field.num_weights} weights")

    @property
    def field(self) -> MLP:
        return Siren(sizes=(2, *[self.width] * self.depth, CHANNELS), omega_0=self.omega_0)

    @property
    def grid(self) -> Grid:
        return Grid(shape=tuple(self.size))

    @property
    def batches(self) -> tuple[int, ...]:
        """Signals that our way is given in one call."""
        return {"meta": (self.tasks,), "fit": (self.signals,)}.get(self.what, self.batch)

    @property
    def cells(self) -> list[tuple[float, int]]:
        """(density, batch) of every row."""
        return list(product(self.densities, self.batches))

    @property
    def num_plain_signals(self) -> int:
        return self.signals if self.plain_signals is None else self.plain_signals

    def check_memory(self) -> None:
        """Raises BadInput when the plain way cannot fit into this machine."""
        layer = self.grid.num_points * self.width
        # autograd keeps two arrays of a layer, its angles and its sines; a gradient that is itself
        # differentiated keeps about nine (measured)
        kept = {"meta": 9 * self.tasks * self.inner_steps * self.depth, "decode": 2}.get(self.what, 2 * self.depth)
        vectors = max(self.batches) * (self.field.num_weights + self.field.num_biases)
        values = max(self.batches) * self.grid.num_points * CHANNELS
        check_memory("this benchmark", 4 * (kept * layer + 3 * vectors + 2 * values), "lower --resolution, --width, "
                     "--hidden-layers, --batch, --limit, --tasks or --inner-steps")  # fmt: skip


def _each(name: str, value: Any) -> tuple[Any, ...]:
    """The numbers of an option that has several, or the one that it has."""
    values = value if isinstance(value, tuple) else (value,)
    if not values:
        raise BadInput(f"{name} is empty, but it must hold at least one number")
    return values
