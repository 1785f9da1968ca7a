"""Whole signals: fitted, rounded, packed; qualities and targets hold what they say."""

import dataclasses
from dataclasses import replace

import numpy as np
import pytest
import torch
from codec_problems import calibrated, make_start
from PIL import Image
from small_problems import field_of

from sparsine.codec import Coder, EncodeConfig, bit_allocation, decode, encode, encode_batch, read_header
from sparsine.engines.choose import make_engine
from sparsine.errors import BadInput
from sparsine.fields import Pattern
from sparsine.fitting.fit import FitConfig
from sparsine.psnr import psnr_db
from sparsine.signals.grid import Grid
from sparsine.signals.kind import VALUES
from sparsine.starts.start import Start

FIT = FitConfig(steps=60, lr=3e-3, report=())
SHAPE = (13, 9)


def signals(count=3, shape=SHAPE, channels=3):
    """Smooth and different, so that a small field can follow them."""
    rng = np.random.default_rng(7)
    y, x = np.meshgrid(*(np.linspace(0, 1, n) for n in shape), indexing="ij")
    waves = [
        np.sin(rng.uniform(1, 4, 2) @ np.stack([y, x]).reshape(2, -1) + rng.uniform(0, 6)) for _ in range(channels)
    ]
    picture = np.stack(waves, axis=-1).reshape(*shape, channels)
    return [(0.5 + 0.2 * (1 + i) / count * picture).astype(np.float32) for i in range(count)]


def config(**changes):
    return EncodeConfig(**{"fit": FIT, **changes})


@pytest.fixture(params=[make_start, calibrated])
def start(request):
    return request.param()


def drawn_db(start, data, signal):
    return psnr_db(float(np.mean((decode(start, data).render().astype(float) - signal) ** 2)))


def test_what_is_said_of_a_code_is_what_a_decoder_draws(start):
    for encoded, signal in zip(encode_batch(start, signals(), config()), signals(), strict=True):
        assert encoded.status == "ok"
        assert encoded.psnr_db == pytest.approx(drawn_db(start, encoded.data, signal), abs=1e-3)
        assert encoded.fitted_psnr_db > 15
        assert read_header(encoded.data).shape == SHAPE


def test_a_batch_gives_the_bytes_of_its_signals_alone(start):
    together = [encoded.data for encoded in encode_batch(start, signals(), config())]
    assert together == [encode(start, signal, config()) for signal in signals()]


def test_higher_quality_costs_bytes_and_lies_nearer_to_the_fit(start):
    low, middle, high = (encode_batch(start, signals(), config(quality=q)) for q in (0, 60, 100))
    for a, b, c in zip(low, middle, high, strict=True):
        assert len(a.data) < len(b.data) < len(c.data)
        assert a.psnr_db < c.psnr_db
        assert abs(c.psnr_db - c.fitted_psnr_db) < abs(a.psnr_db - a.fitted_psnr_db)


def test_quality_is_a_shift_of_the_steps_of_a_calibrated_start():
    shifts = [read_header(encode(calibrated(), signals()[0], config(quality=q))).step_shift for q in (0, 64, 80, 100)]
    assert shifts == [80, 16, 0, -20]


def test_the_default_quality_of_an_uncalibrated_start_costs_little():
    for encoded in encode_batch(make_start(), signals(), config()):
        assert encoded.fitted_psnr_db - encoded.psnr_db <= 0.0301


@pytest.mark.parametrize("target", [12.0, 17.5])
def test_a_target_psnr_is_reached_with_the_coarsest_steps_that_do(start, target):
    coder = Coder(start)
    for encoded, signal in zip(encode_batch(start, signals(), config(target_psnr_db=target)), signals(), strict=True):
        assert encoded.status == "ok"
        assert drawn_db(start, encoded.data, signal) >= target - 1e-4
        header = read_header(encoded.data)
        fitted = encode_batch(start, [signal], config(quality=100))[0]
        assert fitted.psnr_db > target
        assert len(encoded.data) < len(fitted.data)
        coarser = config(target_psnr_db=encoded.psnr_db + 1e-3)
        assert read_header(encode_batch(start, [signal], coarser, coder=coder)[0].data).step_shift < header.step_shift


