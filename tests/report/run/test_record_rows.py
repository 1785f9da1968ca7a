from math import inf, isnan, nan

import pytest
from fabricated import record, row, signal

from sparsine.evenly import evenly
from sparsine.report.run.rows import rows_of
from sparsine.report.wording import DASH, MINUS, db, duration, gain, lacking, percent


@pytest.mark.parametrize(("length", "count"), [(21, 6), (5, 4), (7, 7), (3, 9), (20, 2)])
def test_evenly_keeps_order_and_both_ends(length, count):
    chosen = evenly(list(range(length)), count)
    assert len(chosen) == min(length, count)
    assert chosen == sorted(set(chosen))
    assert (chosen[0], chosen[-1]) == (0, length - 1)


def test_evenly_with_room_for_one_keeps_the_last():
    assert evenly([3, 5, 8], 1) == [8]


def test_a_spread_looks_at_good_signals_only():
    signals = [signal(f"{i}.jpg", 30.0 + i) for i in range(11)] + [signal("bad.jpg", 90.0, status="diverged")]
    (found,) = rows_of(record() | {"rows": [row("round-03", 800, signals, 2144)]})
    assert found.spread(0, 100) == pytest.approx((30.0, 40.0))
    assert found.spread(10, 90) == pytest.approx((31.0, 39.0))
    assert found.num_ok == 11
    assert found.label == "round 3"


def test_a_perfect_fit_is_the_best_of_a_spread_and_nothing_is_interpolated_with_it():
    signals = [signal(f"{i}.jpg", 30.0 + i) for i in range(4)] + [signal("black.jpg", 99.0)]
    signals[-1]["psnr_db"][-1] = "inf"
    (found,) = rows_of(record() | {"rows": [row("round-03", 800, signals[:-1], 2144) | {"signals": signals}]})
    assert found.spread(0, 100) == (30.0, inf)
    assert found.spread(10, 60) == pytest.approx((30.4, 32.4))
    assert found.spread(10, 90)[1] == inf
    assert all(isnan(end) for end in found.band)


def test_numbers_read_well():
    assert [percent(x) for x in (1.0, 0.168843, 0.011527, 0.0004321)] == ["100 %", "16.9 %", "1.15 %", "0.0432 %"]
    assert [duration(x) for x in (8.06, 59.99, 3725.0, None)] == ["8.1 s", "1 min 0 s", "1 h 2 min", DASH]
    assert [db(-1.005), gain(3.2), gain(-0.5), db(None)] == [f"{MINUS}1.00", "+3.20", f"{MINUS}0.50", DASH]
    assert [db(inf), gain(inf), gain(-inf), db(nan), gain(nan)] == ["inf", "+inf", f"{MINUS}inf", DASH, DASH]
    assert [lacking(3, 4), lacking(4, 4), lacking(0, 1_000)] == [" (3 of 4)", "", " (0 of 1,000)"]
