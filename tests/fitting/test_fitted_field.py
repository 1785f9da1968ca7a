"""A decoded field drawn whole, in part, at points, and differentiated."""

import numpy as np
import pytest
import torch
from codec_problems import make_start, moved
from small_problems import field_of

from sparsine.errors import BadInput
from sparsine.fields import Pattern, forward
from sparsine.fitting import FittedField, fitted_field
from sparsine.fitting.collection import render
from sparsine.signals.grid import Grid
from sparsine.signals.kinds.globe import Globe
from sparsine.signals.sphere import Sphere
from sparsine.starts.start import Start

ALIGNMENTS = ["corners", "centers", "lower"]


def fitted(alignment="centers", axis_order="reversed", shape=(9, 4)):
    start = make_start()
    grid = Grid(shape=(6, 5), extent=((-1.0, 2.0), (0.5, 0.75)), alignment=alignment, axis_order=axis_order)
    start = Start(start.pattern, start.theta, grid)
    return FittedField(start, moved(start, far=0.05), shape)


def test_a_drawing_at_its_own_size_has_the_coordinates_that_were_fitted():
    field = fitted()
    (expected,) = render(field.start, [field.theta], (9, 4))
    assert field.render().tobytes() == expected.tobytes()
    assert field.render(region=(0, 0, 1, 1)).tobytes() == expected.tobytes()
    assert field.render(size=(9, 4), region=(0, 0, 1, 1)).tobytes() == expected.tobytes()


@pytest.mark.parametrize("alignment", ALIGNMENTS)
@pytest.mark.parametrize("axis_order", ["array", "reversed"])
def test_a_magnified_region_is_the_part_of_a_whole_drawing_of_that_magnification(alignment, axis_order):
    field = fitted(alignment, axis_order)
    whole = field.render(size=(40, 60))
    part = field.render(size=(10, 12), region=(0.25, 0.4, 0.5, 0.6))
    assert np.allclose(part, whole[10:20, 24:36], atol=2e-5)
    assert not np.allclose(part, whole[11:21, 24:36], atol=1e-4)
    assert not np.allclose(part, whole[10:20, 25:37], atol=1e-4)


@pytest.mark.parametrize("alignment", ALIGNMENTS)
def test_one_sample_of_a_region_is_that_of_the_whole(alignment):
    field = fitted(alignment)
    whole = field.render(size=(8, 5))
    assert np.allclose(field.render(size=(1, 1), region=(0.375, 0.2, 0.5, 0.4)), whole[3:4, 1:2], atol=2e-5)


def test_tiles_of_a_deep_zoom_join_without_a_seam():
    field = fitted()
    a = field.render(size=(4, 4), region=(0.5, 0.25, 0.5 + 2**-12, 0.25 + 2**-12))
    left = field.render(size=(4, 2), region=(0.5, 0.25, 0.5 + 2**-12, 0.25 + 2**-13))
    right = field.render(size=(4, 2), region=(0.5, 0.25 + 2**-13, 0.5 + 2**-12, 0.25 + 2**-12))
    assert np.allclose(a, np.concatenate([left, right], axis=1), atol=1e-5)


def test_a_region_without_a_size_is_drawn_at_the_signals_own_magnification():
    assert fitted(shape=(100, 40)).render(region=(0.1, 0.0, 0.2, 0.75)).shape == (10, 30, 3)
    assert fitted().render(region=(0.1, 0.0, 0.11, 0.75)).shape == (1, 3, 3)


def test_a_drawing_in_many_blocks_is_the_same(monkeypatch):
    whole = fitted().render(size=(31, 17))
    monkeypatch.setattr(fitted_field, "BLOCK_POINTS", 23)
    assert np.allclose(fitted().render(size=(31, 17)), whole, atol=1e-6)


def test_values_at_coordinates_are_those_of_the_drawing():
    field = fitted()
    coords = field.domain.coords().reshape(9, 4, 2)
    assert np.allclose(field(coords), field.render(), atol=1e-6)
    assert np.allclose(field(coords.numpy()[3, 2]), field.render()[3, 2], atol=1e-6)
    assert field(coords.numpy()[:0]).shape == (0, 4, 3)
    assert field([[0.1, -0.3]]).shape == (1, 3)


@pytest.mark.parametrize("call", [
    lambda f: f.render(size=(0, 5)), lambda f: f.render(size=(5,)), lambda f: f.render(region=(0, 0, 1)),
    lambda f: f.render(region=(0.5, 0, 0.5, 1)), lambda f: f.render(region=(0, 0, 1, 1.01)),
    lambda f: f.render(region=(float("nan"), 0, 1, 1)), lambda f: f.render(engine="none"),
    lambda f: f.render(size=(2**28, 2**28)), lambda f: f([[1.0, 2.0, 3.0]]),
])  # fmt: skip
def test_what_cannot_be_drawn_is_refused(call):
    with pytest.raises(BadInput):
        call(fitted())


def test_a_vector_of_another_length_is_no_field_of_the_start():
    with pytest.raises(BadInput, match="numbers"):
        FittedField(make_start(), make_start().theta[1:], (4, 4))


