"""The exported page in a real browser: every pixel is the engine's, by WebGL2 and without it, and nothing leaves it.

WebGL2 is that of SwiftShader, on the processor: float32, as every GPU has in shaders.
"""

import os

import numpy as np
import pytest
from export_problems import exported, of_kind, small
from headless import WEBGL, Browser, find_browser
from small_problems import field_of, random_pattern

from sparsine.export import FORMATS, glsl, glsl_packed
from sparsine.signals.kind import VALUES

pytestmark = [pytest.mark.skipif(find_browser() is None, reason="no chromium is installed"),
              pytest.mark.skipif(os.name != "posix", reason="the driver is for posix")]  # fmt: skip
ROUNDING = 1.0
"""Levels of 255: a value between two levels may be rounded either way."""
DRAWN = "document.getElementById('view')?.dataset.drawn === 'full'"
ZOOM = "parseFloat(document.getElementById('zoom').textContent)"
PIXELS = """(() => {
  const shown = document.getElementById('view');
  const canvas = Object.assign(document.createElement('canvas'), { width: shown.width, height: shown.height });
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.drawImage(shown, 0, 0);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  return [canvas.width, canvas.height, shown.dataset.look, ...data];
})()"""
KINDS = [
    "sine, none",
    "sine, first, none",
    "finer, none",
    "gauss, none",
    "relu, none",
    "sine, fourier",
    "relu, fourier",
]


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Browser(tmp_path_factory.mktemp("profile"), size=(330, 300), options=WEBGL) as browser:
        yield browser


@pytest.fixture
def opened(browser, tmp_path):
    def opened(what, plain=False):
        file = tmp_path / "a page.html"
        file.write_bytes(FORMATS["html"].write(what))
        browser.begin(file.as_uri() + "#plain" * plain)
        browser.until(DRAWN)
        assert browser.run("document.documentElement.dataset.by") == ("javascript" if plain else "webgl2")
        return browser

    yield opened
    assert [said for said in browser.complaints if "GPU stall" not in said] == []  # we read the pixels ourselves
    assert all(url.startswith(("file:", "data:", "about:")) for url in browser.requests)


def shown(browser):
    """(pixels (rows, columns, 3), their places as parts of the whole picture)"""
    width, height, look, *data = browser.run(PIXELS)
    row, column, size = map(float, look.split())
    rows, columns = np.meshgrid((np.arange(height) + 0.5) / height, (np.arange(width) + 0.5) / width, indexing="ij")
    return np.array(data).reshape(height, width, 4)[..., :3], np.stack([row + size * rows, column + size * columns], -1)


def levels(what, places):
    """What the engine draws there, in levels of 255."""
    rows, columns = what.drawn.domain.shape
    coords = what.drawn.domain.coords().double().numpy().reshape(rows, columns, 2)
    down, across = (coords[-1, 0] - coords[0, 0]) / (rows - 1), (coords[0, -1] - coords[0, 0]) / (columns - 1)
    at = coords[0, 0] + (places[..., :1] * rows - 0.5) * down + (places[..., 1:] * columns - 0.5) * across
    return 255 * np.clip(what.drawn(at), 0, 1)


def assert_the_engines(browser, what):
    found, places = shown(browser)
    assert len(np.unique(found)) > 20, "a picture without anything in it would agree with anything"
    assert np.abs(found - levels(what, places)).max() <= ROUNDING


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("what", [lambda k=k: of_kind(k) for k in KINDS], ids=KINDS)
def test_every_kind_of_field_is_drawn_as_the_engine_draws_it(opened, what, plain):
    assert_the_engines(opened(what(), plain), what())


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("grid", [{}, {"axis_order": "reversed"}, {"alignment": "corners"},
                                  {"extent": ((-1.0, 2.0), (0.5, 0.75))}], ids=str)  # fmt: skip
def test_places_are_those_of_the_signals_samples(opened, grid, plain):
    what = small(shape=(9, 14), **grid)
    browser = opened(what, plain)
    assert_the_engines(browser, what)
    width, height = browser.run("[document.getElementById('view').width, document.getElementById('view').height]")
    assert width / height == pytest.approx(14 / 9, rel=0.02)


