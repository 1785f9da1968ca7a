"""What work cost: seconds add up, memory peaks do not."""

import time
from pathlib import Path

import pytest

from sparsine.measure.comparison.stages import total
from sparsine.usage import Stopwatch, Usage


def test_costs_add_up_and_the_larger_peak_stays():
    both = Usage(2.5, 4.0, 300) + Usage(0.25, 0.5, 700)
    assert both == Usage(2.75, 4.5, 700)
    assert Usage() + both == both + Usage() == both


def test_a_dict_is_rounded_to_milliseconds():
    assert Usage(1.23456, 0.98765, 42).to_dict() == {"seconds": 1.235, "cpu_seconds": 0.988, "peak_bytes": 42}


def test_a_stopwatch_tells_waiting_from_working():
    watch = Stopwatch()
    time.sleep(0.06)
    waited = watch.usage()
    assert waited.seconds >= 0.06
    assert waited.cpu_seconds < 0.05
    while watch.usage().cpu_seconds < 0.03:
        sum(range(1_000))
    worked = watch.usage()
    assert worked.seconds >= waited.seconds + 0.02
    assert 0.03 <= worked.cpu_seconds <= worked.seconds + 0.05


def test_peak_memory_is_in_bytes_and_that_of_the_system():
    status = Path("/proc/self/status")
    if not status.exists():
        pytest.skip("only Linux tells the peak in a file")
    before = Stopwatch().usage().peak_bytes
    (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
    assert before == pytest.approx(1024 * int(line.split()[1]), abs=2**20)
    assert Stopwatch().usage().peak_bytes >= before


def test_stages_are_summed_into_one_cost_and_listed():
    parts = [
        {"name": "dense", "outer_steps": 5, "seconds": 2.0, "cpu_seconds": 1.5, "peak_bytes": 9},
        {"name": "magnitude", "outer_steps": 6, "seconds": 0.5, "cpu_seconds": 1.0, "peak_bytes": 4},
    ]
    summed = {"outer_steps": 11, "seconds": 2.5, "cpu_seconds": 2.5, "peak_bytes": 9}
    assert total(parts) == {**summed, "stages": parts}
    assert total([]) == {"outer_steps": 0, "seconds": 0.0, "cpu_seconds": 0.0, "peak_bytes": 0, "stages": []}
