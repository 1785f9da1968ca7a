"""A hundred thousand mutated codes: each is refused in one line, or is the code of what it decodes to."""

import random
import tracemalloc
import zlib
from dataclasses import replace

import jaxtyping
import numpy as np
import pytest
import torch
from codec_problems import GRID, calibrated, make_start, moved
from hypothesis import given, settings
from hypothesis import strategies as st

from sparsine.codec import Coder, decode, read_header
from sparsine.codec.header import MAGIC, MAX_NEURONS, MAX_PARAMS, MAX_SAMPLES_PER_AXIS, VERSION
from sparsine.codec.whole_numbers import packed_signed, packed_unsigned
from sparsine.errors import BadInput

ROUNDS, MUTATIONS = 420, 240  # 100,800 mutated codes


@pytest.fixture(scope="module", autouse=True)
def unchecked():
    """As for a user, and as quick: annotations are not checked here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jaxtyping.config, "jaxtyping_disable", True)
        yield


def codes_of(coder):
    """Different in every optional part: shifts, steps of groups, scales of groups, escapes, an empty payload."""
    start = coder.start
    shape, groups = (5, 7), (0, 3, -7, 12, 0, -5)
    codes = [coder.write(moved(start, far=far), shape, step_shift=shift) for far, shift in ((2e-3, 0), (1e-3, -30))]
    codes += [coder.write(moved(start), (300, 2), group_steps=groups), coder.write(start.theta, (1, 1))]
    escaping = coder.read(codes[0])
    escaping.symbols[::9] = 70_000
    return [*codes, coder.pack(escaping)]


CODERS = [Coder(make_start()), Coder(calibrated())]
CODES = [(coder, data) for coder in CODERS for data in codes_of(coder)]
PARTS = [data for _, data in CODES]


def repaired(data):
    """With the checksum that belongs to it."""
    return data[:-4] + zlib.crc32(data[:-4]).to_bytes(4, "little")


def mutate(data, rng):
    """One of the ways in which a file goes bad, or is made bad."""
    at, kind = rng.randrange(len(data)), rng.randrange(8)
    if kind == 0:
        return data[:at]
    if kind == 1:
        return data[:at] + rng.randbytes(rng.randrange(1, 9)) + data[at:]
    if kind == 2:
        return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]
    if kind == 3:
        return data[:at] + rng.randbytes(rng.randrange(1, 9)) + data[at + 4 :]
    if kind == 4:
        other = rng.choice(PARTS)
        return data[:at] + other[rng.randrange(len(other)) :]
    if kind == 5:
        begin = rng.randrange(at + 1)
        return data[:begin] + data[at:]
    if kind == 6:
        place = rng.randrange(5, 45)  # somewhere in the header, by little or to an extreme
        return data[:place] + bytes([rng.choice([0, 1, 127, 128, 255, rng.randrange(256)])]) + data[place + 1 :]
    return bytes(reversed(data)) if rng.randrange(50) == 0 else data + data[:at]


def holds(coder, original, data):
    """Whether `data` was accepted; fails if it was accepted as what it is not, or refused in any other way."""
    try:
        code = coder.read(data)
        coder.theta(code)
    except BadInput as error:
        assert "\n" not in str(error), data.hex()
        return False
    assert coder.pack(code) == data, data.hex()
    if original[-4:] == data[-4:]:
        assert np.array_equal(code.symbols, coder.read(original).symbols), data.hex()
    return True


def test_a_hundred_thousand_mutated_codes_are_refused_or_are_the_codes_of_what_they_decode_to():
    counts = {"mutated": 0, "accepted": 0}

    @settings(derandomize=True, deadline=None, database=None, max_examples=ROUNDS)
    @given(st.integers(0, 2**63))
    def check(seed):
        rng = random.Random(seed)
        for _ in range(MUTATIONS):
            coder, original = rng.choice(CODES)
            data = mutate(original, rng)
            counts["accepted"] += holds(coder, original, repaired(data) if rng.randrange(2) else data)
            counts["mutated"] += 1

    check()
    assert counts["mutated"] >= 100_000
    assert counts["accepted"] >= 1_000  # header bytes that may be otherwise: the test does not only see refusals


MANY = MAX_SAMPLES_PER_AXIS
LIES = {
    "neurons": (dict(sizes=(2, MAX_NEURONS, MAX_NEURONS, 3)), "another field"),
    "more neurons": (dict(sizes=(2, MAX_NEURONS + 1, 7, 3)), "neurons of a layer is 65537, but at most"),
    "no neurons": (dict(sizes=(2, 0, 7, 3)), "neurons of a layer: 0"),
    "layers": (dict(levels=2**34), "neuron layers"),
    "two layers": (dict(sizes=(2, 3)), "neuron layers: 2"),
    "parameters": (dict(params=MAX_PARAMS), "parameters: 268435456"),
    "more parameters than the field": (dict(params=200), "parameters: 200; from 1 to 121"),
    "other parameters than the start's": (dict(params=79), "another field"),
    "axes": (dict(dims=2**33), "axes"),
    "other axes than the coordinates": (dict(shape=(5,), extent=((-1, 2),)), "axes: 1; from 2 to 2"),
    "samples": (dict(shape=(MANY + 1, 7)), "samples of an axis is 16385"),
    "no samples": (dict(shape=(0, 7)), "at least one sample"),
    "points": (dict(sizes=(3, 9, 7, 3), shape=(MANY, MANY, 2), extent=((-1, 2),) * 3), "points: 536870912"),
    "payload": (dict(payload=2**31), "payload bytes"),
    "a little more payload": (dict(payload=1), "says that it has"),
    "step shift": (dict(step_shift=2**33), "shift"),
    "scale shift": (dict(scale_shift=-1025), "shift is 2049, but at most 2048"),
    "flags": (dict(flags=4), "flags: 4"),
    "groups that do nothing": (dict(flags=1, groups=bytes(6)), "0 for every group"),
    "groups of -128": (dict(flags=2, groups=b"\1\x80\0\0\0\0"), "shift of a group: -128"),
    "alignment": (dict(kind=3), "kind of grid"),
    "unknown extent": (dict(kind=31), "kind of grid"),
    "an extent that has a short form": (dict(extent=((-1, 1), (-1, 1))), "short form"),
    "no extent": (dict(extent=((-1, 2), (0.75, 0.5))), "extent must be"),
    "an endless extent": (dict(extent=((-1, 2), (0.5, float("inf")))), "extent must be"),
    "another extent than the start's": (dict(extent=((-1, 2), (0.5, 0.8))), "another field or grid"),
}


def lying(levels=None, dims=None, payload=0, sizes=(2, 9, 7, 3), shape=(5, 7), params=None, flags=0, kind=5,
          step_shift=0, scale_shift=0, extent=GRID.extent, groups=b""):  # fmt: skip
    """A code of the first start whose header says this, with a checksum that fits."""
    packed = MAGIC + bytes([VERSION, flags]) + CODERS[0].hash
    packed += packed_unsigned(levels or len(sizes)) + b"".join(map(packed_unsigned, sizes))
    packed += packed_unsigned(params or 80) + packed_unsigned(dims or len(shape))
    packed += bytes([kind]) + b"".join(map(packed_unsigned, shape))
    packed += np.array(extent, "<f8").tobytes() + packed_signed(step_shift) + packed_signed(scale_shift)
    return repaired(packed + groups + packed_unsigned(payload) + bytes(4))


def test_a_header_made_by_hand_is_read():
    assert not CODERS[0].read(lying()).symbols.any()


@pytest.mark.parametrize("name", LIES)
def test_a_lying_header_is_refused_before_anything_is_allocated_for_it(name):
    (says, words), coder = LIES[name], CODERS[0]
    data = lying(**says)
    tracemalloc.start()
    try:
        with pytest.raises(BadInput, match=words):
            coder.read(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 50_000


def test_the_largest_grid_that_a_header_may_name_costs_nothing_until_it_is_drawn():
    data = lying(shape=(MANY, MANY))
    tracemalloc.start()
    try:
        field = decode(make_start(), data, coder=CODERS[0])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert field.shape == (MANY, MANY)
    assert peak < 50_000 + 100 * field.theta.numel()


@pytest.mark.parametrize("length", range(len(CODES[0][1])))
def test_a_code_that_is_cut_short_anywhere_is_refused(length):
    coder, data = CODES[0]
    for cut in (data[:length], repaired(data[:length])):
        with pytest.raises(BadInput):
            coder.read(cut)


def test_a_code_with_anything_behind_it_is_refused():
    coder, data = CODES[0]
    for longer in (data + b"\0", data + data, repaired(data + b"\0"), repaired(data[:-4] + b"\0" + data[-4:])):
        with pytest.raises(BadInput):
            coder.read(longer)


def test_an_empty_file_and_a_file_of_another_kind_are_told_apart():
    for other in (b"", b"\x89PNG\r\n\x1a\n" + bytes(40), MAGIC[:3]):
        with pytest.raises(BadInput, match="not a code of sparsine"):
            read_header(other)


def test_another_version_is_refused_by_its_number():
    later = bytearray(CODES[0][1])
    later[len(MAGIC)] = 7
    for data in (bytes(later), repaired(bytes(later))):
        with pytest.raises(BadInput, match="version 7, but this version of sparsine reads 1"):
            read_header(data)


def test_every_single_flipped_bit_is_refused():
    coder, data = CODES[0]
    for place in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[place // 8] ^= 1 << place % 8
        with pytest.raises(BadInput):
            coder.read(bytes(flipped))


def test_numbers_beyond_float32_are_refused():
    start = calibrated()
    tables = replace(start.coding, step=torch.full_like(start.coding.step, 1000))
    coder = Coder(replace(start, coding=tables))
    code = coder.read(coder.write(moved(start), (5, 7), step_shift=1024))
    code.symbols[:] = 2**31 - 1
    with pytest.raises(BadInput, match="float32 cannot hold"):
        coder.theta(coder.read(coder.pack(code)))
