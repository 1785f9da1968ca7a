import json
from math import inf

import pytest
from fabricated import record, signal

from sparsine.cli.report import _table
from sparsine.errors import BadInput
from sparsine.report.run.tables import table_markdown
from sparsine.report.wording import DASH
from sparsine.storage import json_bytes


def cells(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]


def test_numbers_equal_the_records():
    evaluation = record()
    head, rule, *body = cells(table_markdown(evaluation))
    assert head == ["row", "weights", "weights + biases", "density", "PSNR after 0", "PSNR after 2", "PSNR after 10",
                    "PSNR after 100", "worst to best"]  # fmt: skip
    assert rule[1:] == ["---:"] * 8
    assert len(body) == len(evaluation["rows"])
    for shown, row in zip(body, evaluation["rows"], strict=True):
        assert [int(cell.replace(",", "")) for cell in shown[1:3]] == [row["weights"], row["total"]]
        assert float(shown[3].split()[0]) == pytest.approx(100 * row["density"], abs=0.05)
        means = [row["mean_psnr_db"][row["steps"].index(step)] for step in (0, 2, 10, 100)]
        assert [float(cell) for cell in shown[4:8]] == pytest.approx(means, abs=0.005)
        lasts = [s["psnr_db"][-1] for s in row["signals"]]
        assert shown[8] == f"{min(lasts):.2f} to {max(lasts):.2f}"


def test_the_last_step_is_always_shown():
    head = cells(table_markdown(record(steps=(0, 1, 2, 5, 7))))[0]
    assert head[4:7] == ["PSNR after 0", "PSNR after 2", "PSNR after 7"]


def test_signals_that_diverged_are_in_no_spread_and_empty_rows_have_dashes():
    evaluation = record()
    evaluation["rows"][1]["signals"].append(signal("bad.jpg", -40.0, status="diverged"))
    evaluation["rows"][2] |= {"signals": [signal("bad.jpg", None, status="unreadable")], "mean_psnr_db": []}
    body = cells(table_markdown(evaluation))[2:]
    assert [row[0] for row in body[:3]] == ["from scratch", "round 0 (5 of 6)", "round 1 (0 of 1)"]
    assert body[1][8] == "37.50 to 42.50"
    assert body[2][4:] == [DASH] * 5


def test_the_terminal_tells_the_same_of_a_record_and_of_its_file():
    evaluation = record(num_rounds=2)
    evaluation["rows"][1]["signals"].append(signal("bad.jpg", None, status="diverged"))
    evaluation["rows"][1]["mean_psnr_db"][-1] = inf
    evaluation["rows"][2] |= {"signals": [signal("bad.jpg", None, status="unreadable")], "mean_psnr_db": []}
    for told in (evaluation, json.loads(json_bytes(evaluation))):
        columns = [list(column.cells) for column in _table(told).columns]
        assert columns[0] == ["scratch", "round-00 (5 of 6)", "round-01 (0 of 1)"]
        assert columns[-1][1:] == ["inf", DASH]


def test_other_records_are_refused():
    with pytest.raises(BadInput, match="version 9"):
        table_markdown(record() | {"record_version": 9})