def test_a_target_psnr_above_the_fit_is_missed_with_the_reason_and_the_nearest_code(start):
    for encoded in encode_batch(start, signals(), config(target_psnr_db=150)):
        assert encoded.status == "missed"
        assert f"the fit itself has {encoded.fitted_psnr_db:.2f} dB" in encoded.reason
        assert encoded.psnr_db >= encoded.fitted_psnr_db - 0.0051
    with pytest.raises(BadInput, match="the fit itself has"):
        encode(start, signals()[0], config(target_psnr_db=150))


@pytest.mark.parametrize("target", [110, 300])
def test_a_target_size_is_kept_and_almost_used_up(start, target):
    for encoded in encode_batch(start, signals(), config(target_bytes=target)):
        assert encoded.status == "ok"
        assert target - 12 <= len(encoded.data) <= target


def test_a_target_size_below_the_smallest_code_is_missed_with_the_reason(start):
    for encoded in encode_batch(start, signals(), config(target_bytes=20)):
        assert encoded.status == "missed"
        assert f"the coarsest code has {len(encoded.data)}; allow more bytes" in encoded.reason


@pytest.mark.parametrize(
    ("make", "aim"),
    [(make_start, dict(target_bytes=52)), (make_start, dict(quality=20)), (calibrated, dict(target_bytes=80))],
)
def test_steps_on_the_rounded_vector_make_up_for_coarse_steps_and_are_kept_where_they_do(make, aim):
    start = make()
    plain = encode_batch(start, signals(), config(**aim, rounded_steps=0))
    for steps in (30, None, 1):
        aware = encode_batch(start, signals(), config(**aim, rounded_steps=steps))
        gained = [a.psnr_db - p.psnr_db for a, p in zip(aware, plain, strict=True)]
        assert min(gained) >= 0
        assert steps == 1 or np.mean(gained) > 0.2
        assert [a.fitted_psnr_db for a in aware] == [p.fitted_psnr_db for p in plain]
        assert all(len(a.data) <= aim.get("target_bytes", 1000) for a in aware)


def test_a_target_psnr_takes_fewer_bytes_once_fits_have_seen_the_rounding():
    target = config(target_psnr_db=17.5)
    plain, aware = (encode_batch(calibrated(), signals(), replace(target, rounded_steps=n)) for n in (0, 30))
    assert all(len(a.data) <= len(p.data) and a.psnr_db >= 17.5 for a, p in zip(aware, plain, strict=True))
    assert sum(len(a.data) for a in aware) < sum(len(p.data) for p in plain)


def test_what_rounding_hardly_changes_is_left_as_it_was_fitted(start):
    fine = config(quality=100)
    assert encode(start, signals()[0], fine) == encode(start, signals()[0], replace(fine, rounded_steps=0))


def test_a_fit_that_diverges_is_reported_and_the_others_go_on():
    start = dataclasses.replace(make_start(), kind=VALUES)  # which may be as large as they like
    loud = [signals()[0], np.full((*SHAPE, 3), 3e30, np.float32), signals()[1]]
    statuses = [encoded.status for encoded in encode_batch(start, loud, config())]
    assert statuses == ["ok", "diverged", "ok"]
    with pytest.raises(BadInput, match="smaller step size"):
        encode(start, loud[1], config())


def test_signals_that_the_start_cannot_draw_are_refused(start):
    with pytest.raises(BadInput, match="2 axes and 3 channels"):
        encode(start, np.zeros((4, 4, 1), np.float32))
    with pytest.raises(BadInput, match="one shape"):
        encode_batch(start, [np.zeros((4, 4, 3)), np.zeros((4, 5, 3))])
    with pytest.raises(BadInput, match="finite"):
        encode(start, np.full((4, 4, 3), np.nan))
    assert encode_batch(start, []) == []


