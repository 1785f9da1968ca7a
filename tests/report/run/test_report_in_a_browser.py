"""The report in a real browser, on wide and narrow screens, light and dark."""

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
from fabricated import metrics, record, save_pictures, signal

from sparsine.report.run.page import write_report

LONG = "a-rather-long-name-of-a-photograph-that-somebody-took-in-the-summer-before-last.jpeg"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A run as long as the paper's, with a signal that failed."""
    folder = tmp_path_factory.mktemp("report")
    evaluation = record(num_rounds=21, dense=197_888)
    for row in evaluation["rows"]:
        row["signals"][0]["input"] = LONG
        row["signals"][4] = signal(LONG, None, status="unreadable")
    save_pictures(folder, evaluation, (64, 64))
    return write_report(folder, evaluation, metrics(21)).as_uri()


def test_nothing_of_a_report_leaves_the_machine(chromium, address):
    look_at(chromium, address)
    tools = use_every_tool(chromium)
    assert sorted(set(tools)) == ["Download plot as a PNG", "Pan", "Reset axes", "Zoom", "Zoom in", "Zoom out"]
    assert_stays_here(chromium, address)
    assert chromium.complaints == []
    assert_doors_are_shut(chromium)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_all_of_a_report_can_be_read(chromium, address, size, theme):
    look_at(chromium, address, size, theme)
    assert_all_can_be_read(chromium)


def test_tables_and_galleries_can_be_moved_by_keyboard(chromium, address):
    look_at(chromium, address, PHONE)
    assert_keys_reach_what_scrolls(chromium)
