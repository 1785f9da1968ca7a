"""What both ways are given: patterns of exactly the density asked for, living activations, images in [0, 1]."""

import pytest
import torch
from small_benchmarks import tiny

from sparsine.fields import Pattern, Siren, layers
from sparsine.measure.timing.problem import (
    connected_weights,
    made_up_image,
    make_problem,
    prunable_weights,
    random_pattern,
    random_theta,
)
from sparsine.signals.grid import Grid

FIELD = Siren(sizes=(2, 40, 30, 3), omega_0=20.0)


@pytest.mark.parametrize("density", [1.0, 0.37, 0.0115])
def test_a_pattern_has_exactly_the_survivors_asked_for(density):
    assert random_pattern(FIELD, density, 3).num_weights == 2 * 40 + round(density * 40 * 30) + 30 * 3


def test_survivors_are_drawn_between_hidden_neurons_and_the_outer_layers_stay_full():
    field = Siren(sizes=(2, 40, 30, 20, 3))
    densities = [float(keep.float().mean()) for keep in random_pattern(field, 0.4, 0).layer_keeps()]
    assert densities == pytest.approx([1, 0.4, 0.4, 1], abs=0.1)
    assert densities[1] != densities[2]  # no layer has a quota


def test_where_there_is_one_hidden_layer_all_weights_can_go():
    field = Siren(sizes=(2, 40, 3))
    assert prunable_weights(field) == range(200)
    assert random_pattern(field, 0.25, 0).num_weights == 50


def test_a_pattern_is_that_of_its_seed():
    assert not random_pattern(FIELD, 0.4, 0).keep.equal(random_pattern(FIELD, 0.4, 1).keep)
    assert random_pattern(FIELD, 0.4, 1).keep.equal(random_pattern(FIELD, 0.4, 1).keep)


def test_weights_behind_the_first_layer_make_up_for_those_that_are_gone():
    pattern = random_pattern(FIELD, 0.25, 0)
    found = pattern.scatter(random_theta(pattern, 5)[None])
    plain = pattern.scatter(pattern.gather(FIELD.initial_theta(5)[None]))
    factors = (1.0, 2.0, 1.0)  # the outer layers are full
    pairs = zip(layers(FIELD, found), layers(FIELD, plain), factors, strict=True)
    for (weight, bias), (plain_weight, plain_bias), factor in pairs:
        torch.testing.assert_close(weight, factor * plain_weight)
        assert bias.equal(plain_bias)


def test_connected_weights_lie_on_a_way_from_a_coordinate_to_an_output():
    field = Siren(sizes=(2, 3, 3, 1))
    keep = [
        [1, 1], [1, 0], [0, 0],  # the third neuron has no input,
        [1, 0, 0], [0, 1, 1], [1, 0, 1],  # but feeds the second and the third behind it
        [1, 0, 1],  # and the second of those feeds no output
    ]  # fmt: skip
    pattern = Pattern(field, torch.tensor([bool(k) for row in keep for k in row]))
    # coordinates to the first neuron (2), from there to the first and third behind it (2), and on to the output (2)
    assert connected_weights(pattern) == 6
    assert connected_weights(Pattern.full(field)) == field.num_weights


@pytest.mark.parametrize("density", [0.6, 0.5, 0.3])
def test_connected_weights_are_those_that_a_product_of_matrices_can_pass(density):
    field = Siren(sizes=(2, 9, 8, 7, 3))
    generator = torch.Generator().manual_seed(1)
    pattern = Pattern(field, torch.rand(field.num_weights, generator=generator) < density)
    keeps, count = [keep.double() for keep in pattern.layer_keeps()], 0
    for at, keep in enumerate(keeps):
        before, behind = torch.eye(2).double(), torch.eye(3).double()
        for k in keeps[:at]:
            before = k @ before
        for k in reversed(keeps[at + 1 :]):
            behind = behind @ k
        # ways from all coordinates through this weight to all outputs
        count += int((keep * torch.outer(behind.sum(dim=0), before.sum(dim=1)) > 0).sum())
    assert 0 < count < pattern.num_weights
    assert connected_weights(pattern) == count


def test_a_full_field_begins_where_the_field_begins():
    assert random_theta(Pattern.full(FIELD), 2).equal(FIELD.initial_theta(2))


def test_images_lie_between_0_and_1_and_are_all_different():
    grid = Grid(shape=(9, 14))
    images = torch.stack([made_up_image(grid, 1, i) for i in range(5)])
    assert images.shape == (5, 9 * 14, 3)
    assert images.dtype == torch.float32
    assert images.amin(dim=(1, 2)).tolist() == [0] * 5
    assert images.amax(dim=(1, 2)).tolist() == [1] * 5
    assert torch.pdist(images.reshape(5, -1)).min() > 1
    assert made_up_image(grid, 1, 2).equal(images[2])
    assert not made_up_image(grid, 2, 2).equal(images[2])


def test_images_are_smooth_but_for_an_edge():
    picture = made_up_image(Grid(shape=(60, 60)), 0, 0).reshape(60, 60, 3)
    steps = picture.diff(dim=1).abs()
    assert steps.mean() < 0.05
    assert steps.max() > 0.2


def test_a_problem_has_a_vector_and_an_image_for_every_signal():
    problem = make_problem(tiny("engines", seed=4), 0.3, 3)
    assert problem.pattern.num_weights == 16 + round(0.3 * 64) + 24
    assert problem.theta.shape == (3, problem.pattern.num_params)
    assert torch.pdist(problem.theta).min() > 0.1
    assert problem.values.equal(torch.stack([made_up_image(Grid(shape=(7, 5)), 4, i) for i in range(3)]))
    assert problem.coords.equal(Grid(shape=(7, 5)).coords())
