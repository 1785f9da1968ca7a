"""The model of benchmarks/ranks.py: what a step takes on ranks that nobody had."""

import importlib.util
from pathlib import Path

import pytest

PATH = Path(__file__).parents[3] / "benchmarks" / "ranks.py"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("script_ranks", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_one_rank_sends_nothing(script):
    work, network = script.Work(0.5, 0.25, 0.125, 8_000), script.Network(1.0, 1.0)
    assert script.on_paper(work, network, 6, 1) == {
        "ranks": 1, "step_seconds": 3.375, "exchange_seconds": 0, "efficiency": 1, "efficiency_by_sum": 1
    }  # fmt: skip


def test_three_ranks_share_the_tasks_and_send_their_gradients_round_a_ring(script):
    work, network = script.Work(0.5, 0.25, 0.125, 8_000), script.Network(0.01, 1e6)
    found = script.on_paper(work, network, 6, 3)
    # two turns, each 10 ms and the two gradients of one rank
    assert found["exchange_seconds"] == pytest.approx(2 * (0.01 + 2 * 0.008))
    assert found["step_seconds"] == pytest.approx(2 * 0.5 + 0.25 + 0.125 + found["exchange_seconds"])
    assert found["efficiency"] == pytest.approx(3.375 / (3 * found["step_seconds"]))
    # four turns, each 10 ms and a third of a gradient; a third of the sum is done here
    by_sum = 2 * 0.5 + 0.125 + 0.25 / 3 + 4 * (0.01 + 0.008 / 3)
    assert found["efficiency_by_sum"] == pytest.approx(3.375 / (3 * by_sum))


def test_a_slow_network_stops_earlier(script):
    work = script.Work(1e-3, 1e-5, 1e-5, 35_000)
    fast, slow = (script.half_up_to(work, script.Network(50e-6, rate)) for rate in (1.25e9, 1.25e7))
    assert 1 <= slow < fast <= 64


def test_a_line_through_measured_messages_has_their_latency_and_rate(script):
    rows = [{"message_bytes": n, "gathered_seconds": 3e-4 + n / 2e9} for n in script.SIZES]
    found = script.measured_network(rows)
    assert (found.latency, found.bytes_per_second) == pytest.approx((3e-4, 2e9))
