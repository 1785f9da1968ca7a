import pytest
import torch

from sparsine.optim import AdamState, adam_step, sgd_step


def gradient(theta, step):
    """Rough, and different at every step: large, small and zero entries."""
    scale = 10.0 ** torch.linspace(-9, 3, theta.shape[-1], dtype=theta.dtype)
    scale[3] = 0
    return scale * torch.sin(37 * theta + step)


def start(*shape):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("shape", [(13,), (3, 13)])
@pytest.mark.parametrize("step_size", [1e-4, 0.3])
def test_adam_takes_the_steps_of_pytorchs_adam(shape, step_size):
    theta = start(*shape)
    state = AdamState.zeros_like(theta)
    theirs = theta.clone().requires_grad_()
    optimizer = torch.optim.Adam([theirs], lr=step_size)
    for step in range(20):
        grad = gradient(theta, step)
        theta, state = adam_step(theta, grad, state, step_size)
        theirs.grad = grad.clone()
        optimizer.step()
        torch.testing.assert_close(theta, theirs.detach(), rtol=1e-12, atol=1e-12)
    assert state.num_steps == 20
    torch.testing.assert_close(state.mean, optimizer.state[theirs]["exp_avg"], rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(state.square, optimizer.state[theirs]["exp_avg_sq"], rtol=1e-12, atol=1e-12)


def test_sgd_takes_the_steps_of_pytorchs_sgd():
    theta = start(3, 13)
    theirs = theta.clone().requires_grad_()
    optimizer = torch.optim.SGD([theirs], lr=1e-2)
    for step in range(20):
        grad = gradient(theta, step)
        theta = sgd_step(theta, grad, 1e-2)
        theirs.grad = grad.clone()
        optimizer.step()
        torch.testing.assert_close(theta, theirs.detach(), rtol=1e-12, atol=1e-12)


def test_the_first_step_of_adam_has_the_step_size_whatever_the_gradient():
    theta = torch.zeros(3, dtype=torch.float64)
    moved, _ = adam_step(theta, torch.tensor([1e-3, -5.0, 1e6], dtype=torch.float64), AdamState.zeros_like(theta), 0.01)
    torch.testing.assert_close(moved, torch.tensor([-0.01, 0.01, -0.01], dtype=torch.float64), rtol=2e-5, atol=0)


def test_what_is_passed_in_is_left_as_it_was():
    theta = start(3, 13)
    grad = gradient(theta, 0)
    _, state = adam_step(theta, grad, AdamState.zeros_like(theta), 0.1)
    before = [t.clone() for t in (theta, grad, state.mean, state.square)]
    adam_step(theta, grad, state, 0.1)
    sgd_step(theta, grad, 0.1)
    assert all(torch.equal(a, b) for a, b in zip(before, (theta, grad, state.mean, state.square), strict=True))
    assert state.num_steps == 1


def test_rows_of_a_batch_are_stepped_independently():
    theta = start(3, 13)
    state = AdamState.zeros_like(theta)
    alone, its = theta[1], AdamState.zeros_like(theta[1])
    for step in range(3):
        theta, state = adam_step(theta, gradient(theta, step), state, 0.1)
        alone, its = adam_step(alone, gradient(alone, step), its, 0.1)
    assert torch.equal(theta[1], alone)
