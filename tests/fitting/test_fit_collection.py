import json
import re
from dataclasses import replace
from math import isnan

import numpy as np
import pytest
import torch
from small_problems import MadeUpSignals, field_of, random_pattern

from sparsine import checks
from sparsine.engines import DenseEngine
from sparsine.errors import BadInput
from sparsine.fitting import FitConfig, collection, fit, fit_collection, render
from sparsine.fitting.collection import FittedSignal
from sparsine.memory import Room
from sparsine.signals.grid import Grid
from sparsine.signals.kind import VALUES
from sparsine.signals.kinds import Grey
from sparsine.starts.start import Start

GRID = Grid(shape=(5, 3), extent=((-1.0, 2.0), (0.5, 0.75)))
CONFIG = FitConfig(steps=7, lr=0.01, batch=3)


def make_start(channels=2, grid=GRID):
    pattern = random_pattern(field_of(grid.num_axes, 7, 5, channels), 0.6)
    return Start(pattern, pattern.gather(pattern.field.initial_theta(3)[None])[0], grid)


def all_of(signals, config=CONFIG, start=None, **options):
    return list(fit_collection(start or make_start(), signals, config, **options))


def test_every_signal_is_fitted_in_order_as_if_alone():
    start, signals = make_start(), MadeUpSignals(7)
    found = all_of(signals, start=start)
    assert [f.name for f in found] == [f"signal-{i}" for i in range(7)]
    engine = DenseEngine(start.pattern)
    for i, one in enumerate(found):
        array = signals.load(i)
        values = torch.from_numpy(array.reshape(1, 15, 2))
        alone = fit(engine, start.theta, GRID.coords(), values, CONFIG)
        assert (one.status, one.reason, one.steps) == ("ok", "", (0, 1, 2, 5, 7))
        assert one.psnr_db == pytest.approx(alone.psnr_db[0], abs=1e-4)
        torch.testing.assert_close(one.theta, alone.theta[0], rtol=1e-4, atol=1e-5)
        assert np.array_equal(one.original, array)


@pytest.mark.parametrize("batch", [1, 2, 7, 100])
def test_the_batch_size_changes_rounding_only(batch):
    expected = all_of(MadeUpSignals(7))
    found = all_of(MadeUpSignals(7), FitConfig(steps=7, lr=0.01, batch=batch))
    for one, other in zip(found, expected, strict=True):
        assert (one.name, one.status) == (other.name, other.status)
        assert one.psnr_db == pytest.approx(other.psnr_db, abs=1e-4)
        # float32: Adam divides by gradients that may be small, so that rounding there shows
        torch.testing.assert_close(one.theta, other.theta, rtol=1e-3, atol=1e-4)


def test_unreadable_signals_are_reported_in_their_places_and_the_others_go_on():
    found = all_of(MadeUpSignals(7, unreadable=[0, 3, 4, 5]))  # the second batch of three has none at all
    assert [f.status for f in found] == ["unreadable", "ok", "ok"] + ["unreadable"] * 3 + ["ok"]
    assert [f.name for f in found] == [f"signal-{i}" for i in range(7)]
    whole = all_of(MadeUpSignals(7))
    for one, other in zip(found, whole, strict=True):
        if one.status == "unreadable":
            assert one.reason == f"{one.name}: made to fail"
            assert one.original is None
            assert one.theta is None
            assert one.steps == other.steps
            assert len(one.psnr_db) == len(one.steps)
            assert all(isnan(x) for x in one.psnr_db)
        else:
            assert one.psnr_db == pytest.approx(other.psnr_db, abs=1e-4)
            assert np.array_equal(one.original, other.original)


def test_a_set_of_which_nothing_can_be_read_is_reported_whole():
    found = all_of(MadeUpSignals(4, unreadable=range(4)))
    assert [f.status for f in found] == ["unreadable"] * 4


def test_one_that_diverges_is_reported_with_a_reason_and_the_others_go_on():
    class OneHuge(MadeUpSignals):
        def load(self, index):
            return super().load(index) * np.float32(1e25 if index == 2 else 1)

    # of a kind of values that may be as large as they like
    assert make_start().kind == VALUES
    found, whole = all_of(OneHuge(5)), all_of(MadeUpSignals(5))
    assert [f.status for f in found] == ["ok", "ok", "diverged", "ok", "ok"]
    assert "lower --lr" in found[2].reason
    assert torch.isfinite(found[2].theta).all()
    for i in (0, 1, 3, 4):
        assert found[i].psnr_db == pytest.approx(whole[i].psnr_db, abs=1e-4)
        assert found[i].reason == ""


