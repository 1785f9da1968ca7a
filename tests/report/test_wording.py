"""Numbers and settings in the words of a reader."""

import pytest

from sparsine.counted import counted
from sparsine.report.wording import DASH, plain, protocol, setting


@pytest.mark.parametrize(
    ("number", "nouns", "said"),
    [
        (0, ["thread"], "0 threads"), (1, ["thread"], "1 thread"), (2, ["thread"], "2 threads"),
        (31_684, ["outer step"], "31,684 outer steps"), (1, ["axis", "axes"], "1 axis"),
        (2, ["axis", "axes"], "2 axes"),
    ],
)  # fmt: skip
def test_a_number_has_its_noun_in_the_right_form(number, nouns, said):
    assert counted(number, *nouns) == said


def test_one_step_is_one_step():
    assert [protocol(steps, "sgd") for steps in (1, 2)] == ["1 SGD step", "2 SGD steps"]


def test_a_list_is_told_with_commas_and_only_a_shape_with_x():
    assert plain([32, 48, 64]) == setting((32, 48, 64), "qualities") == "32, 48, 64"
    assert setting([48, 64], "resolution") == setting((48, 64), "shape") == "48 x 64"
    assert [setting(value, "resolution") for value in (None, "", True, 7)] == [DASH, DASH, "yes", "7"]
