"""A run that looks for the way to fit: every start carries plans, and a kill loses none."""

from dataclasses import replace

import pytest
from small_runs import Killed, config_of, digests, learn, opened, photos

from sparsine.fitting.plan_search import PlanConfig, usual_step_size
from sparsine.meta.config import LearnConfig
from sparsine.meta.run import open_run
from sparsine.meta.run_folder import starts_of
from sparsine.recipes import best, for_kind, for_size, quick, recipe
from sparsine.signals.kind import VALUES
from sparsine.signals.kinds import Audio, Rgb
from sparsine.starts.plan import FULL_STEPS
from sparsine.starts.start import load_start


@pytest.fixture
def config(tmp_path):
    return replace(config_of(photos(tmp_path / "photos")), plan=PlanConfig(plan_signals=2))


def plans_in(run):
    return [load_start(path).plans for path in starts_of(run)]


def test_every_start_of_a_run_carries_plans_that_follow_its_weights(tmp_path, config):
    start, _ = learn(config, tmp_path / "run")
    found = plans_in(tmp_path / "run")
    assert [list(plans) for plans in found] == [list(FULL_STEPS)] * 3
    assert found[-1] == start.plans
    weights = [load_start(path).pattern.num_weights for path in starts_of(tmp_path / "run")]
    ratio = usual_step_size(weights[0]) / usual_step_size(weights[-1])
    assert ratio < 1
    assert found[0]["balanced"].lr == pytest.approx(found[-1]["balanced"].lr * ratio, rel=0.01)


def test_a_run_that_was_killed_while_it_looked_for_plans_goes_on_to_the_same(tmp_path, config):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    learn(config, whole)

    def kill(*_):
        raise Killed

    with pytest.raises(Killed):
        learn(config, killed, on_trial=kill)
    assert plans_in(killed) == [{}, {}, {}]
    learn(config, killed, resume=True)
    assert plans_in(killed) == plans_in(whole)
    assert digests(killed) == digests(whole)
    with open_run(config, killed, opened(config), resume=True) as run:
        assert run.finished is not None
        assert run.finished.plans


def test_a_configuration_from_before_there_were_plans_looks_for_none():
    saved = quick().to_dict()
    del saved["plan"], saved["inner"]["share"], saved["field"]["output_offset"]
    assert LearnConfig.from_dict(saved) == quick()
    assert LearnConfig.from_dict(saved).plan.plan_signals == 0


def test_best_puts_out_the_middle_of_the_values_before_a_fit_and_nothing_else_does():
    offsets = {kind: for_kind(best(), kind).field.output_offset for kind in (Rgb(), Audio(rate=8000), VALUES)}
    assert list(offsets.values()) == [0.5, 0.0, 0.0]
    assert for_kind(quick(), Rgb()) == quick()
    by_hand = replace(best(), field=replace(best().field, output_offset=0.2))
    assert for_kind(by_hand, Audio(rate=8000)) == by_hand


def test_fits_of_the_score_take_smaller_steps_where_the_field_has_higher_frequencies():
    """With steps of 1e-3 at the omega_0 of sounds, all but one layer lost all of their weights."""

    def step(config):
        return config.pruning.score_options["step_size"]

    assert step(for_size(best(), (178, 178))) == step(for_size(best(), (64, 64))) == 1e-3
    sound = for_size(best(), (4096,))
    assert 300 < sound.field.omega_0 < 400
    assert step(sound) == pytest.approx(1.55e-4, rel=0.01)
    chosen = replace(best(), field=replace(best().field, omega_0=300.0))
    assert step(for_size(chosen, (64, 64))) == pytest.approx(2e-4)
    by_hand = replace(chosen, pruning=replace(chosen.pruning, score_options={**chosen.pruning.score_options,
                                                                            "step_size": 7e-4}))  # fmt: skip
    assert step(for_size(by_hand, (64, 64))) == 7e-4


def test_best_follows_the_size_of_the_signals_and_nothing_else_does():
    assert for_size(best(), (178, 178)).field.omega_0 == pytest.approx(50.0, abs=0.1)
    assert for_size(best(), (64, 64)).field.omega_0 == pytest.approx(25.7, abs=0.1)
    assert for_size(quick(), (64, 64)) == quick()
    assert for_size(replace(best(), field=replace(best().field, width=6)), (64, 64)).field.omega_0 < 26
    for by_hand in (33.0, 50.0):
        chosen = replace(best(), field=replace(best().field, omega_0=by_hand))
        assert for_size(chosen, (64, 64)) == chosen
    assert LearnConfig.from_dict(best().to_dict()) == best() == recipe("best")