def test_a_signal_of_another_range_is_reported_and_the_others_are_what_they_are_without_it():
    class OneOfBytes(MadeUpSignals):
        def load(self, index):
            return 255 * super().load(index) if index == 1 else super().load(index)

    start = replace(make_start(channels=1), kind=Grey())
    found = all_of(OneOfBytes(5, channels=1), start=start)
    whole = all_of(MadeUpSignals(5, channels=1, unreadable=[1]), start=start)
    assert [f.status for f in found] == ["ok", "unreadable", "ok", "ok", "ok"]
    assert re.search(r"signal-1: expected grey values from 0 to 1, but they run .* to 2\d\d", found[1].reason)
    for one, other in zip(found, whole, strict=True):
        assert one.theta is None or torch.equal(one.theta, other.theta)


def test_signals_of_several_shapes_are_fitted_each_on_its_own_grid_in_order():
    class Several(MadeUpSignals):
        def load(self, index):
            return super().load(index)[: 5 - index % 2]

    found = all_of(Several(7, unreadable=[3]))
    assert [f.name for f in found] == [f"signal-{i}" for i in range(7)]
    assert [f.original is None or f.original.shape[0] for f in found] == [5, 4, 5, True, 5, 4, 5]
    alone = all_of(Several(7, unreadable=[3]), replace(CONFIG, batch=1))
    for one, other in zip(found, alone, strict=True):
        assert one.psnr_db == pytest.approx(other.psnr_db, abs=1e-4, nan_ok=True)


def test_chosen_signals_are_fitted_in_the_order_given():
    signals = MadeUpSignals(7)
    found = all_of(signals, indices=[5, 0, 6, 2])
    assert [f.name for f in found] == ["signal-5", "signal-0", "signal-6", "signal-2"]
    assert signals.loaded == [5, 0, 6, 2]
    whole = all_of(MadeUpSignals(7))
    assert found[2].psnr_db == pytest.approx(whole[6].psnr_db, abs=1e-4)


def test_nothing_to_fit_is_nothing():
    assert all_of(MadeUpSignals(7), indices=[]) == []
    assert all_of(MadeUpSignals(0)) == []


def test_signals_of_another_size_are_fitted_on_their_own_grid():
    start, signals = make_start(), MadeUpSignals(2, shape=(4, 7))
    (one, _) = all_of(signals, start=start)
    assert one.original.shape == (4, 7, 2)
    values = torch.from_numpy(one.original.reshape(1, 28, 2))
    coords = Grid(shape=(4, 7), extent=((-1.0, 2.0), (0.5, 0.75))).coords()
    alone = fit(DenseEngine(start.pattern), start.theta, coords, values, CONFIG)
    assert one.psnr_db == pytest.approx(alone.psnr_db[0], abs=1e-4)


def test_signals_of_other_channels_are_refused():
    with pytest.raises(BadInput, match="the start draws 3 channels but the signals have 2"):
        all_of(MadeUpSignals(5), start=make_start(channels=3))


def test_signals_of_other_axes_are_refused():
    with pytest.raises(BadInput, match="the start draws signals of 1 axis but these have 2"):
        all_of(MadeUpSignals(5), start=make_start(grid=Grid(shape=(5,))))


def test_the_start_is_left_as_it_was():
    start = make_start()
    before = start.theta.clone()
    for one in all_of(MadeUpSignals(3), start=start):
        one.theta.zero_()
    assert torch.equal(start.theta, before)


def test_what_was_fitted_can_be_drawn_at_any_size():
    start = make_start()
    found = all_of(MadeUpSignals(3), start=start)
    drawings = list(render(start, [f.theta for f in found], (5, 3)))
    assert [d.shape for d in drawings] == [(5, 3, 2)] * 3
    for one, drawing in zip(found, drawings, strict=True):
        mse = np.square(drawing.astype(np.float64) - one.original).mean()
        assert one.psnr_db[-1] == pytest.approx(-10 * np.log10(mse), abs=1e-3)
    # corners stay corners at another size
    (large,) = render(start, [found[1].theta], (9, 7))
    assert large.shape == (9, 7, 2)
    for corner in [(0, 0), (0, -1), (-1, 0), (-1, -1)]:
        assert large[corner] == pytest.approx(drawings[1][corner], abs=1e-5)
    assert large[4, 3] == pytest.approx(drawings[1][2, 1], abs=1e-5)


