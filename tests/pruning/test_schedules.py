from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_problems import repeatable

from sparsine.errors import BadInput
from sparsine.pruning import PruningConfig, geometric, geometric_to

PAPER_WEIGHTS = 197_888
# The paper's table beside figure 2 counts exactly: 17,000 after 11 rounds, 8,704 after 14. The axis of its curves shows
# 0.8^k of 197,888, which differs by up to three from what int(0.2 n) of n leaves.
ON_THE_CURVES = {4: 81_055, 8: 33_200, 10: 21_248, 11: 16_998, 14: 8_704, 15: 6_963, 17: 4_456, 20: 2_281}
LEFT = {4: 81_056, 8: 33_201, 10: 21_249, 11: 17_000, 14: 8_704, 15: 6_964, 17: 4_458, 20: 2_284}


def test_twenty_rounds_leave_the_papers_counts():
    survivors = geometric(0.2, 20)(PAPER_WEIGHTS)
    assert len(survivors) == 20
    assert {k: survivors[k - 1] for k in LEFT} == LEFT
    assert (survivors[10], survivors[13]) == (17_000, 8_704)
    assert all(0 <= survivors[k - 1] - shown <= 3 for k, shown in ON_THE_CURVES.items())


def test_the_default_configuration_is_the_papers():
    config = PruningConfig()
    assert (config.score, config.fraction, config.rounds, config.target_sparsity) == ("magnitude", 0.2, 20, None)
    assert config.survivors(PAPER_WEIGHTS) == geometric(0.2, 20)(PAPER_WEIGHTS)


def test_a_round_removes_the_whole_part_of_the_fraction():
    # 64 - 12 = 52, - 10 = 42, - 8 = 34, - 6 = 28
    assert geometric(0.2, 4)(64) == [52, 42, 34, 28]
    assert geometric(0.5, 3)(7) == [4, 2, 1]
    assert geometric(0.2, 3)(6) == [5, 4, 4]  # a fifth of four is less than one weight
    assert geometric(0.2, 0)(64) == []


@repeatable
@given(st.integers(0, 10**7))
def test_a_fifth_is_exact_in_floating_point(num_weights):
    assert geometric(0.2, 1)(num_weights) == [num_weights - num_weights // 5]


def test_a_fraction_of_one_removes_everything_at_once():
    assert geometric(1.0, 2)(64) == [0, 0]
    assert geometric_to(1.0, 1.0)(64) == [0]
    assert geometric_to(1.0, 0.5)(64) == [32]


@repeatable
@given(st.floats(0.05, 1.0), st.floats(0.0, 0.9), st.integers(200, 100_000))
def test_a_target_is_hit_exactly_and_never_passed(fraction, target, num_weights):
    counts = [num_weights, *geometric_to(fraction, target)(num_weights)]
    assert counts[-1] == num_weights - int(target * num_weights)
    removed = [before - after for before, after in pairwise(counts)]
    assert all(r > 0 for r in removed)
    # every round but the last removes the full fraction
    assert removed[:-1] == [int(fraction * n) for n in counts[:-2]]


def test_a_target_takes_the_rounds_that_it_needs():
    assert geometric_to(0.2, 0.5)(64) == [52, 42, 34, 32]
    assert geometric_to(0.2, 0.0)(64) == []
    config = PruningConfig(target_sparsity=0.5, rounds=2)  # rounds do not count then
    assert config.survivors(64) == [52, 42, 34, 32]


def test_a_target_that_is_never_reached_is_refused():
    with pytest.raises(BadInput, match=r"removing 0\.2 of 4 weights removes none, .* sparsity 1 \(0 weights\)"):
        geometric_to(0.2, 1.0)(64)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("fraction", 0.0),
        ("fraction", -0.2),
        ("fraction", 1.0001),
        ("fraction", float("nan")),
        ("rounds", -1),
        ("rounds", 10_001),
        ("target_sparsity", -0.1),
        ("target_sparsity", 1.1),
        ("target_sparsity", float("nan")),
    ],
)
def test_nonsense_is_refused_by_name(name, value):
    with pytest.raises(BadInput, match=f"{name} is {value!r}, but it must"):
        PruningConfig(**{name: value})


def test_a_target_counts_from_the_dense_field_also_when_a_part_is_gone_already():
    # half of 64, from 50 that are left of it
    assert geometric_to(0.2, 0.5)(50, of=64) == [40, 32]
    assert geometric_to(0.2, 0.5)(32, of=64) == []
    assert geometric_to(0.2, 0.5)(30, of=64) == []  # sparser than asked: nothing to do
    assert geometric(0.2, 2)(50, of=64) == [40, 32]
