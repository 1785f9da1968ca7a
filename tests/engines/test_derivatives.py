"""What must hold for every engine, whatever the other engines say."""

from dataclasses import replace

import pytest
import torch
from small_problems import Pattern, field_of, make_problem, random_keep, random_pattern, relative_error

from sparsine.engines import DenseEngine, ReferenceEngine, SparseEngine

FIELD = field_of(2, 7, 5, 3, omega_0=2.5, output_offset=0.5)


def all_of_a_layer():
    keep = random_keep(FIELD, 0.6)
    keep[14:49] = False  # the second layer
    return Pattern(FIELD, keep)


PATTERNS = {
    "full": Pattern.full(FIELD),
    "sparse": random_pattern(FIELD, 0.3),
    "a layer pruned": all_of_a_layer(),
    "all pruned": random_pattern(FIELD, 0),
}
# Central differences need float64, which the sparse engine does not compute: those tests are of the other two.
each_engine = pytest.mark.parametrize("engine_of", [DenseEngine, ReferenceEngine])
every_engine = pytest.mark.parametrize("engine_of", [DenseEngine, ReferenceEngine, SparseEngine])
each_pattern = pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS.keys())


def dtype_of(engine_of):
    return torch.float32 if engine_of is SparseEngine else torch.float64


def tolerance(engine_of, in_float64):
    return 1e-5 if dtype_of(engine_of) == torch.float32 else in_float64


def steep(pattern, **wanted):
    """A problem whose gradient and curvature are large in every layer."""
    problem = make_problem(pattern, **wanted)
    return replace(problem, theta=problem.theta * 3)


def small_blocks(engine_of, pattern):
    return (
        engine_of(pattern, dtype=torch.float64, block_elements=37)
        if engine_of is DenseEngine
        else engine_of(pattern, dtype=dtype_of(engine_of))
    )


def test_the_field_is_the_papers_formula_worked_out_by_hand():
    # 2 - 2 - 1: h = sin(omega_0 (W x + b)), then V h + c + offset
    pattern = Pattern.full(field_of(2, 2, 1, omega_0=3.0, output_offset=0.25))
    theta = torch.tensor([[0.1, -0.2, 0.3, 0.4, 2.0, -1.0, 0.05, -0.15, 0.7]], dtype=torch.float64)
    x = torch.tensor([[0.5, -0.3]], dtype=torch.float64)
    z = torch.tensor([0.1 * 0.5 + 0.2 * 0.3 + 0.05, 0.3 * 0.5 - 0.4 * 0.3 - 0.15], dtype=torch.float64)
    expected = 2 * torch.sin(3 * z[0]) - torch.sin(3 * z[1]) + 0.7 + 0.25
    for engine_of in (DenseEngine, ReferenceEngine, SparseEngine):
        dtype = dtype_of(engine_of)
        found = small_blocks(engine_of, pattern).predict(theta.to(dtype), x.to(dtype))
        assert found.shape == (1, 1, 1)
        assert found.item() == pytest.approx(expected.item(), rel=tolerance(engine_of, 1e-14))


@every_engine
def test_the_loss_is_the_mean_over_points_and_channels(engine_of):
    problem = steep(PATTERNS["sparse"]).to(dtype_of(engine_of))
    engine = small_blocks(engine_of, problem.pattern)
    error = engine.predict(problem.theta, problem.coords) - problem.values
    by_hand = (error**2).reshape(3, -1).sum(1) / (11 * 3)
    loss = engine.loss(problem.theta, *problem.samples)
    torch.testing.assert_close(loss, by_hand, rtol=tolerance(engine_of, 1e-13), atol=0)


@each_engine
@each_pattern
def test_the_gradient_is_the_slope_of_the_loss(engine_of, pattern):
    problem, engine, step = steep(pattern), small_blocks(engine_of, pattern), 1e-5
    _, grad = engine.loss_and_grad(problem.theta, *problem.samples)
    slopes = torch.empty_like(grad)
    for i in range(pattern.num_params):
        there, back = problem.theta.clone(), problem.theta.clone()
        there[:, i] += step
        back[:, i] -= step
        slopes[:, i] = (engine.loss(there, *problem.samples) - engine.loss(back, *problem.samples)) / (2 * step)
    # central differences: step**2 * third derivative (about omega_0**3) / 6 = 3e-10, rounding 1e-16 / step = 1e-11
    assert relative_error(grad, slopes) < 1e-7


@each_engine
@each_pattern
def test_the_hessian_product_is_the_slope_of_the_gradient(engine_of, pattern):
    problem, engine, step = steep(pattern), small_blocks(engine_of, pattern), 1e-6
    there = engine.loss_and_grad(problem.theta + step * problem.v, *problem.samples)[1]
    back = engine.loss_and_grad(problem.theta - step * problem.v, *problem.samples)[1]
    slope = (there - back) / (2 * step)
    # step**2 * fourth derivative (omega_0 |v|)**4 / 6: about 1e-8 of the product
    assert relative_error(engine.hvp(problem.theta, problem.v, *problem.samples), slope) < 1e-6


@every_engine
@each_pattern
def test_the_hessian_is_symmetric_and_linear(engine_of, pattern):
    problem, engine = steep(pattern).to(dtype_of(engine_of)), small_blocks(engine_of, pattern)
    u = make_problem(pattern, seed=8).v.to(dtype_of(engine_of))
    h_u, h_v = (engine.hvp(problem.theta, w, *problem.samples) for w in (u, problem.v))
    size = h_u.norm(dim=1) * problem.v.norm(dim=1)
    assert ((u * h_v).sum(1) - (problem.v * h_u).sum(1)).abs().max() < tolerance(engine_of, 1e-12) * size.max()
    both = engine.hvp(problem.theta, 3 * u - 0.7 * problem.v, *problem.samples)
    assert relative_error(both, 3 * h_u - 0.7 * h_v) < tolerance(engine_of, 1e-12)
    nothing = engine.hvp(problem.theta, torch.zeros_like(u), *problem.samples)
    assert torch.equal(nothing, torch.zeros_like(u))


