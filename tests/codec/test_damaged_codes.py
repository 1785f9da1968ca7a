"""A hundred thousand mutated codes: each is refused in one line, or is the code of what it decodes to."""

import random
import tracemalloc
import zlib
from dataclasses import replace

import jaxtyping
import numpy as np
import pytest
import torch
from codec_problems import calibrated, make_start, moved
from hypothesis import given, settings
from hypothesis import strategies as st

from sparsine.codec import Coder, decode, read_header
from sparsine.codec.format.header import MAGIC, MAX_NUMBERS, VERSION
from sparsine.codec.format.varint import packed_signed, packed_unsigned
from sparsine.errors import BadInput
from sparsine.signals.domain import MAX_POINTS

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


MANY = 1 << 14
LIES = {
    "numbers": (dict(numbers=MAX_NUMBERS), "numbers: 268435456|other numbers"),
    "more numbers": (dict(numbers=MAX_NUMBERS + 1), "numbers is 268435457, but at most"),
    "no numbers": (dict(numbers=0), "numbers: 0"),
    "other numbers than the start's": (dict(numbers=79), "other numbers"),
    "axes": (dict(axes=2**33), "axes"),
    "no axes": (dict(shape=(), axes=0), "axes: 0"),
    "other axes than the start's": (dict(shape=(5,)), "states 1 axis, but its start draws 2"),
    "samples": (dict(shape=(MAX_POINTS + 1, 7)), "samples of an axis is 268435457"),
    "no samples": (dict(shape=(0, 7)), "samples of an axis: 0"),
    "points": (dict(shape=(MANY, 2 * MANY)), "samples: 536870912"),
    "payload": (dict(payload=bytes(2000)), "payload bytes: 2000"),
    "step shift": (dict(step_shift=2**33), "shift"),
    "scale shift": (dict(scale_shift=-1025), "shift is 2049, but at most 2048"),
    "flags": (dict(flags=8), "flags: 8"),
    "groups that do nothing": (dict(flags=1, groups=b"\6" + bytes(6)), "0 for every group"),
    "groups of -128": (dict(flags=2, groups=b"\6\1\x80\0\0\0\0"), "shift of a group: -128"),
    "too many groups": (dict(flags=2, groups=b"\x90\1" + bytes(144)), "groups is 144, but at most 130"),
    "other groups than the start's": (dict(flags=1, groups=b"\4\1\2\3\4"), "other numbers or groups"),
    "one group": (dict(flags=1, groups=b"\1\1"), "groups: 1"),
    "notes without end": (dict(flags=4, groups=b"\xff\x1f{}"), "ends where its notes should be"),
    "long notes": (dict(flags=4, groups=b"\x81\x20" + bytes(4097)), "bytes of notes is 4097, but at most"),
    "empty notes": (dict(flags=4, groups=b"\0"), "bytes of notes: 0"),
}


def lying(axes=None, payload=b"", numbers=None, shape=(5, 7), flags=0, step_shift=0, scale_shift=0, groups=b""):
    """A code of the first start whose header says this, with a checksum that fits."""
    packed = MAGIC + bytes([VERSION, flags]) + CODERS[0].hash
    packed += packed_unsigned(len(CODERS[0].groups) if numbers is None else numbers)
    packed += packed_unsigned(len(shape) if axes is None else axes) + b"".join(map(packed_unsigned, shape))
    packed += packed_signed(step_shift) + packed_signed(scale_shift) + groups
    return repaired(packed + payload + bytes(4))


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
    with pytest.raises(BadInput):
        coder.read(data[:length])
    holds(coder, data, repaired(data[:length]))  # with a checksum of its own it is refused, or another code


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
