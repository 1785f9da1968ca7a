"""What is fitted in a cell: what is counted, what is stored, and what a decoder would draw of it."""

from dataclasses import replace
from itertools import pairwise

import pytest
import tiny
import torch
from hypothesis import given
from hypothesis import strategies as st
from small_problems import Pattern, field_of, make_problem, random_pattern, repeatable

from sparsine.engines import DenseEngine, ReferenceEngine
from sparsine.fields.layers import layers
from sparsine.fitting import FitConfig
from sparsine.fitting.prune_on_the_way import fit_and_prune
from sparsine.measure.comparison.fitted_models import FromStart, PrunedOnTheWay, Quantised
from sparsine.measure.comparison.methods.modulations import Codes
from sparsine.measure.comparison.methods.transfer import with_channels
from sparsine.meta.modulations import initial
from sparsine.psnr import psnr_db
from sparsine.signals.grid import Grid
from sparsine.starts.start import Start

FIELD = field_of(2, 7, 5, 3, omega_0=2.5, output_offset=0.5)
FULL, SPARSE = Pattern.full(FIELD), random_pattern(FIELD, 0.6)
GRID = Grid(shape=(5, 9))
WEIGHTS, BIASES = 64, 15
CONFIG = FitConfig(steps=7, lr=0.02, report=(0, 3))


def start_of(pattern=FULL, scale=1.0):
    return Start(pattern, scale * pattern.gather(FIELD.initial_theta(6)[None])[0], GRID)


def signals(count=3):
    return make_problem(FULL, signals=count, points=45, seed=3).values.float()


def fitted(model, config=CONFIG, values=None):
    """(status, {step: drawn}) of three signals."""
    drawn = {}

    def on_drawn(step, values):
        assert step not in drawn
        drawn[step] = values.clone()

    values = signals() if values is None else values
    return model.fit(GRID.coords(), values, config, on_drawn), drawn


def psnr(drawn):
    return [[psnr_db(x) for x in (values - signals()).square().mean(dim=(1, 2)).tolist()] for values in drawn.values()]


# From a start


@pytest.mark.parametrize("pattern", [FULL, SPARSE], ids=["full", "sparse"])
def test_what_is_drawn_from_a_start_is_its_fit_at_every_reported_step(pattern):
    model = FromStart(start_of(pattern))
    status, drawn = fitted(model)
    assert status == ["ok"] * 3
    assert list(drawn) == [0, 3, 7]
    first = DenseEngine(pattern).predict(model.start.theta[None], GRID.coords())
    torch.testing.assert_close(drawn[0], first.expand(3, -1, -1), rtol=1e-4, atol=1e-5)
    curves = psnr(drawn)
    assert all(a < b < c for a, b, c in zip(*curves, strict=True))


@pytest.mark.parametrize("pattern", [FULL, SPARSE], ids=["full", "sparse"])
def test_weights_are_counted_as_the_paper_counts_and_biases_beside_them(pattern):
    model = FromStart(start_of(pattern))
    weights = int(pattern.keep.sum())
    assert (model.weights, model.biases) == (weights, BIASES)
    assert model.numbers == weights + BIASES
    assert model.bits == 32 * (weights + BIASES)
    assert model.shared_numbers == 0


# Pruned on the way


def prunings(survivors, steps, once_at_half=False):
    return PrunedOnTheWay(start_of(), survivors, once_at_half).prunings(steps)


def test_oneshot_prunes_once_at_half_to_the_last_count():
    assert prunings([50, 40, 30], 100, once_at_half=True) == [(50, 30)]
    assert prunings([50, 40, 30], 7, once_at_half=True) == [(3, 30)]
    assert prunings([50, 40, 30], 2, once_at_half=True) == [(1, 30)]


