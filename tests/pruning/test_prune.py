from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from small_problems import field_of, make_problem, random_pattern, repeatable

from sparsine.engines import DenseEngine, ReferenceEngine
from sparsine.errors import BadInput
from sparsine.fields import Pattern
from sparsine.pruning import PruningConfig, geometric, prune

FIELD = field_of(2, 7, 5, 3)  # 64 weights, 15 biases


def theta_of(pattern, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=pattern.num_params).astype(np.float32))


# Two layers of 4 x 4. The ten largest magnitudes lie seven to three; signs do not matter, nor do the biases,
# which are the smallest numbers of all.
FIRST = [
    [0.9, -0.1, 0.3, 0.2],
    [-0.8, 0.7, 0.1, -0.2],
    [0.3, -0.6, 0.5, 0.1],
    [0.2, 0.1, -0.9, 0.4],
]
SECOND = [
    [0.1, 0.2, -0.3, 0.0],
    [0.2, -0.9, 0.1, 0.3],
    [0.0, 0.2, 0.4, -0.1],
    [-0.7, 0.1, 0.2, 0.3],
]
KEPT_FIRST = [
    [1, 0, 0, 0],
    [1, 1, 0, 0],
    [0, 1, 1, 0],
    [0, 0, 1, 1],
]
KEPT_SECOND = [
    [0, 0, 0, 0],
    [0, 1, 0, 0],
    [0, 0, 1, 0],
    [1, 0, 0, 0],
]


def golden():
    weights = torch.tensor([*FIRST, *SECOND]).reshape(-1)
    return Pattern.full(field_of(4, 4, 4)), torch.cat([weights, torch.full((8,), 1e-9)])


def test_two_small_matrices_are_pruned_as_a_person_would():
    pattern = prune(*golden(), 10, "magnitude", seed=0)
    first, second = pattern.layer_keeps()
    assert first.int().tolist() == KEPT_FIRST
    assert second.int().tolist() == KEPT_SECOND


def test_among_equals_the_first_in_theta_goes_first():
    # fifteen survivors: of the six of size 0.3 the last five stay
    pattern = prune(*golden(), 15, "magnitude", seed=0)
    first, second = pattern.layer_keeps()
    equal = [(0, 0, 2), (0, 2, 0), (1, 0, 2), (1, 1, 3), (1, 3, 3)]
    keeps = (first, second)
    assert [bool(keeps[layer][row, column]) for layer, row, column in equal] == [True] * 5
    pattern = prune(*golden(), 13, "magnitude", seed=0)
    keeps = tuple(pattern.layer_keeps())
    assert [bool(keeps[layer][row, column]) for layer, row, column in equal] == [False, False, True, True, True]


def test_weights_that_are_all_equal_go_in_the_order_of_theta():
    pattern = Pattern.full(FIELD)
    smaller = prune(pattern, torch.full((79,), -0.5), 50, "magnitude", seed=0)
    assert smaller.survivors.tolist() == list(range(14, 64))


@repeatable
@given(st.integers(0, 64), st.sampled_from(["magnitude", "random"]), st.integers(0, 999))
def test_exactly_as_many_survive_as_asked(num_survivors, score, seed):
    pattern = Pattern.full(FIELD)
    smaller = prune(pattern, theta_of(pattern, seed), num_survivors, score, seed)
    assert smaller.num_weights == num_survivors
    assert smaller.num_biases == 15
    assert pattern.num_weights == 64


@repeatable
@given(st.integers(0, 999), st.integers(0, 40))
def test_every_survivor_is_at_least_as_large_as_every_weight_removed(seed, num_survivors):
    pattern = random_pattern(FIELD, 0.8, seed)
    theta = theta_of(pattern, seed)
    smaller = prune(pattern, theta, min(num_survivors, pattern.num_weights), "magnitude", seed)
    size = pattern.scatter(theta[None])[0].abs()
    gone = pattern.keep & ~smaller.keep
    assert not (smaller.keep & ~pattern.keep).any()
    if smaller.num_weights and gone.any():
        assert size[:64][smaller.keep].min() >= size[:64][gone].max()


def test_biases_stay_however_small_they_are():
    pattern = Pattern.full(FIELD)
    theta = theta_of(pattern)
    theta[64:] = 0
    smaller = prune(pattern, theta, 3, "magnitude", seed=0)
    assert (smaller.num_weights, smaller.num_params) == (3, 18)
    # and their size does not matter to the weights
    theta[64:] = 1e6
    assert torch.equal(prune(pattern, theta, 3, "magnitude", seed=0).keep, smaller.keep)


def test_random_scores_depend_on_the_seed_and_not_on_the_numbers():
    pattern = Pattern.full(FIELD)
    torch.manual_seed(0)
    first = prune(pattern, theta_of(pattern, 1), 30, "random", seed=5)
    torch.manual_seed(1)
    assert torch.equal(prune(pattern, theta_of(pattern, 2), 30, "random", seed=5).keep, first.keep)
    assert not torch.equal(prune(pattern, theta_of(pattern, 1), 30, "random", seed=6).keep, first.keep)
    assert not torch.equal(prune(pattern, theta_of(pattern, 1), 30, "magnitude", seed=5).keep, first.keep)


