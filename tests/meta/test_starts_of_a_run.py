"""Which files of a run are its starts, and in which order."""

import pytest
from test_run_folder import CONFIG, learn

from sparsine.cli.find_start import find_start, find_start_of
from sparsine.cli.main import main
from sparsine.fields.pattern import Pattern
from sparsine.fitting.fit import FitConfig
from sparsine.measure.evaluation import EvaluationConfig, evaluate_run
from sparsine.meta.run_folder import start_files, start_path, starts_of
from sparsine.signals.open import open_dataset
from sparsine.starts.start import Start, load_start, save_start
from sparsine.viewer.starts import Starts

OTHERS = (
    "round-01.sync-conflict-20250101-101010-ABCDEFG.safetensors", "round-.safetensors", "round-x.safetensors",
    "round-104 (copy).safetensors", "round-105.safetensors.bak", "around-106.safetensors", "round--7.safetensors",
    "round-\u0661\u0662.safetensors",
)  # fmt: skip


@pytest.fixture
def run(tmp_path):
    """Four starts, the last two with numbers of three digits, and files whose names look like theirs."""
    learn(tmp_path / "run")
    for was, now in ((1, 99), (2, 100), (3, 104)):
        start_path(tmp_path / "run", was).rename(start_path(tmp_path / "run", now))
    for name in OTHERS:
        (tmp_path / "run" / "starts" / name).write_bytes(start_path(tmp_path / "run", 0).read_bytes())
    return tmp_path / "run"


def test_only_numbered_rounds_are_starts_and_their_numbers_decide_the_order(run):
    expected = [start_path(run, round) for round in (0, 99, 100, 104)]
    assert starts_of(run) == start_files(run) == expected
    assert [path.name for path in expected] == [f"round-{n}.safetensors" for n in ("00", "99", "100", "104")]


def test_the_sparsest_start_is_that_of_the_last_round_for_every_command(run, capsys):
    assert find_start(run, None)[0] == start_path(run, 104)
    assert find_start_of([], run, None)[0] == start_path(run, 104)
    assert find_start(run, 0.4)[0] == start_path(run, 100)
    assert main(["info", str(run)]) == 0
    assert "round-104.safetensors" in capsys.readouterr().out
    assert [d.name for d in Starts.at(run).drawers.values()] == [path.name for path in starts_of(run)]


def test_rows_of_a_report_follow_the_numbers(run):
    dataset = open_dataset(CONFIG.data, resolution=CONFIG.grid.resolution)
    config = EvaluationConfig(signals=1, pictures=0, fit=FitConfig(steps=1))
    rows = evaluate_run(run, dataset, config)["rows"]
    assert [row["name"] for row in rows] == ["scratch", "round-00", "round-99", "round-100", "round-104"]
    assert [row["weights"] for row in rows] == [108, 108, 81, 61, 46]


def test_a_number_with_fewer_digits_is_a_round_too(tmp_path):
    field = CONFIG.field.field(2, 1)
    start = Start(Pattern.full(field), field.initial_theta(1), CONFIG.grid.grid((7, 5)))
    for name in ("round-10", "round-9", "round-011"):
        save_start(tmp_path / "starts" / f"{name}.safetensors", start)
    assert [path.stem for path in starts_of(tmp_path)] == ["round-9", "round-10", "round-011"]
    assert load_start(starts_of(tmp_path)[0]).digest == start.digest
