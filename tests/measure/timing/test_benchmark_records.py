"""Records of benchmarks: every row is complete, follows from its runs, and never compares answers that differ."""

import math
from dataclasses import replace
from itertools import cycle

import pytest
import torch
from small_benchmarks import tiny

from sparsine.engines import ENGINES
from sparsine.errors import BadInput, WorkFailed
from sparsine.measure.timing import run, tasks
from sparsine.measure.timing import timed as measure
from sparsine.measure.timing.plain import PlainField
from sparsine.measure.timing.run import run_benchmark
from sparsine.measure.timing.tasks import TASKS, Fit, LossAndGrad, MetaGradient, Predict
from sparsine.measure.timing.timed import Measurement

ROW_KEYS = {
    "task", "density", "batch", "plain_seconds", "ours_seconds", "ratio", "plain_peak_bytes", "ours_peak_bytes",
    "gflops", "roofline_fraction", "engine", "width", "depth", "size", "num_weights", "connected_weights",
    "difference",
    "plain_signals_timed", "plain_runs", "ours_runs",
}  # fmt: skip
NAMES = {"engines": "loss_and_grad", "meta": "meta_gradient", "fit": "fit", "decode": "predict"}
NUM_WEIGHTS = 16 + 64 + 24


def timed_as(monkeypatch, plain, ours):
    """The work is done, but the clock says what is given, run by run, plain and ours in turns."""
    turns = cycle([seconds for pair in zip(plain, ours, strict=True) for seconds in pair])
    monkeypatch.setattr(measure, "timed", lambda work: Measurement(next(turns), work()))


@pytest.mark.parametrize("engine", ["auto", *ENGINES])
@pytest.mark.parametrize("what", NAMES)
def test_every_benchmark_gives_complete_rows(what, engine):
    config = tiny(what, engine=engine)
    if engine == "triton" and (reason := ENGINES[engine].supports(config.field, torch.device("cpu"), torch.float32)):
        pytest.skip(reason)
    record = run_benchmark(config)
    assert (record["kind"], record["name"], record["what"]) == ("benchmark", f"bench-{what}", what)
    assert {"created", "commit", "versions", "hardware", "repeats", "seed", "omega_0"} <= record.keys()
    assert record["engine"] == engine
    assert 0 < record["peak_gflops"] < math.inf
    assert [row["density"] for row in record["rows"]] == [1.0, 0.3]
    for row in record["rows"]:
        assert row.keys() == ROW_KEYS
        assert row["task"] == NAMES[what]
        assert row["batch"] == {"meta": 2, "fit": 3}.get(what, 1)
        assert (row["width"], row["depth"], row["size"]) == (8, 2, [7, 5])
        assert row["num_weights"] == {1.0: NUM_WEIGHTS, 0.3: 16 + round(0.3 * 64) + 24}[row["density"]]
        assert 0 < row["connected_weights"] <= row["num_weights"]
        assert row["connected_weights"] == row["num_weights"] or row["density"] < 1
        assert len(row["plain_runs"]) == len(row["ours_runs"]) == 2
        assert all(0 < row[key] < math.inf for key in ("plain_seconds", "ours_seconds", "ratio"))
        assert 0 <= row["difference"] < (1e-3 if what == "fit" else 1e-4)
        assert (row["gflops"] is None) == (row["roofline_fraction"] is None) == (what == "meta")
        assert what == "meta" or 0 < row["gflops"] < math.inf
        assert row["engine"] != "auto"
        assert engine in ("auto", row["engine"])


@pytest.mark.parametrize("what", ["engines", "decode"])
def test_there_is_a_row_for_every_density_and_batch(what):
    rows = run_benchmark(tiny(what, batch=(1, 4), repeats=1))["rows"]
    assert [(row["density"], row["batch"]) for row in rows] == [(1, 1), (1, 4), (0.3, 1), (0.3, 4)]
    assert all(row["difference"] < 1e-4 for row in rows)


