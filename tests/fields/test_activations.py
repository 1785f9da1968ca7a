"""Slope and curvature against autograd, constants, random starts, and what is refused."""

from dataclasses import dataclass, replace
from typing import ClassVar

import jaxtyping
import pytest
import torch
from kinds_of_fields import ACTIVATIONS_TRIED, Quadratic, registered

from sparsine.errors import BadInput
from sparsine.fields import ACTIVATIONS, MLP, Activation, Siren, layers
from sparsine.fields.activations import Finer, Gauss, Relu, Sine
from sparsine.fields.described import from_description


@pytest.fixture
def unchecked(monkeypatch):
    """As for a user: without the checker of annotations, which would refuse some of this first."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


each_activation = pytest.mark.parametrize("activation", ACTIVATIONS_TRIED.values(), ids=ACTIVATIONS_TRIED.keys())


def pre_activations():
    generator = torch.Generator().manual_seed(1)
    spread = [size * torch.randn(300, generator=generator, dtype=torch.float64) for size in (0.1, 1, 4)]
    return torch.cat([*spread, torch.tensor([0.0, 1e-9, -1e-9, 1.0, -1.0, 30.0], dtype=torch.float64)])


def derivative(function, z):
    z = z.clone().requires_grad_()
    return torch.autograd.grad(function(z).sum(), z)[0]


@each_activation
def test_slope_and_curvature_are_the_derivatives_of_the_value(activation):
    z = pre_activations()
    h = activation.value(z)
    slope = activation.slope(z, h)
    torch.testing.assert_close(slope, derivative(activation.value, z), rtol=1e-12, atol=1e-12)
    bend = derivative(lambda z: activation.slope(z, activation.value(z)), z) if activation != Relu() else 0 * z
    torch.testing.assert_close(activation.curvature(z, h, slope), bend, rtol=1e-11, atol=1e-11)


@each_activation
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_what_an_activation_is_given_stays_as_it_was_and_so_does_its_type(activation, dtype):
    z = pre_activations().to(dtype).reshape(3, -1)
    given = z.clone()
    h = activation.value(z)
    kept = h.clone()
    slope = activation.slope(z, h)
    kept_slope = slope.clone()
    bend = activation.curvature(z, h, slope)
    assert torch.equal(z, given)
    assert torch.equal(h, kept)
    assert torch.equal(slope, kept_slope)
    assert all(t.shape == z.shape and t.dtype == dtype for t in (h, slope, bend))


def test_activations_are_the_papers_formulas_worked_out_by_hand():
    u = torch.tensor([-0.7, 0.0, 0.3], dtype=torch.float64)
    for activation, expected in (
        (Sine(omega_0=5.0, omega_first=2.0), torch.sin(5 * u)),
        (Finer(omega_0=5.0), torch.sin(5 * (u.abs() + 1) * u)),
        (Gauss(sigma=0.2), torch.exp(-(u**2) / (2 * 0.2**2))),
        (Relu(), torch.tensor([0.0, 0.0, 0.3], dtype=torch.float64)),
    ):
        torch.testing.assert_close(activation.value(activation.scale(1) * u), expected, rtol=1e-14, atol=0)
    torch.testing.assert_close(Sine(omega_0=5.0, omega_first=2.0).scale(0) * u, 2 * u)
    assert Sine(omega_0=5.0).scale(0) == Sine(omega_0=5.0).scale(3) == 5.0


@pytest.mark.parametrize(
    ("activation", "bounds"),
    [
        (Sine(omega_0=8.0, omega_first=20.0), [(1 / 2, 1 / 2), (6**0.5 / 5 / 8,) * 2, (6**0.5 / 5 / 8,) * 2]),
        (Finer(omega_0=8.0, first_bias=3.0), [(1 / 2, 3.0), (6**0.5 / 5 / 8,) * 2, (6**0.5 / 5 / 8,) * 2]),
        (Finer(omega_0=8.0), [(1 / 2, 1 / 2), (6**0.5 / 5 / 8,) * 2, (6**0.5 / 5 / 8,) * 2]),
        (Gauss(sigma=0.3), [(2**-0.5,) * 2, (1 / 5,) * 2, (1 / 5,) * 2]),
        (Relu(), [(3**0.5, 0.0), (6**0.5 / 5, 0.0), (6**0.5 / 5, 0.0)]),
    ],
)
def test_random_starts_fill_the_bounds_of_their_papers(activation, bounds):
    field = MLP(sizes=(2, 25, 25, 60), activation=activation)
    parts = layers(field, field.initial_theta(seed=4)[None])
    for (weight, bias), (of_weights, of_biases) in zip(parts, bounds, strict=True):
        for part, bound in ((weight, of_weights), (bias, of_biases)):
            assert part.abs().max() <= bound * (1 + 1e-6)
            assert part.abs().max() >= 0.8 * bound


def test_a_sirens_random_start_has_the_bits_it_always_had():
    theta = Siren(sizes=(2, 3, 1), omega_0=30.0).initial_theta(seed=7)
    expected = [
        0.4889414310455322,
        0.4860025942325592,
        -0.019257573410868645,
        -0.04260857403278351,
        -0.004127406515181065,
    ]
    assert theta[[0, 5, 6, 9, -1]].tolist() == expected


@each_activation
def test_an_activation_survives_its_description(activation):
    with registered(Quadratic):
        again = from_description(activation.to_dict(), ACTIVATIONS)
    assert again == activation
    assert hash(again) == hash(activation)


def test_one_frequency_in_all_layers_has_one_description():
    assert Sine(omega_0=30.0, omega_first=30.0) == Sine(omega_0=30.0)
    assert Sine(omega_0=30.0, omega_first=30.0).to_dict() == {"name": "sine", "omega_0": 30.0, "omega_first": None}
    assert Sine(omega_0=30.0, omega_first=60.0) != Sine(omega_0=30.0)


@pytest.mark.parametrize("bad", [0.0, -1.0, float("inf"), float("nan")])
@pytest.mark.parametrize(
    ("kind", "constant"),
    [(Sine, "omega_0"), (Sine, "omega_first"), (Finer, "omega_0"), (Finer, "first_bias"), (Gauss, "sigma")],
)
def test_constants_that_are_no_size_are_refused(kind, constant, bad):
    with pytest.raises(BadInput, match=f"{constant} must be positive and finite, but got {bad}"):
        kind(**{constant: bad})


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"name": "swish"}, "unknown activation 'swish'; known are sine, finer, gauss, relu"),
        ({"name": "sine", "omega": 3.0}, "are not the constants of activation 'sine'"),
        ({"name": "gauss", "sigma": "wide"}, "are not the constants of activation 'gauss'"),
        ({"name": "gauss", "sigma": None}, "are not the constants of activation 'gauss'"),
        ({"name": ["sine"]}, "not the description of an activation"),
        ({"omega_0": 3.0}, "not the description of an activation"),
        ("sine", "not the description of an activation"),
        (None, "not the description of an activation"),
    ],
)
def test_a_description_of_something_else_is_refused(unchecked, data, words):
    with pytest.raises(BadInput, match=words) as error:
        from_description(data, ACTIVATIONS)
    assert "\n" not in str(error.value)


def test_what_is_no_activation_is_refused_by_a_field(unchecked):
    class Undescribed(Activation):
        name: ClassVar[str] = "undescribed"
        value = slope = curvature = initial_bounds = None

    @dataclass(frozen=True)
    class Nameless(Quadratic):
        name: ClassVar[str] = None

    with pytest.raises(BadInput, match="activation must be of the class Activation, but got 'sine'"):
        replace(MLP(sizes=(2, 3, 1)), activation="sine")
    with pytest.raises(BadInput, match="activation Undescribed must be a frozen dataclass with a `name`"):
        MLP(sizes=(2, 3, 1), activation=Undescribed())
    with pytest.raises(BadInput, match="activation Nameless must be a frozen dataclass"):
        MLP(sizes=(2, 3, 1), activation=Nameless())
