"""Fields in whole numbers: how far they may be off, and that their bits say all of them."""

import numpy as np
import pytest
from export_problems import PATTERNS, WRITABLE, expected, exported, of_kind, of_pattern, small, some_coords
from small_problems import field_of, random_pattern

from sparsine.export import FORMATS, quantised
from sparsine.export.packed import len_of, packed, weights_of, words
from sparsine.signals.kind import VALUES

ALL = dict.fromkeys(WRITABLE, of_kind) | dict.fromkeys(PATTERNS, of_pattern)
every = pytest.mark.parametrize("what", [lambda n=n, made=made: made(n) for n, made in ALL.items()], ids=ALL)


def drawn(what, coords):
    exact = [(layer.weight * layer.step, layer.bias * layer.step) for layer in quantised.quantised(what)]
    return quantised._drawn(what.cut, exact, coords)


def unpacked(described, numbers):
    """As a reader of the bits understands them: (weight, bias) of every layer."""
    bits = "".join(f"{word:030b}"[::-1] for word in words(numbers, 30))
    place = 0

    def read(count):
        nonlocal place
        place += count
        return int("0" + bits[place - count : place][::-1], 2)

    found = []
    for layer in described:
        half, flat, cell, entries = 2 ** (layer.bits - 1), np.zeros(layer.n_in * layer.n_out, int), -1, 0
        bias = [read(layer.bits) - half for _ in range(layer.n_out)]
        while entries < layer.entries:
            skip = read(layer.skip)
            cell += skip
            if layer.skip == 0 or skip < 2**layer.skip - 1:
                cell += 1
                flat[cell] = read(layer.bits) - half
                entries += 1
        found.append((flat.reshape(layer.n_out, layer.n_in), np.array(bias)))
    assert place == len_of(numbers)
    return found


@every
def test_no_value_is_off_by_half_a_level_nor_of_other_kinds_by_a_twentieth(what):
    what = what()
    coords = some_coords(what)
    is_picture = what.drawn.start.kind.name in ("rgb", "grey")
    wanted = expected(what, coords)
    levels = np.abs(drawn(what, coords) - wanted).max() / (1 if is_picture else max(np.ptp(wanted), 1e-6)) * 255
    assert levels < (0.5 if is_picture else 0.05)


def test_steps_are_as_coarse_as_that_allows():
    what = small(omega_0=30.0, shape=(20, 20))
    coords = np.random.default_rng(1).uniform(-1, 1, (3000, 2))
    assert 0.1 < 255 * np.abs(drawn(what, coords) - what.drawn(coords)).max() < 0.5
    assert max(layer.bits for layer in quantised.quantised(what)) < 18


@every
def test_bits_say_all_numbers(what):
    layers = quantised.quantised(what())
    described, numbers = packed(layers)
    for layer, (weight, bias) in zip(layers, unpacked(described, numbers), strict=True):
        assert np.array_equal(weight, layer.weight)
        assert np.array_equal(bias, layer.bias)
        assert max(np.abs(weight).max(initial=0), np.abs(bias).max()) < 2 ** (layer.bits - 1)


@pytest.mark.parametrize("size", [8, 30])
def test_words_hold_bits_from_the_lowest_to_the_highest(size):
    numbers = [(1, 1), (5, 3), (1023, 10), (0, 17), (6, 3)]
    whole = sum(word << size * i for i, word in enumerate(words(numbers, size)))
    assert whole == 1 | 5 << 1 | 1023 << 4 | 6 << 31


@pytest.mark.parametrize("skip", range(1, 8))
def test_every_number_of_bits_for_skips_says_the_same(skip):
    layer = quantised.quantised(small(density=0.05, omega_0=30.0))[1]
    half = 2 ** (layer.bits - 1)
    cells, last, values = [], -1, iter(weights_of(layer, skip))
    for passed, _ in values:
        last += passed
        if passed < 2**skip - 1:
            last += 1
            cells.append((last, next(values)[0] - half))
    flat = layer.weight.reshape(-1)
    assert cells == [(i, flat[i]) for i in np.flatnonzero(flat)]


def test_a_sparse_field_in_a_shader_takes_few_bytes():
    field = field_of(2, 96, 96, 96, 3, omega_0=30.0, output_offset=0.5)
    what = exported(random_pattern(field, 0.03), shape=(32, 32))
    whole, short, page = (len(FORMATS[name].write(what)) for name in ("glsl", "glsl-packed", "html"))
    weights = what.cut.num_weights + sum(len(bias) for _, bias in what.cut.layers)
    assert short < 1_100 + 7 * weights
    assert whole < 1_100 + 15 * weights
    assert page < 14_000 + 3.5 * weights


def test_values_of_fields_without_a_range_keep_a_part_of_their_own():
    what = exported(random_pattern(field_of(2, 9, 9, 1, omega_0=9.0), 0.7), kind=VALUES, gain=1000.0)
    coords = some_coords(what)
    wanted = expected(what, coords)
    assert np.ptp(wanted) > 50
    assert np.abs(drawn(what, coords) - wanted).max() < np.ptp(wanted) / 255 / 20
