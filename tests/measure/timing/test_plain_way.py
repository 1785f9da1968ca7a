"""Plain PyTorch and our engines are asked the same question: in float64 they agree to the last digits."""

import pytest
import torch
from kinds_of_fields import KINDS, field_like
from small_problems import Pattern, field_of, make_problem, random_pattern

from sparsine.engines import ReferenceEngine
from sparsine.fitting.fit import FitConfig, fit
from sparsine.measure.timing.plain import PlainField
from sparsine.meta.maml import InnerConfig, Samples, Tasks, meta_gradient

FIELD = field_of(2, 7, 5, 3, omega_0=2.5, output_offset=0.5)
PATTERNS = {"full": Pattern.full(FIELD), "sparse": random_pattern(FIELD, 0.4)}


@pytest.fixture(params=PATTERNS.values(), ids=PATTERNS.keys())
def problem(request):
    return make_problem(request.param)


def reference(problem):
    return ReferenceEngine(problem.pattern, dtype=torch.float64)


def same(found, expected):
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-12)


def test_plain_values_are_those_of_the_reference(problem):
    found = [PlainField(problem.pattern, theta).predict(problem.coords) for theta in problem.theta]
    same(torch.stack(found), reference(problem).predict(problem.theta, problem.coords))
    assert not found[0].requires_grad


def test_plain_losses_and_gradients_are_those_of_the_reference(problem):
    losses, grads = reference(problem).loss_and_grad(problem.theta, *problem.samples)
    for i, theta in enumerate(problem.theta):
        field = PlainField(problem.pattern, theta)
        loss, grad = field.loss_and_grad(problem.coords, problem.values[i])
        same(loss, losses[i])
        same(field.flat(grad), grads[i])


@pytest.mark.parametrize("num_steps", [1, 2, 5])
def test_the_plain_meta_gradient_is_exact_maml(problem, num_steps):
    samples, config = Samples(*problem.samples), InnerConfig(inner_steps=num_steps, inner_step_size=0.1)
    start = 2 * problem.theta[0]
    expected = meta_gradient(reference(problem), start, Tasks(samples, samples), config)
    first_order = meta_gradient(
        reference(problem), start, Tasks(samples, samples), InnerConfig(algorithm="fomaml", inner_steps=num_steps,
                                                                        inner_step_size=0.1))  # fmt: skip
    field = PlainField(problem.pattern, start)
    loss, grad = field.meta_gradient(*problem.samples, num_steps, 0.1)
    same(loss, expected[0])
    same(field.flat(grad), expected[1])
    assert (first_order[1] - expected[1]).norm() > 0.01 * expected[1].norm()


def test_a_plain_fit_is_adam_as_ours(problem):
    config = FitConfig(steps=7, lr=0.01, report=())
    fitted = fit(reference(problem), problem.theta[0], problem.coords, problem.values, config)
    expected = reference(problem).loss(fitted.theta, *problem.samples)
    field = PlainField(problem.pattern, problem.theta[0])
    found = [field.fit(problem.coords, values, 7, 0.01) for values in problem.values]
    same(torch.tensor(found, dtype=torch.float64), expected)
    unfitted = field.loss_and_grad(problem.coords, problem.values[0])[0]
    assert found[0] < 0.99 * float(unfitted)  # it moved, and the start did not


def test_flat_puts_parameters_back_where_theta_had_them(problem):
    field = PlainField(problem.pattern, problem.theta[1])
    same(field.flat([p.detach() for p in field.parameters]), problem.theta[1])


@pytest.mark.parametrize("kind", KINDS)
def test_plain_values_and_gradients_are_those_of_the_reference_for_every_kind_of_field(kind):
    problem = make_problem(random_pattern(field_like(kind, (2, 7, 5, 3), 0.5), 0.6))
    values = reference(problem).predict(problem.theta, problem.coords)
    losses, grads = reference(problem).loss_and_grad(problem.theta, *problem.samples)
    for i, theta in enumerate(problem.theta):
        field = PlainField(problem.pattern, theta)
        same(field.predict(problem.coords), values[i])
        loss, grad = field.loss_and_grad(problem.coords, problem.values[i])
        same(loss, losses[i])
        same(field.flat(grad), grads[i])
