"""Seconds and bytes are those of the work itself."""

import time

import pytest

from sparsine.measure.timing import timed as measure
from sparsine.measure.timing.roofline import gflops, peak_gflops
from sparsine.measure.timing.timed import interleaved, peak_bytes, timed

MIB = 2**20
COUNTED = measure._restart_peak() is not None


def test_seconds_are_those_of_the_work():
    run = timed(lambda: time.sleep(0.05) or "done")
    assert 0.05 <= run.seconds < 1
    assert run.result == "done"


@pytest.mark.skipif(not COUNTED, reason="this system does not count the peak of one piece of work")
def test_the_peak_is_that_of_this_work_alone():
    def touch(mib):
        return len(bytearray(b"x") * (mib * MIB))

    large, small = peak_bytes(lambda: touch(96)), peak_bytes(lambda: touch(24))
    assert 90 * MIB < large < 130 * MIB
    assert 20 * MIB < small < 60 * MIB


def test_where_the_system_does_not_count_there_is_no_peak(monkeypatch, tmp_path):
    monkeypatch.setattr(measure, "PROC", tmp_path / "nothing")
    done = []
    assert peak_bytes(lambda: done.append(1)) is None
    assert done == [1]


def test_ways_take_turns_and_only_the_last_results_are_kept():
    order = []

    def way(name):
        return lambda: order.append(name) or f"{name}{len(order)}"

    a, b = interleaved((way("a"), way("b")), 3)
    assert order == ["a", "b"] * 3
    assert [run.result for run in a] == [None, None, "a5"]
    assert [run.result for run in b] == [None, None, "b6"]


def test_a_multiply_add_counts_as_two_operations():
    assert gflops(3 * 10**9, 2.0) == 3.0


def test_the_roofline_is_the_best_of_several_products(monkeypatch):
    ticks = iter([0.0, 0.5, 1.0, 1.25, 2.0, 3.0])  # products of 0.5, 0.25 and 1 second
    monkeypatch.setattr(time, "perf_counter", lambda: next(ticks))
    assert peak_gflops() == pytest.approx(2 * 64**3 / 0.25 / 1e9)
