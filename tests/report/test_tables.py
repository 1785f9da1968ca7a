"""How rows of records become tables, and tables become Markdown."""

from pathlib import Path

import pytest

from sparsine.report.table import Table
from sparsine.report.tables import TABLES, written
from sparsine.report.tables.layout import NOT_MEASURED, crossed, listed
from sparsine.report.tables.results import Results

RESULTS = Results(Path(__file__).resolve().parents[2] / "results")
ROWS = [{"what": "a|b", "size": 1_234.5, "how": "by hand"}, {"what": "<c>", "size": 7.0, "how": "by rule"}]
COLUMNS = {"what": lambda row: row["what"], "size": lambda row: f"{row['size']:,.1f}", "how": lambda row: row["how"]}


def test_a_listed_table_has_a_line_for_each_row():
    assert listed(ROWS, COLUMNS, words=[2]).markdown() == (
        "| what | size | how |\n| :--- | ---: | :--- |\n| a\\|b | 1,234.5 | by hand |\n| &lt;c> | 7.0 | by rule |\n"
    )


def test_a_crossed_table_says_where_nothing_was_measured():
    table = crossed({"ours": {3: "1.5", 8: "2.5"}, "theirs": {8: "0.5"}}, {3: "k = 3", 8: "k = 8"}, title="dB")
    assert table.rows == (("ours", "1.5", "2.5"), ("theirs", NOT_MEASURED, "0.5"))
    assert table.markdown().startswith("**dB**\n\n|  | k = 3 | k = 8 |\n| :--- | ---: | ---: |\n")


def test_a_table_without_title_and_note_is_nothing_but_a_table():
    assert Table("", "", ("a",), (("b",),)).markdown() == "| a |\n| :--- |\n| b |\n"


@pytest.mark.parametrize("name", TABLES)
def test_every_table_of_the_documents_has_lines_of_one_length_and_numbers(name):
    lines = [line for line in written(RESULTS, name).splitlines() if line.startswith("| ")]
    assert len(lines) > 3
    assert any(character.isdigit() for line in lines[2:] for character in line)