def test_random_pruning_spreads_over_all_weights():
    counts = torch.zeros(64)
    pattern = Pattern.full(FIELD)
    theta = theta_of(pattern)
    for seed in range(300):
        counts += prune(pattern, theta, 32, "random", seed).keep
    assert counts.min() > 105  # half of 300, give or take five standard deviations of 8.7
    assert counts.max() < 195


def test_magnitude_does_not_depend_on_the_seed():
    pattern = Pattern.full(FIELD)
    theta = theta_of(pattern)
    assert torch.equal(
        prune(pattern, theta, 30, "magnitude", seed=5).keep, prune(pattern, theta, 30, "magnitude", seed=6).keep
    )


@pytest.mark.parametrize("score", ["magnitude", "random"])
def test_what_is_pruned_stays_pruned_over_many_rounds(score):
    pattern, theta = Pattern.full(FIELD), theta_of(Pattern.full(FIELD))
    for round_, survivors in enumerate(geometric(0.2, 12)(64)):
        smaller = prune(pattern, theta, survivors, score, seed=round_)
        assert smaller.num_weights == survivors
        assert not (smaller.keep & ~pattern.keep).any()
        theta = smaller.gather_from(pattern, theta) * theta_of(smaller, round_)  # training moves the rest
        pattern = smaller


def test_a_score_that_looks_at_fits_is_refused_without_them():
    with pytest.raises(BadInput, match=r"looks at fits of signals, .* given none"):
        prune(Pattern.full(FIELD), torch.zeros(79), 30, "saliency", seed=0)


def test_fits_too_short_to_have_a_second_half_are_refused():
    with pytest.raises(BadInput, match="score saliency: steps is 1, but it must lie between 2 and"):
        PruningConfig(score="saliency", score_options={"steps": 1})


@pytest.mark.parametrize("num_survivors", [-1, 65, 10**9])
def test_a_count_that_cannot_be_is_refused(num_survivors):
    with pytest.raises(BadInput, match=f"cannot keep {num_survivors} of 64 surviving weights"):
        prune(Pattern.full(FIELD), torch.zeros(79), num_survivors, "magnitude", seed=0)


@pytest.mark.parametrize("length", [78, 80, 64])
def test_a_vector_of_another_pattern_is_refused(length):
    with pytest.raises(BadInput, match=rf"theta must hold 79 numbers .*, but is \({length},\)"):
        prune(Pattern.full(FIELD), torch.zeros(length), 30, "magnitude", seed=0)


def test_an_unknown_score_is_refused_with_the_known_ones():
    with pytest.raises(BadInput, match="unknown score 'snip'; known are magnitude, random"):
        prune(Pattern.full(FIELD), torch.zeros(79), 30, "snip", seed=0)


def test_engines_work_on_when_everything_that_can_be_is_pruned():
    full = Pattern.full(FIELD)
    (survivors,) = PruningConfig(fraction=1.0, rounds=1).survivors(64)
    pattern = prune(full, theta_of(full), survivors, "magnitude", seed=0)
    assert (pattern.num_weights, pattern.num_params, pattern.sparsity) == (0, 15, 1.0)
    problem = make_problem(pattern)
    for engine_of in (DenseEngine, ReferenceEngine):
        engine = engine_of(pattern, dtype=torch.float64)
        values = engine.predict(problem.theta, problem.coords)
        # nothing reaches the output but its bias
        torch.testing.assert_close(values, problem.theta[:, None, -3:].expand(3, 11, 3))
        _, grad = engine.loss_and_grad(problem.theta, *problem.samples)
        torch.testing.assert_close(grad[:, -3:], 2 / 3 * (values - problem.values).mean(dim=1))
        assert (grad[:, :-3] == 0).all()
        assert torch.isfinite(engine.hvp(problem.theta, problem.v, *problem.samples)).all()


def test_a_weight_that_is_pruned_acts_as_zero():
    full = Pattern.full(FIELD)
    problem = make_problem(full)
    pattern = prune(full, problem.theta[0], 20, "magnitude", seed=0)
    zeroed = problem.theta * torch.cat([pattern.keep, torch.ones(15, dtype=torch.bool)])
    smaller = replace(problem, pattern=pattern, theta=pattern.gather_from(full, problem.theta))
    for engine_of in (DenseEngine, ReferenceEngine):
        sparse = engine_of(pattern, dtype=torch.float64).predict(smaller.theta, problem.coords)
        dense = engine_of(full, dtype=torch.float64).predict(zeroed, problem.coords)
        torch.testing.assert_close(sparse, dense, rtol=1e-13, atol=1e-15)