def test_imp_prunes_as_often_as_there_are_counts_and_evenly():
    assert prunings([50, 40, 30], 100) == [(25, 50), (50, 40), (75, 30)]
    assert prunings([50, 40, 30, 20], 100) == [(20, 50), (40, 40), (60, 30), (80, 20)]
    # fewer steps than prunings: some share a step, and one step at least is left after all of them
    assert prunings([50, 40, 30], 2) == [(0, 50), (1, 40), (1, 30)]


@repeatable
@given(steps=st.integers(1, 200), count=st.integers(1, 25))
def test_prunings_of_imp_are_evenly_spread_whatever_the_numbers(steps, count):
    survivors = list(range(100, 100 - count, -1))
    found = prunings(survivors, steps)
    assert [left for _, left in found] == survivors
    edges = [0, *(step for step, _ in found), steps]
    gaps = [b - a for a, b in pairwise(edges)]
    assert max(gaps) - min(gaps) <= 1
    assert gaps[-1] >= 1


def test_each_signal_is_pruned_for_itself_and_drawn_in_its_place():
    model = PrunedOnTheWay(start_of(), [50, 31, 14])
    status, drawn = fitted(model)
    assert status == ["ok"] * 3
    assert list(drawn) == [0, 3, 7]
    patterns = []
    for i, values in enumerate(signals()):
        ends = []
        fit_and_prune(FULL, model.start.theta, GRID.coords(), values, CONFIG, [(1, 50), (3, 31), (5, 14)],
                      observe=lambda step, engine, theta, ends=ends: ends.append((engine, theta)))  # fmt: skip
        engine, theta = ends[-1]
        patterns.append(engine.pattern.keep)
        torch.testing.assert_close(drawn[7][i], engine.predict(theta, GRID.coords())[0], rtol=1e-4, atol=1e-5)
    assert all(int(keep.sum()) == 14 for keep in patterns)
    assert not torch.equal(patterns[0], patterns[1])


def test_a_pruned_field_has_the_weights_of_its_last_pruning_and_all_biases():
    model = PrunedOnTheWay(start_of(), [50, 31, 14])
    assert (model.weights, model.biases, model.bits) == (14, BIASES, 32 * (14 + BIASES))


# Quantised


def tensors(field, theta):
    """Every weight matrix and bias of every layer, one row for each signal."""
    return [t.reshape(len(t), -1) for pair in layers(field, theta) for t in pair]


@repeatable
@given(bits=st.integers(1, 16), seed=st.integers(0, 99), exponent=st.integers(-20, 20), shift=st.floats(-3, 3))
def test_quantised_numbers_are_few_and_off_by_half_a_step_at_most(bits, seed, exponent, shift):
    theta = make_problem(FULL, seed=seed).theta.float() * 2.0**exponent + shift
    before = theta.clone()
    found = Quantised(FromStart(start_of()), bits).quantised(theta)
    assert torch.equal(theta, before)
    for plain, quantised in zip(tensors(FIELD, theta), tensors(FIELD, found), strict=True):
        low, high = plain.amin(1, keepdim=True), plain.amax(1, keepdim=True)
        # float32: the grid is built of numbers that are rounded themselves
        rounding = 4 * torch.finfo(torch.float32).eps * plain.abs().amax(1, keepdim=True)
        assert ((quantised - plain).abs() <= (high - low) / (2**bits - 1) / 2 + rounding).all()
        assert all(len(row.unique()) <= 2**bits for row in quantised)
        torch.testing.assert_close(quantised.amin(1, keepdim=True), low, rtol=0, atol=float(rounding.max()))
        torch.testing.assert_close(quantised.amax(1, keepdim=True), high, rtol=0, atol=float(rounding.max()))


@pytest.mark.parametrize("bits", [1, 3, 8])
def test_a_tensor_of_many_numbers_uses_the_grid_it_has(bits):
    theta = torch.linspace(-1, 1, WEIGHTS + BIASES)[torch.randperm(79, generator=torch.Generator().manual_seed(2))]
    found = tensors(FIELD, Quantised(FromStart(start_of()), bits).quantised(theta[None]))
    assert len(found[2].unique()) == (2**bits if bits < 5 else 35)


