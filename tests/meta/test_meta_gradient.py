"""The gradient of a start, against autograd through the whole inner loop and against finite differences."""

import weakref

import jaxtyping
import pytest
import torch
from small_problems import Pattern, field_of, make_problem, random_keep, random_pattern

from sparsine.engines import DenseEngine, ReferenceEngine
from sparsine.errors import BadInput
from sparsine.meta import maml
from sparsine.meta.maml import InnerConfig, Samples, Tasks, adapt, meta_gradient

FIELD = field_of(2, 7, 5, 3, omega_0=2.5, output_offset=0.5)
# Large enough that the second-order part of the gradient is not small beside the first-order part.
STEP_SIZE = 0.1


def a_layer_pruned():
    keep = random_keep(FIELD, 0.7)
    keep[14:49] = False
    return Pattern(FIELD, keep)


PATTERNS = {
    "full": Pattern.full(FIELD),
    "sparse": random_pattern(FIELD, 0.4),
    "a layer pruned": a_layer_pruned(),
    "all pruned": random_pattern(FIELD, 0),
}


def start_of(pattern):
    return 2 * make_problem(pattern, signals=1, seed=4).theta[0]


def tasks_of(pattern, *, count=3, own_coords=False, same=False):
    """Support of 11 points, query of 7 others (or the same)."""
    support = make_problem(pattern, signals=count, points=11, own_coords=own_coords, seed=5)
    query = support if same else make_problem(pattern, signals=count, points=7, own_coords=own_coords, seed=6)
    return Tasks(Samples(*support.samples), Samples(*query.samples))


def dense(pattern):
    return DenseEngine(pattern, dtype=torch.float64, block_elements=50)


def inner(num_steps, algorithm="maml"):
    return InnerConfig(algorithm=algorithm, inner_steps=num_steps, inner_step_size=STEP_SIZE)


def own(samples, i):
    return samples.coords if samples.coords.ndim == 2 else samples.coords[i], samples.values[i]


def loss_after(engine, start, tasks, num_steps):
    """The outer loss, one task after the other, in plain autograd."""
    losses = []
    for i in range(len(tasks)):
        theta = start
        for _ in range(num_steps):
            (grad,) = torch.autograd.grad(engine.mse(theta, *own(tasks.support, i)), theta, create_graph=True)
            theta = theta - STEP_SIZE * grad
        losses.append(engine.mse(theta, *own(tasks.query, i)))
    return torch.stack(losses).mean()


def full_autograd(pattern, start, tasks, num_steps):
    leaf = start.clone().requires_grad_()
    loss = loss_after(ReferenceEngine(pattern, dtype=torch.float64), leaf, tasks, num_steps)
    return loss.detach(), torch.autograd.grad(loss, leaf)[0]


def assert_same(found, expected, tolerance=1e-9):
    (loss, gradient), (expected_loss, expected_gradient) = found, expected
    assert loss.shape == ()
    assert float(loss) == pytest.approx(float(expected_loss), rel=tolerance)
    # against the largest entry: a small one is the difference of larger terms
    assert (gradient - expected_gradient).abs().max() < tolerance * expected_gradient.abs().max()


@pytest.mark.parametrize("own_coords", [False, True])
@pytest.mark.parametrize("num_steps", [1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 20])
def test_exact_maml_is_autograd_through_the_whole_inner_loop(num_steps, own_coords):
    # up to 4 steps every iterate is kept; beyond, the steps are halved, also unevenly, and computed again
    pattern = PATTERNS["sparse"]
    start, tasks = start_of(pattern), tasks_of(pattern, own_coords=own_coords)
    found = meta_gradient(dense(pattern), start, tasks, inner(num_steps))
    assert_same(found, full_autograd(pattern, start, tasks, num_steps))


@pytest.mark.parametrize("num_steps", [2, 9])
@pytest.mark.parametrize("same", [False, True])
@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS.keys())
def test_exact_maml_is_exact_for_every_pattern(pattern, same, num_steps):
    start, tasks = start_of(pattern), tasks_of(pattern, same=same)
    expected = full_autograd(pattern, start, tasks, num_steps)
    for engine in (dense(pattern), ReferenceEngine(pattern, dtype=torch.float64)):
        assert_same(meta_gradient(engine, start, tasks, inner(num_steps)), expected)


