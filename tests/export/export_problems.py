"""Fields to export, and what they draw in float64."""

import numpy as np
import torch
from kinds_of_fields import KINDS, field_like
from small_problems import Pattern, field_of, random_pattern

from sparsine.codec import FittedField
from sparsine.engines import make_engine
from sparsine.export import Exported
from sparsine.signals.grid import Grid
from sparsine.signals.kind import VALUES
from sparsine.signals.kinds import Grey, Rgb
from sparsine.starts.start import Start

WRITABLE = [kind for kind in KINDS if "radius" not in kind and "quadratic" not in kind]


def with_constants(field):
    """Neurons that only biases reach and dead ones, in every hidden level."""
    keep = torch.from_numpy(np.random.default_rng(4).random(field.num_weights) < 0.5)
    pattern = Pattern(field, keep)
    for level, layer in enumerate(pattern.layer_keeps()):
        layer[:2] = False  # constant, or dead at the end
        if level:
            layer[:, 3] = False  # dead
            layer[:, 0] = True
    return pattern


def exported(pattern, *, shape=(5, 4), name="a", seed=0, spread=0.3, gain=1.0, kind=None, **grid):
    """`gain`: how much larger the last layer's weights are than a start's, whose drawings are nearly grey."""
    field, last = pattern.field, int(list(pattern.layer_keeps())[-1].sum())
    theta = pattern.gather(field.initial_theta(seed)[None])[0]
    theta = theta + spread * theta.abs().mean() * torch.randn(
        theta.shape, generator=torch.Generator().manual_seed(seed)
    )
    theta[pattern.num_weights - last : pattern.num_weights] *= gain
    kind = kind or (Rgb() if field.out_features == 3 else Grey())
    start = Start(pattern, theta, Grid(shape=shape, **grid), kind=kind)
    return Exported(name, FittedField(start, theta, shape))


def of_kind(kind):
    return exported(random_pattern(field_like(kind, (2, 9, 7, 3), output_offset=0.5), 0.6))


def small(density=0.6, *, omega_0=9.0, channels=3, **more):
    field = field_of(2, 11, 9, 8, channels, omega_0=omega_0, output_offset=0.5)
    return exported(random_pattern(field, density), gain=omega_0 / 3, **more)


PATTERNS = {
    "sparse": random_pattern(field_of(2, 11, 9, 3, omega_0=7.0, output_offset=0.5), 0.4),
    "full": Pattern.full(field_of(2, 6, 5, 3)),
    "constants": with_constants(field_of(2, 9, 8, 7, 3, omega_0=5.0, output_offset=-0.25)),
    "all pruned": Pattern(field_of(2, 5, 4, 3), torch.zeros(5 * 2 + 20 + 12, dtype=torch.bool)),
    "one coordinate": random_pattern(field_of(1, 9, 8, 1, omega_0=30.0), 0.5),
    "three coordinates": random_pattern(field_of(3, 9, 8, 4, omega_0=30.0), 0.5),
}


def of_pattern(name):
    pattern = PATTERNS[name]
    shape = (5, 4, 3)[: pattern.field.in_features]
    return exported(pattern, shape=shape, kind=VALUES)


def some_coords(what, count=53):
    rng = np.random.default_rng(7)
    return rng.uniform(-1, 1, (count, what.cut.field.in_features)).astype(np.float32)


def expected(what, coords):
    """Of the reference in float64."""
    start = what.drawn.start
    engine = make_engine(start.pattern, "reference", dtype=torch.float64)
    given = torch.from_numpy(np.asarray(coords, dtype=np.float64))
    return engine.predict(what.drawn.theta[None].double(), given)[0].numpy()
