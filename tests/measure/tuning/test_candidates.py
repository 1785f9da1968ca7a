"""Who races: all with just the wanted weights, spread over every setting."""

from dataclasses import replace

import pytest
from small_races import BASE, falls

from sparsine.errors import BadInput
from sparsine.measure.tuning.candidates import candidates_of
from sparsine.measure.tuning.config import TuneConfig, rungs_of
from sparsine.meta.config import FieldConfig
from sparsine.recipes import best
from sparsine.starts.plan import FULL_STEPS

PICTURES = (2, 3)


def left(config, ends):
    weights = config.field.field(*ends).num_weights
    return [weights, *config.pruning.survivors(weights)][-1]


@pytest.mark.parametrize("numbers", [2_284, 8_704, 777, 40_000])
@pytest.mark.parametrize("ends", [(1, 1), (2, 3), (3, 1)])
def test_everybody_ends_with_just_the_wanted_weights_on_every_rung(numbers, ends):
    config = TuneConfig(numbers=numbers)
    for candidate in candidates_of(config, best(), ends, 0.4):
        for rung in (None, *rungs_of(config, 9)):
            assert left(candidate.config(best(), numbers, ends, rung), ends) == numbers, candidate


def test_the_first_is_the_recipe_as_it_is():
    first, *others = candidates_of(TuneConfig(), best(), PICTURES, 0.4)
    config = first.config(best(), 2_284, PICTURES)
    assert config.field == best().field
    assert config.pruning.score_options == best().pruning.score_options
    assert config.pruning.survivors(config.field.field(*PICTURES).num_weights)[-1] == 2_284
    assert replace(config, pruning=best().pruning) == best()
    assert first.family == "recipe"
    assert {other.family for other in others} == {"pattern", "narrow"}


def test_every_pattern_has_an_omega_and_a_step_size_of_its_own_far_and_near():
    found = [c for c in candidates_of(TuneConfig(), best(), PICTURES, 0.4) if c.family == "pattern"]
    omegas, steps = sorted(c.omega_0 for c in found), sorted(c.score_step_size for c in found)
    assert len({*omegas}) == len({*steps}) == len(found)
    usual = best().field.omega_0
    assert omegas[0] < 0.4 * usual
    assert omegas[-1] > 1.8 * usual
    assert {c.width for c in found} == {64, 128, 256}
    assert {c.hidden_layers for c in found} == {3, 4}


def test_a_narrow_network_has_hardly_more_weights_than_are_wanted():
    for candidate in candidates_of(TuneConfig(), best(), PICTURES, 0.4):
        if candidate.family == "narrow":
            whole = candidate.config(best(), 2_284, PICTURES).field
            assert replace(whole, width=whole.width - 1).field(*PICTURES).num_weights < 2_284


def test_the_mean_is_an_offset_only_where_it_is_another():
    def offsets(mean):
        return {c.output_offset for c in candidates_of(TuneConfig(), best(), PICTURES, mean)}

    assert offsets(0.5004) == {0.5}
    assert offsets(-0.0213) == {0.5, -0.0213}


def test_the_same_seed_lets_the_same_race():
    config = TuneConfig(candidates=9)
    assert candidates_of(config, best(), PICTURES, 0.4) == candidates_of(config, best(), PICTURES, 0.4)
    other = replace(best(), seed=5)
    assert candidates_of(config, best(), PICTURES, 0.4) != candidates_of(config, other, PICTURES, 0.4)


def test_more_weights_than_the_field_has_are_refused():
    with pytest.raises(BadInput, match="numbers is 9999, but the widest field that is tried has 204 weights"):
        candidates_of(TuneConfig(numbers=9_999), BASE, PICTURES, 0.4)


def test_all_weights_of_the_field_can_be_wanted():
    base = replace(best(), field=FieldConfig(width=12, hidden_layers=2))
    for candidate in candidates_of(TuneConfig(numbers=204), base, PICTURES, 0.4):
        assert left(candidate.config(base, 204, PICTURES), PICTURES) == 204


@pytest.mark.parametrize("effort", FULL_STEPS)
@pytest.mark.parametrize("num_val", [4, 5, 9, 100])
def test_later_rungs_look_longer_at_fewer(effort, num_val):
    rungs = rungs_of(TuneConfig(effort=effort, signals=12), num_val)
    assert falls([rung.candidates for rung in rungs])
    assert falls([-FULL_STEPS[rung.effort] for rung in rungs])
    assert falls([-rung.signals for rung in rungs])
    assert rungs[-1].effort == effort
    assert rungs[-1].signals == min(12, num_val)
    assert (rungs[-1].fraction, rungs[-1].score_signals, rungs[-1].score_steps) == (None, None, None)
