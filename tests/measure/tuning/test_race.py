"""Successive halving over made-up scores."""

from math import inf, nan

import pytest

from sparsine.errors import WorkFailed
from sparsine.measure.tuning.race import UNTUNED, going_on, race


def asked_by(scores, places):
    """(outcome, who was asked on each rung) where the score of a candidate is the same on every rung."""
    asked = [[] for _ in places]

    def measure(rung, candidate):
        asked[rung].append(candidate)
        return scores[candidate]

    return race(len(scores), places, measure), asked


def test_the_better_part_goes_on_and_the_recipe_with_it():
    outcome, asked = asked_by([5.0, 9.0, 1.0, 8.0, 3.0, 7.0, 2.0], [7, 3, 1])
    assert asked == [[0, 1, 2, 3, 4, 5, 6], [0, 1, 3, 5], [0, 1]]
    assert outcome.winner == 1
    assert outcome.scores[2] == {0: 5.0, 1: 9.0}


def test_the_last_rung_decides_and_not_the_ones_before():
    turned = {(0, 1): 10.0, (0, 2): 9.0, (1, 1): 8.0, (1, 2): 9.5}
    outcome = race(3, [3, 2], lambda rung, candidate: turned.get((rung, candidate), 7.0))
    assert outcome.winner == 2


@pytest.mark.parametrize(("more", "winner"), [(0.04, UNTUNED), (0.06, 1), (-3.0, UNTUNED)])
def test_the_recipe_stays_unless_another_is_clearly_better(more, winner):
    assert asked_by([30.0, 30.0 + more], [2, 1])[0].winner == winner


def test_of_equal_ones_the_first_goes_on():
    assert going_on({0: 1.0, 3: 5.0, 1: 5.0, 2: 5.0}, 2) == [0, 1, 2]


@pytest.mark.parametrize("bad", [nan, -inf])
def test_what_cannot_be_fitted_never_goes_on_and_never_wins(bad):
    outcome, asked = asked_by([2.0, bad, bad, 3.0], [4, 3, 2])
    assert asked[1:] == [[0, 3], [0, 3]]
    assert outcome.winner == 3
    assert asked_by([bad, 3.0, bad], [3, 1])[0].winner == 1
    assert asked_by([2.0, bad], [2, 1])[0].winner == UNTUNED


def test_a_perfect_fit_is_better_than_any_other():
    assert asked_by([50.0, 80.0, inf], [3, 1])[0].winner == 2
    assert asked_by([inf, inf], [2, 1])[0].winner == UNTUNED


def test_where_nothing_can_be_fitted_that_is_said():
    with pytest.raises(WorkFailed, match="not one setting could be fitted"):
        asked_by([nan, -inf], [2, 1])
