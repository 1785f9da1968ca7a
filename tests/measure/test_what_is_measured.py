"""A report measures the test signals that the run left aside, all rows on the same ones, and says what has changed."""

import json

import pytest
from small_runs import CONFIG, config_of, contents, learn, opened, photos, put

from sparsine.cli.main import main
from sparsine.errors import BadInput
from sparsine.fitting.fit import FitConfig
from sparsine.measure.evaluation import EvaluationConfig, evaluate_run
from sparsine.meta.run_data import FILE, read_run_data
from sparsine.report.run.page import write_report

ROWS = ["scratch", "round-00", "round-01", "round-02"]


@pytest.fixture
def folder(tmp_path):
    return photos(tmp_path / "photos", 30)  # 24 train, 3 val, 3 test


@pytest.fixture
def run(tmp_path, folder):
    learn(config_of(folder), tmp_path / "run")
    return tmp_path / "run"


def measure(run, folder, signals=2, **more):
    config = EvaluationConfig(signals=signals, pictures=1, fit=FitConfig(steps=2), **more)
    return evaluate_run(run, opened(config_of(folder)), config)


def left_aside(run):
    return list(read_run_data(run).manifest.splits["test"].signals)


def measured(record):
    """Names with their status, which must be the same in all rows."""
    rows = [[(signal["input"], signal["status"]) for signal in row["signals"]] for row in record["rows"]]
    assert [row["name"] for row in record["rows"]] == ROWS
    assert all(row == rows[0] for row in rows)
    return rows[0]


def without_seconds(signal):
    """What is the same whenever it is measured."""
    return {name: value for name, value in signal.items() if name != "seconds"}


def ok(names):
    return [(name, "ok") for name in names]


def test_pictures_that_were_added_change_neither_what_is_measured_nor_what_is_kept(run, folder):
    first = measure(run, folder)
    rows = contents(run / "evaluation")
    photos(folder, 60, first=40)
    assert opened(config_of(folder)).test.name(0) != left_aside(run)[0] or len(opened(config_of(folder)).test) == 9
    (run / "evaluation" / "round-02.json").unlink()  # as if it had not been measured yet
    again = measure(run, folder)
    assert measured(again) == measured(first) == ok(left_aside(run)[:2])
    assert [row["mean_psnr_db"] for row in again["rows"]] == [row["mean_psnr_db"] for row in first["rows"]]
    kept = contents(run / "evaluation")
    assert {path for path in rows if kept[path] != rows[path]} <= {
        path for path in rows if path.name == "round-02.json" or path.name.startswith(("round-02-", "original-"))
    }
    assert (first["data"]["notes"], first["data"]["is_that_of_the_run"]) == ([], True)
    (note,) = again["data"]["notes"]
    assert "60 new signals" in note


@pytest.mark.parametrize("change", ["removed", "replaced"])
def test_a_test_signal_that_is_gone_or_another_is_left_out_of_every_row(run, folder, change):
    first = measure(run, folder)
    gone, kept = left_aside(run)[:2]
    (folder / gone).unlink() if change == "removed" else put(folder / gone, 99)
    again = measure(run, folder)
    assert measured(again) == [(gone, "unreadable"), (kept, "ok")]
    for before, after in zip(first["rows"], again["rows"], strict=True):
        assert without_seconds(after["signals"][1]) == without_seconds(before["signals"][1])
        assert after["mean_psnr_db"] == after["signals"][1]["metrics"]["psnr_db"] != before["mean_psnr_db"]
        assert "when learning began" in after["signals"][0]["reason"]
    assert again["data"]["notes"] == [
        f"images:{folder} is not as it was when learning began: 1 test signal ({gone}) "
        f"{'missing' if change == 'removed' else 'of other content'}"
    ]


def test_old_rows_are_not_kept_when_every_test_picture_is_another(run, folder):
    measure(run, folder)
    for i, name in enumerate(left_aside(run)):
        put(folder / name, 200 + i)
    with pytest.raises(
        BadInput, match=r"has not one of the test signals that .*run left aside .*2 test signals .* --data"
    ):
        measure(run, folder)


def test_a_training_picture_under_the_name_of_a_test_picture_is_not_measured_as_unseen(run, folder):
    train, test = (list(read_run_data(run).manifest.splits[split].signals) for split in ("train", "test"))
    (folder / test[0]).write_bytes((folder / train[0]).read_bytes())
    assert measured(measure(run, folder))[0] == (test[0], "unreadable")


def test_training_pictures_that_are_gone_are_told_and_do_not_hinder(run, folder):
    train = list(read_run_data(run).manifest.splits["train"].signals)
    for name in train[:5]:
        (folder / name).unlink()
    record = measure(run, folder)
    assert measured(record) == ok(left_aside(run)[:2])
    assert "5 train signals" in record["data"]["notes"][0]


def test_rows_are_kept_while_all_is_as_it_was(run, folder):
    measure(run, folder)
    before = contents(run / "evaluation")
    record = measure(run, folder)
    assert contents(run / "evaluation") == before
    assert record["data"]["signals"] == 2


