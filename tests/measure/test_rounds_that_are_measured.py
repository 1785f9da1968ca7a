from dataclasses import replace

import pytest
from small_runs import config_of, learn, opened, photos

from sparsine.cli.main import main
from sparsine.errors import BadInput
from sparsine.fitting import FitConfig
from sparsine.measure.evaluation import MOST_ROWS, EvaluationConfig, evaluate_run
from sparsine.pruning.prune import PruningConfig


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """One that learns numbers, and one that only looks for a pattern."""
    here = tmp_path_factory.mktemp("runs")
    config = replace(config_of(photos(here / "photos")), pruning=PruningConfig(rounds=9, fraction=0.1))
    learn(config, here / "learned")
    pattern = replace(config, outer=replace(config.outer, dense_steps=0, steps_per_round=0))
    learn(pattern, here / "pattern")
    return {"learned": (here / "learned", config), "pattern": (here / "pattern", pattern)}


def rows(runs, which, **options):
    run, config = runs[which]
    record = evaluate_run(
        run, opened(config), EvaluationConfig(signals=1, pictures=0, fit=FitConfig(steps=1), **options)
    )
    return [row["name"] for row in record["rows"]]


def test_of_a_run_that_learned_all_is_measured_and_the_dense_field_from_scratch(runs):
    assert rows(runs, "learned") == ["scratch", *(f"round-{number:02d}" for number in range(10))]


def test_of_a_pattern_alone_the_sparsest_are(runs):
    found = rows(runs, "pattern")
    assert len(found) == MOST_ROWS
    assert found[-1] == "round-09"
    assert "round-00" not in found


@pytest.mark.parametrize("which", ["learned", "pattern"])
def test_rounds_that_are_named_are(runs, which):
    assert rows(runs, which, rounds=(9, 0, 4)) == ["round-00", "round-04", "round-09"]


def test_a_round_that_is_not_there_is_refused(runs, capsys):
    with pytest.raises(BadInput, match="the run has no round-10; it has round-00 to round-09"):
        rows(runs, "pattern", rounds=(9, 10))
    assert main(["report", str(runs["pattern"][0]), "--rounds", "12"]) == 2
    assert "the run has no round-12" in capsys.readouterr().err


def test_the_page_counts_the_prunings_of_the_run_and_not_those_of_its_rows(runs, capsys):
    for which, said in (("learned", "then pruned 9 times to"), ("pattern", "9 prunings left")):
        run = runs[which][0]
        some = ["--rounds", "0", "9", "--limit", "1", "--pictures", "0", "--steps", "1"]
        assert main(["report", str(run), *some]) == 0
        assert said in " ".join((run / "report.html").read_text().split())


def test_half_written_files_of_a_killed_report_are_swept_away(runs):
    run, _ = runs["pattern"]
    (run / "evaluation/pictures").mkdir(parents=True, exist_ok=True)
    halves = [run / "evaluation/.300-0.tmp", run / "evaluation/pictures/.300-1.tmp"]
    for half in halves:
        half.write_bytes(b"half")
    assert main(["report", str(run), "--rounds", "9", "--limit", "1", "--pictures", "1", "--steps", "1"]) == 0
    assert not any(half.exists() for half in halves)