@pytest.mark.parametrize("engine", ["dense", "reference", "auto"])
def test_every_engine_will_do(engine):
    found = all_of(MadeUpSignals(3), engine=engine)
    expected = all_of(MadeUpSignals(3))
    for one, other in zip(found, expected, strict=True):
        assert one.psnr_db == pytest.approx(other.psnr_db, abs=1e-3)


def test_a_record_is_plain_json():
    fine, bad = all_of(MadeUpSignals(2, unreadable=[1]), FitConfig(steps=1))
    record = fine.to_dict()
    assert sorted(record) == ["input", "psnr_db", "seconds", "status", "steps"]
    assert (record["input"], record["status"], record["steps"]) == ("signal-0", "ok", [0, 1])
    assert json.loads(json.dumps(record)) == record
    assert bad.to_dict()["reason"] == "signal-1: made to fail"
    assert isinstance(bad, FittedSignal)


def test_an_engine_or_a_device_that_does_not_exist_is_refused():
    start, signals = make_start(), MadeUpSignals(3)
    for wrong, words in (({"engine": "abacus"}, "unknown engine 'abacus'"), ({"device": "nonsense"}, "'nonsense'")):
        with pytest.raises(BadInput, match=words):
            all_of(signals, start=start, **wrong)
        with pytest.raises(BadInput, match=words):
            list(render(start, [start.theta], (5, 3), **wrong))
    assert signals.loaded == []


def test_a_batch_that_memory_cannot_hold_is_refused_before_anything_is_read(monkeypatch):
    monkeypatch.setattr(checks, "free_memory", lambda: Room(20_000, "this test leaves"))
    signals = MadeUpSignals(40)
    with pytest.raises(BadInput, match=r"fitting 40 signals together would need .* this test leaves .*; lower --batch"):
        all_of(signals, FitConfig(steps=1, batch=100_000))
    assert signals.loaded == []
    assert [f.status for f in all_of(signals, FitConfig(steps=1, batch=2), indices=range(3))] == ["ok"] * 3


def test_a_signal_too_large_for_memory_is_reported_and_the_others_go_on(monkeypatch):
    class OneLarge(MadeUpSignals):
        def load(self, index):
            return np.zeros((50, 300, 2), np.float32) if index == 1 else super().load(index)

    whole = all_of(MadeUpSignals(3, unreadable=[1]))
    monkeypatch.setattr(checks, "free_memory", lambda: Room(1_000_000, "this test leaves"))
    found = all_of(OneLarge(3))
    assert [f.status for f in found] == ["ok", "unreadable", "ok"]
    assert "signal-1: fitting it would need about" in found[1].reason
    assert [f.psnr_db for f in found if f.status == "ok"] == [f.psnr_db for f in whole if f.status == "ok"]


@pytest.mark.parametrize("refusal", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory")])
def test_what_memory_refuses_a_batch_is_fitted_one_by_one_and_what_it_refuses_then_is_reported(monkeypatch, refusal):
    real, asked = collection.fit, []

    def fit_few(engine, theta, coords, values, config, **options):
        asked.append(len(values))
        if len(values) > 1 or float(values[0, 0, 0]) == float(MadeUpSignals(4).load(2)[0, 0, 0]):
            raise refusal
        return real(engine, theta, coords, values, config, **options)

    monkeypatch.setattr(collection, "fit", fit_few)
    found = all_of(MadeUpSignals(4), FitConfig(steps=7, lr=0.01, batch=4))
    assert asked == [4, 1, 1, 1, 1]
    assert [f.status for f in found] == ["ok", "ok", "unreadable", "ok"]
    assert found[2].reason == "signal-2: there was not enough memory to fit it; bring it to a smaller size"
    for one, other in zip(found, all_of(MadeUpSignals(4, unreadable=[2])), strict=True):
        assert one.psnr_db == pytest.approx(other.psnr_db, abs=1e-4, nan_ok=True)


def test_an_error_that_is_not_about_memory_is_nobodys_status(monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("shapes differ")

    monkeypatch.setattr(collection, "fit", broken)
    with pytest.raises(RuntimeError, match="shapes differ"):
        all_of(MadeUpSignals(3))


def test_a_drawing_that_memory_cannot_hold_is_refused(monkeypatch):
    monkeypatch.setattr(collection, "check_memory", checks.check_memory)
    monkeypatch.setattr(checks, "free_memory", lambda: Room(1000, "this test leaves"))
    with pytest.raises(BadInput, match="the drawing would need"):
        next(render(make_start(), [make_start().theta], (50, 50)))