def test_a_row_with_a_perfect_fit_is_kept_and_shown(run, folder, capsys):
    measure(run, folder)
    path = run / "evaluation" / "round-01.json"
    row = json.loads(path.read_text())
    row["mean_psnr_db"][-1] = row["signals"][0]["metrics"]["psnr_db"][-1] = "inf"
    path.write_text(json.dumps(row))
    assert measure(run, folder)["rows"][2]["mean_psnr_db"][-1] == "inf"
    assert main(["report", str(run), "--limit", "2", "--steps", "2", "--pictures", "1"]) == 0
    (told,) = [line for line in capsys.readouterr().out.splitlines() if "round-01" in line]
    assert told.split()[-2] == "inf"


def test_fewer_signals_than_were_asked_for_are_told(run, folder, capsys):
    record = measure(run, folder, signals=100)
    assert measured(record) == ok(left_aside(run))
    assert record["data"]["notes"] == ["the test split has 3 signals: so many are measured, not 100"]
    assert main(["report", str(run), "--limit", "100", "--steps", "2", "--pictures", "1"]) == 0
    assert "note: the test split has 3 signals: so many are measured, not 100" in capsys.readouterr().out
    assert "the test split has 3 signals: so many are measured, not 100." in (run / "report.html").read_text()
    assert measure(run, folder, signals=3)["data"]["notes"] == []


def test_a_run_from_before_signals_were_kept_is_measured_and_what_cannot_be_checked_is_told(run, folder, capsys):
    (run / FILE).unlink()
    record = measure(run, folder)
    test = opened(config_of(folder)).test
    assert measured(record) == ok([test.name(0), test.name(1)])
    assert record["data"]["is_that_of_the_run"] is False
    (note,) = record["data"]["notes"]
    assert note.endswith("cannot be checked, nor whether it saw the signals it is measured on")
    assert main(["report", str(run), "--limit", "2", "--steps", "2", "--pictures", "1"]) == 0
    assert "nor whether it saw the signals" in capsys.readouterr().out
    page = (run / "report.html").read_text()
    assert "nor whether it saw the signals" in page
    assert "unseen test signals" not in page


def test_a_report_finds_the_data_from_another_folder_and_where_they_were_moved_to(
    run, folder, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    relative = tmp_path / "relative"
    learn(config_of("photos"), relative)
    (tmp_path / "elsewhere").mkdir()
    photos(tmp_path / "elsewhere" / "photos", first=50)  # another folder of that name
    monkeypatch.chdir(tmp_path / "elsewhere")
    report = ["report", str(relative), "--limit", "2", "--steps", "2", "--pictures", "1"]
    assert main(report) == 0
    record = json.loads((relative / "evaluation.json").read_text())
    assert measured(record) == ok(left_aside(relative)[:2])
    assert (record["data"]["spec"], record["data"]["notes"]) == ("images:photos", [])
    folder.rename(tmp_path / "moved")
    assert main(report) == 2
    assert "has not one of the test signals" in capsys.readouterr().err
    assert main([*report, "--data", f"images:{tmp_path / 'moved'}"]) == 0
    assert json.loads((relative / "evaluation.json").read_text())["rows"] == record["rows"]


def test_pages_of_earlier_records_still_call_their_signals_unseen(run, folder):
    record = measure(run, folder)
    assert "2 unseen test signals are" in write_report(run, record, []).read_text()
    for name in ("notes", "is_that_of_the_run", "signals", "signals_sha256"):
        del record["data"][name]
    assert "2 unseen test signals are" in write_report(run, record, []).read_text()


def test_curves_are_measured_without_looking_at_a_million(tmp_path):
    learn(CONFIG, tmp_path / "run")
    record = evaluate_run(tmp_path / "run", opened(CONFIG), EvaluationConfig(signals=2, fit=FitConfig(steps=1)))
    assert measured(record) == ok(["curve-test-000000", "curve-test-000001"])
    assert (tmp_path / "run" / FILE).stat().st_size < 2000


def edited(**changes):
    return lambda text: json.dumps({**json.loads(text), **changes})


DAMAGES = {
    "no JSON": lambda text: text[:-9], "empty": lambda text: "", "a list": lambda text: "[1]",
    "nothing": lambda text: "null", "from nothing": edited(made_from=4), "text": edited(weights="many"),
    "no signals": edited(signals=None), "a signal that is none": edited(signals=[3]), "no steps": edited(steps={}),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_row_is_measured_again(run, folder, damage):
    first = measure(run, folder)
    path = run / "evaluation" / "round-01.json"
    path.write_text(DAMAGES[damage](path.read_text()))
    again = measure(run, folder)
    for name in ("weights", "steps", "made_from", "mean_psnr_db"):
        assert [row[name] for row in again["rows"]] == [row[name] for row in first["rows"]]
    for row, other in zip(again["rows"], first["rows"], strict=True):
        assert [*map(without_seconds, row["signals"])] == [*map(without_seconds, other["signals"])]