@every_engine
def test_the_loss_alone_is_the_loss_beside_the_gradient(engine_of):
    for own_coords in (False, True):
        problem = steep(PATTERNS["sparse"], own_coords=own_coords).to(dtype_of(engine_of))
        engine = small_blocks(engine_of, problem.pattern)
        together, _ = engine.loss_and_grad(problem.theta, *problem.samples)
        alone = engine.loss(problem.theta, *problem.samples)
        torch.testing.assert_close(alone, together, rtol=tolerance(engine_of, 1e-13), atol=0)


@each_engine
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_same_question_has_the_same_bits_every_time(engine_of, dtype):
    problem = steep(PATTERNS["sparse"], signals=5, points=41).to(dtype)
    engine = engine_of(problem.pattern, dtype=dtype)
    first = (*engine.loss_and_grad(problem.theta, *problem.samples), engine.predict(problem.theta, problem.coords),
             engine.hvp(problem.theta, problem.v, *problem.samples))  # fmt: skip
    engine = engine_of(problem.pattern, dtype=dtype)
    again = (*engine.loss_and_grad(problem.theta, *problem.samples), engine.predict(problem.theta, problem.coords),
             engine.hvp(problem.theta, problem.v, *problem.samples))  # fmt: skip
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))


@every_engine
@pytest.mark.parametrize("own_coords", [False, True])
def test_a_row_of_a_batch_is_that_signal_alone(engine_of, own_coords):
    problem = steep(PATTERNS["sparse"], signals=5, own_coords=own_coords).to(dtype_of(engine_of))
    engine = engine_of(problem.pattern, dtype=dtype_of(engine_of))
    loss, grad = engine.loss_and_grad(problem.theta, *problem.samples)
    product = engine.hvp(problem.theta, problem.v, *problem.samples)
    values = engine.predict(problem.theta, problem.coords)
    most = tolerance(engine_of, 1e-12)
    for i in range(5):
        one = problem.row(i)
        alone, its_grad = engine.loss_and_grad(one.theta, *one.samples)
        torch.testing.assert_close(alone, loss[i : i + 1], rtol=tolerance(engine_of, 1e-13), atol=0)
        assert relative_error(its_grad, grad[i : i + 1]) < most
        assert relative_error(engine.hvp(one.theta, one.v, *one.samples), product[i : i + 1]) < most
        assert relative_error(engine.predict(one.theta, one.coords), values[i : i + 1]) < most


@every_engine
def test_a_row_that_is_not_finite_stays_alone(engine_of):
    problem = steep(PATTERNS["sparse"], signals=3).to(dtype_of(engine_of))
    theta = problem.theta.clone()
    theta[1] = torch.nan
    engine = engine_of(problem.pattern, dtype=dtype_of(engine_of))
    loss, grad = engine.loss_and_grad(theta, *problem.samples)
    clean, clean_grad = engine.loss_and_grad(problem.theta, *problem.samples)
    assert loss.isnan().tolist() == [False, True, False]
    assert torch.equal(loss[[0, 2]], clean[[0, 2]])
    assert torch.equal(grad[[0, 2]], clean_grad[[0, 2]])


@every_engine
def test_nothing_that_is_passed_in_is_changed(engine_of):
    problem = steep(PATTERNS["full"]).to(dtype_of(engine_of))  # full: theta is the dense vector itself
    before = [t.clone() for t in (problem.theta, problem.v, problem.coords, problem.values)]
    engine = engine_of(problem.pattern, dtype=dtype_of(engine_of))
    engine.predict(problem.theta, problem.coords)
    engine.loss_and_grad(problem.theta, *problem.samples)
    engine.hvp(problem.theta, problem.v, *problem.samples)
    after = (problem.theta, problem.v, problem.coords, problem.values)
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


@every_engine
def test_no_answer_keeps_a_graph_even_of_parameters_that_want_one(engine_of):
    problem = steep(PATTERNS["full"]).to(dtype_of(engine_of))
    theta = problem.theta.clone().requires_grad_()
    engine = engine_of(problem.pattern, dtype=dtype_of(engine_of))
    loss, grad = engine.loss_and_grad(theta, *problem.samples)
    product = engine.hvp(theta, problem.v, *problem.samples)
    answers = (loss, grad, product, engine.predict(theta, problem.coords))
    assert not any(a.requires_grad for a in answers)


def test_memory_for_activations_does_not_grow_with_the_points(monkeypatch):
    # every activation is made by _linear: none may be larger than a block, whatever the number of points
    from sparsine.engines import dense

    sizes, plain = [], dense._linear

    def watched(h, weight, bias):
        out = plain(h, weight, bias)
        sizes.append(out.numel())
        return out

    monkeypatch.setattr(dense, "_linear", watched)
    problem = steep(PATTERNS["sparse"], signals=5, points=331)
    engine = DenseEngine(problem.pattern, dtype=torch.float64, block_elements=200)
    engine.hvp(problem.theta, problem.v, *problem.samples)
    engine.loss_and_grad(problem.theta, *problem.samples)
    engine.predict(problem.theta, problem.coords)
    assert max(sizes) <= 200
    assert max(sizes) > 100  # and blocks are used well
