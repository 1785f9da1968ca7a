"""From a vector to a code and back: nothing is lost but what rounding costs, and the bytes are one of a kind."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from codec_problems import calibrated, make_start, moved

from sparsine.codec import Code, Coder, decode, decode_vector, encode_vector, read_header
from sparsine.codec.format.quantise import exact_power
from sparsine.errors import BadInput


@pytest.mark.parametrize("make", [make_start, calibrated])
@pytest.mark.parametrize("shift", [-64, -5, 0, 23, 160])
def test_a_vector_comes_back_within_half_a_step(make, shift):
    start = make()
    coder, theta = Coder(start), moved(start)
    code = coder.read(coder.write(theta, (5, 7), step_shift=shift))
    steps = exact_power(coder.steps(code.header))
    error = (coder.theta(code).double() - theta.double()).abs().numpy()
    assert (error <= steps / 2 + 2.0**-24 * theta.abs().numpy() + 1e-30).all()
    assert error.max() > 0


@pytest.mark.parametrize("make", [make_start, calibrated])
@pytest.mark.parametrize("shift", [-64, 0, 60])
def test_decoding_and_encoding_gives_the_same_bytes(make, shift):
    start = make()
    coder = Coder(start)
    data = coder.write(moved(start), (5, 7), step_shift=shift)
    assert coder.pack(coder.read(data)) == data


def test_a_start_itself_costs_no_payload():
    start = make_start()
    data = encode_vector(start, start.theta, (5, 7))
    assert read_header(data).payload_bytes == 0
    assert torch.equal(decode_vector(start, data), start.theta)


def test_every_int32_can_be_coded():
    start = make_start()
    coder = Coder(start)
    code = coder.read(coder.write(moved(start), (5, 7)))
    extreme = np.array([2**31 - 1, -(2**31) + 1, 65535, -65536, 3, 0, 1, -1, 2**30], np.int32)
    code.symbols[: len(extreme)] = extreme
    assert np.array_equal(coder.read(coder.pack(code)).symbols, code.symbols)


def test_a_code_is_refused_by_another_start():
    start = make_start()
    data = encode_vector(start, moved(start), (5, 7))
    for other in (make_start(seed=1), calibrated(), make_start(omega_0=7.5)):
        with pytest.raises(BadInput, match="belongs to the start"):
            decode(other, data)


def test_a_vector_that_is_not_finite_or_too_far_is_refused():
    start = make_start()
    for bad in (float("nan"), float("inf"), 1e30):
        theta = moved(start)
        theta[3] = bad
        with pytest.raises(BadInput, match="too far"):
            encode_vector(start, theta, (5, 7))
    with pytest.raises(BadInput, match="numbers"):
        encode_vector(start, start.theta[1:], (5, 7))


@pytest.mark.parametrize("make", [make_start, calibrated])
@pytest.mark.parametrize("far", [1e-4, 2e-3, 0.1])
def test_scales_are_shifted_to_where_the_code_is_shortest(make, far):
    start = make()
    coder = Coder(start)
    data = coder.write(moved(start, far=far), (5, 7))
    code = coder.read(data)
    shift, lengths = code.header.scale_shift, []
    for other in (-48, -24, -12, 12, 24, 48):
        header = replace(code.header, scale_shift=shift + other)
        lengths.append(len(coder.pack(Code(header, code.symbols))))
    assert min(lengths) >= len(data)
    assert lengths[0] > len(data)


def test_one_coder_serves_many_threads():
    start = calibrated()
    coder = Coder(start)
    vectors = [moved(start, seed=seed) for seed in range(40)]
    alone = [Coder(start).write(theta, (5, 7)) for theta in vectors]
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(lambda theta: coder.write(theta, (5, 7)), vectors))
        decoded = list(threads.map(lambda data: coder.theta(coder.read(data)), together))
    assert together == alone
    for theta, data in zip(decoded, alone, strict=True):
        assert torch.equal(theta, decode_vector(start, data))
