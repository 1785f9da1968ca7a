"""Samples that count unequally: every engine against the plain weighted mean, and against slopes of it."""

from dataclasses import replace

import jaxtyping
import pytest
import torch
from small_problems import field_of, make_problem, random_pattern, relative_error

from sparsine.engines import DenseEngine, Engine, ReferenceEngine, SparseEngine
from sparsine.engines.native import instruction_sets
from sparsine.errors import BadInput

FIELD = field_of(2, 7, 5, 3, omega_0=2.5, output_offset=0.5)
PATTERN = random_pattern(FIELD, 0.4)


def weights_for(points, rows=None, seed=3):
    """Of the mean 1, some of them 0."""
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.rand((points,) if rows is None else (rows, points), generator=generator, dtype=torch.float64)
    drawn = torch.where(drawn < 0.3, 0.0, drawn) + (drawn.amax(-1, keepdim=True) == drawn)
    return drawn / drawn.mean(-1, keepdim=True)


def one_point(points):
    """All but one count nothing."""
    weights = torch.zeros(points, dtype=torch.float64)
    weights[points // 2] = points
    return weights


WEIGHTS = {"shared": weights_for, "of each": lambda n: weights_for(n, 3), "one point": one_point}
each_kind = pytest.mark.parametrize("weights_of", WEIGHTS.values(), ids=WEIGHTS.keys())
each_size = pytest.mark.parametrize("points", [1, 3, 67, 1031])


def engines():
    yield ReferenceEngine(PATTERN, dtype=torch.float64), 1e-13
    yield DenseEngine(PATTERN, dtype=torch.float64, block_elements=37), 1e-13
    yield DenseEngine(PATTERN), 1e-5
    for instructions in instruction_sets():
        yield SparseEngine(PATTERN, instructions=instructions), 1e-5


def plainly(problem, weights):
    """Loss and gradient in float64 by autograd, from the definition."""
    engine = ReferenceEngine(problem.pattern, dtype=torch.float64)
    losses, grads, products = [], [], []
    for row, theta in enumerate(problem.theta):
        leaf = theta.clone().requires_grad_()
        coords = problem.coords if problem.coords.ndim == 2 else problem.coords[row]
        own = weights if weights.ndim == 1 else weights[row]
        squares = (engine.forward(leaf, coords) - problem.values[row]).square()
        loss = (own[:, None] * squares).sum() / squares.numel()
        (grad,) = torch.autograd.grad(loss, leaf, create_graph=True)
        products.append(torch.autograd.grad(grad, leaf, problem.v[row])[0])
        losses.append(loss.detach())
        grads.append(grad.detach())
    return torch.stack(losses), torch.stack(grads), torch.stack(products)


@each_size
@each_kind
@pytest.mark.parametrize("own_coords", [False, True])
def test_every_engine_computes_the_weighted_mean_and_its_derivatives(points, weights_of, own_coords):
    problem, weights = make_problem(PATTERN, points=points, own_coords=own_coords), weights_of(points)
    loss, grad, product = plainly(problem, weights)
    for engine, tolerance in engines():
        asked, own = problem.to(engine.dtype), weights.to(engine.dtype)
        found, slopes = engine.loss_and_grad(asked.theta, *asked.samples, own)
        assert relative_error(found, loss) < tolerance
        assert relative_error(engine.loss(asked.theta, *asked.samples, own), loss) < tolerance
        assert relative_error(slopes, grad) < tolerance
        assert relative_error(engine.hvp(asked.theta, asked.v, *asked.samples, own), product) < tolerance


@pytest.mark.parametrize("engine_of", [ReferenceEngine, DenseEngine])
@each_kind
def test_the_weighted_gradient_and_product_are_slopes(engine_of, weights_of):
    engine, problem, weights = engine_of(PATTERN, dtype=torch.float64), make_problem(PATTERN), weights_of(11)
    step, direction = 1e-5, problem.v
    there, back = problem.theta + step * direction, problem.theta - step * direction
    rise = (engine.loss(there, *problem.samples, weights) - engine.loss(back, *problem.samples, weights)) / (2 * step)
    _, grad = engine.loss_and_grad(problem.theta, *problem.samples, weights)
    torch.testing.assert_close((grad * direction).sum(1), rise, rtol=1e-6, atol=1e-8)
    bend = (engine.loss_and_grad(there, *problem.samples, weights)[1]
            - engine.loss_and_grad(back, *problem.samples, weights)[1]) / (2 * step)  # fmt: skip
    assert relative_error(engine.hvp(problem.theta, direction, *problem.samples, weights), bend) < 1e-5


def test_what_a_sample_without_weight_says_does_not_matter():
    problem, weights = make_problem(PATTERN, points=67), weights_for(67)
    other = torch.where((weights == 0)[None, :, None], 1e6, problem.values)
    changed = replace(problem, values=other)
    for engine, _ in engines():
        one, two = problem.to(engine.dtype), changed.to(engine.dtype)
        own = weights.to(engine.dtype)
        first = engine.loss_and_grad(one.theta, *one.samples, own)
        second = engine.loss_and_grad(two.theta, *two.samples, own)
        assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
        assert torch.equal(
            engine.hvp(one.theta, one.v, *one.samples, own), engine.hvp(two.theta, two.v, *two.samples, own)
        )


def test_the_bits_do_not_depend_on_the_threads_nor_on_the_batch():
    problem, weights = make_problem(PATTERN, points=1031).to(torch.float32), weights_for(1031, 3).float()
    engine, threads = SparseEngine(PATTERN), torch.get_num_threads()
    together = engine.loss_and_grad(problem.theta, *problem.samples, weights)[1]
    try:
        torch.set_num_threads(3)
        assert torch.equal(engine.loss_and_grad(problem.theta, *problem.samples, weights)[1], together)
    finally:
        torch.set_num_threads(threads)
    for row in range(3):
        one = problem.row(row)
        alone = engine.loss_and_grad(one.theta, *one.samples, weights[row : row + 1])[1]
        assert torch.equal(alone[0], together[row])


@pytest.mark.parametrize("shape", [(10,), (12,), (2, 11), (3, 10), (3, 11, 1), ()])
def test_weights_that_do_not_go_with_the_samples_are_refused(shape, monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # as for a user
    problem = make_problem(PATTERN).to(torch.float32)
    for engine_of in (ReferenceEngine, DenseEngine, SparseEngine):
        for question in ("loss", "loss_and_grad"):
            with pytest.raises(BadInput, match=r"weights must be \(points,\) or \(signals, points\) = \(3, 11\)"):
                getattr(engine_of(PATTERN), question)(problem.theta, *problem.samples, torch.ones(shape))


def test_weights_of_another_type_are_refused():
    problem = make_problem(PATTERN).to(torch.float32)
    with pytest.raises(BadInput, match=r"weights is torch\.float64"):
        SparseEngine(PATTERN).hvp(problem.theta, problem.v, *problem.samples, torch.ones(11, dtype=torch.float64))


def test_an_engine_that_cannot_weigh_says_so():
    class Plain(Engine):
        name = "plain"

        def _predict(self, theta, coords):
            return ReferenceEngine(self.pattern)._predict(theta, coords)

        def _loss_and_grad(self, theta, coords, values):
            return ReferenceEngine(self.pattern)._loss_and_grad(theta, coords, values)

        def _hvp(self, theta, v, coords, values):
            return ReferenceEngine(self.pattern)._hvp(theta, v, coords, values)

    engine, problem = Plain(PATTERN), make_problem(PATTERN).to(torch.float32)
    engine.loss_and_grad(problem.theta, *problem.samples)
    engine.loss(problem.theta, *problem.samples, torch.ones(11))
    with pytest.raises(BadInput, match="engine 'plain' cannot let samples count unequally"):
        engine.loss_and_grad(problem.theta, *problem.samples, torch.ones(11))