def test_seconds_are_medians_of_the_runs_and_the_ratio_is_plain_over_ours(monkeypatch):
    timed_as(monkeypatch, plain=(9.0, 2.0, 6.0), ours=(1.0, 30.0, 4.0))
    peaks = cycle([80, 6])
    monkeypatch.setattr(run, "peak_bytes", lambda work: work() and next(peaks))
    for row in run_benchmark(tiny("engines", repeats=3))["rows"]:
        assert (row["plain_runs"], row["ours_runs"]) == ([9, 2, 6], [1, 30, 4])
        assert (row["plain_seconds"], row["ours_seconds"], row["ratio"]) == (6, 4, 1.5)
        assert (row["plain_peak_bytes"], row["ours_peak_bytes"]) == (80, 6)


@pytest.mark.parametrize(
    ("what", "multiply_adds"), [("engines", 3 * 2), ("decode", 2), ("fit", 3 * 3 * 4), ("meta", None)]
)
def test_useful_work_is_what_the_survivors_need(monkeypatch, what, multiply_adds):
    """Per weight and point: engines and decode for 2 signals, fit for 3 signals and 4 steps."""
    peaks = iter([0.5e-6, 2e-6])
    monkeypatch.setattr(run, "peak_gflops", lambda device: next(peaks))
    timed_as(monkeypatch, plain=(1.0, 1.0), ours=(5.0, 5.0))
    seen = []
    record = run_benchmark(
        tiny(what, batch=(2,)), lambda record: seen.append((record["peak_gflops"], record["rows"][0].copy()))
    )
    assert (seen[0][0], record["peak_gflops"]) == (0.5e-6, 2e-6)  # the larger of before and after
    for row in record["rows"]:
        if multiply_adds is None:
            assert (row["gflops"], row["roofline_fraction"]) == (None, None)
        else:
            expected = 2 * multiply_adds * row["num_weights"] * 35 / 5.0 / 1e9
            assert row["gflops"] == pytest.approx(expected)
            assert row["roofline_fraction"] == pytest.approx(expected / 2e-6)
            assert seen[0][1]["roofline_fraction"] == pytest.approx(seen[0][1]["gflops"] / 0.5e-6)


def test_the_larger_peak_counts_also_when_it_came_first(monkeypatch):
    peaks = iter([7.0, 3.0])
    monkeypatch.setattr(run, "peak_gflops", lambda device: next(peaks))
    assert run_benchmark(tiny("decode"))["peak_gflops"] == 7.0


def test_a_plain_way_on_fewer_signals_is_scaled_to_all(monkeypatch):
    fitted, plain_fit = [], Fit.plain
    monkeypatch.setattr(Fit, "plain", lambda self: fitted.append(plain_fit(self)) or fitted[-1])
    timed_as(monkeypatch, plain=(10.0, 14.0), ours=(3.0, 3.0))
    (row,) = run_benchmark(tiny("fit", signals=5, plain_signals=2, densities=(0.3,)))["rows"]
    assert [len(result) for result in fitted] == [2] * 3  # one for its memory and two on the clock
    assert (row["batch"], row["plain_signals_timed"]) == (5, 2)
    assert (row["plain_runs"], row["ours_runs"]) == ([25.0, 35.0], [3.0, 3.0])
    assert (row["plain_seconds"], row["ratio"]) == (30.0, 10.0)


def test_all_signals_are_timed_where_nothing_else_is_said(monkeypatch):
    timed_as(monkeypatch, plain=(10.0, 14.0), ours=(3.0, 3.0))
    (row,) = run_benchmark(tiny("fit", densities=(0.3,)))["rows"]
    assert (row["plain_signals_timed"], row["plain_seconds"]) == (3, 12.0)
    (row,) = run_benchmark(tiny("engines", densities=(0.3,)))["rows"]
    assert (row["plain_signals_timed"], row["plain_seconds"]) == (None, 12.0)


def wrong_gradient(loss, grad):
    return loss, grad * 1.01


def wrong_loss(loss, grad):
    return loss * 1.01, grad


def not_finite(loss, grad):
    return loss, torch.full_like(grad, torch.nan)


def worse_fit(result):
    return replace(result, psnr_db=[[end - 0.2 * (-1) ** i] for i, (end,) in enumerate(result.psnr_db)])


def failed_fit(result):
    return replace(result, psnr_db=[[math.nan], *result.psnr_db[1:]])


