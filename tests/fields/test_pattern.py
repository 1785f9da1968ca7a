import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from small_problems import field_of, random_pattern, repeatable

from sparsine.errors import BadInput
from sparsine.fields import Pattern, Siren

FIELD = field_of(2, 7, 5, 3)  # 64 weights, 15 biases


# Strategies draw numbers only: beartype samples at random, which hypothesis does not allow while it draws.
drawn = st.tuples(
    st.lists(st.integers(1, 9), min_size=3, max_size=5),
    st.sampled_from([0.0, 0.07, 0.5, 0.93, 1.0]),
    st.integers(0, 999),
)


def made(drawn):
    sizes, density, seed = drawn
    return random_pattern(Siren(sizes=tuple(sizes)), density, seed)


def by_hand():
    """Sizes 2-3-1: weights 0 1 | 2 3 | 4 5 and 6 7 8, biases 9 10 11 and 12. Kept: 1, 2, 5, 8."""
    keep = torch.tensor([False, True, True, False, False, True, False, False, True])
    return Pattern(Siren(sizes=(2, 3, 1)), keep)


def test_a_small_pattern_is_laid_out_as_a_person_would():
    pattern = by_hand()
    assert pattern.survivors.tolist() == [1, 2, 5, 8]
    assert pattern.positions.tolist() == [1, 2, 5, 8, 9, 10, 11, 12]
    assert (pattern.num_weights, pattern.num_biases, pattern.num_params) == (4, 4, 8)
    assert pattern.counts == "4 weights + 4 biases = 8"
    assert pattern.without(torch.tensor([True, True, False, True])).counts == "1 weight + 4 biases = 5"
    assert pattern.density == pytest.approx(4 / 9)
    assert pattern.sparsity == pytest.approx(5 / 9)
    first, last = pattern.layer_keeps()
    assert first.tolist() == [[False, True], [True, False], [False, True]]
    assert last.tolist() == [[False, False, True]]


def test_scatter_puts_every_number_in_its_place_and_exact_zeros_elsewhere():
    theta = torch.tensor([[1.0, 2, 3, 4, 5, 6, 7, 8], [-1, -2, -3, -4, -5, -6, -7, -8]])
    dense = by_hand().scatter(theta)
    assert dense[0].tolist() == [0, 1, 2, 0, 0, 3, 0, 0, 4, 5, 6, 7, 8]
    assert torch.equal(dense[1], -dense[0])
    assert torch.equal(by_hand().gather(dense), theta)


@repeatable
@given(drawn, st.integers(1, 3))
def test_gather_is_the_adjoint_of_scatter(drawn, signals):
    pattern = made(drawn)
    generator = torch.Generator().manual_seed(5)
    x = torch.randn(signals, pattern.num_params, generator=generator, dtype=torch.float64)
    dense_params = pattern.field.num_weights + pattern.field.num_biases
    y = torch.randn(signals, dense_params, generator=generator, dtype=torch.float64)
    torch.testing.assert_close((pattern.scatter(x) * y).sum(1), (x * pattern.gather(y)).sum(1))
    assert torch.equal(pattern.gather(pattern.scatter(x)), x)
    off = torch.cat([~pattern.keep, torch.zeros(pattern.num_biases, dtype=torch.bool)])
    assert (pattern.scatter(x)[:, off] == 0).all()


@repeatable
@given(drawn)
def test_counts_and_layers_agree_with_the_entries(drawn):
    pattern = made(drawn)
    keeps = list(pattern.layer_keeps())
    assert [k.shape for k in keeps] == list(pattern.field.layer_shapes)
    assert torch.equal(torch.cat([k.reshape(-1) for k in keeps]), pattern.keep)
    assert sum(int(k.sum()) for k in keeps) == pattern.num_weights == len(pattern.survivors)
    assert pattern.num_params == pattern.num_weights + sum(pattern.field.sizes[1:])
    assert pattern.density + pattern.sparsity == pytest.approx(1)


@repeatable
@given(drawn)
def test_bits_give_the_pattern_back(drawn):
    pattern = made(drawn)
    bits = pattern.to_bits()
    assert (bits.dtype, len(bits)) == (torch.uint8, -(-pattern.field.num_weights // 8))
    again = Pattern.from_bits(pattern.field, bits)
    assert again.keep.dtype == torch.bool
    assert torch.equal(again.keep, pattern.keep)


def test_the_first_weight_is_the_highest_bit():
    # 0110 0100, then 1 and seven bits of nothing
    assert by_hand().to_bits().tolist() == [0b01100100, 0b10000000]


@pytest.mark.parametrize(
    "bits", [torch.zeros(7, dtype=torch.uint8), torch.zeros(9, dtype=torch.uint8), torch.zeros(8, dtype=torch.int8)]
)
def test_bits_of_another_field_are_refused(bits):
    with pytest.raises(BadInput, match=r"has 8 bytes, but got \(\d,\) of torch\.u?int8"):
        Pattern.from_bits(FIELD, bits)


def test_a_pattern_of_another_length_is_refused():
    with pytest.raises(BadInput, match=r"sizes \(2, 7, 5, 3\) needs 64 entries, but got \(63,\)"):
        Pattern(FIELD, torch.ones(63, dtype=torch.bool))


def test_a_full_pattern_keeps_everything():
    full = Pattern.full(FIELD)
    assert (full.num_weights, full.density, full.sparsity) == (64, 1.0, 0.0)
    theta = torch.arange(2 * 79.0).view(2, 79)
    assert torch.equal(full.scatter(theta), theta)
    assert torch.equal(full.gather(theta), theta)


def test_without_removes_the_marked_survivors_and_leaves_the_old_pattern():
    pattern = by_hand()
    smaller = pattern.without(torch.tensor([False, True, False, True]))
    assert smaller.survivors.tolist() == [1, 5]
    assert torch.equal(pattern.keep, by_hand().keep)


def test_a_vector_is_carried_over_with_the_right_entries():
    pattern = by_hand()
    smaller = pattern.without(torch.tensor([False, True, False, True]))
    theta = torch.tensor([10.0, 20, 50, 80, 90, 100, 110, 120])
    assert smaller.gather_from(pattern, theta).tolist() == [10, 50, 90, 100, 110, 120]
    batch = torch.stack([theta, -theta, 2 * theta])
    assert torch.equal(smaller.gather_from(pattern, batch)[1], -smaller.gather_from(pattern, theta))


@repeatable
@given(drawn, st.integers(0, 999))
def test_carrying_over_is_the_same_through_the_dense_vector(drawn, seed):
    pattern = made(drawn)
    generator = torch.Generator().manual_seed(seed)
    smaller = pattern.without(torch.rand(pattern.num_weights, generator=generator) < 0.4)
    theta = torch.randn(3, pattern.num_params, generator=generator)
    assert torch.equal(smaller.gather_from(pattern, theta), smaller.gather(pattern.scatter(theta)))
