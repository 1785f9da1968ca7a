"""Small made-up fields, samples and sets of signals. Sizes are odd and nothing is special, on purpose."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from hypothesis import settings

from sparsine.errors import UnreadableSignal
from sparsine.fields import Pattern, Siren
from sparsine.signals.dataset import SignalSet

# Arrays this small gain nothing from threads, and on a busy machine threads that wait for one another cost minutes.
torch.set_num_threads(1)

# Repeatable: every run draws the same examples; a failing one is printed whole.
repeatable = settings(derandomize=True, deadline=None, database=None, max_examples=60)


@dataclass(frozen=True)
class Problem:
    """What every engine is asked with: one row of theta, v and values per signal."""

    pattern: Pattern
    theta: torch.Tensor
    v: torch.Tensor
    coords: torch.Tensor
    values: torch.Tensor

    @property
    def samples(self):
        return self.coords, self.values

    def to(self, dtype):
        return replace(self, **{k: getattr(self, k).to(dtype) for k in ("theta", "v", "coords", "values")})

    def row(self, i):
        """The problem of one signal."""
        coords = self.coords if self.coords.ndim == 2 else self.coords[i : i + 1]
        one = slice(i, i + 1)
        return Problem(self.pattern, self.theta[one], self.v[one], coords, self.values[one])


def random_keep(field, density, seed=0):
    """Every weight survives with probability `density`."""
    return torch.from_numpy(np.random.default_rng([seed, 1]).random(field.num_weights) < density)


def random_pattern(field, density=0.6, seed=0):
    return Pattern(field, random_keep(field, density, seed))


def make_problem(pattern, *, signals=3, points=11, own_coords=False, seed=0):
    """float64. Vectors are of the size that the paper's start has, each signal's a different one."""
    field, rng = pattern.field, np.random.default_rng([seed, 2])
    shape = (signals, points) if own_coords else (points,)

    def normal(*size):
        return torch.from_numpy(rng.normal(size=size))

    dense = torch.stack([field.initial_theta(seed + i).double() for i in range(signals)])
    theta = pattern.gather(dense) * (1 + 0.3 * normal(signals, pattern.num_params))
    return Problem(
        pattern,
        theta,
        v=normal(signals, pattern.num_params),
        coords=torch.from_numpy(rng.uniform(-1, 1, (*shape, field.in_features))),
        values=normal(signals, points, field.out_features),
    )


def relative_error(found, expected):
    """Largest difference in a row (one per signal), over the largest number of that row.

    Single entries cannot be compared one by one: a small one is the difference of large terms, whose rounding it keeps.
    """
    found, expected = found.reshape(len(found), -1).double(), expected.reshape(len(expected), -1).double()
    scale = expected.abs().amax(dim=1).clamp_min(1e-30)
    return float(((found - expected).abs().amax(dim=1) / scale).max())


def answers(engine, problem):
    """Everything that an engine can be asked, by name."""
    loss, grad = engine.loss_and_grad(problem.theta, *problem.samples)
    return {
        "predict": engine.predict(problem.theta, problem.coords),
        "loss": loss,
        "loss alone": engine.loss(problem.theta, *problem.samples),
        "gradient": grad,
        "hvp": engine.hvp(problem.theta, problem.v, *problem.samples),
    }


class MadeUpSignals(SignalSet):
    """`count` random signals; those at `unreadable` raise. `loaded` lists what was asked for."""

    def __init__(self, count, shape=(5, 3), channels=2, unreadable=()):
        self.shape, self.channels, self.unreadable = shape, channels, set(unreadable)
        self.count, self.loaded = count, []

    def __len__(self):
        return self.count

    def name(self, index):
        return f"signal-{index}"

    def load(self, index):
        assert 0 <= index < self.count
        self.loaded.append(index)
        if index in self.unreadable:
            raise UnreadableSignal(f"signal-{index}: made to fail")
        rng = np.random.default_rng([index, 3])
        return rng.random((*self.shape, self.channels), dtype=np.float32)


def field_of(*sizes, omega_0=3.0, output_offset=0.0):
    return Siren(sizes=sizes, omega_0=omega_0, output_offset=output_offset)