def test_these_problems_tell_exact_from_first_order():
    pattern = PATTERNS["sparse"]
    start, tasks = start_of(pattern), tasks_of(pattern)
    for num_steps in (1, 2, 20):
        exact = meta_gradient(dense(pattern), start, tasks, inner(num_steps))[1]
        first_order = meta_gradient(dense(pattern), start, tasks, inner(num_steps, "fomaml"))[1]
        assert (exact - first_order).norm() > 0.05 * exact.norm()


@pytest.mark.parametrize("num_steps", [1, 2])
def test_exact_maml_is_the_slope_of_the_outer_loss(num_steps):
    pattern, step = PATTERNS["sparse"], 1e-5
    start, tasks, engine = start_of(pattern), tasks_of(pattern), dense(pattern)

    def outer(vector):
        adapted = adapt(engine, vector.expand(3, -1), tasks.support, num_steps, STEP_SIZE)
        return engine.loss(adapted, tasks.query.coords, tasks.query.values).mean()

    loss, gradient = meta_gradient(engine, start, tasks, inner(num_steps))
    assert float(loss) == pytest.approx(float(outer(start)), rel=1e-13)
    slopes = torch.empty_like(start)
    for i in range(len(start)):
        there, back = start.clone(), start.clone()
        there[i] += step
        back[i] -= step
        slopes[i] = (outer(there) - outer(back)) / (2 * step)
    # central differences: step**2 * third derivative / 6, and rounding 1e-16 / step
    assert (gradient - slopes).abs().max() < 1e-6 * slopes.abs().max()


@pytest.mark.parametrize("algorithm", ["maml", "fomaml", "reptile"])
@pytest.mark.parametrize("tasks_in_group", [1, 2, 3])
@pytest.mark.parametrize("own_coords", [False, True])
def test_groups_of_tasks_change_nothing(monkeypatch, algorithm, tasks_in_group, own_coords):
    pattern = PATTERNS["sparse"]
    start, tasks = start_of(pattern), tasks_of(pattern, count=5, own_coords=own_coords)
    together = meta_gradient(dense(pattern), start, tasks, inner(9, algorithm))
    sizes = []

    class Watched(DenseEngine):
        def _loss_and_grad(self, theta, coords, values):
            sizes.append(theta.shape[0])
            return super()._loss_and_grad(theta, coords, values)

    monkeypatch.setattr(maml, "GROUP_ELEMENTS", {"cpu": tasks_in_group * pattern.num_params + 1})
    watched = Watched(pattern, dtype=torch.float64)
    assert_same(meta_gradient(watched, start, tasks, inner(9, algorithm)), together, 1e-12)
    assert max(sizes) == tasks_in_group


def test_a_group_is_never_empty_however_large_the_field(monkeypatch):
    monkeypatch.setattr(maml, "GROUP_ELEMENTS", {"cpu": 1})
    pattern = PATTERNS["full"]
    start, tasks = start_of(pattern), tasks_of(pattern)
    assert_same(meta_gradient(dense(pattern), start, tasks, inner(2)), full_autograd(pattern, start, tasks, 2))


@pytest.mark.parametrize("own_coords", [False, True])
def test_first_order_maml_is_the_gradient_at_the_adapted_vector(own_coords):
    pattern = PATTERNS["sparse"]
    start, tasks = start_of(pattern), tasks_of(pattern, own_coords=own_coords)
    reference = ReferenceEngine(pattern, dtype=torch.float64)
    losses, gradients = [], []
    for i in range(3):
        theta = start
        for _ in range(4):
            leaf = theta.clone().requires_grad_()
            theta = theta - STEP_SIZE * torch.autograd.grad(reference.mse(leaf, *own(tasks.support, i)), leaf)[0]
        leaf = theta.clone().requires_grad_()
        losses.append(reference.mse(leaf, *own(tasks.query, i)))
        gradients.append(torch.autograd.grad(losses[-1], leaf)[0])
    expected = torch.stack(losses).mean().detach(), torch.stack(gradients).mean(dim=0)
    assert_same(meta_gradient(dense(pattern), start, tasks, inner(4, "fomaml")), expected)


def test_reptile_is_the_way_travelled_per_step():
    pattern = PATTERNS["sparse"]
    start, tasks, engine = start_of(pattern), tasks_of(pattern), dense(PATTERNS["sparse"])
    adapted = adapt(engine, start.expand(3, -1), tasks.support, 4, STEP_SIZE)
    loss = engine.loss(adapted, tasks.query.coords, tasks.query.values).mean()
    expected = loss, (start - adapted.mean(dim=0)) / (4 * STEP_SIZE)
    assert_same(meta_gradient(engine, start, tasks, inner(4, "reptile")), expected, 1e-12)