@pytest.mark.parametrize("plain", [False, True])
def test_one_zooms_and_moves_by_mouse_and_keys(opened, plain):
    what = small(omega_0=40.0, shape=(10, 10))
    browser = opened(what, plain)
    before = shown(browser)[1]
    x, y = browser.run("(() => { const b = document.getElementById('view').getBoundingClientRect();"
                       "return [b.left + b.width / 4, b.top + b.height / 4]; })()")  # fmt: skip
    browser.wheel(x, y, -900)
    browser.until(f"{ZOOM} === 8 && {DRAWN}")
    after = shown(browser)[1]
    assert after.min(axis=(0, 1)) == pytest.approx(0.25 - 0.25 / 8, abs=0.01)  # what lay under the mouse stays there
    assert_the_engines(browser, what)
    browser.drag((x, y), (x - 30, y - 10))
    browser.until(DRAWN)
    assert (shown(browser)[1][0, 0] > after[0, 0]).all()
    assert_the_engines(browser, what)
    browser.press("+")
    browser.press("ArrowRight")
    browser.until(f"{ZOOM} === 12 && {DRAWN}")
    assert_the_engines(browser, what)
    browser.press("0")
    browser.until(f"{ZOOM} === 1 && {DRAWN}")
    assert np.array_equal(shown(browser)[1], before)


def test_two_fingers_zoom_and_one_moves(opened, browser):
    browser.touch(True)
    try:
        opened(small(omega_0=40.0, shape=(10, 10)))
        left, top, edge = browser.run("(() => { const b = document.getElementById('view').getBoundingClientRect();"
                                      "return [b.left, b.top, b.width]; })()")  # fmt: skip

        def fingers(kind, *places):
            points = [{"x": left + x * edge, "y": top + y * edge, "id": i} for i, (x, y) in enumerate(places)]
            browser.call("Input.dispatchTouchEvent", type=kind, touchPoints=points)

        fingers("touchStart", (0.45, 0.5), (0.55, 0.5))
        fingers("touchMove", (0.3, 0.5), (0.7, 0.5))
        fingers("touchEnd")
        browser.until(f"Math.abs({ZOOM} - 4) < 0.2 && {DRAWN}")
        before = shown(browser)[1].mean(axis=(0, 1))
        assert before == pytest.approx([0.5, 0.5], abs=0.02)
        fingers("touchStart", (0.5, 0.5))
        fingers("touchMove", (0.3, 0.6))
        fingers("touchEnd")
        browser.until(DRAWN)
        assert shown(browser)[1].mean(axis=(0, 1)) - before == pytest.approx([-0.025, 0.05], abs=0.01)
    finally:
        browser.touch(False)


def test_at_the_last_magnification_pixels_are_still_the_engines(opened):
    what = small(omega_0=200.0, density=1.1, shape=(10, 10))
    browser = opened(what)
    for _ in range(20):
        browser.press("+")
    browser.until(f"document.getElementById('zoom').textContent.startsWith('2') && {DRAWN}")
    found, places = shown(browser)
    assert np.ptp(places[..., 0]) < 1 / 2000
    assert np.abs(found - levels(what, places)).max() <= 2 * ROUNDING  # coordinates themselves are rounded


def test_values_without_a_range_are_shown_from_the_lowest_to_the_highest(opened):
    what = small(channels=1, kind=VALUES, shape=(8, 8))
    pixels, _ = shown(opened(what))
    assert (pixels.min(), pixels.max()) == (pytest.approx(0, abs=30), pytest.approx(255, abs=30))
    assert (pixels == pixels[..., :1]).all()


def test_a_name_is_only_text(opened):
    name = "<img src=x onerror=alert(1)></script><script>window.ran = 1</script> {{ 7 }} \u2028"
    browser = opened(exported(random_pattern(field_of(2, 9, 9, 3, omega_0=9.0), 0.6), name=name))
    assert browser.run("document.title").startswith("<img src=x onerror=alert(1)></script><script>window.ran = 1")
    assert browser.run("window.ran === undefined")


