"""`sparsine bench`: its table, its file, and what it says to mistakes."""

import json

import pytest
from small_benchmarks import TINY_OPTIONS

from sparsine.cli.main import main
from sparsine.measure.timing import timed as measure
from sparsine.measure.timing.tasks import LossAndGrad, Predict


def bench(*args):
    return main(["bench", *[str(arg) for arg in args]])


@pytest.mark.parametrize("what", ["engines", "meta", "fit", "decode"])
def test_a_benchmark_shows_a_table_and_writes_its_record(capsys, tmp_path, what):
    assert bench(what, *TINY_OPTIONS, "--json", tmp_path / "new" / "record.json") == 0
    record = json.loads((tmp_path / "new" / "record.json").read_text())
    assert (record["kind"], record["name"], record["size"]) == ("benchmark", f"bench-{what}", [7, 5])
    assert [row["density"] for row in record["rows"]] == [1, 0.3]
    assert "json" not in record
    said = capsys.readouterr().out
    rows = [line.split() for line in said.splitlines() if line.startswith(record["rows"][0]["task"])]
    assert [row[1] for row in rows] == ["1", "0.3"]
    assert f"{record['rows'][1]['ratio']:.2f}" in rows[1]
    assert f"peak {record['peak_gflops']:.0f} GFLOP/s" in said
    assert record["hardware"]["processor"] in said


def test_numbers_that_are_not_known_are_shown_as_a_dash(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(measure, "PROC", tmp_path / "nothing")
    assert bench("meta", *TINY_OPTIONS) == 0
    said = capsys.readouterr().out
    rows = [line.split() for line in said.splitlines() if line.startswith("meta_gradient")]
    assert [row[-4:] for row in rows] == [["-"] * 4] * 2


def test_a_note_says_where_most_survivors_do_nothing(capsys, tmp_path):
    assert bench("engines", *TINY_OPTIONS, "--densities", "1") == 0
    assert "note" not in capsys.readouterr().out
    args = [*TINY_OPTIONS, "--densities", "1", "0.05", "0.1", "--json", tmp_path / "record.json"]
    assert bench("engines", *args) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert said.count("note") == 1
    shares = {row["density"]: (row["connected_weights"], row["num_weights"])
              for row in json.loads((tmp_path / "record.json").read_text())["rows"]}  # fmt: skip
    assert shares[0.05][0] / shares[0.05][1] < shares[0.1][0] / shares[0.1][1] < 0.9
    assert f"note: at density 0.05 only {shares[0.05][0]} of 43 surviving weights lie on a way" in said


def test_several_batches_may_be_named(tmp_path):
    assert bench("decode", *TINY_OPTIONS, "--batches", "1", "3", "--json", tmp_path / "record.json") == 0
    record = json.loads((tmp_path / "record.json").read_text())
    assert [row["batch"] for row in record["rows"]] == [1, 3, 1, 3]


@pytest.mark.parametrize(
    ("option", "values", "mentions"),
    [
        ("--densities", ["0"], "densities has 0"), ("--densities", ["0.5", "1.01"], "densities is 1.01"),
        ("--densities", ["nan"], "densities is nan"), ("--densities", ["0.001"], "none of 104 weights"),
        ("--densities", [], "densities is empty"), ("--batches", ["1", "0"], "batches is 0"),
        ("--batches", [], "batch"),
        ("--width", ["0"], "width"), ("--hidden-layers", ["0"], "hidden-layers"),
        ("--resolution", ["7x1"], "resolution is 1"),
        ("--resolution", ["big"], "as in 96x128"), ("--omega-0", ["0"], "omega_0"), ("--omega-0", ["nan"], "omega_0"),
        ("--tasks", ["0"], "tasks"), ("--inner-steps", ["0"], "inner_steps"), ("--limit", ["0"], "limit"),
        ("--plain-signals", ["4"], "plain_signals is 4"), ("--plain-signals", ["0"], "plain_signals is 0"),
        ("--steps", ["0"], "steps"), ("--repeats", ["0"], "repeats"), ("--repeats", ["x"], "--repeats"),
        ("--engine", ["fast"], "reference"), ("--seed", ["-1"], "seed"), ("--wdith", ["3"], "--width"),
        ("--resolution", ["16000x16000", "--width", "60000"], "GiB"), ("--json", ["."], "is a folder"),
    ],
)  # fmt: skip
def test_mistakes_are_answered_in_one_line(capsys, monkeypatch, tmp_path, option, values, mentions):
    monkeypatch.chdir(tmp_path)
    args = [*TINY_OPTIONS, "--json", "record.json"]
    said = refused(capsys, "fit", *args, option, *values)
    assert mentions in said
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_benchmark_is_refused_with_the_known_ones(capsys):
    assert "one of: engines, meta, fit, decode" in refused(capsys, "speed", *TINY_OPTIONS)


def refused(capsys, *args):
    capsys.readouterr()
    code = bench(*args)
    said = capsys.readouterr().err.strip().splitlines()
    assert (code, len(said)) == (2, 1), said
    assert said[0].startswith("error: ")
    return said[0]


def fail_at_the_second_density(monkeypatch, task, error):
    ours = task.ours

    def spoiled(self):
        if self.problem.pattern.density < 1:
            raise error
        return ours(self)

    monkeypatch.setattr(task, "ours", spoiled)


def test_an_interrupted_benchmark_leaves_the_rows_so_far(monkeypatch, tmp_path):
    fail_at_the_second_density(monkeypatch, Predict, KeyboardInterrupt())
    assert bench("decode", *TINY_OPTIONS, "--json", tmp_path / "record.json") == 130
    (row,) = json.loads((tmp_path / "record.json").read_text())["rows"]
    assert row["density"] == 1
    assert row["roofline_fraction"] > 0


def test_a_disagreement_ends_with_1_and_leaves_the_rows_so_far(capsys, monkeypatch, tmp_path):
    ours = LossAndGrad.ours

    def spoiled(self):
        loss, grad = ours(self)
        return loss, grad * (1 if self.problem.pattern.density == 1 else 1.1)

    monkeypatch.setattr(LossAndGrad, "ours", spoiled)
    assert bench("engines", *TINY_OPTIONS, "--json", tmp_path / "record.json") == 1
    (said,) = capsys.readouterr().err.strip().splitlines()
    assert said.startswith("error: plain PyTorch and engine")
    assert "differs by 0.1, but 0.001 is the most" in said
    assert [row["density"] for row in json.loads((tmp_path / "record.json").read_text())["rows"]] == [1]


def test_tf32_is_for_cuda(capsys):
    assert bench("engines", *TINY_OPTIONS, "--tf32") == 2
    assert "tf32 is for CUDA, but device is cpu" in capsys.readouterr().err


def test_a_device_that_is_not_here_is_refused(capsys):
    assert bench("engines", *TINY_OPTIONS, "--device", "tpu-9") == 2
    assert "device 'tpu-9' cannot be used here" in capsys.readouterr().err
