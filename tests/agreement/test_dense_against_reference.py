"""The reference engine referees the dense one: everything that both answer, over a grid of sizes and patterns."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_problems import (
    Pattern,
    Siren,
    answers,
    make_problem,
    random_keep,
    random_pattern,
    relative_error,
    repeatable,
)

from sparsine.engines import DenseEngine, ReferenceEngine

# Both compute the same formulas in another order; the arguments of the sines reach omega_0, so that one rounding
# there is omega_0 * eps (200 * 1.1e-16 = 2e-14), which further layers and derivatives enlarge: 3e-13 was measured
# at omega_0 = 200, 1e-14 at 7.
FLOAT64 = 1e-11

sizes = st.tuples(
    st.integers(1, 3), st.lists(st.integers(1, 9), min_size=1, max_size=4), st.integers(1, 4)
).map(lambda s: (s[0], *s[1], s[2]))  # fmt: skip
kinds_of_pattern = st.sampled_from(["full", "random", "one survivor", "nothing", "a layer pruned"])
questions = st.fixed_dictionaries(
    {
        "signals": st.integers(1, 4),
        "points": st.integers(1, 17),
        "own_coords": st.booleans(),
        "seed": st.integers(0, 999),
    }
)


def pattern_of(kind, field, seed):
    keep = random_keep(field, 0.6, seed)
    if kind == "full":
        keep[:] = True
    elif kind == "nothing":
        keep[:] = False
    elif kind == "one survivor":
        keep = torch.arange(field.num_weights) == seed % field.num_weights
    elif kind == "a layer pruned":
        pruned = list(Pattern(field, keep).layer_keeps())[seed % len(field.layer_shapes)]
        pruned[:] = False  # a view
    return Pattern(field, keep)


def assert_agree(found, expected, tolerance):
    for name, answer in expected.items():
        assert found[name].shape == answer.shape, name
        assert found[name].dtype == found["predict"].dtype, name
        assert relative_error(found[name], answer) <= tolerance, name


@settings(repeatable, max_examples=150)
@given(
    sizes,
    st.floats(1, 200),
    st.sampled_from([0.0, 0.5, -1.3]),
    kinds_of_pattern,
    questions,
    st.sampled_from([1, 3, 10, 29, 64, None]),
)
def test_dense_agrees_with_the_reference_in_float64(sizes, omega_0, offset, kind, question, block_elements):
    field = Siren(sizes=sizes, omega_0=omega_0, output_offset=offset)
    pattern = pattern_of(kind, field, question["seed"])
    problem = make_problem(pattern, **question)
    dense = DenseEngine(pattern, dtype=torch.float64, block_elements=block_elements)
    reference = ReferenceEngine(pattern, dtype=torch.float64)
    assert_agree(answers(dense, problem), answers(reference, problem), FLOAT64)


@settings(repeatable, max_examples=40)
@given(sizes, st.floats(1, 200), kinds_of_pattern, questions)
def test_dense_in_float32_agrees_with_the_reference_in_float64(sizes, omega_0, kind, question):
    pattern = pattern_of(kind, Siren(sizes=sizes, omega_0=omega_0), question["seed"])
    problem = make_problem(pattern, **question).to(torch.float32)  # rounded once, for both
    found = answers(DenseEngine(pattern), problem)
    expected = answers(ReferenceEngine(pattern, dtype=torch.float64), problem.to(torch.float64))
    # one rounding of a sine's argument is omega_0 * 6e-8, and a handful of layers and passes add up; a value that is
    # the small difference of large ones (omega_0 = 1: a loss near zero) keeps their rounding: 7e-6 was measured
    assert_agree(found, expected, 2e-5 + 1e-6 * omega_0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_papers_shape_of_field_agrees_too(dtype):
    # wide enough that blocks hold several signals, or parts of one
    field = Siren(sizes=(2, 65, 67, 65, 3))
    pattern = random_pattern(field, 0.1)
    problem = make_problem(pattern, points=5 * 13).to(dtype)
    expected = answers(ReferenceEngine(pattern, dtype=torch.float64), problem.to(torch.float64))
    for block_elements in (None, 2**13, 1000):
        engine = DenseEngine(pattern, dtype=dtype, block_elements=block_elements)
        assert_agree(answers(engine, problem), expected, FLOAT64 if dtype == torch.float64 else 3e-4)


@pytest.mark.parametrize("own_coords", [False, True])
@pytest.mark.parametrize("block_elements", [1, 7, 20, 36, 63, 77, 140, 154, 231, 10_000])
def test_block_sizes_change_rounding_only(block_elements, own_coords):
    # width 7, 11 points, 5 signals: parts of a signal, one and a half, one, two (and an odd rest), all
    pattern = random_pattern(Siren(sizes=(2, 7, 5, 3), omega_0=4.0), 0.7)
    problem = make_problem(pattern, signals=5, own_coords=own_coords)
    engine = DenseEngine(pattern, dtype=torch.float64, block_elements=block_elements)
    whole = DenseEngine(pattern, dtype=torch.float64, block_elements=10**9)
    assert_agree(answers(engine, problem), answers(whole, problem), 1e-13)


@pytest.mark.parametrize("engine_of", [DenseEngine, ReferenceEngine])
def test_own_coords_that_are_all_alike_are_as_good_as_shared_ones(engine_of):
    pattern = random_pattern(Siren(sizes=(3, 7, 5, 2), omega_0=4.0), 0.7)
    problem = make_problem(pattern)
    own = replace(problem, coords=problem.coords.expand(3, -1, -1))
    engine = engine_of(pattern, dtype=torch.float64)
    assert_agree(answers(engine, own), answers(engine, problem), 1e-13)


def test_vectors_that_are_views_with_strides_are_understood():
    # a start expanded over the signals, columns of a larger table: what the callers pass
    pattern = random_pattern(Siren(sizes=(2, 7, 5, 3), omega_0=4.0), 0.7)
    problem = make_problem(pattern)
    theta = problem.theta[0].expand(3, -1)
    values = problem.values.mT.contiguous().mT
    for engine_of in (DenseEngine, ReferenceEngine):
        engine = engine_of(pattern, dtype=torch.float64)
        plain = replace(problem, theta=theta.contiguous())
        assert_agree(answers(engine, replace(problem, theta=theta, values=values)), answers(engine, plain), 1e-13)
