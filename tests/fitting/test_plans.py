import math
from dataclasses import replace

import jaxtyping
import pytest
import torch
from small_problems import Pattern, field_of

from sparsine.engines.dense import DenseEngine
from sparsine.errors import BadInput, WorkFailed
from sparsine.fitting import FitConfig, fit, fit_collection
from sparsine.fitting.plan_search import (
    PlanConfig,
    find_plans,
    plan_of,
    plans_like,
    share_of,
    usual_step_size,
)
from sparsine.signals.arrays import Arrays
from sparsine.signals.grid import Grid
from sparsine.signals.kinds import Rgb
from sparsine.starts.plan import FULL_STEPS, FitPlan
from sparsine.starts.start import Start

GRID = Grid(shape=(24, 30))
PLANS = {"fast": FitPlan(steps=40, lr=3e-3, share=0.25), "balanced": FitPlan(steps=80, lr=2e-3, share=0.25)}


def make_start(plans=PLANS, shape=GRID.shape):
    field = field_of(2, 16, 16, 3, omega_0=15.0, output_offset=0.5)
    return Start(Pattern.full(field), field.initial_theta(seed=1), Grid(shape=shape), kind=Rgb(), plans=plans)


def smooth(count=3, shape=GRID.shape):
    """Pictures of a few waves."""
    rng = torch.Generator().manual_seed(5)
    coords = Grid(shape=shape).coords()
    waves = torch.randn(count, 2, 3, generator=rng) * 3
    return (0.5 + 0.4 * torch.sin(coords @ waves)).reshape(count, *shape, 3)


def as_set(values):
    return Arrays(list(values.numpy()), Rgb())


def test_what_is_left_open_is_said_by_the_plan_of_the_effort():
    config = FitConfig().by(PLANS)
    assert (config.chosen, config.num_steps, config.step_size, config.decay, config.share) == (
        "adam", 80, 2e-3, "cosine", 0.25,
    )  # fmt: skip
    assert FitConfig(effort="fast").by(PLANS).num_steps == 40


def test_what_is_given_comes_before_the_plan():
    config = FitConfig(steps=7, lr=0.1, decay="none", share=1.0).by(PLANS)
    assert (config.num_steps, config.step_size, config.decay, config.share) == (7, 0.1, "none", 1.0)
    config = FitConfig(points=20).by(PLANS)
    assert (config.points, config.share, config.points_of(720)) == (20, None, 20)


def test_asking_twice_changes_nothing():
    config = FitConfig(lr=0.1).by(PLANS)
    assert config.by(PLANS) == config


@pytest.mark.parametrize("config", [FitConfig(protocol="paper"), FitConfig(optimizer="sgd")])
def test_the_papers_protocol_and_another_optimizer_do_not_hear_of_plans(config):
    assert config.by(PLANS) == config
    assert config.by(PLANS).num_steps == {"adam": 100, "sgd": 2}[config.chosen]


def test_a_start_without_plans_is_fitted_as_the_paper_does_and_refuses_an_effort():
    assert FitConfig().by({}) == FitConfig()
    with pytest.raises(BadInput, match="effort best: it has no plans"):
        FitConfig(effort="best").by({})
    with pytest.raises(BadInput, match="effort best: it has plans for fast, balanced"):
        FitConfig(effort="best").by(PLANS)


def test_steps_that_are_reported_are_held_against_the_plan():
    assert FitConfig(report=(0, 80)).by(PLANS).report_steps == (0, 80)
    with pytest.raises(BadInput, match="report is 81, but it must lie between 0 and 80"):
        FitConfig(report=(81,)).by(PLANS)
    with pytest.raises(BadInput, match="report is 200"):
        FitConfig(report=(200,)).by({})


def test_the_step_size_falls_as_a_cosine():
    config = FitConfig(steps=10, lr=0.5, decay="cosine")
    assert [config.step_size_at(step) for step in (0, 5)] == pytest.approx([0.5, 0.25])
    assert config.step_size_at(9) == pytest.approx(0.25 * (1 + math.cos(0.9 * math.pi)))
    assert FitConfig(lr=0.5).step_size_at(9) == 0.5


def test_a_plan_costs_what_its_effort_says():
    for effort, full_steps in FULL_STEPS.items():
        plan = plan_of(full_steps, share_of(178 * 178), 1e-3)
        assert plan.full_steps == pytest.approx(full_steps, rel=0.01), effort
    assert (share_of(178 * 178), share_of(64 * 64), share_of(9)) == (1 / 36, 1 / 16, 1.0)


def test_fits_on_lattices_see_every_sample_alike_and_get_further_than_full_steps():
    values = smooth()
    start = make_start()
    lattices = list(fit_collection(start, as_set(values), FitConfig(steps=160, share=1 / 4, report=())))
    full = list(fit_collection(start, as_set(values), FitConfig(protocol="paper", steps=40, lr=2e-3, report=())))
    assert min(fit.psnr_db[-1] for fit in lattices) > max(fit.psnr_db[-1] for fit in full)


