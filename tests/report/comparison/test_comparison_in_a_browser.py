"""The page of a comparison in a real browser, on wide and narrow screens, light and dark."""

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
from fabricated_cells import comparison, save_pictures, signal

from sparsine.report.comparison.page import write_comparison_page

LONG = "a-rather-long-name-of-a-photograph-that-somebody-took-in-the-summer-before-last.jpeg"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Every method on two data sets, with a fit that failed."""
    folder = tmp_path_factory.mktemp("comparison")
    cells = comparison(rounds=(4, 11, 14), seeds=2, num_signals=2)
    for cell in cells:
        cell["protocols"]["adam"]["signals"][0]["input"] = LONG
        if cell["method"] == "scratch":
            cell["label"] = f"<scratch>, {LONG}"
    cells[0]["protocols"]["adam"]["signals"][1] = signal(LONG, None, status="diverged")
    save_pictures(folder, cells, (64, 64))
    return write_comparison_page(folder, cells).as_uri()


def test_nothing_of_a_comparison_leaves_the_machine(chromium, address):
    look_at(chromium, address)
    tools = use_every_tool(chromium)
    assert sorted(set(tools)) == ["Download plot as a PNG", "Pan", "Reset axes", "Zoom", "Zoom in", "Zoom out"]
    assert_stays_here(chromium, address)
    assert chromium.complaints == []
    assert_doors_are_shut(chromium)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_all_of_a_comparison_can_be_read(chromium, address, size, theme):
    look_at(chromium, address, size, theme)
    assert_all_can_be_read(chromium)


def test_tables_and_galleries_can_be_moved_by_keyboard(chromium, address):
    look_at(chromium, address, PHONE)
    assert_keys_reach_what_scrolls(chromium)
