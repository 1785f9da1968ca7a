"""All activations and encodings: the reference engine referees the dense one, finite differences referee both."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from kinds_of_fields import KINDS, field_like, unlike_zero
from small_problems import Pattern, answers, make_problem, random_keep, relative_error, repeatable

from sparsine.engines import DenseEngine, ReferenceEngine, make_engine
from sparsine.fields import forward

# Both compute the same formulas in another order. Of 3,000 problems drawn as below (derandomised), the worst answers
# were 7e-15 off in values, 5e-14 in gradients and 8e-14 in Hessian-vector products, which are small differences of
# large terms; a hundred times that is room for what was not drawn.
FLOAT64 = 1e-11

each_kind = pytest.mark.parametrize("kind", KINDS)
each_engine = pytest.mark.parametrize("engine_of", [DenseEngine, ReferenceEngine])
sizes = st.tuples(
    st.integers(1, 3), st.lists(st.integers(1, 9), min_size=1, max_size=4), st.integers(1, 4)
).map(lambda s: (s[0], *s[1], s[2]))  # fmt: skip
questions = st.fixed_dictionaries(
    {
        "signals": st.integers(1, 4),
        "points": st.integers(1, 17),
        "own_coords": st.booleans(),
        "seed": st.integers(0, 999),
    }
)
SHAPES = {
    "odd": ((2, 7, 5, 3), 0.6, 11),
    "one point": ((3, 5, 5, 2), 0.8, 1),
    "one neuron": ((1, 1, 1), 1.0, 5),
    "nothing pruned": ((2, 6, 3), 1.0, 9),
    "all pruned": ((2, 6, 4, 3), 0.0, 9),
}
each_shape = pytest.mark.parametrize("shape", SHAPES)


def problem_of(field, density, **question):
    pattern = Pattern(field, random_keep(field, density, question.get("seed", 0)))
    problem = make_problem(pattern, **question)
    return replace(problem, theta=unlike_zero(problem))


def small(kind, shape):
    sizes, density, points = SHAPES[shape]
    return problem_of(field_like(kind, sizes, output_offset=0.5), density, points=points)


def engine_for(engine_of, problem, dtype=torch.float64):
    blocks = {"block_elements": 37} if engine_of is DenseEngine else {}
    return engine_of(problem.pattern, dtype=dtype, **blocks)


def assert_agree(found, expected, tolerance):
    for name, answer in expected.items():
        assert found[name].shape == answer.shape, name
        assert relative_error(found[name], answer) <= tolerance, name


@settings(repeatable, max_examples=300)
@given(
    st.sampled_from(sorted(KINDS)), sizes, st.sampled_from([0.0, 0.5, -1.3]), st.sampled_from([0.0, 0.1, 0.5, 1.0]),
    questions, st.sampled_from([1, 3, 29, 64, None]),
)  # fmt: skip
def test_dense_agrees_with_the_reference(kind, sizes, offset, density, question, block_elements):
    problem = problem_of(field_like(kind, sizes, offset), density, **question)
    dense = DenseEngine(problem.pattern, dtype=torch.float64, block_elements=block_elements)
    reference = ReferenceEngine(problem.pattern, dtype=torch.float64)
    assert_agree(answers(dense, problem), answers(reference, problem), FLOAT64)


@each_kind
@each_shape
def test_small_and_odd_fields_agree_in_both_types(kind, shape):
    problem = small(kind, shape)
    expected = answers(ReferenceEngine(problem.pattern, dtype=torch.float64), problem)
    assert_agree(answers(engine_for(DenseEngine, problem), problem), expected, FLOAT64)
    single = problem.to(torch.float32)
    expected = answers(ReferenceEngine(problem.pattern, dtype=torch.float64), single.to(torch.float64))
    assert_agree(answers(engine_for(DenseEngine, problem, torch.float32), single), expected, 1e-4)


@each_kind
@each_engine
@each_shape
def test_the_gradient_is_the_slope_of_the_loss(kind, engine_of, shape):
    problem, step = small(kind, shape), 1e-6
    engine = engine_for(engine_of, problem)
    there = engine.loss(problem.theta + step * problem.v, *problem.samples)
    back = engine.loss(problem.theta - step * problem.v, *problem.samples)
    along = (engine.loss_and_grad(problem.theta, *problem.samples)[1] * problem.v).sum(dim=1)
    # rounding of the loss, 1e-16, over the step; step**2 times the third derivative
    torch.testing.assert_close((there - back) / (2 * step), along, rtol=1e-6, atol=1e-7)


@each_kind
@each_engine
@each_shape
def test_the_hessian_product_is_the_slope_of_the_gradient(kind, engine_of, shape):
    problem, step = small(kind, shape), 1e-6
    engine = engine_for(engine_of, problem)
    there = engine.loss_and_grad(problem.theta + step * problem.v, *problem.samples)[1]
    back = engine.loss_and_grad(problem.theta - step * problem.v, *problem.samples)[1]
    product = engine.hvp(problem.theta, problem.v, *problem.samples)
    assert relative_error(product, (there - back) / (2 * step)) < 1e-6


@each_kind
def test_auto_takes_an_engine_that_computes_the_field(kind):
    problem = small(kind, "odd").to(torch.float32)
    expected = ReferenceEngine(problem.pattern).predict(problem.theta, problem.coords)
    found = make_engine(problem.pattern).predict(problem.theta, problem.coords)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@each_kind
def test_a_field_is_differentiable_in_its_coordinates_too(kind):
    problem, step = small(kind, "odd"), 1e-6
    coords = problem.coords.clone().requires_grad_()

    def summed(coords):
        return forward(problem.pattern, problem.theta[0], coords).sum()

    (slope,) = torch.autograd.grad(summed(coords), coords)
    along = torch.randn(coords.shape, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    with torch.no_grad():
        found = (summed(coords + step * along) - summed(coords - step * along)) / (2 * step)
    torch.testing.assert_close(found, (slope * along).sum(), rtol=1e-6, atol=1e-7)
