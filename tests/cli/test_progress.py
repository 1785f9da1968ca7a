"""What is told while people wait: what is going on, how good it is, and how long it will take, in one line."""

import io
import re
from types import SimpleNamespace

import pytest
from rich.cells import cell_len
from rich.console import Console

from sparsine.cli import console
from sparsine.cli.console import Waiting
from sparsine.cli.learn import _Told
from sparsine.measure.comparison.run import _told
from sparsine.meta.cost import Course, Round


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self, monkeypatch):
        self.now = 1000.0
        monkeypatch.setattr(console.time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


def line_of(waiting, columns):
    """What a terminal of so many columns shows."""
    waiting.progress.console.width = columns
    waiting._show()
    screen = Console(width=columns, file=io.StringIO(), force_terminal=True, color_system=None, legacy_windows=False)
    screen.print(waiting.progress.get_renderable())
    (line,) = screen.file.getvalue().splitlines()
    return line


@pytest.mark.parametrize(
    "what",
    ["photographs-of-mine 12: meta-sparse-connected-late round-05 + 7 more", "fitted " + "a" * 300 + ".png",
     "fitted " + "\N{CJK UNIFIED IDEOGRAPH-4E00}" * 90, "short"],
)  # fmt: skip
@pytest.mark.parametrize("percent", [True, False])
def test_a_line_fits_eighty_columns_and_loses_no_number(clock, what, percent):
    waiting = Waiting("comparing", 13_800, percent=percent)
    waiting.at(0)
    clock.now += 3_600
    waiting.at(4_140, what, facts="24.10 dB")
    line = line_of(waiting, 80)
    assert cell_len(line) <= 80
    assert ("30 %" if percent else "4,140/13,800") in line
    assert line.rstrip().endswith("left 2 h 20 min")
    assert "24.10 dB" in line
    assert line.startswith(what[:7])


def test_the_time_left_follows_from_what_steps_cost(clock):
    waiting = Waiting("learning", 100, work=1_000.0)
    waiting.at(10, worked=400.0)  # a resumed run: what was done before says nothing about our speed
    assert "left" not in line_of(waiting, 80)
    clock.now += 50
    waiting.at(20, worked=500.0)  # 100 in 50 s: 500 more take 250 s, whatever the steps
    assert "left 4 min 10 s" in line_of(waiting, 80)


def test_a_log_gets_a_plain_line_now_and_then(clock, capsys):
    waiting = Waiting("fitting", 4)
    waiting.at(0)
    for seconds, done in ((5, 1), (20, 2), (1, 3)):
        clock.now += seconds
        waiting.at(done, f"fitted {done}.png", facts="31.20 dB")
    assert capsys.readouterr().err.splitlines() == ["fitted 2.png, 31.20 dB: 2 of 4, about 25.0 s left"]


def state(round, round_step, step, weights=41_230):
    return SimpleNamespace(round=round, round_step=round_step, step=step, pattern=SimpleNamespace(num_weights=weights))


def test_learning_tells_round_weights_psnr_and_the_fits_before_a_pruning(clock):
    waiting = Waiting("dense", 1)
    told = _Told(waiting, peak=1.0)
    told.course = Course((Round(10, 6.0, 20.0), Round(10, 2.0)))
    waiting.set_total(20, told.course.total)
    told.step(state(0, 5, 5), 0.01)
    clock.now += 30
    told.step(state(0, 10, 10), 0.01)
    line = line_of(waiting, 80)
    assert line.startswith("round 0, 41,230 weights")
    assert "20.00 dB 10/20" in line
    assert "left 40.0 s" in line  # 30 in 30 s; the fits (20) and ten steps of 2 are left
    clock.now += 10
    told.pruning(state(0, 10, 10), 50, 100)
    line = line_of(waiting, 80)
    assert line.startswith("round 1: which weights stay")
    assert "50 of 100 10/20" in line
    assert "left 30.0 s" in line
    told.step(state(1, 10, 20, weights=1), 0.001)
    assert line_of(waiting, 80).startswith("round 1, 1 weight ")
    assert "30.00 dB" in line_of(waiting, 80)  # of this round alone


def test_the_psnr_that_is_told_does_not_jump_with_the_signals_of_a_step(clock):
    waiting = Waiting("dense", 1)
    told = _Told(waiting, peak=1.0)
    told.course = Course((Round(100, 1.0),))
    for step, loss in enumerate([0.01] * 60 + [0.03], 1):
        told.step(state(0, step, step), loss)
    (psnr,) = re.findall(r"([\d.]+) dB", line_of(waiting, 80))
    assert 19.5 < float(psnr) < 20  # the step alone: 15.2 dB


def test_a_comparison_names_one_job_and_counts_the_others():
    keys = ["learning/faces/seed-0/dense", "cells/photos/seed-1/scratch/round-05.json", "learning/a/seed-2/magnitude"]
    assert _told(keys) == "faces 0: dense + 2 more"
    assert _told(keys[1:2]) == "photos 1: scratch round-05"
    assert _told([]) == ""
