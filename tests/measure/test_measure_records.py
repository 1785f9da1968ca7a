"""One schema of records; those from before are still read."""

import json
from pathlib import Path

import pytest

from sparsine.errors import BadInput
from sparsine.measure.records import check_head, head, metrics_of, signal

RESULTS = Path(__file__).resolve().parents[2] / "results"


def test_a_signal_has_its_numbers_by_name_and_by_step():
    told = signal("a.png", "diverged", {"psnr_db": (9.0, 21.5), "ssim": [None, 0.5]}, "too fast", seconds=[0.1])
    assert told == {"input": "a.png", "status": "diverged", "metrics": {"psnr_db": [9.0, 21.5], "ssim": [None, 0.5]},
                    "seconds": [0.1], "reason": "too fast"}  # fmt: skip
    assert metrics_of(told) == {"psnr_db": [9.0, 21.5], "ssim": [None, 0.5]}
    assert "reason" not in signal("a.png", "ok", {"psnr_db": [9.0]})


def test_signals_of_a_comparison_from_before_have_their_numbers_beside_each_other():
    before = {"input": "a.png", "status": "ok", "psnr_db": [9.0, "inf"], "ssim": [0.1, 1.0]}
    assert metrics_of(before) == {"psnr_db": [9.0, "inf"], "ssim": [0.1, 1.0]}


def test_signals_of_an_evaluation_from_before_have_some_numbers_of_the_last_step_only():
    before = {"input": "a", "status": "ok", "steps": [0, 1, 2], "psnr_db": [9.0, 10.0, 11.0], "seconds": [0.1] * 3,
              "metrics": {"rmse": 0.25}}  # fmt: skip
    assert metrics_of(before) == {"psnr_db": [9.0, 10.0, 11.0], "rmse": [None, None, 0.25]}
    assert metrics_of({"input": "a", "status": "unreadable"}) == {}


def test_committed_records_have_a_number_for_each_step():
    record = json.loads((RESULTS / "learning" / "faces-64.json").read_text())
    for row in record["rows"]:
        assert {len(metrics_of(one)["psnr_db"]) for one in row["signals"]} == {len(row["steps"])}
    with (RESULTS / "comparison" / "small" / "cells.jsonl").open() as lines:
        fits = json.loads(next(lines))["protocols"].values()
    for fit in fits:
        for one in fit["signals"]:
            assert {len(values) for values in metrics_of(one).values()} == {len(fit["steps"])}


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (
            {"kind": "made-up", "record_version": 3},
            r"version 3, but this version of sparsine reads 1 and 2;.*ask anew",
        ),
        ({"kind": "another", "record_version": 1}, r"x.json is not a record of a trial \(found 'another'\); ask anew"),
        ([1], r"found 'list'"),
    ],
)
def test_another_kind_or_version_is_refused_with_what_to_do(record, said):
    with pytest.raises(BadInput, match=said):
        check_head(record, "made-up", (1, 2), "x.json", "a record of a trial", "ask anew")


def test_a_record_says_first_what_it_is_and_where_it_was_made():
    made = head("made-up", 2)
    assert list(made)[:2] == ["kind", "record_version"]
    assert {"created", "commit", "versions", "hardware"} <= made.keys()
    check_head(made, "made-up", (1, 2), "x.json", "a record of a trial", "ask anew")