def test_the_module_draws_the_same_and_its_derivatives_are_those_of_finite_differences():
    field = fitted()
    coords = field.domain.coords(torch.float64)[::5].clone().requires_grad_()
    module = field.as_module(torch.float64)
    drawn = field.render().reshape(-1, 3)[::5]
    assert np.allclose(module(coords).detach().numpy(), drawn, atol=1e-5)
    weight = torch.linspace(0.5, 1.5, 3, dtype=torch.float64)
    (slope,) = torch.autograd.grad((module(coords) @ weight).sum(), coords, create_graph=True)
    h = 1e-5
    for axis in range(2):
        step = torch.zeros(2, dtype=torch.float64)
        step[axis] = h
        difference = (module(coords + step) - module(coords - step)) @ weight / (2 * h)
        assert torch.allclose(slope[:, axis], difference, rtol=1e-6, atol=1e-7)
    assert torch.autograd.gradgradcheck(module, coords[:2].detach().requires_grad_())


def test_training_the_module_brings_no_pruned_weight_back():
    field = fitted()
    module = field.as_module()
    before = field.theta.clone()
    module(torch.rand(7, 2)).square().sum().backward()
    assert module.theta.grad.shape == field.theta.shape
    with torch.no_grad():
        module.theta += 1.0
    assert torch.equal(field.theta, before)
    assert field.start.pattern.scatter(module.theta.detach()[None]).count_nonzero() <= field.theta.numel()


def plain_values(module, coords):
    return forward(module.pattern, module.theta.double(), coords.double())


@pytest.mark.parametrize("shape", [(7, 2), (2,), (3, 1, 2), (0, 2), (1, 2)])
def test_the_module_and_its_gradients_are_those_of_plain_operations_for_coordinates_of_any_shape(shape):
    module = fitted().as_module()
    coords = torch.rand(shape, generator=torch.Generator().manual_seed(3)).requires_grad_()
    values = torch.rand(*shape[:-1], 3, generator=torch.Generator().manual_seed(4))
    assert np.allclose(module(coords).detach(), plain_values(module, coords).detach(), atol=1e-5)
    if coords.numel() == 0:
        return
    losses = [lambda: module.mse(coords, values), lambda: (module(coords) - values).square().mean()]
    for wanted in ((module.theta,), (module.theta, coords)):
        expected = torch.autograd.grad((plain_values(module, coords) - values).square().mean(), wanted)
        for loss in losses:
            for found, exact in zip(torch.autograd.grad(loss(), wanted), expected, strict=True):
                assert torch.allclose(found, exact, rtol=1e-4, atol=1e-5 * float(exact.abs().max()))


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_a_module_that_was_converted_is_computed_in_its_own_type(dtype):
    module = fitted().as_module().to(dtype)
    coords = torch.rand(5, 2, generator=torch.Generator().manual_seed(3)).to(dtype)
    assert module(coords).dtype == module.mse(coords, module(coords).detach() + 1).dtype == dtype


@pytest.mark.parametrize(("coords", "says"), [
    (torch.rand(4, 3), r"must be \(\.\.\., 2\), but are \(4, 3\)"),
    (torch.rand(4, 2, dtype=torch.float64), "this module is torch.float32 on cpu, but coordinates are torch.float64"),
    (torch.rand(4, 2, device="meta"), "on meta; convert them"),
])  # fmt: skip
def test_coordinates_that_are_not_the_modules_are_refused_in_one_line(coords, says):
    module = fitted().as_module()
    for call in (lambda: module(coords), lambda: module.mse(coords, torch.rand(4, 3))):
        with pytest.raises(BadInput, match=says) as refused:
            call()
        assert "\n" not in str(refused.value)


def test_values_of_another_shape_are_refused():
    with pytest.raises(BadInput, match=r"values at these coordinates must be \(4, 3\), but are \(4, 2\)"):
        fitted().as_module().mse(torch.rand(4, 2), torch.rand(4, 2))


def test_a_field_of_one_axis_is_drawn_too():
    spec = field_of(1, 4, 2)
    start = Start(Pattern.full(spec), spec.initial_theta(0), Grid(shape=(7,)))
    field = FittedField(start, start.theta, (7,))
    assert np.allclose(field.render(size=(5,), region=(0.5, 1.0)), field.render(size=(10,))[5:], atol=1e-6)


def test_a_field_on_a_sphere_is_asked_at_degrees_and_answers_in_its_unit():
    field, rng = field_of(3, 9, 1, omega_0=2.0), np.random.default_rng(0)
    kind = Globe(lowest=200, highest=300)
    start = Start(Pattern.full(field), field.initial_theta(0), Sphere(shape=(5, 8)), kind=kind)
    fitted = FittedField(start, start.theta, (5, 8))
    drawn = 200 + 100 * fitted.render()
    latitudes, longitudes = np.linspace(90, -90, 5), np.linspace(0, 360, 8)
    assert np.allclose(fitted(latitudes[:, None], longitudes), drawn, atol=1e-3)
    assert np.allclose(fitted(latitudes[:, None], longitudes - 360), drawn, atol=1e-3)
    assert np.allclose(fitted(90, rng.uniform(-180, 180, 6)), drawn[0, 0], atol=1e-3)  # one pole, one value
    assert fitted(52.5, 13.4).shape == (1,)
    for latitude in (91, np.nan):
        with pytest.raises(BadInput, match="latitudes must run from -90 to 90"):
            fitted(latitude, 0)


def test_degrees_are_refused_where_there_is_no_sphere():
    field = field_of(2, 9, 1)
    start = Start(Pattern.full(field), field.initial_theta(0), Grid(shape=(5, 8)))
    with pytest.raises(BadInput, match="does not lie on a sphere"):
        FittedField(start, start.theta, (5, 8))(52.5, 13.4)
