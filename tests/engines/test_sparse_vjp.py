"""Vector-Jacobian products: those of the sparse engine beside float64, those of others beside finite differences."""

from dataclasses import replace

import pytest
import torch
from kinds_of_fields import KINDS, field_like
from small_problems import make_problem, random_pattern, relative_error
from vjp_problems import PATTERNS, close

from sparsine.engines import ReferenceEngine, SparseEngine, make_engine
from sparsine.engines.native import instruction_sets, is_built

pytestmark = pytest.mark.skipif(not is_built(), reason="the extension was not built")
each_pattern = pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS)


@each_pattern
@pytest.mark.parametrize("instructions", instruction_sets())
@pytest.mark.parametrize("own_coords", [False, True])
@pytest.mark.parametrize("points", [1, 11, 1100])
def test_products_are_those_of_the_reference(pattern, instructions, own_coords, points):
    problem = make_problem(pattern, points=points, own_coords=own_coords)
    expected = ReferenceEngine(pattern, dtype=torch.float64).vjp(problem.theta, problem.coords, problem.values)
    single, engine = problem.to(torch.float32), SparseEngine(pattern, instructions=instructions)
    found = engine.vjp(single.theta, single.coords, single.values)
    close(found, expected)
    assert torch.equal(engine.vjp(single.theta, single.coords, single.values, with_coords=False)[0], found[0])


@pytest.mark.parametrize("kind", KINDS)
def test_products_of_every_kind_of_field_are_those_of_finite_differences(kind):
    field = field_like(kind, (2, 7, 5, 3))
    pattern = random_pattern(field, 0.7)
    problem, h = make_problem(pattern, points=4, signals=2), 1e-6
    problem = replace(problem, theta=problem.theta + 0.05 * problem.v)  # a bias of 0 is where ReLU has no derivative
    engine = make_engine(pattern, "dense", dtype=torch.float64)
    of_theta, of_coords = engine.vjp(problem.theta, problem.coords, problem.values)

    def weighted(theta, coords):
        return float((engine.predict(theta, coords) * problem.values).sum())

    for found, at, name in ((of_theta, problem.theta, "theta"), (of_coords, problem.coords, "coords")):
        step = torch.linspace(-1, 1, at.numel(), dtype=torch.float64).view(at.shape) * h
        ends = [
            weighted(*((at + s, problem.coords) if name == "theta" else (problem.theta, at + s))) for s in (step, -step)
        ]
        assert (ends[0] - ends[1]) / 2 == pytest.approx(float((found * step).sum()), rel=1e-5, abs=1e-12)


def test_products_have_the_same_bits_for_any_number_of_threads_and_any_split_of_the_batch():
    problem = make_problem(PATTERNS["sparse"], signals=5, points=1300).to(torch.float32)
    engine, before = SparseEngine(PATTERNS["sparse"]), torch.get_num_threads()
    expected = engine.vjp(problem.theta, problem.coords.expand(5, -1, -1), problem.values)
    try:
        torch.set_num_threads(3)
        again = engine.vjp(problem.theta, problem.coords.expand(5, -1, -1), problem.values)
    finally:
        torch.set_num_threads(before)
    parts = [engine.vjp(problem.theta[i : i + 1], problem.coords[None], problem.values[i : i + 1]) for i in range(5)]
    for i in range(2):
        assert torch.equal(again[i], expected[i])
        assert torch.equal(torch.cat([part[i] for part in parts]), expected[i])


def test_the_gradient_of_the_loss_is_the_product_with_the_residual():
    problem = make_problem(PATTERNS["sparse"], points=700).to(torch.float32)
    engine = SparseEngine(PATTERNS["sparse"])
    residual = engine.predict(problem.theta, problem.coords) - problem.values
    product = engine.vjp(problem.theta, problem.coords, residual * (2 / residual[0].numel()), with_coords=False)[0]
    assert relative_error(product, engine.loss_and_grad(problem.theta, *problem.samples)[1]) < 1e-6
