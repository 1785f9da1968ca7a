"""Saliency, held against a plain loop of PyTorch's own autograd and Adam."""

from dataclasses import replace

import pytest
import torch
from small_problems import field_of, make_problem, random_pattern

from sparsine.engines import ReferenceEngine, make_engine
from sparsine.errors import WorkFailed
from sparsine.fields import Pattern
from sparsine.fields.liveness import on_a_path
from sparsine.pruning import Context, Saliency, TrainingSignals, prune

FIELD = field_of(2, 7, 5, 3, omega_0=30.0)


SALIENCY = Saliency(signals=3, steps=10, step_size=1e-2)


def drawing(problem, engine=None):
    """As a run does it, but from a problem that has three signals."""
    engine = engine or ReferenceEngine(problem.pattern, dtype=torch.float64)

    def draw(count):
        assert count == 3
        return TrainingSignals(engine, problem.coords, problem.values)

    return draw


def saliency_of(problem, score=SALIENCY, draw=None):
    context = Context(torch.Generator(), draw or drawing(problem))
    return score(problem.pattern, problem.theta[0], context)


def plain(pattern, theta, problem, num_steps, step_size):
    """Signal by signal; every number of the dense field is a leaf, the mask is multiplied on."""
    field, n = pattern.field, pattern.num_weights
    mask = pattern.scatter(torch.ones(1, pattern.num_params, dtype=torch.float64))[0]
    sizes, gradients = [], []
    for i in range(len(problem.values)):
        coords = problem.coords if problem.coords.ndim == 2 else problem.coords[i]
        dense = pattern.scatter(theta[None])[0].clone().requires_grad_()
        adam, seen = torch.optim.Adam([dense], lr=step_size), []
        for _ in range(num_steps):
            adam.zero_grad()
            x, masked, at, bias_at = coords, dense * mask, 0, field.num_weights
            for number, (n_out, n_in) in enumerate(field.layer_shapes, 1):
                weight = masked[at : at + n_out * n_in].view(n_out, n_in)
                x = x @ weight.T + masked[bias_at : bias_at + n_out]
                at, bias_at = at + n_out * n_in, bias_at + n_out
                if number < len(field.layer_shapes):
                    x = torch.sin(field.omega_0 * x)
            (x - problem.values[i]).square().mean().backward()
            seen.append(dense.grad.abs())
            adam.step()
        half = num_steps // 2 + num_steps % 2  # of five steps the last two
        gradients.append(torch.stack(seen)[half:].sum(dim=0))
        sizes.append((dense * mask).detach().abs())
    return pattern.gather((torch.stack(sizes).mean(0) * torch.stack(gradients).mean(0))[None])[0, :n]


@pytest.mark.parametrize("own_coords", [False, True])
@pytest.mark.parametrize("num_steps", [2, 3, 5, 10])
@pytest.mark.parametrize("density", [1.0, 0.5])
def test_saliency_is_the_adapted_size_times_the_gradient_in_the_second_half(own_coords, num_steps, density):
    pattern = random_pattern(FIELD, density)
    problem = make_problem(pattern, own_coords=own_coords)
    found = saliency_of(problem, Saliency(signals=3, steps=num_steps, step_size=1e-2))
    expected = plain(pattern, problem.theta[0], problem, num_steps, 1e-2)
    assert expected.max() > 0
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-15)


def test_the_same_weights_go_whichever_engine_computes():
    pattern = Pattern.full(FIELD)
    problem = make_problem(pattern).to(torch.float32)
    keeps = []
    for name in ("reference", "dense", "sparse"):
        draw = drawing(problem, make_engine(pattern, name))
        keeps.append(prune(pattern, problem.theta[0], 31, SALIENCY, 0, draw).keep)
    assert torch.equal(keeps[0], keeps[1])
    assert torch.equal(keeps[0], keeps[2])


def test_what_leads_nowhere_goes_first_at_any_size():
    # neuron 3 of the second layer is cut off from the output: weights into it get no gradient
    keep = torch.ones(FIELD.num_weights, dtype=torch.bool)
    keep[[14 + 35 + 3, 14 + 35 + 5 + 3, 14 + 35 + 10 + 3]] = False
    pattern = Pattern(FIELD, keep)
    problem = make_problem(pattern)
    theta = problem.theta[0].clone()
    theta[14 + 21 : 14 + 28] = 5.0  # they are the largest of all
    left = prune(pattern, theta, pattern.num_weights - 7, SALIENCY, 0, drawing(problem))
    gone = (pattern.keep & ~left.keep).nonzero().flatten().tolist()
    assert gone == list(range(14 + 21, 14 + 28))
    assert not (left.keep & ~on_a_path(left)).any()


def test_theta_and_the_signals_are_left_as_they_were():
    problem = make_problem(Pattern.full(FIELD))
    theta, values = problem.theta[0].clone(), problem.values.clone()
    saliency_of(problem)
    assert torch.equal(problem.theta[0], theta)
    assert torch.equal(problem.values, values)


def test_a_fit_that_overflows_stops_the_pruning():
    problem = make_problem(Pattern.full(FIELD))
    huge = replace(problem, values=problem.values * 1e308)
    with pytest.raises(WorkFailed, match=r"overflowed; lower --score.step-size \(now 0\.01\)"):
        saliency_of(huge)


def test_fits_that_get_worse_stop_the_pruning_before_they_empty_a_layer():
    wild = Saliency(signals=3, steps=20, step_size=30.0)
    with pytest.raises(WorkFailed, match=r"ended above where they began; lower --score.step-size \(now 30\)"):
        saliency_of(make_problem(Pattern.full(FIELD)), wild)


def test_fits_that_begin_all_but_perfect_may_end_a_little_above_that():
    problem = make_problem(Pattern.full(FIELD))
    drawn = ReferenceEngine(problem.pattern, dtype=torch.float64).predict(problem.theta[:1], problem.coords)
    fitted = replace(problem, values=(drawn + 1e-9).expand_as(problem.values))
    assert torch.isfinite(saliency_of(fitted)).all()
