from dataclasses import replace
from math import isnan, log10

import pytest
import torch
from small_problems import Pattern, field_of, make_problem, random_keep, random_pattern

from sparsine.engines import DenseEngine, ReferenceEngine
from sparsine.errors import BadInput
from sparsine.fitting import FitConfig, fit
from sparsine.meta.maml import Samples, adapt
from sparsine.signals.values import ANY

FIELD = field_of(2, 7, 5, 3, omega_0=2.5, output_offset=0.5)
PATTERN = random_pattern(FIELD, 0.5)


def problem_of(pattern=PATTERN):
    return make_problem(pattern)


def gentle_problem():
    """Small values and a small start: SGD with steps of 1 is stable on them."""
    problem = problem_of()
    return replace(problem, theta=0.3 * problem.theta, values=0.1 * problem.values)


def fitted(problem, config, engine=None):
    engine = engine or DenseEngine(problem.pattern, dtype=torch.float64)
    return fit(engine, problem.theta[0], *problem.samples, config, value_range=ANY)  # some are huge on purpose


def test_two_steps_of_sgd_are_the_inner_loop_of_the_learning():
    problem = problem_of()
    engine = DenseEngine(PATTERN, dtype=torch.float64)
    result = fitted(problem, FitConfig(optimizer="sgd"), engine)
    expected = adapt(engine, problem.theta[0].expand(3, -1), Samples(*problem.samples), 2, 1e-2)
    torch.testing.assert_close(result.theta, expected, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize(("optimizer", "theirs"), [("adam", torch.optim.Adam), ("sgd", torch.optim.SGD)])
def test_a_fit_is_pytorchs_own_loop_through_autograd(optimizer, theirs):
    problem, lr, steps = problem_of(), 3e-2, 13
    result = fitted(problem, FitConfig(optimizer=optimizer, steps=steps, lr=lr, report=range_of(steps)))
    reference = ReferenceEngine(PATTERN, dtype=torch.float64)
    assert result.steps == tuple(range(steps + 1))
    for i in range(3):
        leaf = problem.theta[0].clone().requires_grad_()
        optimizer, curve = theirs([leaf], lr=lr), []
        for _ in range(steps):
            optimizer.zero_grad()
            loss = reference.mse(leaf, problem.coords, problem.values[i])
            curve.append(-10 * log10(loss.item()))
            loss.backward()
            optimizer.step()
        curve.append(-10 * log10(reference.mse(leaf, problem.coords, problem.values[i]).item()))
        torch.testing.assert_close(result.theta[i], leaf.detach(), rtol=1e-9, atol=1e-10)
        assert result.psnr_db[i] == pytest.approx(curve, abs=1e-8)
    assert result.status == ["ok"] * 3


def range_of(steps):
    return tuple(range(steps + 1))


def test_psnr_is_measured_at_the_steps_that_are_asked_for():
    problem = problem_of()
    every = fitted(problem, FitConfig(steps=7, lr=0.01, report=range_of(7)))
    some = fitted(problem, FitConfig(steps=7, lr=0.01, report=(4, 0)))
    assert some.steps == (0, 4, 7)
    assert some.psnr_db == [[curve[0], curve[4], curve[7]] for curve in every.psnr_db]
    assert torch.equal(some.theta, every.theta)
    # and it is that of the vector as it stands then
    shorter = fitted(problem, FitConfig(steps=4, lr=0.01))
    assert [curve[-1] for curve in shorter.psnr_db] == pytest.approx([curve[4] for curve in every.psnr_db], abs=1e-9)
    engine = DenseEngine(PATTERN, dtype=torch.float64)
    mse = engine.loss(every.theta, *problem.samples)
    assert [curve[7] for curve in every.psnr_db] == pytest.approx((-10 * mse.log10()).tolist(), abs=1e-9)


def test_no_steps_leave_the_start_and_measure_it():
    problem = problem_of()
    result = fitted(problem, FitConfig(steps=0))
    assert torch.equal(result.theta, problem.theta[0].expand(3, -1))
    assert (result.steps, result.status) == ((0,), ["ok"] * 3)
    error = DenseEngine(PATTERN, dtype=torch.float64).loss(result.theta, *problem.samples)
    assert [curve[0] for curve in result.psnr_db] == pytest.approx((-10 * error.log10()).tolist(), abs=1e-9)


def test_the_start_and_the_values_are_left_as_they_were():
    problem = problem_of(Pattern.full(FIELD))
    before = [t.clone() for t in (problem.theta, problem.coords, problem.values)]
    for steps in (0, 3):
        result = fitted(problem, FitConfig(steps=steps))
        result.theta.zero_()  # what comes back is the caller's own
    after = (problem.theta, problem.coords, problem.values)
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


# What drives a signal out of bounds, and whether at once or on the way.
HUGE = {
    "adam, at once": (FitConfig(steps=9, lr=0.01), 1e200),
    "sgd, at once": (FitConfig(optimizer="sgd", steps=9, lr=0.01), 1e200),
    "sgd, on the way": (FitConfig(optimizer="sgd", steps=9, lr=1.0), 1e100),
    "adam, steps that lead away": (FitConfig(steps=9, lr=0.01), None),
}


@pytest.mark.parametrize("case", HUGE)
@pytest.mark.parametrize("bad", [0, 1, 2])
def test_a_signal_that_overflows_is_reported_and_does_not_touch_the_others(case, bad):
    config, size = HUGE[case]
    problem = gentle_problem()
    values = problem.values.clone()
    if size is None:
        # the start fits it perfectly: any step is away from it
        values[bad] = ReferenceEngine(PATTERN, dtype=torch.float64).predict(problem.theta[:1], problem.coords)[0]
        values[bad, 0, 0] += 1e-9
    else:
        values[bad] *= size
    others = [i for i in range(3) if i != bad]
    result = fitted(replace(problem, values=values), config)
    assert result.status[bad] == "diverged"
    assert torch.isfinite(result.theta).all()
    without = fitted(replace(problem, values=values[others]), config)
    torch.testing.assert_close(result.theta[others], without.theta, rtol=1e-12, atol=1e-14)
    assert [result.psnr_db[i] for i in others] == [pytest.approx(c, abs=1e-9) for c in without.psnr_db]
    assert [result.status[i] for i in others] == without.status == ["ok", "ok"]


def test_a_vector_that_overflows_is_held_where_it_was_last_finite():
    config, size = HUGE["sgd, on the way"]
    problem = gentle_problem()
    values = problem.values.clone()
    values[1] *= size
    config = replace(config, report=range_of(config.num_steps))
    result = fitted(replace(problem, values=values), config)
    curve = result.psnr_db[1]
    ended = next(step for step, psnr in enumerate(curve) if isnan(psnr))
    assert 1 < ended < config.num_steps
    assert all(isnan(psnr) for psnr in curve[ended:])  # and it never comes back
    # all three at once, as `fit` has them: the sine of a huge number hangs on the last bit
    start, samples = problem.theta[:1].expand(3, -1), Samples(problem.coords, values)
    engine = DenseEngine(PATTERN, dtype=torch.float64)
    by_hand = adapt(engine, start, samples, ended - 1, config.step_size)[1]
    assert torch.isfinite(by_hand).all()
    # the last finite vector is that of the step before the first loss without a number, or the one after it
    following = adapt(engine, start, samples, ended, config.step_size)[1]
    assert any(torch.allclose(result.theta[1], t, rtol=1e-6) for t in (by_hand, following))


def test_one_that_ends_worse_than_it_began_is_diverged():
    problem = problem_of()
    result = fitted(problem, FitConfig(steps=3, lr=500.0))
    assert result.status == ["diverged"] * 3
    assert all(curve[-1] < curve[0] for curve in result.psnr_db)
    assert torch.isfinite(result.theta).all()


def test_a_batch_that_is_all_bad_ends_all_the_same():
    problem = gentle_problem()
    for config, size in list(HUGE.values())[:3]:
        result = fitted(replace(problem, values=size * problem.values), config)
        assert result.status == ["diverged"] * 3
        assert torch.isfinite(result.theta).all()
        assert [len(curve) for curve in result.psnr_db] == [len(result.steps)] * 3


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_values_that_are_not_finite_are_refused(number):
    problem = problem_of()
    values = problem.values.clone()
    values[2, 10, 1] = number
    with pytest.raises(BadInput, match="NaN or infinity"):
        fitted(replace(problem, values=values), FitConfig(steps=1))


@pytest.mark.parametrize("far", [255.0, -9.0])
def test_values_of_another_range_are_refused_with_what_was_given_and_expected(far):
    problem = problem_of()
    values = problem.values.clone().clamp(-1, 1)
    values[1, 3, 2] = far
    engine = DenseEngine(PATTERN, dtype=torch.float64)
    with pytest.raises(BadInput, match=rf"expected values from -8 to 8, but they run from .*{far:g}"):
        fit(engine, problem.theta[0], problem.coords, values, FitConfig(steps=1))
    narrow = {"config": FitConfig(steps=1), "value_range": (-0.25, 1.25)}
    with pytest.raises(BadInput, match=r"expected values from -0\.25 to 1\.25, but they run from -1 to"):
        fit(engine, problem.theta[0], problem.coords, values.clamp(-1, 0.9), **narrow)
    assert len(fit(engine, problem.theta[0], problem.coords, values.clamp(-0.2, 1.2), **narrow).psnr_db) == 3


def test_shapes_that_do_not_belong_together_are_refused():
    problem = problem_of()
    engine = DenseEngine(PATTERN, dtype=torch.float64)
    with pytest.raises(BadInput, match=r"theta must be \(signals, "):
        fit(engine, problem.theta[0, 1:], *problem.samples, FitConfig())
    with pytest.raises(BadInput, match=r"values must be \(signals, points, channels\) = \(3, 11, 3\)"):
        fit(engine, problem.theta[0], problem.coords, problem.values[..., :2], FitConfig())


def a_layer_pruned():
    keep = random_keep(FIELD, 0.5)
    keep[14:49] = False
    return Pattern(FIELD, keep)


@pytest.mark.parametrize("pattern", [PATTERN, a_layer_pruned(), random_pattern(FIELD, 0)])
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_a_pruned_weight_stays_zero_after_fitting(pattern, optimizer):
    problem = problem_of(pattern)
    result = fitted(problem, FitConfig(optimizer=optimizer, steps=5, lr=0.01))
    dense = pattern.scatter(result.theta)
    assert (dense[:, :64][:, ~pattern.keep] == 0).all()
    assert torch.equal(pattern.gather(dense), result.theta)
    assert not torch.equal(result.theta[0], problem.theta[0])
    # the field drawn from it is that of a dense field with those zeros
    full = DenseEngine(Pattern.full(FIELD), dtype=torch.float64)
    sparse = DenseEngine(pattern, dtype=torch.float64)
    torch.testing.assert_close(
        sparse.predict(result.theta, problem.coords), full.predict(dense, problem.coords), rtol=1e-13, atol=1e-15
    )


def test_fitting_improves_every_signal():
    problem = problem_of(Pattern.full(FIELD))
    result = fitted(problem, FitConfig(steps=40, lr=0.02))
    assert all(curve[-1] > curve[0] + 0.5 for curve in result.psnr_db)
    assert result.status == ["ok"] * 3


def test_the_same_fit_has_the_same_bits():
    problem = problem_of()
    first, again = (fitted(problem, FitConfig(steps=20, lr=0.01)) for _ in range(2))
    assert torch.equal(first.theta, again.theta)
    assert first.psnr_db == again.psnr_db
