"""The page of rate and distortion in a real browser, on wide and narrow screens, light and dark."""

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
from rate_problems import made_up_record

from sparsine.report.rate_distortion.page import write_page

KODAK = [f"kodim{i:02}.png" for i in range(1, 25)]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Three starts on the Kodak pictures, beside published codecs."""
    record = made_up_record(KODAK, (512, 768), label="Kodak, 768 x 512", starts=3)
    for start in record["starts"][:2]:
        start |= {"density": 0.4, "name": "a-rather-long-name-of-a-start-that-somebody-learned-in-the-summer"}
    return write_page(tmp_path_factory.mktemp("rate"), record).as_uri()


def test_nothing_of_rates_and_distortions_leaves_the_machine(chromium, address):
    look_at(chromium, address)
    tools = use_every_tool(chromium)
    assert sorted(set(tools)) == ["Download plot as a PNG", "Pan", "Reset axes", "Zoom", "Zoom in", "Zoom out"]
    assert_stays_here(chromium, address)
    assert chromium.complaints == []
    assert_doors_are_shut(chromium)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_all_of_rates_and_distortions_can_be_read(chromium, address, size, theme):
    look_at(chromium, address, size, theme)
    assert_all_can_be_read(chromium)


def test_tables_and_galleries_can_be_moved_by_keyboard(chromium, address):
    look_at(chromium, address, PHONE)
    assert_keys_reach_what_scrolls(chromium)
