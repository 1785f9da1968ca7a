"""The page of a race: what it says, and that it is whole, on wide and narrow screens, light and dark."""

import pytest
from browsing import (
    PHONE,
    WIDE,
    assert_all_can_be_read,
    assert_doors_are_shut,
    assert_keys_reach_what_scrolls,
    assert_stays_here,
    look_at,
    use_every_tool,
)
from contrast import faint
from html_page import Page, assert_loads_nothing
from small_races import made_up_record

from sparsine.report.plotly_figures import described
from sparsine.report.tuning import figures
from sparsine.report.tuning.page import at_the_edge, commands, rows_of, write_page


@pytest.fixture(scope="module")
def record():
    """Narrow candidates fail on the second rung; candidate 4 is the best."""
    reached = {4: 9.0, 17: 8.5, 3: 8.0, 2: 7.0}
    return made_up_record(lambda rung, c: None if (rung, c) == (1, 17) else 20 + 3 * rung + reached.get(c, c % 3))


@pytest.fixture(scope="module")
def path(tmp_path_factory, record):
    return write_page(tmp_path_factory.mktemp("a race"), record)


def test_the_page_is_whole_and_asks_nothing_of_any_network(path):
    assert_loads_nothing(Page(path.read_text()))


def test_it_says_who_was_chosen_what_it_is_worth_and_how_to_use_it(path, record):
    said = Page(path.read_text()).reading
    assert "18 settings raced for 2,284 weights a signal and fits of effort balanced" in said
    assert "pattern 4, on validation signals" in said
    assert "+9.00" in said
    learn, report = commands(path.parent, record)
    assert learn.startswith("sparsine learn 'images:<holidays>&co' --config '")
    assert learn.split(" --out ")[0].endswith("/a race0/recipe.json'")
    assert learn in said
    assert report in said


def test_names_from_outside_stay_text(path):
    assert "<holidays>" not in path.read_text()


def test_the_table_tells_of_everybody_where_it_was_dropped(record):
    rows = rows_of(record)
    assert len(rows) == 18
    by_name = {row[0]: row for row in rows}
    assert rows[0][0] == "pattern 4"
    assert (rows[0][-1], rows[0][7:10]) == ("chosen", ["29.00", "32.00", "35.00"])
    assert by_name["recipe best"][-1] == "to the end"
    assert (by_name["narrow 17"][-1], by_name["narrow 17"][8:10]) == ("dropped after 2", ["failed", "\N{EN DASH}"])
    assert sum(row[-1] == "dropped after 1" for row in rows) == 18 - 7


def test_the_figures_hold_every_trial(record):
    lines = described(figures.race_lines(record))["data"]
    scored = [t for t in record["trials"] if t["status"] == "ok"]
    assert sum(len(trace["x"]) for trace in lines) == len(scored)
    assert [trace["name"] for trace in lines if trace["showlegend"]][-1] == "chosen: pattern 4"
    points = [described(figures.psnr_against_omega(record, rung))["data"] for rung in range(3)]
    assert [sum(len(trace["x"]) for trace in rung) for rung in points] == [18, 6, 3]
    (trace,) = [trace for trace in points[2] if figures.WINNER in trace["marker"]["color"]]
    assert record["candidates"][4]["omega_0"] in trace["x"]


def test_the_race_is_shown_beside_the_recipe_and_nothing_bad_squeezes_it():
    record = made_up_record(lambda rung, c: {0: 30.0, 1: 31.5, 2: -40.0}.get(c, 29.0) + rung)
    figure = described(figures.race_lines(record))
    winner = figure["data"][-1]
    assert winner["y"] == [1.5, 1.5, 1.5]
    low, high = figure["layout"]["yaxis"]["range"]
    assert -10 < low < -8.5
    assert 1.5 < high < 3
    no_recipe = described(figures.race_lines(made_up_record(lambda rung, c: 29.0 if c else None)))
    assert no_recipe["layout"]["yaxis"]["title"]["text"] == "PSNR (dB)"
    assert no_recipe["data"][-1]["y"][0] == 29.0


def test_an_end_of_the_range_is_told(record):
    omegas = {c: of["omega_0"] for c, of in enumerate(record["candidates"]) if of["family"] == "pattern"}
    lowest = min(omegas, key=omegas.get)
    assert at_the_edge({**record, "winner": lowest}).startswith("Its omega_0 is the lowest that was tried")
    middle = sorted(omegas, key=omegas.get)[5]
    assert at_the_edge({**record, "winner": middle}) == ""


def test_where_nothing_is_better_the_recipe_stays_and_that_is_said(tmp_path):
    record = made_up_record(lambda rung, candidate: 30.0 if candidate else 31.0)
    said = Page(write_page(tmp_path, record).read_text()).reading
    assert "nothing was better by 0.05 dB" in said
    assert "recipe best, on validation signals" in said


def test_a_recipe_that_cannot_be_fitted_is_no_number_to_compare_with(tmp_path):
    record = made_up_record(lambda rung, candidate: 30.0 if candidate else None)
    said = Page(write_page(tmp_path, record).read_text()).reading
    assert "which could not be fitted" in said


def test_a_perfect_fit_breaks_nothing(tmp_path):
    record = made_up_record(lambda rung, candidate: float("inf") if candidate == 3 else 30.0)
    page = Page(write_page(tmp_path, record).read_text())
    assert "inf" in page.reading
    assert page.figures


def test_lines_and_marks_stand_out_from_every_page():
    assert faint([figures.WINNER, *(style.colour for style, _ in figures.STYLES.values())]) == {}


def test_nothing_of_a_race_leaves_the_machine(chromium, path):
    look_at(chromium, path.as_uri())
    use_every_tool(chromium)
    assert_stays_here(chromium, path.as_uri())
    assert chromium.complaints == []
    assert_doors_are_shut(chromium)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_all_of_a_race_can_be_read(chromium, path, size, theme):
    look_at(chromium, path.as_uri(), size, theme)
    assert_all_can_be_read(chromium)


def test_the_table_of_settings_can_be_moved_by_keyboard(chromium, path):
    look_at(chromium, path.as_uri(), PHONE)
    assert_keys_reach_what_scrolls(chromium)
