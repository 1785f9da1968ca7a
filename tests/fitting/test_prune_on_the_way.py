"""Fits that prune as they go, against a plain PyTorch loop with a mask."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from small_problems import Pattern, field_of, make_problem, random_pattern, repeatable

from sparsine.engines import ReferenceEngine
from sparsine.errors import BadInput
from sparsine.fitting import FitConfig
from sparsine.fitting.prune_on_the_way import fit_and_prune
from sparsine.psnr import psnr_db

FIELD = field_of(2, 7, 5, 3, omega_0=2.5, output_offset=0.5)
FULL, SPARSE = Pattern.full(FIELD), random_pattern(FIELD, 0.7)
WEIGHTS = FIELD.num_weights  # 64


def problem_of(pattern):
    """float32, one signal."""
    return make_problem(pattern, signals=1, points=23).to(torch.float32)


def pruned_fit(problem, config, prunings, observe=None, engine="auto"):
    return fit_and_prune(problem.pattern, problem.theta[0], problem.coords, problem.values[0], config, prunings,
                         engine=engine, observe=observe)  # fmt: skip


def by_hand(problem, config, prunings, theirs):
    """PSNR after every step, and the dense vector in the end: torch's own optimiser on all weights, those that were
    pruned put back to zero after every step."""
    engine = ReferenceEngine(FULL, dtype=torch.float64)
    leaf = problem.pattern.scatter(problem.theta.double())[0].clone().requires_grad_()
    optimizer, curve = theirs([leaf], lr=config.step_size), []
    alive = torch.cat([problem.pattern.keep, torch.ones(FIELD.num_biases, dtype=torch.bool)])

    def loss():
        return engine.mse(leaf, problem.coords.double(), problem.values[0].double())

    for step in range(config.num_steps + 1):
        for _, count in (p for p in prunings if p[0] == step):
            size = leaf.detach()[:WEIGHTS].abs().masked_fill(~alive[:WEIGHTS], -1.0)
            alive[size.argsort(descending=True)[count:]] = False
            alive[WEIGHTS:] = True
            with torch.no_grad():
                leaf *= alive
        curve.append(psnr_db(loss().item()))
        if step == config.num_steps:
            return curve, leaf.detach(), alive
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
        with torch.no_grad():
            leaf *= alive


CASES = {
    "once, at half": [(6, 21)],
    "at the first step": [(0, 30)],
    "three, evenly": [(3, 50), (6, 33), (9, 12)],
    "two at one step": [(4, 40), (4, 25)],
    "after the last step": [(12, 17)],
    "down to no weight": [(5, 0)],
    "none": [],
}


@pytest.mark.parametrize("prunings", CASES.values(), ids=list(CASES))
@pytest.mark.parametrize(("optimizer", "theirs"), [("adam", torch.optim.Adam), ("sgd", torch.optim.SGD)])
def test_it_is_pytorchs_own_loop_with_a_mask(prunings, optimizer, theirs):
    problem, steps = problem_of(FULL), 12
    config = FitConfig(optimizer=optimizer, steps=steps, lr=0.02, report=tuple(range(steps + 1)))
    seen = []
    result = pruned_fit(problem, config, prunings, lambda step, engine, theta: seen.append((engine, theta)))
    curve, dense, alive = by_hand(problem, config, prunings, theirs)
    assert result.psnr_db[0] == pytest.approx(curve, abs=2e-3)
    engine, theta = seen[-1]
    assert torch.equal(engine.pattern.keep, alive[:WEIGHTS])
    torch.testing.assert_close(engine.pattern.scatter(theta)[0], dense.float(), rtol=1e-3, atol=1e-4)
    assert torch.equal(result.theta, theta)


@pytest.mark.parametrize("pattern", [FULL, SPARSE], ids=["full", "sparse"])
@repeatable
@given(data=st.data())
def test_exactly_the_asked_survivors_at_the_asked_steps_and_what_was_pruned_stays_out(pattern, data):
    steps = data.draw(st.integers(0, 9))
    when = sorted(data.draw(st.lists(st.integers(0, steps), max_size=4)))
    counts = sorted(data.draw(st.lists(st.integers(0, pattern.num_weights), min_size=len(when), max_size=len(when))))
    prunings = list(zip(when, reversed(counts), strict=True))
    seen = []
    config = FitConfig(steps=steps, lr=0.05, report=tuple(range(steps + 1)))
    pruned_fit(problem_of(pattern), config, prunings, lambda step, engine, theta: seen.append((step, engine, theta)))
    assert [step for step, _, _ in seen] == list(range(steps + 1))
    before = pattern.keep
    for step, engine, theta in seen:
        expected = [count for at, count in prunings if at <= step]
        assert engine.pattern.num_weights == (expected[-1] if expected else pattern.num_weights)
        assert theta.shape == (1, engine.pattern.num_params)
        assert bool((engine.pattern.keep <= before).all())  # what is out never comes back
        before = engine.pattern.keep


def test_the_start_and_the_values_are_left_as_they_were():
    problem = problem_of(FULL)
    before = [t.clone() for t in (problem.theta, problem.coords, problem.values)]
    pruned_fit(problem, FitConfig(steps=5, lr=0.05), [(0, 40), (3, 20)]).theta.zero_()
    assert all(torch.equal(a, b) for a, b in zip(before, (problem.theta, problem.coords, problem.values), strict=True))


def test_what_was_removed_is_no_divergence():
    """A start that draws the signal perfectly ends far above where it began when half of it is taken away."""
    problem = problem_of(FULL)
    values = ReferenceEngine(FULL).predict(problem.theta, problem.coords)
    result = pruned_fit(replace(problem, values=values), FitConfig(steps=8, lr=1e-3, report=range_of(8)), [(4, 20)])
    curve = result.psnr_db[0]
    assert curve[-1] < curve[0]
    assert curve[-1] > curve[4]
    assert result.status == ["ok"]


def range_of(steps):
    return tuple(range(steps + 1))


def test_one_that_ends_worse_than_right_after_its_pruning_is_diverged():
    result = pruned_fit(problem_of(FULL), FitConfig(optimizer="sgd", steps=8, lr=100.0), [(4, 20)])
    assert result.status == ["diverged"]
    assert torch.isfinite(result.theta).all()


def test_a_signal_that_overflows_before_its_pruning_is_diverged_after_it():
    problem = problem_of(FULL)
    problem = replace(problem, values=1e30 * problem.values)
    result = pruned_fit(problem, FitConfig(optimizer="sgd", steps=6, lr=1.0), [(3, 20)])
    assert result.status == ["diverged"]
    assert torch.isfinite(result.theta).all()


def test_every_engine_prunes_alike():
    problem, config = problem_of(FULL), FitConfig(steps=7, lr=0.02)
    curves = [pruned_fit(problem, config, [(2, 45), (4, 20)], engine=name).psnr_db[0]
              for name in ("reference", "dense", "sparse")]  # fmt: skip
    assert curves[1] == pytest.approx(curves[0], abs=1e-3)
    assert curves[2] == pytest.approx(curves[0], abs=1e-3)


def test_more_survivors_than_there_are_weights_are_refused():
    for prunings in ([(1, WEIGHTS + 1)], [(1, 20), (2, 30)]):
        with pytest.raises(BadInput, match="cannot keep"):
            pruned_fit(problem_of(FULL), FitConfig(steps=3), prunings)
