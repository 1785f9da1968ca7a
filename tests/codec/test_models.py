"""Tables of frequencies, and what the coder makes of them."""

import constriction
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_problems import repeatable

from sparsine.codec.coding_tables import measured_survival
from sparsine.codec.format.default_tables import laplace_survival
from sparsine.codec.format.entropy import decode_numbers, encode_numbers
from sparsine.codec.format.models import HIGHEST_INDEX, LOWEST_INDEX, TOTAL, Models, frequencies, radius
from sparsine.codec.format.quantise import STEP_TABLE, exact_power
from sparsine.codec.scales import num_bits
from sparsine.errors import BadInput

LAPLACE = laplace_survival().numpy()
GAUSSIAN = measured_survival(np.random.default_rng(0).normal(size=100_000)).numpy()
SCALE_INDEXES = [LOWEST_INDEX, -17, -1, 0, 1, 16, 37, 80, HIGHEST_INDEX]


@pytest.mark.parametrize("number", SCALE_INDEXES)
@pytest.mark.parametrize("tails", [LAPLACE, GAUSSIAN])
def test_a_table_is_whole_symmetric_and_leaves_nothing_out(tails, number):
    table = frequencies(tails, number)
    assert table.sum() == TOTAL
    assert table.min() >= 1
    assert len(table) == 2 * radius(number) + 2
    assert np.array_equal(table[1:-1:2], table[2:-1:2])
    assert (np.diff(table[1:-1:2]) <= 1 + table.max() // 100).all()


@pytest.mark.parametrize("number", [0, 16, 37, 80])
def test_a_table_has_the_probabilities_of_its_distribution(number):
    """Laplace: P(0) = 1 - exp(-a / 2), P(v) = exp(-a (v - 1/2)) (1 - exp(-a)) / 2, a = sqrt(2) / spread. Straight lines
    between sixteenths of a spread make the density a staircase, off by at most half a step of it: sqrt(2) / 32."""
    a = np.sqrt(2) * 2.0 ** (-number / 16)
    v = np.arange(1, 1 + radius(number))
    table = frequencies(LAPLACE, number) / TOTAL
    assert table[0] == pytest.approx(1 - np.exp(-a / 2), rel=0.045)
    assert np.allclose(table[1:-1:2], np.exp(-a * (v - 0.5)) * (1 - np.exp(-a)) / 2, rtol=0.045, atol=3 / TOTAL)


def test_the_rungs_are_what_they_say():
    assert [round(2 ** (k / 16) * 2**31) for k in range(16)] == list(STEP_TABLE)
    exponents = np.array([-1600, -208, -3, 0, 5, 16, 1600])
    assert np.allclose(exact_power(exponents), 2.0 ** (exponents / 16), rtol=1e-9)
    assert exact_power(np.array([-208]))[0] == 2.0**-13


def drawn(scale_indexes, seed=0):
    rng = np.random.default_rng(seed)
    return np.rint(rng.laplace(size=len(scale_indexes)) / np.sqrt(2) * exact_power(scale_indexes)).astype(np.int32)


def test_payloads_are_as_long_as_their_bits():
    scale_indexes = np.random.default_rng(1).choice([-64, -20, 0, 12, 50, 144], 3000)
    models = Models(LAPLACE)
    for numbers in (drawn(scale_indexes), drawn(scale_indexes + 64)):  # the second with many escapes
        payload = encode_numbers(numbers, scale_indexes, models)
        assert len(payload) == pytest.approx(num_bits(numbers, scale_indexes, models) / 8, abs=8)
        assert np.array_equal(decode_numbers(payload, scale_indexes, models), numbers)


def test_coding_comes_within_a_percent_of_the_entropy():
    """Of a Laplace distribution rounded to whole numbers, whose spread is known: nothing could be shorter."""
    scale_indexes = np.full(20_000, 60)
    a = np.sqrt(2) * 2.0 ** (-60 / 16)
    v = np.arange(1, 400)
    p = np.concatenate([[1 - np.exp(-a / 2)], np.repeat(np.exp(-a * (v - 0.5)) * (1 - np.exp(-a)) / 2, 2)])
    entropy = -(p * np.log2(p)).sum()
    bits = 8 * len(encode_numbers(drawn(scale_indexes), scale_indexes, Models(LAPLACE))) / len(scale_indexes)
    assert bits == pytest.approx(entropy, rel=0.01)


def test_numbers_that_hardly_ever_move_cost_hardly_anything():
    still = np.zeros(1000, np.int32)
    assert len(encode_numbers(still, np.full(1000, LOWEST_INDEX), Models(LAPLACE))) == 0
    assert num_bits(still, np.full(1000, LOWEST_INDEX), Models(LAPLACE)) < 1000 * 0.001


@repeatable
@given(
    st.lists(
        st.tuples(st.integers(-(2**31) + 1, 2**31 - 1), st.integers(LOWEST_INDEX, HIGHEST_INDEX)),
        min_size=1,
        max_size=40,
    )
)
def test_any_numbers_of_any_classes_come_back_and_have_one_payload(pairs):
    numbers, scale_indexes = np.array(pairs, np.int64).reshape(-1, 2).T
    models = Models(GAUSSIAN)
    payload = encode_numbers(numbers.astype(np.int32), scale_indexes, models)
    assert np.array_equal(decode_numbers(payload, scale_indexes, models), numbers)
    assert len(payload) <= 10 * len(numbers) + 8


def with_escape(value, length=None):
    """The payload of one number of class 0 that is escaped and told as `value`, in `length` bits."""
    length, reach = value.bit_length() if length is None else length, radius(0)
    coder = constriction.stream.stack.AnsCoder()
    for place in reversed(range(0, length, 16)):
        coder.encode_reverse(value >> place & 0xFFFF, constriction.stream.model.Uniform(1 << 16))
    coder.encode_reverse(length, constriction.stream.model.Uniform(64))
    coder.encode_reverse(2 * reach + 1, Models(LAPLACE).of(0))
    return coder.get_compressed().astype("<u4").tobytes().rstrip(b"\0")


def test_an_escaped_number_is_told_as_its_distance_beyond_the_table():
    for value, number in ((0, radius(0) + 1), (1, -radius(0) - 1), (2 * (2**31 - 2 - radius(0)), 2**31 - 1)):
        assert decode_numbers(with_escape(value), np.zeros(1, int), Models(LAPLACE)).tolist() == [number]
        assert encode_numbers(np.array([number], np.int32), np.zeros(1, int), Models(LAPLACE)) == with_escape(value)


@pytest.mark.parametrize("value", [2 * (2**31 - 1 - radius(0)), 2 * (2**31 - 1 - radius(0)) + 1, 2**33, 2**63 - 1])
def test_an_escaped_number_beyond_32_bits_is_refused(value):
    with pytest.raises(BadInput, match="too large"):
        decode_numbers(with_escape(value), np.zeros(1, int), Models(LAPLACE))


def test_an_escaped_number_in_more_bits_than_it_needs_is_refused():
    with pytest.raises(BadInput, match="shortest form"):
        decode_numbers(with_escape(5, length=4), np.zeros(1, int), Models(LAPLACE))