def test_reptile_with_one_step_is_the_mean_gradient_of_the_support():
    pattern = PATTERNS["sparse"]
    start, tasks, engine = start_of(pattern), tasks_of(pattern), dense(PATTERNS["sparse"])
    _, gradient = meta_gradient(engine, start, tasks, inner(1, "reptile"))
    _, grads = engine.loss_and_grad(start.expand(3, -1), tasks.support.coords, tasks.support.values)
    torch.testing.assert_close(gradient, grads.mean(dim=0), rtol=1e-12, atol=1e-14)


def test_adapting_is_plain_gradient_descent_on_the_support():
    pattern = PATTERNS["sparse"]
    tasks, engine = tasks_of(pattern), dense(pattern)
    theta = start_of(pattern).expand(3, -1)
    by_hand = theta
    for _ in range(3):
        by_hand = by_hand - 0.2 * engine.loss_and_grad(by_hand, tasks.support.coords, tasks.support.values)[1]
    torch.testing.assert_close(adapt(engine, theta, tasks.support, 3, 0.2), by_hand, rtol=1e-13, atol=1e-15)
    assert torch.equal(adapt(engine, theta, tasks.support, 0, 0.2), theta)


@pytest.mark.parametrize("algorithm", ["maml", "fomaml", "reptile"])
@pytest.mark.parametrize("pattern", [PATTERNS["full"], PATTERNS["sparse"]], ids=["full", "sparse"])
def test_the_start_is_left_as_it_was(algorithm, pattern):
    start, tasks = start_of(pattern), tasks_of(pattern)
    before = start.clone()
    first = meta_gradient(dense(pattern), start, tasks, inner(9, algorithm))
    assert torch.equal(start, before)
    again = meta_gradient(dense(pattern), start, tasks, inner(9, algorithm))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not any(t.requires_grad for t in first)


class Counting(DenseEngine):
    """Counts questions."""

    def __init__(self, pattern):
        super().__init__(pattern, dtype=torch.float64)
        self.num_gradients = self.num_products = 0

    def _loss_and_grad(self, theta, coords, values):
        self.num_gradients += 1
        return super()._loss_and_grad(theta, coords, values)

    def _hvp(self, theta, v, coords, values):
        self.num_products += 1
        return super()._hvp(theta, v, coords, values)


@pytest.mark.parametrize("num_steps", [64, 60])
def test_iterates_alive_grow_with_the_logarithm_of_the_steps(monkeypatch, num_steps):
    pattern = PATTERNS["sparse"]
    born, most_alive, plain_step = [], 0, maml.inner_step

    def step(engine, theta, samples, step_size):
        nonlocal most_alive
        new = plain_step(engine, theta, samples, step_size)
        born.append(weakref.ref(new))
        most_alive = max(most_alive, sum(ref() is not None for ref in born))
        return new

    monkeypatch.setattr(maml, "inner_step", step)
    engine = Counting(pattern)
    config = InnerConfig(inner_steps=num_steps, inner_step_size=0.01)
    meta_gradient(engine, start_of(pattern), tasks_of(pattern), config)
    assert most_alive <= 4 + 3  # the middles of four halvings, and what follows the last of them
    assert sum(ref() is not None for ref in born) == 0
    # each halving computes half of the steps again
    assert engine.num_products == num_steps
    assert engine.num_gradients <= 4 * num_steps


@pytest.mark.parametrize("num_steps", [1, 2, 4])
def test_few_steps_are_never_computed_twice(num_steps):
    engine = Counting(PATTERNS["sparse"])
    meta_gradient(engine, start_of(engine.pattern), tasks_of(engine.pattern), inner(num_steps))
    assert (engine.num_gradients, engine.num_products) == (num_steps + 1, num_steps)


def test_the_default_is_the_papers_inner_loop():
    config = InnerConfig()
    assert (config.algorithm, config.inner_steps, config.inner_step_size, config.points) == ("maml", 2, 1e-2, None)


@pytest.mark.parametrize(
    ("name", "value"),
    [("algorithm", "anil"), ("inner_steps", 0), ("inner_step_size", 0.0), ("inner_step_size", float("nan")),
     ("points", 0)],
)  # fmt: skip
def test_nonsense_is_refused_by_name(monkeypatch, name, value):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # which would refuse a wrong Literal first
    with pytest.raises(BadInput, match=f"{name} is {value!r}, but it must"):
        InnerConfig(**{name: value})