def assert_a_shader_draws_it(browser, what, function, precision, version):
    found = browser.run(_in_a_shader(function, precision, version))
    at = (np.arange(32) + 0.5) / 32 * 2 - 1
    coords = np.stack(np.meshgrid(at, at, indexing="ij")[::-1], -1)  # x is the first coordinate, rows from below
    assert len(np.unique(found)) > 20
    wanted = 255 * np.clip(what.drawn(coords), 0, 1)
    assert np.abs(np.array(found).reshape(32, 32, 4)[..., :3] - wanted).max() <= ROUNDING


@pytest.mark.parametrize("precision", ["mediump", "lowp"])
def test_the_function_compiles_in_a_shader_of_low_precision(opened, precision):
    """Its own numbers are highp all the same: compiled, linked, and drawn as the engine draws it."""
    what = small(omega_0=30.0, shape=(8, 8))
    assert_a_shader_draws_it(opened(what), what, glsl.function(what), precision, 100)


@pytest.mark.parametrize("what", [
    *(lambda k=k: of_kind(k) for k in KINDS), lambda: small(omega_0=30.0, density=1.1, shape=(8, 8)),
    lambda: small(omega_0=30.0, density=0.2, shape=(8, 8)),
], ids=[*KINDS, "full", "sparse"])  # fmt: skip
@pytest.mark.parametrize("write", [glsl.function, glsl_packed.function], ids=["glsl", "glsl-packed"])
def test_the_functions_draw_every_kind_of_field_in_webgl_2(opened, what, write):
    made = what()
    assert_a_shader_draws_it(opened(made), made, write(made), "mediump", 300)


def _in_a_shader(function, precision, version):
    """JavaScript that draws 32 x 32 pixels from -1 to 1 with WebGL 1, or 2 where the version is 300."""
    pixel, begin = ("gl_FragColor", "") if version == 100 else ("pixel", "#version 300 es\\n")
    out = "" if version == 100 else "out vec4 pixel;\\n"
    main = f"void main(){{{pixel}=vec4(field(gl_FragCoord.xy/16.-1.),1.);}}"
    fragment = f"{begin}precision {precision} float;\\n{out}" + function.replace("\n", "\\n") + main
    corners = "attribute vec2 at; void main(){gl_Position=vec4(at,0.,1.);}"
    vertex = begin + (corners if version == 100 else corners.replace("attribute", "in"))
    return f"""(() => {{
      const canvas = Object.assign(document.createElement('canvas'), {{ width: 32, height: 32 }});
      const gl = canvas.getContext('{"webgl" if version == 100 else "webgl2"}'), program = gl.createProgram();
      for (const [kind, text] of [[gl.VERTEX_SHADER, '{vertex}'], [gl.FRAGMENT_SHADER, '{fragment}']]) {{
        const shader = gl.createShader(kind);
        gl.shaderSource(shader, text); gl.compileShader(shader); gl.attachShader(program, shader);
        if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader));
      }}
      gl.bindAttribLocation(program, 0, 'at');
      gl.linkProgram(program); gl.useProgram(program);
      gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
      gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([-1, -1, 3, -1, -1, 3]), gl.STATIC_DRAW);
      gl.enableVertexAttribArray(0); gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 0, 0);
      gl.drawArrays(gl.TRIANGLES, 0, 3);
      const pixels = new Uint8Array(4 * 32 * 32);
      gl.readPixels(0, 0, 32, 32, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
      return [...pixels];
    }})()"""


@pytest.mark.parametrize(("size", "theme"), [((1200, 700), "light"), ((360, 700), "dark"), ((800, 300), "dark")])
def test_all_of_it_is_in_sight_on_any_screen(opened, browser, size, theme):
    browser.resize(*size, mobile=size[0] < 500)
    browser.theme(theme)
    try:
        opened(
            small(shape=(9, 14), name="a-rather-long-name-of-a-photograph-that-somebody-took-in-the-summer-before-last")
        )
        assert browser.run(
            "document.documentElement.scrollWidth <= innerWidth && document.documentElement.scrollHeight <= innerHeight"
        )
        assert browser.run("[...document.querySelectorAll('button, h1, canvas, footer span')].every((e) => {"
                           "const b = e.getBoundingClientRect(); return b.left >= 0 && b.right <= innerWidth + 1 && "
                           "b.top >= 0 && b.bottom <= innerHeight + 1 && b.height > 0; })")  # fmt: skip
    finally:
        browser.resize(330, 300)
        browser.theme("light")
