"""What calibration measures is what it says, and pays."""

import numpy as np
import pytest
import torch
from codec_problems import make_start
from small_problems import MadeUpSignals, field_of, random_pattern
from test_encode import config, signals

from sparsine.codec import CalibrationConfig, Coder, calibrate, encode, encode_batch
from sparsine.codec.coding_tables import fisher_diagonal, measured_survival
from sparsine.codec.format.default_tables import laplace_survival
from sparsine.codec.format.quantise import exact_power
from sparsine.engines.choose import make_engine
from sparsine.errors import BadInput, WorkFailed
from sparsine.fitting.fit import FitConfig
from sparsine.starts.coding import WHOLE
from sparsine.starts.start import load_start, save_start

FIT = FitConfig(steps=25, lr=2e-3, report=(), batch=3)


class SmoothSignals(MadeUpSignals):
    """As `MadeUpSignals`, but something that a field can follow."""

    def load(self, index):
        super().load(index)
        return signals(self.count, (13, 9), 3)[index] + np.float32(0.02 * index)


def calibration(**changes):
    return CalibrationConfig(**{"fit": FIT, "signals": 7, "draws": 4, **changes})


@pytest.fixture(scope="module")
def start():
    return calibrate(make_start(), SmoothSignals(7), calibration())


def test_the_default_quality_costs_what_was_allowed_and_hardly_less(start):
    given = [SmoothSignals(7).load(i) for i in range(7)]
    loss = [e.fitted_psnr_db - e.psnr_db for e in encode_batch(start, given, config(fit=FIT, rounded_steps=0))]
    a_step_coarser = config(fit=FIT, quality=79, rounded_steps=0)
    coarser = [e.fitted_psnr_db - e.psnr_db for e in encode_batch(start, given, a_step_coarser)]
    assert np.mean(loss) <= 0.0401 < np.mean(coarser)


def test_a_calibrated_start_codes_shorter_for_the_same_loss(start):
    given = [SmoothSignals(9).load(i) for i in range(9)]
    plain = encode_batch(make_start(), given, config(fit=FIT))
    target = config(fit=FIT, target_psnr_db=min(e.psnr_db for e in plain))
    ours, theirs = (encode_batch(s, given, target) for s in (start, make_start()))
    assert np.mean([len(e.data) for e in ours]) < 0.95 * np.mean([len(e.data) for e in theirs])


def test_what_was_measured_survives_a_file(start, tmp_path):
    save_start(tmp_path / "a.safetensors", start)
    again = load_start(tmp_path / "a.safetensors")
    signal = signals()[0]
    assert Coder(again).hash == Coder(start).hash != Coder(make_start()).hash
    assert encode(again, signal, config()) == encode(start, signal, config())
    assert again.info["calibration"]["signals"] == 7
    assert again.digest == make_start().digest


def test_steps_follow_sensitivities_and_scales_the_spread(start):
    steps, scales = exact_power(start.coding.step.numpy()), exact_power(start.coding.scale.numpy())
    assert steps.max() > 4 * steps.min()
    spreads = scales / steps
    assert 0.05 < spreads.min() < spreads.max() < 1e4
    assert ((start.coding.scale - start.coding.step) % 4 == 0).all()


def test_what_changes_the_drawing_most_is_told_most_finely():
    """Steps go with one over the root of the sensitivity, measured again with other signs; the fits hardly move."""
    still = FitConfig(steps=2, lr=1e-5, report=())
    start = calibrate(make_start(), SmoothSignals(4), calibration(fit=still, draws=50))
    engine, coords = make_engine(start.pattern), start.domain.resized((13, 9)).coords()
    (found,) = fisher_diagonal(engine, start.theta[None], coords, draws=200, seed=9)
    wanted, steps = -0.5 * np.log2(found.numpy()), start.coding.step.numpy() / 16
    assert np.corrcoef(wanted, steps)[0, 1] > 0.98
    assert np.polyfit(wanted, steps, 1)[0] == pytest.approx(1, abs=0.1)


def test_unreadable_signals_are_passed_over():
    told = []
    start = calibrate(
        make_start(),
        SmoothSignals(5, unreadable=(0, 2)),
        calibration(),
        progress=lambda n, name: told.append((n, name)),
    )
    assert start.info["calibration"]["signals"] == 3
    assert told == [(i + 1, f"signal-{i}") for i in range(5)]


def test_too_few_signals_are_said_to_be_too_few():
    with pytest.raises(WorkFailed, match="only 1 of 3"):
        calibrate(make_start(), SmoothSignals(3, unreadable=(0, 2)), calibration())
    with pytest.raises(BadInput):
        calibration(signals=1)


def test_sensitivities_are_mean_squared_derivatives():
    """Within five standard errors of what autograd finds, parameter by parameter; the error is sqrt(2 / draws)."""
    pattern = random_pattern(field_of(2, 5, 4, 3))
    engine = make_engine(pattern, "reference", dtype=torch.float64)
    theta = pattern.gather(pattern.field.initial_theta(3).double()[None])
    coords = torch.rand(17, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    leaf = theta[0].clone().requires_grad_()
    rows = [torch.autograd.grad(value, leaf, retain_graph=True)[0] for value in engine.forward(leaf, coords).flatten()]
    expected = torch.stack(rows).square().mean(dim=0)
    draws = 300
    (found,) = fisher_diagonal(engine, theta, coords, draws, seed=1)
    assert torch.allclose(found, expected, rtol=5 * (2 / draws) ** 0.5, atol=1e-12)


def test_measured_tails_are_shares_of_what_lies_further_out():
    values = np.random.default_rng(0).normal(size=200_000)
    tails = measured_survival(values).double().numpy() / WHOLE
    for scales, share in ((0, 1.0), (1, 0.3173), (2, 0.0455), (3, 0.0027)):
        assert tails[16 * scales] == pytest.approx(share, abs=0.003)
    assert (np.diff(tails) <= 0).all()
    assert torch.equal(measured_survival(np.zeros(0))[1:], laplace_survival()[1:])


def test_the_laplace_survival_function_is_that_of_a_laplace_distribution_of_standard_deviation_one():
    expected = np.exp(-np.sqrt(2) * np.arange(257) / 16) * WHOLE
    assert np.allclose(laplace_survival().numpy(), expected, rtol=0, atol=12)
