"""Every activation and every encoding, with constants that are not their defaults, and one of each that is made up."""

from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from typing import ClassVar

import torch

from sparsine.fields import ACTIVATIONS, ENCODINGS, MLP, Activation, Encoding
from sparsine.fields.activations import Finer, Gauss, Relu, Sine
from sparsine.fields.encodings import FourierFeatures, Identity


@dataclass(frozen=True, kw_only=True)
class Quadratic(Activation):
    """1 / (1 + (a z)^2): another of Ramasinghe and Lucey's."""

    name: ClassVar[str] = "quadratic"

    a: float = 3.0

    def value(self, z):
        return 1 / (1 + (self.a * z) ** 2)

    def slope(self, z, h):
        return -2 * self.a**2 * z * h * h

    def curvature(self, z, h, slope):
        return -2 * self.a**2 * (h * h + 2 * z * h * slope)

    def initial_bounds(self, layer, n_in):
        return n_in**-0.5, n_in**-0.5


@dataclass(frozen=True, kw_only=True)
class Radius(Encoding):
    """How far from a point: fewer numbers than there are coordinates."""

    name: ClassVar[str] = "radius"

    centre: float = 0.25

    def width(self, num_coords):
        return 1

    def __call__(self, coords):
        return (coords - self.centre).square().sum(dim=-1, keepdim=True).add(0.01).sqrt()


ACTIVATIONS_TRIED = {
    "sine": Sine(omega_0=4.0), "sine, first": Sine(omega_0=2.5, omega_first=7.0), "finer": Finer(omega_0=3.0),
    "finer, bias": Finer(omega_0=2.0, first_bias=1.5), "gauss": Gauss(sigma=0.4), "relu": Relu(),
    "quadratic": Quadratic(a=2.0),
}  # fmt: skip
ENCODINGS_TRIED = {
    "none": Identity(), "fourier": FourierFeatures(num_frequencies=3, frequency_scale=0.4, frequency_seed=5),
    "radius": Radius(),
}  # fmt: skip
KINDS = {
    f"{a}, {e}": (ACTIVATIONS_TRIED[a], ENCODINGS_TRIED[e]) for a, e in product(ACTIVATIONS_TRIED, ENCODINGS_TRIED)
}


def field_like(kind, sizes, output_offset=0.0):
    """A field of one of KINDS."""
    activation, encoding = KINDS[kind]
    return MLP(sizes=tuple(sizes), activation=activation, encoding=encoding, output_offset=output_offset)


@contextmanager
def registered(*kinds):
    """As a user's file does it, and undone again."""
    registries = [ACTIVATIONS if issubclass(kind, Activation) else ENCODINGS for kind in kinds]
    for kind, registry in zip(kinds, registries, strict=True):
        assert kind.name not in registry
        registry[kind.name] = kind
    try:
        yield
    finally:
        for kind, registry in zip(kinds, registries, strict=True):
            del registry[kind.name]


def unlike_zero(problem):
    """Biases that begin at zero would hide what is wrong with them."""
    theta = problem.theta.clone()
    biases = theta[:, problem.pattern.num_weights :]
    biases += 0.2 * torch.randn(biases.shape, generator=torch.Generator().manual_seed(3), dtype=theta.dtype)
    return theta
