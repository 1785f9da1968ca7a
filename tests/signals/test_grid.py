import json

import pytest
import torch

from sparsine.errors import BadInput
from sparsine.signals.grid import Grid

REFUSALS = (BadInput, TypeError)  # where annotations are checked, the checker refuses a wrong type first


def test_the_default_is_the_linspace_of_the_paper():
    grid = Grid(shape=(5, 3))
    assert torch.equal(grid.axis(0), torch.linspace(-1, 1, 5, dtype=torch.float64))
    assert torch.equal(grid.axis(1), torch.tensor([-1.0, 0.0, 1.0], dtype=torch.float64))


def test_learnits_coordinates_are_arange_over_n():
    grid = Grid(shape=(7, 5), extent=(0.0, 1.0), alignment="lower")
    assert torch.allclose(grid.axis(0), torch.arange(7, dtype=torch.float64) / 7, atol=1e-15, rtol=0)
    assert torch.allclose(grid.axis(1), torch.arange(5, dtype=torch.float64) / 5, atol=1e-15, rtol=0)


def test_centres_lie_in_the_middles_of_equal_cells():
    grid = Grid(shape=(3,), extent=(2.0, 8.0), alignment="centers")
    assert grid.axis(0).tolist() == [3.0, 5.0, 7.0]


def test_samples_of_a_non_square_grid_are_listed_row_after_row():
    coords = Grid(shape=(3, 2), extent=((0.0, 4.0), (10.0, 11.0))).coords()
    assert coords.tolist() == [[0, 10], [0, 11], [2, 10], [2, 11], [4, 10], [4, 11]]
    assert coords.dtype == torch.float32


def test_reversed_swaps_the_columns_and_not_the_order_of_the_samples():
    plain = Grid(shape=(5, 3), extent=((-1.0, 2.0), (0.5, 0.75)))
    turned = Grid(shape=(5, 3), extent=((-1.0, 2.0), (0.5, 0.75)), axis_order="reversed")
    assert torch.equal(turned.coords(), plain.coords().flip(1))


@pytest.mark.parametrize(("alignment", "expected"), [("corners", 4.0), ("centers", 4.0), ("lower", 3.0)])
def test_one_sample_lies_in_the_middle_unless_lower(alignment, expected):
    assert Grid(shape=(1,), extent=(3.0, 5.0), alignment=alignment).axis(0).tolist() == [expected]


def test_resizing_keeps_extent_and_convention():
    grid = Grid(shape=(5, 3), extent=((-1.0, 2.0), (0.0, 3.0)), alignment="centers", axis_order="reversed")
    larger = grid.resized((9, 7))
    assert larger == Grid(shape=(9, 7), extent=grid.extent, alignment="centers", axis_order="reversed")
    assert larger.num_points == 63


@pytest.mark.parametrize(
    "grid",
    [
        Grid(shape=(5, 3)),
        Grid(shape=(7,), extent=(0.25, 1.5), alignment="lower"),
        Grid(shape=(2, 5, 3), extent=((-1.0, 2.0), (0.0, 3.0), (4.0, 9.0)), alignment="centers", axis_order="reversed"),
    ],
)
def test_a_grid_survives_its_description_in_json(grid):
    assert Grid.from_dict(json.loads(json.dumps(grid.to_dict()))) == grid


@pytest.mark.parametrize(
    "wrong",
    [
        {"shape": ()},
        {"shape": (5, 0)},
        {"shape": (5, 3), "extent": (1.0, 1.0)},
        {"shape": (5,), "extent": ()},
        {"shape": (5, 3), "extent": ((0.0, 1.0),)},
        {"shape": (5,), "extent": (0.0, float("inf"))},
        {"shape": (5,), "extent": ((0.0, 1.0, 2.0),)},
        {"shape": (5,), "alignment": "middle"},
        {"shape": (5,), "axis_order": "xy"},
    ],
)
def test_a_senseless_grid_is_refused(wrong):
    with pytest.raises(REFUSALS):
        Grid(**wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"shape": [5]},
        {"shape": ["five"], "extent": [[0, 1]]},
        {"shape": [float("inf")], "extent": [[0, 1]], "alignment": "lower", "axis_order": "array"},
    ],
)
def test_a_senseless_description_is_refused(wrong):
    with pytest.raises(BadInput, match="not the description of a grid"):
        Grid.from_dict(wrong)


GRIDS = [
    Grid(shape=(5, 3)),
    Grid(shape=(7,), extent=(0.25, 1.5), alignment="lower"),
    Grid(shape=(2, 5, 3), extent=((-1.0, 2.0), (0.0, 3.0), (4.0, 9.0)), alignment="centers", axis_order="reversed"),
]


@pytest.mark.parametrize("grid", GRIDS)
def test_a_run_of_coordinates_is_that_of_all_of_them(grid):
    for first, last in ((0, grid.num_points), (1, 4), (5, 5), (grid.num_points - 1, grid.num_points)):
        assert torch.equal(grid.coords_between(first, last), grid.coords()[first:last])


@pytest.mark.parametrize("grid", GRIDS)
def test_a_part_lies_where_the_whole_of_that_magnification_has_it(grid):
    whole = grid.resized(tuple(20 for _ in grid.shape))
    lows, highs = [0.25, 0.5, 0.0][: grid.num_axes], [0.75, 0.6, 1.0][: grid.num_axes]
    part = grid.part((*lows, *highs), tuple(round(20 * (b - a)) for a, b in zip(lows, highs, strict=True)))
    for i, (low, high) in enumerate(zip(lows, highs, strict=True)):
        assert torch.allclose(part.axis(i), whole.axis(i)[round(20 * low) : round(20 * high)], rtol=0, atol=1e-12)


@pytest.mark.parametrize("grid", GRIDS)
def test_the_whole_is_a_part_of_itself(grid):
    assert grid.part((0,) * grid.num_axes + (1,) * grid.num_axes, grid.shape) == grid


@pytest.mark.parametrize(
    ("region", "shape"),
    [((0, 0, 1), (2, 2)), ((0, 0, 1, 1), (2,)), ((0.5, 0, 0.5, 1), (2, 2)), ((0, -0.1, 1, 1), (2, 2)),
     ((0, 0, 1, float("nan")), (2, 2)), ((0, 0, 1, 1), (2, 0))],
)  # fmt: skip
def test_a_region_that_is_no_part_is_refused(region, shape):
    with pytest.raises(REFUSALS):
        Grid(shape=(5, 3)).part(region, shape)
