"""Codes that are shown whole, in a real browser: cards, pictures, players, numbers."""

import os

import pytest
from browsing import PHONE, SCRIPT, WIDE, assert_stays_here
from headless import Browser, find_browser
from other_kinds import FRAME_RATE, RATE, catalogue_of, start_of
from viewer_problems import CURVES, codes_of, running, tiny_start

from sparsine.viewer.starts import Starts

pytestmark = [
    pytest.mark.skipif(find_browser() is None, reason="no chromium is installed"),
    pytest.mark.skipif(os.name != "posix", reason="the driver is for posix"),
]
SHOWN = "document.getElementById('sheet').dataset.shown"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Two sounds, one code of a kind that has no picture, and one picture."""
    folder = tmp_path_factory.mktemp("shown")
    other = tmp_path_factory.mktemp("other")
    with pytest.MonkeyPatch.context() as patch:
        catalogue_of(other, "unseen")
        (folder / "unseen.spn").write_bytes((other / "array-0.spn").read_bytes())
        (folder / f"{CURVES[0]}.spn").write_bytes(codes_of(tiny_start(), 1)[0])
        catalogue = catalogue_of(folder, "sound", patch)
        catalogue.starts = Starts([(name, start_of(name)) for name in ("sound", "unseen")] + [("curves", tiny_start())])
        with running(catalogue) as address:
            yield address


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Browser(tmp_path_factory.mktemp("profile"), size=WIDE) as browser:
        yield browser


@pytest.fixture(params=[WIDE, PHONE], ids=["wide", "phone"])
def page(request, browser, address):
    browser.resize(*request.param, mobile=request.param == PHONE)
    browser.begin(address)
    browser.run(SCRIPT)
    browser.until("document.querySelectorAll('.card img.here').length === 3")
    yield browser
    complaints = [one for one in browser.complaints if "can escape its sandboxing" not in one]
    assert [one for one in complaints if "501" not in one] == []  # the browser itself tells of an image that is none
    assert browser.run("document.documentElement.scrollWidth <= innerWidth")
    assert_stays_here(browser, address)


def test_sound_is_shown_and_can_be_played_beside_its_original(page):
    page.run("location.hash = 'name=array-1'")
    page.until(f"{SHOWN} === 'array-1'")
    assert page.run("[...document.querySelectorAll('.side strong')].map(one => one.textContent)") == [
        "original", "fitted", "error",
    ]  # fmt: skip
    page.until("[...document.querySelectorAll('.side img')].every(image => image.naturalWidth > 100)")
    page.until("[...document.querySelectorAll('.side audio')].every(player => player.readyState >= 1)")
    lengths = page.run("[...document.querySelectorAll('.side audio')].map(player => player.duration)")
    assert lengths == pytest.approx([301 / RATE] * 2, abs=1e-3)
    page.until("document.getElementById('facts').textContent.includes('SNR (dB)')")
    assert "301 samples" in page.run("document.getElementById('facts').textContent")
    assert page.run("['panels', 'zoom', 'save', 'numbers'].every(id => document.getElementById(id).hidden)")
    assert page.run("document.activeElement.id") == "sheet"


def test_one_goes_from_sound_to_a_picture_and_back(page):
    page.run("location.hash = 'name=array-0'")
    page.until(f"{SHOWN} === 'array-0'")
    page.press("n")
    page.until(f"{SHOWN} === 'array-1'")
    page.press("n")
    page.until("document.getElementById('stage').dataset.drawn === 'full'")
    assert page.run("document.getElementById('sheet').hidden && !document.getElementById('panels').hidden")
    page.press("p")
    page.until(f"{SHOWN} === 'array-1'")
    page.press("+")
    assert page.run("document.getElementById('panels').hidden")


def test_a_curtain_hangs_between_both_pictures_and_the_players_stay(page):
    page.run("location.hash = 'name=array-1'")
    page.until(f"{SHOWN} === 'array-1'")
    page.until("[...document.querySelectorAll('.side img')].every(image => image.naturalWidth > 100)")
    edge = "getComputedStyle(document.querySelector('.between .over')).clipPath"
    assert page.run("document.querySelector('.between .curtain').checkVisibility()") is False
    page.press("c")
    assert page.run("document.querySelector('.side.fitted strong').textContent") == "original | fitted"
    assert page.run("[...document.querySelectorAll('.side audio')].every(one => one.checkVisibility())")
    assert page.run("document.querySelector('.side.original > img').checkVisibility()") is False
    boxes = page.run("""['.between > img:not(.over)', '.between > .over'].map((one) => {
      const box = document.querySelector(one).getBoundingClientRect();
      return [box.left, box.top, box.width, box.height].map(Math.round).join();
    })""")
    assert boxes[0] == boxes[1]
    assert page.run("browsing.cut()") == []
    before = page.run(edge)
    page.run("document.querySelector('.between .curtain').focus()")
    for _ in range(3):
        page.press("ArrowRight")
    page.until(f"{edge} !== '{before}'")
    page.press("c")
    assert page.run("document.querySelector('.side.fitted strong').textContent") == "fitted"


def test_a_kind_without_a_picture_is_a_plain_card_with_facts(page):
    page.until("document.querySelector('.card .plain') !== null")
    told = page.run("document.querySelector('.card .plain').innerText")
    assert told.split("\n") == ["unseen", "23 samples", "no preview"]
    page.run("document.querySelector('.card:has(.plain)').click()")
    page.until(f"{SHOWN} === 'unseen'")
    assert page.run("document.querySelector('.side .plain').innerText").startswith("unseen")
    assert page.run("document.querySelectorAll('.side img, .side audio').length") == 0


def test_video_has_frames_and_a_player_with_a_slider_beside_its_original(browser, tmp_path):
    pytest.importorskip("av")
    with pytest.MonkeyPatch.context() as patch, running(catalogue_of(tmp_path, "video", patch)) as address:
        browser.resize(*WIDE)
        browser.begin(address)
        browser.run("location.hash = 'name=array-1'")
        browser.until(f"{SHOWN} === 'array-1'")
        browser.until("[...document.querySelectorAll('.side img')].every(image => image.naturalWidth > 40)")
        browser.until("[...document.querySelectorAll('.side video')].every(player => player.readyState >= 1)")
        lengths = browser.run("[...document.querySelectorAll('.side video')].map(player => player.duration)")
        assert lengths == pytest.approx([5 / FRAME_RATE] * 2, abs=0.02)
        assert browser.run("[...document.querySelectorAll('.side video')].every(player => player.controls)")