def test_any_split_into_batches_gives_the_same_fits():
    values, start = smooth(5), make_start()
    fits = [
        torch.stack([fit.theta for fit in fit_collection(start, as_set(values), FitConfig(batch=batch))])
        for batch in (1, 2, 5)
    ]
    torch.testing.assert_close(fits[1], fits[0], rtol=0, atol=1e-5)
    torch.testing.assert_close(fits[2], fits[0], rtol=0, atol=1e-5)


def test_lattices_are_spaced_along_both_axes(monkeypatch):
    """In the list of samples alone, every sixteenth would be columns of the picture."""
    values, start, seen = smooth(1, (16, 16)), make_start(shape=(16, 16)), []

    class Watching(DenseEngine):
        def _loss_and_grad(self, theta, coords, values):
            seen.append(coords)
            return super()._loss_and_grad(theta, coords, values)

    config = FitConfig(steps=3, share=1 / 16, report=())
    fit(Watching(start.pattern), start.theta, start.domain.coords(), values.reshape(1, 256, 3), config, shape=(16, 16))
    for coords in seen:
        assert (len(coords), len(coords[:, 0].unique()), len(coords[:, 1].unique())) == (16, 4, 4)
    assert not torch.equal(seen[0], seen[1])


def test_seconds_stand_beside_steps():
    (one, *_) = fit_collection(make_start(), as_set(smooth(2)), FitConfig(report=(0, 40)))
    assert one.steps == (0, 40, 80)
    assert one.seconds[0] == 0
    assert 0 < one.seconds[1] < one.seconds[2]
    assert one.to_dict()["seconds"] == [round(second, 6) for second in one.seconds]


def test_the_plan_that_is_found_is_better_than_its_neighbours():
    start, signals = make_start({}), as_set(smooth())
    tried = {}
    plans = find_plans(
        start, signals, PlanConfig(plan_signals=2), on_trial=lambda *trial: tried.update({trial[:2]: trial[2]})
    )
    assert list(plans) == list(FULL_STEPS)
    for effort in ("instant", "fast", "balanced"):
        chosen = plans[effort].lr
        others = {lr: db for (of, lr), db in tried.items() if of == effort}
        assert others[chosen] >= max(others.values()) - 0.1
        assert {float(f"{chosen * 2**0.5:.3g}"), float(f"{chosen / 2**0.5:.3g}")} & set(others)
    assert plans["best"].lr == plans["balanced"].lr


def test_a_guess_that_is_far_off_is_left(monkeypatch):
    monkeypatch.setattr("sparsine.fitting.plan_search.usual_step_size", lambda _: 1.0)
    plans = find_plans(make_start({}), as_set(smooth()), PlanConfig(plan_signals=2))
    assert 1e-4 < plans["balanced"].lr < 0.1


def test_signals_without_contrast_do_not_keep_it_waiting():
    """A constant picture can be fitted perfectly, by any step size."""
    grey = torch.full((2, 24, 30, 3), 0.5)
    start = make_start({})
    still = Start(start.pattern, torch.zeros_like(start.theta), start.domain, kind=start.kind)
    assert set(find_plans(still, as_set(grey), PlanConfig(plan_signals=2))) == set(FULL_STEPS)


def test_a_signal_that_begins_nearly_fitted_does_not_send_the_search_to_tiny_steps():
    """All but grey, so that a still start begins at 60 dB, and steps that fit the other signal end below that."""
    start = make_start({})
    still = replace(start, theta=start.theta.clone())
    still.theta[start.field.num_weights - 48 : start.field.num_weights] = 0  # the last layer: 3 x 16
    still.theta[-3:] = 0
    wave = smooth(1)[0]
    noise = torch.randn(wave.shape, generator=torch.Generator().manual_seed(2))
    alone = find_plans(start, as_set(wave[None]), PlanConfig(plan_signals=1))["instant"].lr
    both = find_plans(still, as_set(torch.stack([wave, 0.5 + 0.001 * noise])), PlanConfig(plan_signals=2))
    assert alone / 16 < both["instant"].lr


def test_signals_that_cannot_be_fitted_at_all_end_the_search():
    broken = torch.full((2, 24, 30, 3), torch.nan)
    with pytest.raises(WorkFailed, match="not one validation signal could be read"):
        find_plans(make_start({}), as_set(broken), PlanConfig(plan_signals=2))


def test_plans_of_other_rounds_follow_the_number_of_weights():
    like = plans_like(PLANS, 2_284, 33_201)
    ratio = usual_step_size(33_201) / usual_step_size(2_284)
    assert ratio < 0.5
    assert like["balanced"].lr == pytest.approx(PLANS["balanced"].lr * ratio, rel=0.01)
    assert (like["fast"].steps, like["fast"].share) == (40, 0.25)


@pytest.mark.parametrize("signals", [-1, 10_001, True])
def test_nonsense_is_refused(monkeypatch, signals):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    with pytest.raises(BadInput, match="plan_signals is"):
        PlanConfig(plan_signals=signals)
