"""Where the pixels of a window lie, and what is drawn where float32 ends."""

import numpy as np
import pytest
import torch
from small_problems import field_of, random_pattern

from sparsine.codec import FittedField
from sparsine.engines.choose import make_engine
from sparsine.signals.grid import Grid
from sparsine.starts.start import Start
from sparsine.viewer import sampling
from sparsine.viewer.sampling import Window, cells, rows_of, value_at

WHOLE = (0.0, 0.0, 1.0, 1.0)
ALIGNMENTS = ["corners", "centers", "lower"]


def fitted(alignment="corners", axis_order="reversed", shape=(9, 6), omega_0=20.0):
    spec = field_of(2, 14, 10, 3, omega_0=omega_0, output_offset=0.5)
    pattern = random_pattern(spec, 0.8, 3)
    theta = pattern.gather(spec.initial_theta(3)[None])[0]
    grid = Grid(shape=shape, extent=((-1.0, 2.0), (0.5, 0.75)), alignment=alignment, axis_order=axis_order)
    return FittedField(Start(pattern, theta, grid), theta, shape)


def engine_of(field):
    return make_engine(field.start.pattern)


def values_of(field, region, size):
    return rows_of(field, engine_of(field), Window(region, size))(0, size[0])


def exact(field, region, size):
    """The same in float64, point by point."""
    with torch.no_grad():
        values = field.as_module(torch.float64)(cells(field.domain).part(region, size).coords(torch.float64))
    return values.reshape(*size, -1).numpy()


@pytest.mark.parametrize("alignment", ALIGNMENTS)
def test_cells_have_the_samples_of_the_grid_in_their_middles(alignment):
    grid = Grid(shape=(5, 3), extent=((-1.0, 2.0), (0.5, 0.75)), alignment=alignment, axis_order="reversed")
    assert torch.allclose(cells(grid).coords(torch.float64), grid.coords(torch.float64))
    assert cells(grid).alignment == "centers"
    one = Grid(shape=(1, 1), alignment=alignment)
    assert torch.allclose(cells(one).coords(), one.coords())


@pytest.mark.parametrize("alignment", ALIGNMENTS)
@pytest.mark.parametrize("axis_order", ["array", "reversed"])
def test_the_middle_of_an_enlarged_sample_has_the_value_of_the_sample(alignment, axis_order):
    field = fitted(alignment, axis_order)
    enlarged = values_of(field, WHOLE, (9 * 5, 6 * 5))
    assert np.allclose(enlarged[2::5, 2::5], field.render(), atol=2e-5)
    assert np.allclose(values_of(field, WHOLE, (9, 6)), field.render(), atol=1e-6)
    assert not np.allclose(enlarged[3::5, 2::5], field.render(), atol=1e-3)


def test_a_coarse_drawing_lies_where_the_full_one_does():
    field = fitted()
    full, coarse = values_of(field, (0.0, 0.5, 0.25, 1.0), (60, 90)), values_of(field, (0.0, 0.5, 0.25, 1.0), (20, 30))
    assert np.allclose(full[1::3, 1::3], coarse, atol=2e-5)


@pytest.mark.parametrize("axis_order", ["array", "reversed"])
@pytest.mark.parametrize("depth", [14, 22, 30, 40])
def test_deep_windows_are_exact_where_float32_is_not(axis_order, depth):
    field, y, x, side = fitted("centers", axis_order), 0.37, 0.81, 2.0**-depth
    region, size = (y, x, y + side, x + side), (40, 31)
    drawn, wanted = values_of(field, region, size), exact(field, region, size)
    spread = np.ptp(wanted, axis=(0, 1)).min()
    assert np.abs(drawn - wanted).max() < max(1e-3 * spread, 1e-6)
    if depth == 22:  # what float32 coordinates would give
        coords = cells(field.domain).part(region, size).coords()
        plain = engine_of(field).predict(field.theta[None], coords)[0].reshape(*size, -1).numpy()
        assert np.abs(plain - wanted).max() > 2 * np.abs(drawn - wanted).max()


def test_there_is_no_step_where_the_polynomial_takes_over(monkeypatch):
    field = fitted("centers")
    region, size = (0.4, 0.3, 0.4 + 2**-9, 0.3 + 2**-9), (64, 64)
    monkeypatch.setattr(sampling, "FINEST_PITCH", 0.0)
    engine = values_of(field, region, size)
    monkeypatch.setattr(sampling, "FINEST_PITCH", 1.0)
    polynomial = values_of(field, region, size)
    assert engine.tobytes() != polynomial.tobytes()
    assert np.allclose(engine, polynomial, atol=2e-5)


def test_rows_of_a_deep_window_may_be_asked_one_by_one():
    field, region = fitted(), (0.5, 0.5, 0.5 + 2**-30, 0.5 + 2**-30)
    rows = rows_of(field, engine_of(field), Window(region, (7, 5)))
    assert np.array_equal(np.concatenate([rows(i, i + 1) for i in range(7)]), rows(0, 7))


@pytest.mark.parametrize("axis_order", ["array", "reversed"])
def test_the_value_at_a_place_is_that_of_the_pixel_there(axis_order):
    field = fitted(axis_order=axis_order)
    coords, values = value_at(field, engine_of(field), (4 + 0.5) / 9, (1 + 0.5) / 6)
    assert values == pytest.approx(field.render()[4, 1].tolist(), abs=1e-5)
    assert coords == pytest.approx(field.domain.coords()[4 * 6 + 1].tolist())