def test_each_signal_and_each_tensor_has_a_grid_of_its_own():
    theta = make_problem(FULL).theta.float()
    together = Quantised(FromStart(start_of()), 3).quantised(theta)
    for i in range(3):
        assert torch.equal(together[i], Quantised(FromStart(start_of()), 3).quantised(theta[i : i + 1])[0])
    scaled = theta.clone()
    scaled[:, :14] *= 1000  # the first weight matrix
    assert torch.equal(Quantised(FromStart(start_of()), 3).quantised(scaled)[:, 14:], together[:, 14:])


@pytest.mark.parametrize("value", [0.0, -0.25, 1e-30, 3e4])
def test_a_tensor_of_one_value_is_kept_as_it_is(value):
    theta = make_problem(FULL).theta.float()
    theta[:, -3:] = value  # the last bias
    theta[:, 14:49] = value  # the second weight matrix
    found = Quantised(FromStart(start_of()), 8).quantised(theta)
    assert torch.isfinite(found).all()
    assert (found[:, -3:] == value).all()
    assert (found[:, 14:49] == value).all()


def test_bits_are_counted_with_the_ends_of_every_tensors_grid():
    for bits, expected in ((16, 16 * 79 + 6 * 64), (8, 8 * 79 + 6 * 64)):
        model = Quantised(FromStart(start_of()), bits)
        assert model.bits == expected
        assert (model.weights, model.biases, model.numbers) == (WEIGHTS, BIASES, 79)


def test_sixteen_bits_draw_nearly_the_plain_fit_and_three_do_not():
    plain, fine, coarse = (psnr(fitted(c)[1]) for c in (
        FromStart(start_of()), Quantised(FromStart(start_of()), 16), Quantised(FromStart(start_of()), 3),
    ))  # fmt: skip
    for a, b in zip(plain, fine, strict=True):
        assert a == pytest.approx(b, abs=2e-3)
    assert max(abs(a - b) for a, b in zip(plain[-1], coarse[-1], strict=True)) > 0.02  # ten times as far


def test_quantisation_does_not_touch_the_fit_itself():
    """What is drawn at the end is the plain fit's vector, quantised once: not a fit that was rounded on its way."""
    ends = []

    class Spy(FromStart):
        def fit_drawn_as(self, stored, *args):
            return super().fit_drawn_as(lambda theta: ends.append(theta.clone()) or stored(theta), *args)

    model = Quantised(Spy(start_of()), 3)
    _, drawn = fitted(model)
    plain = []
    FromStart(start_of()).fit_drawn_as(lambda theta: plain.append(theta.clone()) or theta, GRID.coords(), signals(),
                                       CONFIG, lambda step, drawn: None)  # fmt: skip
    assert all(torch.equal(a, b) for a, b in zip(ends, plain, strict=True))
    last = ReferenceEngine(FULL).predict(model.quantised(plain[-1]), GRID.coords())
    torch.testing.assert_close(drawn[7], last, rtol=1e-4, atol=1e-5)


def test_a_quantised_sparse_field_keeps_its_pattern():
    theta = SPARSE.gather(make_problem(FULL).theta.float())
    model = Quantised(FromStart(start_of(SPARSE)), 5)
    found = model.quantised(theta)
    assert found.shape == theta.shape
    assert model.weights == int(SPARSE.keep.sum())
    assert (found - theta).abs().max() < 0.5


# With other channels


