"""What both ways are given: a random pattern, random vectors, and made-up images."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from sparsine.engines.choose import make_engine
from sparsine.engines.contract import Engine
from sparsine.fields.layers import layers
from sparsine.fields.liveness import on_a_path
from sparsine.fields.mlp import MLP
from sparsine.fields.pattern import Pattern
from sparsine.measure.timing.config import CHANNELS, BenchmarkConfig
from sparsine.signals.grid import Grid

NUM_WAVES = 6


@dataclass(frozen=True)
class Problem:
    """theta (signals, params), coords (points, 2) and values (signals, points, channels), all float32."""

    engine: Engine
    theta: Tensor
    coords: Tensor
    values: Tensor

    @property
    def pattern(self) -> Pattern:
        return self.engine.pattern


def make_problem(config: BenchmarkConfig, density: float, num_signals: int) -> Problem:
    """Signal i has the vector of seed + i, and the same image in every problem."""
    pattern = random_pattern(config.field, density, config.seed)
    theta = torch.stack([random_theta(pattern, config.seed + i) for i in range(num_signals)])
    values = torch.stack([made_up_image(config.grid, config.seed, i) for i in range(num_signals)])
    engine = make_engine(pattern, config.engine, device=config.device)
    return Problem(engine, theta.to(config.device), config.grid.coords(device=config.device), values.to(config.device))


def random_pattern(field: MLP, density: float, seed: int) -> Pattern:
    """round(density * weights) survivors, drawn at random over the layers between hidden neurons. The first and the
    last layer stay full: drawn over the whole field, hardly a weight would lie between a coordinate and an output."""
    prunable = prunable_weights(field)
    rng = np.random.default_rng([seed, 0xBE])
    survivors = prunable.start + rng.permutation(len(prunable))[: round(density * len(prunable))]
    keep = torch.ones(field.num_weights, dtype=torch.bool)
    keep[prunable.start : prunable.stop] = False
    keep[torch.from_numpy(survivors)] = True
    return Pattern(field, keep)


def prunable_weights(field: MLP) -> range:
    """Places of the weights between hidden neurons; of all weights where there are none."""
    (first_out, first_in), *_, (last_out, last_in) = field.layer_shapes
    between = range(first_out * first_in, field.num_weights - last_out * last_in)
    return between if between else range(field.num_weights)


def connected_weights(pattern: Pattern) -> int:
    """Survivors on a path from a coordinate to an output. For all others no point needs work of its own: what feeds no
    output has no gradient, and what no coordinate reaches is the same everywhere."""
    return int((pattern.keep & on_a_path(pattern)).sum())


def random_theta(pattern: Pattern, seed: int) -> Float[Tensor, " params"]:
    """The field's random start on the pattern. Weights behind the first layer are divided by the root of their layer's
    density, so that sums over the few neurons that are left vary as much as sums over all did."""
    dense = pattern.field.initial_theta(seed)[None].clone()
    pairs = zip(layers(pattern.field, dense), pattern.layer_keeps(), strict=True)
    for (weight, _), keep in list(pairs)[1:]:
        weight /= max(float(keep.float().mean()), 1e-6) ** 0.5
    return pattern.gather(dense)[0].contiguous()


def made_up_image(grid: Grid, seed: int, index: int) -> Float[Tensor, "points channels"]:
    """A few slow waves and one straight edge in every channel, in [0, 1]."""
    rng = np.random.default_rng([seed, index, 0x1A])
    coords = grid.coords(dtype=torch.float64).numpy()
    phases = coords @ rng.normal(0, 3, (2, NUM_WAVES)) + rng.uniform(0, 2 * np.pi, NUM_WAVES)
    beyond_the_edge = coords @ rng.normal(0, 1, 2) > rng.normal(0, 0.3)
    image = np.cos(phases) @ rng.normal(0, 1, (NUM_WAVES, CHANNELS))
    image += beyond_the_edge[:, None] * rng.normal(0, 2, CHANNELS)
    image = (image - image.min()) / (image.max() - image.min())
    return torch.from_numpy(image.astype(np.float32))
