"""The page in a real browser: it loads, shows thumbnails, redraws from the field as one zooms, and never complains."""

import os
import time
from urllib.parse import parse_qs, urlsplit

import pytest
from browsing import PHONE, SCRIPT, assert_stays_here
from headless import Browser, find_browser
from viewer_problems import CURVES, ORIGINALS, catalogue_of, codes_of, running, tiny_start, write_folder

NEEDS_A_BROWSER = pytest.mark.skipif(find_browser() is None, reason="no chromium is installed")
pytestmark = [NEEDS_A_BROWSER, pytest.mark.skipif(os.name != "posix", reason="the driver is for posix")]
LONG = "rather-long-name-of-a-photograph-that-somebody-took-in-the-summer-before-last"
DRAWN = "document.getElementById('stage').dataset.drawn === 'full' && !document.querySelector('.drawing')"
PIXELS = """(() => {
  const shown = document.querySelector('.panel.%s canvas');
  const canvas = Object.assign(document.createElement('canvas'), { width: shown.width, height: shown.height });
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.drawImage(shown, 0, 0);
  const data = context.getImageData(0, 0, canvas.width, canvas.height).data;
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum = (sum * 31 + data[i]) %% 4294967291;
  return sum;
})()"""
MIDDLE = """(() => {
  const box = document.querySelector('.panel.fitted .view').getBoundingClientRect();
  return [box.left + box.width / 2, box.top + box.height / 2];
})()"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Browser(tmp_path_factory.mktemp("profile"), size=(1100, 700)) as browser:
        yield browser


@pytest.fixture(scope="module")
def address(tmp_path_factory, start):
    """Two levels of each curve, a damaged code, and one without an original."""
    folder = tmp_path_factory.mktemp("shown")
    sparse = tiny_start(seed=4, density=0.4)
    for level, one in (("round-0", start), ("round-1", sparse)):
        write_folder(folder / level, one)
    (folder / "round-0" / "damaged.spn").write_bytes(codes_of(start, 1)[0][:-1] + b"x")
    for name in ("nobody", LONG):
        (folder / "round-0" / f"{name}.spn").write_bytes(codes_of(start, 1)[0])
    with open(folder / "round-0" / "journal.jsonl", "a") as journal:
        journal.write('{"input": "nobody", "file": "nobody.spn", "psnr_db": "inf"}\n')
    with running(catalogue_of(folder, start, sparse, originals=ORIGINALS)) as address:
        yield address


@pytest.fixture
def page(browser, address):
    browser.begin(address)
    browser.until("document.querySelectorAll('.card img.here').length === 5")
    yield browser
    assert unexpected(browser.complaints) == []
    assert all(url.startswith((address, "blob:", "data:", "about:")) for url in browser.requests)


def unexpected(complaints):
    """Chromium says of every sandbox that keeps its origin what is true of frames; and nobody can frame this page."""
    return [one for one in complaints if "can escape its sandboxing" not in one]


def opened(page, name, **more):
    page.run(f"location.hash = '{'&'.join(f'{key}={value}' for key, value in {'name': name, **more}.items())}'")
    page.until(DRAWN)


def rest(page):
    """Until the full drawing that follows a movement is there."""
    page.run("new Promise(done => setTimeout(done, 200))")
    page.until(DRAWN)


def regions(page):
    """What was asked to be drawn: the height of the region, and the rows of the drawing."""
    asked = [parse_qs(urlsplit(url).query) for url in page.requests if "/draw?" in url]
    corners = [[float(edge) for edge in question["region"][0].split(",")] for question in asked]
    return [
        (y1 - y0, int(question["size"][0].split("x")[0]))
        for (y0, _, y1, _), question in zip(corners, asked, strict=True)
    ]


def test_thumbnails_and_a_readable_card_appear(page):
    assert page.run("document.querySelectorAll('.card').length") == 6
    assert "checksum" in page.run("document.querySelector('.card .broken').textContent")
    assert page.run("[...document.querySelectorAll('.card img')].every(image => image.naturalWidth >= 192)")
    page.run("const box = document.getElementById('search'); box.value = '0002'; box.dispatchEvent(new Event('input'))")
    page.until("document.querySelectorAll('.card').length === 1")
    assert page.run("document.querySelector('.card .title').textContent") == CURVES[2]
    page.run("document.getElementById('search').value = 'nothing like it'")
    page.run("document.getElementById('search').dispatchEvent(new Event('input'))")
    page.until("!document.getElementById('empty').hidden")


def test_the_wheel_redraws_a_smaller_region_of_the_field(page):
    page.run("document.querySelector('.card').click()")
    page.until(DRAWN)
    assert regions(page)[0][0] == 1.0
    at, before = page.run(MIDDLE), page.run(PIXELS % "fitted")
    page.requests.clear()
    for _ in range(6):
        page.wheel(*at, -200)
    page.until("parseFloat(document.getElementById('magnification').textContent) > 60")
    rest(page)
    at_rest = [(height, rows) for height, rows in regions(page) if rows > 300]  # at the resolution of the screen
    assert at_rest[-1][0] < 0.5
    assert page.run(PIXELS % "fitted") != before
    page.press("0")
    page.until(f"({PIXELS % 'fitted'}) === {before}")


def test_zooming_has_no_end(page):
    opened(page, CURVES[0], level="round-0")
    page.requests.clear()
    for _ in range(40):
        page.press("+")
    page.until("document.getElementById('magnification').textContent.includes('e')")
    rest(page)
    assert min(height for height, _ in regions(page)) < 1e-6


def test_panels_move_together(page):
    opened(page, CURVES[1], level="round-0")
    page.until("document.querySelectorAll('.panel:not([hidden])').length === 3")
    page.until(f"({PIXELS % 'error'}) !== 0")
    page.press("+")
    rest(page)
    before = {name: page.run(PIXELS % name) for name in ("original", "fitted", "error")}
    x, y = page.run(MIDDLE)
    page.drag((x, y), (x + 60, y + 40))
    page.until(f"({PIXELS % 'fitted'}) !== {before['fitted']}")
    rest(page)
    assert all(page.run(PIXELS % name) != pixels for name, pixels in before.items())
    page.mouse("mouseMoved", x, y)
    page.until("document.getElementById('value').textContent && document.getElementById('original-value').textContent")
    assert page.run("document.querySelectorAll('.cross:not([hidden])').length") == 2


def test_the_slider_shows_another_level_at_the_same_place(page):
    opened(page, CURVES[1], level="round-0")
    assert page.run("document.getElementById('level-name').textContent").startswith("round-0")
    page.press("+")
    rest(page)
    before, scale = page.run(PIXELS % "fitted"), page.run("document.getElementById('magnification').textContent")
    page.run("const level = document.getElementById('level'); level.value = 1; level.dispatchEvent(new Event('input'))")
    page.until(f"({PIXELS % 'fitted'}) !== {before}")
    page.until(DRAWN)
    assert page.run("document.getElementById('level-name').textContent").startswith("round-1")
    assert page.run("document.getElementById('magnification').textContent") == scale
    page.press("[")
    page.until(f"({PIXELS % 'fitted'}) === {before}")


STRIP = """((first, last) => {
  const shown = document.querySelector('.panel.%s canvas');
  const canvas = Object.assign(document.createElement('canvas'), { width: shown.width, height: shown.height });
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.drawImage(shown, 0, 0);
  const [from, to] = [first, last].map((share) => Math.round(share * shown.width));
  return [...context.getImageData(from, Math.round(shown.height / 2), to - from, 1).data].join();
})(%s, %s)"""
SHARE = "document.querySelector('.curtain').value / 1000"


def edge(page):
    """Where the handle of the curtain is, in pixels of the page."""
    left, top, width, height, share = page.run(f"""(() => {{
      const box = document.querySelector('.curtain').getBoundingClientRect();
      return [box.left, box.top, box.width, box.height, {SHARE}];
    }})()""")
    return left + 16 + share * (width - 32), top + height / 2


def test_a_curtain_shows_the_original_to_its_left_and_is_moved_by_mouse_keys_and_fingers(page):
    opened(page, CURVES[1], level="round-0")
    page.until(f"({PIXELS % 'error'}) !== 0")
    page.run("[...document.querySelectorAll('#toggles [data-panel=error]')][0].click()")
    page.press("c")
    rest(page)
    assert page.run("[...document.querySelectorAll('.panel:not([hidden]) strong')].map(one => one.textContent)") == [
        "original | fitted"
    ]
    camera = page.run("document.getElementById('magnification').textContent")
    before = page.run(STRIP % ("fitted", 0.55, 0.65))
    x, y = edge(page)
    page.drag((x, y), (x + 200, y))
    page.until(f"{SHARE} > 0.6")
    assert page.run(f"Math.abs({SHARE} - 0.5) > 0.1")
    assert page.run(STRIP % ("fitted", 0.55, 0.65)) != before  # now the original is there
    assert page.run("document.getElementById('magnification').textContent") == camera
    page.run("document.querySelector('.curtain').focus()")
    for key, side in (("Home", 0), ("End", 1)):
        page.press(key)
        page.until(f"{SHARE} === {side}")
    page.press("ArrowLeft")
    page.until(f"{SHARE} < 1")
    assert "original" in page.run("document.querySelector('.curtain').ariaValueText")
    page.press("Home")
    page.until(f"{SHARE} === 0")
    bare = page.run(STRIP % ("fitted", 0.55, 0.65))
    assert bare == before
    page.touch(True)
    x, y = edge(page)
    for kind, points in (("touchStart", [{"x": x, "y": y}]), ("touchMove", [{"x": x + 90, "y": y}]),
                         ("touchMove", [{"x": x + 300, "y": y}]), ("touchEnd", [])):  # fmt: skip
        page.call("Input.dispatchTouchEvent", type=kind, touchPoints=points)
    page.touch(False)
    page.until(f"{SHARE} > 0.1")
    page.press("c")
    page.until("document.querySelectorAll('.panel:not([hidden])').length === 2")
    page.run("[...document.querySelectorAll('#toggles [data-panel=error]')][0].click()")


def test_what_is_beside_the_handle_of_the_curtain_moves_the_picture(page):
    opened(page, CURVES[1], level="round-0")
    page.until("document.querySelectorAll('.panel:not([hidden])').length === 3")
    page.press("c")
    page.press("+")
    rest(page)
    before = page.run("location.hash")
    x, y = edge(page)
    page.drag((x + 90, y), (x + 130, y + 30))
    rest(page)
    page.until(f"location.hash !== '{before}'")
    assert page.run(SHARE) == 0.5
    page.press("c")


def test_there_is_no_curtain_without_an_original(page):
    opened(page, "nobody")
    page.until("!document.getElementById('compare-note').hidden")
    page.press("c")
    assert page.run("document.querySelector('.curtain').hidden")
    assert page.run("document.getElementById('toggles').hidden")


def test_the_scale_bar_is_as_long_as_it_says_at_every_magnification(page):
    opened(page, CURVES[0], level="round-0")
    said = set()
    for _ in range(4):
        words, width, scale = page.run("""(() => {
          const bar = document.querySelector('.panel.fitted .scale-bar');
          const shown = document.getElementById('magnification').textContent;
          return [bar.textContent, parseFloat(bar.style.width), parseFloat(shown.replace(/[^0-9.]/g, ''))];
        })()""")
        number, unit = words.split(" ")
        assert unit == ("pixel" if number == "1" else "pixels")
        assert width == pytest.approx(float(number) * scale / page.density, rel=0.02)
        assert 40 < width <= 120
        said.add(words)
        for _ in range(4):
            page.press("+")
        rest(page)
    assert len(said) == 4


def test_a_code_without_an_original_is_shown_alone_and_says_so(page):
    opened(page, "nobody")
    page.until("!document.getElementById('compare-note').hidden")
    assert "nobody" in page.run("document.getElementById('compare-note').textContent")
    assert page.run("document.querySelectorAll('.panel:not([hidden])').length") == 1


def test_a_perfect_fit_is_inf_on_its_card_and_on_its_page(page):
    cards = page.run("[...document.querySelectorAll('.card .words')].map(one => one.textContent)")
    assert [words.endswith("inf dB") for words in cards if words.startswith("nobody")] == [True]
    opened(page, "nobody")
    assert page.run("document.getElementById('facts').textContent").count("PSNRinf dB") == 1


def test_a_damaged_code_is_a_card_in_place_of_its_picture(page):
    page.run("location.hash = 'name=damaged'")
    page.until("document.querySelector('.panel .broken')?.textContent.includes('checksum')")
    page.press("n")
    page.until(DRAWN)
    assert page.run("document.querySelectorAll('.panel .broken').length") == 0
    page.press("Escape")
    page.until("!document.getElementById('gallery').hidden")


def test_nothing_on_the_page_can_open_a_window_send_a_form_or_move_its_addresses(page, address):
    elsewhere = address.replace("127.0.0.1", "localhost")
    page.requests.clear()
    assert page.run(f"window.open('{elsewhere}/window') === null")
    page.run(f"""(() => {{
      const link = Object.assign(document.createElement('a'), {{ href: '{elsewhere}/link', target: '_blank' }});
      const form = Object.assign(document.createElement('form'), {{ action: '{elsewhere}/form' }});
      const base = Object.assign(document.createElement('base'), {{ href: '{elsewhere}/base/' }});
      document.body.append(link, form, base);
      link.click(), form.submit();
    }})()""")
    page.run("new Promise(done => setTimeout(done, 300))")
    assert page.run("document.baseURI").startswith(address)
    assert page.run("location.origin") == address
    assert not any(url.startswith(elsewhere) for url in page.requests)
    assert len(unexpected(page.complaints)) >= 3  # it says that each was stopped
    page.complaints.clear()


def test_the_theme_is_remembered_and_a_picture_can_be_saved(page):
    opened(page, CURVES[0])
    page.run("localStorage.setItem('theme', 'dark')")
    assert page.run("localStorage.getItem('theme')") == "dark"
    page.run("localStorage.removeItem('theme')")
    page.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(page.profile / "saved"))
    page.run("document.getElementById('save').click()")
    end = time.monotonic() + 30
    while not (page.profile / "saved" / f"{CURVES[0]}.png").exists():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_nothing_of_a_code_before_is_told_of_one_that_cannot_be_drawn(page):
    opened(page, "nobody")
    page.until("!document.getElementById('compare-note').hidden")
    page.run("location.hash = 'name=damaged'")
    page.until("document.querySelector('.panel .broken')?.textContent.includes('checksum')")
    assert page.run("document.getElementById('compare-note').hidden")
    told = page.run(
        "['compare-note', 'magnification', 'ms', 'value'].map(id => document.getElementById(id).textContent)"
    )
    assert told == [""] * 4
    assert page.run("document.querySelector('.panel .how').textContent") == ""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_of_it_can_be_read_on_a_phone(page, theme):
    try:
        page.theme(theme)
        page.resize(*PHONE, mobile=True)
        page.run(SCRIPT)
        for name in (CURVES[0], LONG, "damaged"):
            page.run(f"location.hash = 'name={name}'")
            page.until(f"document.getElementById('name').textContent === '{name}'")
            page.until("document.querySelector('#facts div') !== null")
            page.until(f"document.querySelector('.panel .broken') !== null || ({DRAWN})")
            assert page.run("document.documentElement.dataset.theme") == theme
            assert page.run("browsing.cut()") == []
            assert page.run("document.documentElement.scrollWidth <= innerWidth")
        facts = page.run("[...document.querySelectorAll('#facts dt')].map(one => one.textContent)")
        assert facts == ["file"]
        page.press("Escape")
        page.until("!document.getElementById('gallery').hidden")
        assert page.run("browsing.cut()") == []
    finally:
        page.theme("light")
        page.resize(*page.size)


def test_nothing_leaves_the_machine(page, address):
    opened(page, CURVES[1], level="round-0")
    page.run(SCRIPT)
    page.run("browsing.pressAll('#stage button:not(#save)')")
    page.until(DRAWN)
    assert_stays_here(page, address)
    page.press("Escape")
    page.until("!document.getElementById('gallery').hidden")
    assert_stays_here(page, address)