@pytest.mark.parametrize("pattern", [FULL, SPARSE], ids=["full", "sparse"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4, 7])
def test_each_channel_draws_what_a_channel_of_the_start_draws(pattern, channels):
    start = start_of(pattern)
    other = with_channels(start, channels)
    old, new = (DenseEngine(s.pattern).predict(s.theta[None], GRID.coords())[0] for s in (start, other))
    assert other.field.sizes == (2, 7, 5, channels)
    torch.testing.assert_close(new, old[:, [c % 3 for c in range(channels)]], rtol=1e-5, atol=1e-6)
    body = pattern.keep[:49]
    assert torch.equal(other.pattern.keep[:49], body)
    rows = pattern.keep[49:].view(3, 5)
    assert torch.equal(other.pattern.keep[49:].view(channels, 5), rows[[c % 3 for c in range(channels)]])
    assert other.domain == start.domain


def test_a_grey_start_draws_each_colour_alike():
    grey = with_channels(start_of(SPARSE), 1)
    drawn = DenseEngine(with_channels(grey, 3).pattern).predict(with_channels(grey, 3).theta[None], GRID.coords())[0]
    assert torch.equal(drawn[:, 0], drawn[:, 1])
    assert torch.equal(drawn[:, 0], drawn[:, 2])


def test_a_start_that_has_the_channels_already_is_left_alone():
    start = start_of(SPARSE)
    same = with_channels(start, 3)
    assert same.theta is start.theta
    assert same.pattern is start.pattern


# Codes


def codes(latents=4, scale=2.0):
    return Codes(initial(start_of(FULL, scale), latents, seed=7))


def test_a_code_begins_at_zero_and_draws_the_base():
    model = codes()
    status, drawn = fitted(model, replace(CONFIG, lr=0.05))
    base = model.modulations.base
    first = DenseEngine(FULL).predict(base.theta[None], GRID.coords())
    torch.testing.assert_close(drawn[0], first.expand(3, -1, -1), rtol=1e-4, atol=1e-5)
    assert status == ["ok"] * 3
    curves = psnr(drawn)
    assert all(a < b < c for a, b, c in zip(*curves, strict=True))


def test_of_a_code_its_numbers_are_counted_and_the_base_apart():
    model = codes(latents=4)
    assert (model.weights, model.biases, model.numbers, model.bits) == (4, 0, 4, 128)
    # the base, and a row of shifts of the 12 hidden biases for each number of a code
    assert model.shared_numbers == WEIGHTS + BIASES + 4 * 12


def test_a_code_moves_nothing_but_hidden_biases():
    model = codes()
    before = [t.clone() for t in (model.modulations.base.theta, model.modulations.mix)]
    _, drawn = fitted(model, replace(CONFIG, lr=0.05))
    assert torch.equal(model.modulations.base.theta, before[0])
    assert torch.equal(model.modulations.mix, before[1])
    assert not torch.equal(drawn[7][0], drawn[7][1])


@pytest.mark.parametrize(
    "make",
    [lambda: FromStart(start_of(SPARSE)), lambda: PrunedOnTheWay(start_of(), [40, 20]),
     lambda: Quantised(FromStart(start_of()), 8), codes],
    ids=["start", "pruned on the way", "quantised", "codes"],
)  # fmt: skip
def test_signals_are_fitted_independently_of_their_batch(make):
    status, together = fitted(make())
    for i in range(3):
        alone_status, alone = fitted(make(), values=signals()[i : i + 1])
        assert alone_status == status[i : i + 1]
        for step in together:
            torch.testing.assert_close(alone[step][0], together[step][i], rtol=1e-3, atol=1e-4)


def test_these_are_the_models_that_the_methods_give(tmp_path):
    """Every kind of model that a method gives is one of those tested here."""
    from sparsine import recipes
    from sparsine.measure.comparison.methods import Context

    made = tiny.learned(tiny.comparison(tmp_path, methods=recipes.EVERYTHING))
    kinds = {
        type(cell.method.fitted_model(Context(cell.plan, cell.level, cell.needs, tmp_path))) for cell in made.cells()
    }
    assert kinds == {FromStart, PrunedOnTheWay, Quantised, Codes}