def test_a_picture_gives_the_same_code_however_its_values_are_given(start):
    bytes_of = [np.round(255 * signal).astype(np.uint8) for signal in signals()]
    floats = [signal.astype(np.float32) / 255 for signal in bytes_of]
    expected = [encode(start, signal, config()) for signal in floats]
    images = [Image.fromarray(signal) for signal in bytes_of]
    wide = [signal.astype(np.uint16) * 257 for signal in bytes_of]
    for given in (bytes_of, images, wide, list(map(torch.from_numpy, floats))):
        assert [encode(start, signal, config()) for signal in given] == expected
        assert [encoded.data for encoded in encode_batch(start, given, config())] == expected


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda signal: 255 * signal, "expected rgb values from 0 to 1, but they run from .* to 1"),
        (lambda signal: 4 * signal - 2, "they run from -"),
        (lambda signal: (255 * signal).astype(np.int64), "they are int64"),
        (lambda signal: signal > 0.5, "they are bool"),
    ],
)
def test_values_of_another_range_are_refused_and_in_a_batch_it_is_said_which(start, spoil, words):
    with pytest.raises(BadInput, match=words):
        encode(start, spoil(signals()[0]), config())
    with pytest.raises(BadInput, match=f"signal 2 of the batch: .*{words}"):
        encode_batch(start, [*signals()[:2], spoil(signals()[2])], config())


def test_more_samples_than_a_code_tells_are_refused_with_the_true_reason(start):
    many = np.broadcast_to(np.float32(0.5), (1 << 15, (1 << 13) + 1, 3))
    with pytest.raises(BadInput, match="32768 x 8193 samples, but a code holds at most 268435456"):
        encode(start, many, config())


def test_a_long_thin_array_is_coded_as_any_other():
    long = np.full((20_000, 2, 3), 0.5, np.float32)
    data = encode(make_start(), long, config(fit=FitConfig(steps=1, report=())))
    assert read_header(data).shape == (20_000, 2)


@pytest.mark.parametrize("wrong", [dict(quality=101), dict(target_bytes=0), dict(rounded_steps=-1),
                                   dict(target_bytes=9, target_psnr_db=9.0)])  # fmt: skip
def test_a_configuration_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(BadInput):
        config(**wrong)


@pytest.mark.parametrize(
    ("sizes", "shape"), [((2, 1, 1), (3, 5)), ((1, 4, 2), (1,)), ((3, 5, 1), (2, 3, 4)), ((2, 6, 1), (1, 1))]
)
def test_other_fields_and_grids_are_coded_too(sizes, shape):
    """One neuron, one point, one channel, one axis, three axes."""
    field = field_of(*sizes)
    start = Start(Pattern.full(field), field.initial_theta(0), Grid(shape=shape, alignment="lower"))
    signal = np.random.default_rng(0).random((*shape, sizes[-1]), dtype=np.float32)
    data = encode(start, signal, config())
    assert decode(start, data).render().shape == signal.shape
    assert drawn_db(start, data, signal) > 5


def test_encoding_leaves_the_start_as_it_was(start):
    before = start.theta.clone()
    encode(start, signals()[0], config())
    assert torch.equal(start.theta, before)
    assert dataclasses.fields(start)


def test_bits_and_errors_of_the_groups_add_up_to_those_of_the_code(start):
    """The errors only on average: those of single vectors partly cancel."""
    coder, engine, coords = Coder(start), make_engine(start.pattern), start.domain.resized(SHAPE).coords()
    added, whole = [], []
    for seed in range(30):
        theta = start.theta + 0.01 * torch.randn(80, generator=torch.Generator().manual_seed(seed))
        data = coder.write(theta, SHAPE)
        spent = bit_allocation(coder, engine, theta, data, coords)
        assert [s.group for s in spent] == [f"{kind} {layer}" for kind in ("weights", "biases") for layer in (1, 2, 3)]
        assert sum(s.parameters for s in spent) == 80
        assert sum(s.bits for s in spent) / 8 == pytest.approx(read_header(data).payload_bytes, abs=6)
        assert all(0 < s.entropy_bits < s.bits + 8 * s.parameters for s in spent)
        both = engine.predict(torch.stack([theta, coder.theta(coder.read(data))]), coords)
        added.append(sum(s.added_mse for s in spent))
        whole.append(float((both[0] - both[1]).square().mean()))
    assert np.mean(added) == pytest.approx(np.mean(whole), rel=0.3)