WRONG = [
    *[(task, lambda found, spoil=spoil: spoil(*found)) for task in (LossAndGrad, MetaGradient)
      for spoil in (wrong_gradient, wrong_loss, not_finite)],
    (Predict, lambda found: found + 0.02), (Fit, worse_fit), (Fit, failed_fit),
]  # fmt: skip


@pytest.mark.parametrize(("task", "spoil"), WRONG)
def test_answers_that_differ_are_not_timed_against_each_other(monkeypatch, task, spoil):
    what = next(name for name, kind in TASKS.items() if kind is task)
    ours, rows = task.ours, []
    run_benchmark(tiny(what))  # as it is, all is well
    # only the second density is answered wrong
    monkeypatch.setattr(
        task, "ours", lambda self: spoil(ours(self)) if self.problem.pattern.density < 1 else ours(self)
    )
    with pytest.raises(WorkFailed, match=rf"disagree: {task.name} at density 0.567 differs by (\d|nan)"):
        run_benchmark(tiny(what), lambda record: rows.append(len(record["rows"])))
    assert rows == [1]


def test_each_way_runs_once_for_its_memory_outside_the_clock(monkeypatch):
    calls, clocked = [], []

    def watch(name):
        work = getattr(LossAndGrad, name)
        monkeypatch.setattr(LossAndGrad, name, lambda self: calls.append((name, len(self.coords))) or work(self))

    watch("plain")
    watch("ours")
    monkeypatch.setattr(measure, "timed", lambda work: clocked.append(len(calls)) or Measurement(1.0, work()))
    run_benchmark(tiny("engines", size=(9, 11), densities=(0.5,)))
    assert calls == [("plain", 99), ("ours", 99)] * 3
    assert clocked == [2, 3, 4, 5]


def heard(monkeypatch, home, name, part):
    """What a function is asked with, call by call: one of its positional arguments."""
    asked, function = [], getattr(home, name)
    monkeypatch.setattr(home, name, lambda *args: asked.append(args[part]) or function(*args))
    return asked


def test_both_ways_take_the_inner_steps_and_tasks_asked_for(monkeypatch):
    plain_steps = heard(monkeypatch, PlainField, "meta_gradient", 3)
    plain_values = heard(monkeypatch, PlainField, "meta_gradient", 2)
    configs = heard(monkeypatch, tasks, "meta_gradient", 3)
    groups = heard(monkeypatch, tasks, "meta_gradient", 2)
    run_benchmark(tiny("meta", inner_steps=3, tasks=4, repeats=1, densities=(0.3,)))
    assert plain_steps == [3, 3]  # for memory and for time
    assert [(config.algorithm, config.inner_steps) for config in configs] == [("maml", 3)] * 2
    assert [len(values) for values in plain_values] == [len(group) for group in groups] == [4, 4]


def test_both_ways_take_the_steps_asked_for_and_one_for_memory(monkeypatch):
    plain_steps = heard(monkeypatch, PlainField, "fit", 3)
    plain_lrs = heard(monkeypatch, PlainField, "fit", 4)
    configs = heard(monkeypatch, tasks, "fit", 4)
    run_benchmark(tiny("fit", signals=2, steps=5, repeats=1, densities=(0.3,)))
    assert plain_steps == [1, 1, 5, 5]
    assert set(plain_lrs) == {1e-4}
    assert [(c.optimizer, c.num_steps, c.step_size, c.report_steps) for c in configs] == [
        ("adam", 1, 1e-4, (1,)), ("adam", 5, 1e-4, (5,)),
    ]  # fmt: skip


def test_the_same_seed_gives_the_same_differences_and_another_seed_another_problem():
    def differences(seed):
        return [row["difference"] for row in run_benchmark(tiny("engines", seed=seed, repeats=1))["rows"]]

    assert differences(3) == differences(3)
    assert differences(3) != differences(4)


def test_a_benchmark_that_cannot_fit_into_memory_is_refused_before_it_begins(monkeypatch):
    monkeypatch.setattr(run, "peak_gflops", lambda device: pytest.fail("it began"))
    with pytest.raises(BadInput, match=r"this benchmark would need about [\d,.]+ GiB"):
        run_benchmark(tiny("meta", size=(16_000, 16_000), width=4_000, tasks=1_000))
