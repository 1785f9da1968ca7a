"""Tables, figures and the page, from made-up records."""

import json

import plotly.graph_objects as go
import pytest
from contrast import drawn_colours, faint
from html_page import Page, assert_loads_nothing
from rate_problems import made_up_record, without_file

from sparsine.cli.rate_distortion import _table
from sparsine.report.axes import Fractions, round_numbers
from sparsine.report.rate_distortion.figures import quality_figure, write_figures
from sparsine.report.rate_distortion.page import page_context, write_page
from sparsine.report.rate_distortion.points import bytes_for, curves
from sparsine.report.rate_distortion.published import kodak, published_for, published_note
from sparsine.report.rate_distortion.tables import KINDS, tables_markdown, tables_of
from sparsine.report.wording import DASH

KODAK = [f"kodim{i:02}.png" for i in range(1, 25)]


def table(record, kind):
    (found,) = tables_of(record, [kind])
    return found


def cells(record, kind):
    """Rows as dicts by heading."""
    found = table(record, kind)
    return [dict(zip(found.head, row, strict=True)) for row in found.rows]


def terminal(record):
    """Rows as the command prints them."""
    columns = [list(column.cells) for column in _table(record).columns]
    return [list(row) for row in zip(*columns, strict=True)]


def test_means_are_over_signals():
    ours = curves(made_up_record())[0]
    assert ours.label == "sparsine, 40 % of the weights"
    assert [(p.setting, p.num_bytes, p.psnr_db) for p in ours.points] == [
        ("quality 64", 100.5, 20.5), ("quality 80", 200.5, 24.5)]  # fmt: skip
    assert ours.points[0].bits_per_pixel == pytest.approx(8 * 100.5 / 200)


def test_settings_that_are_lists_are_told_with_commas_and_one_thread_is_one(tmp_path):
    record = made_up_record()
    record["config"]["qualities"] = [32, 48, 64]
    page = write_page(tmp_path, record).read_text()
    assert "<dd>32, 48, 64</dd>" in page
    assert " 1 thread, " in page


def test_starts_come_from_dense_to_sparse_and_are_told_apart():
    record = made_up_record()
    record["starts"][1]["weights"] = 99
    assert [curve.key for curve in curves(record)] == ["sparsine-1", "sparsine-0", "jpeg", "webp", "coin-7"]
    record["starts"][1]["density"] = record["starts"][0]["density"]
    assert "(start 0)" in curves(record)[1].label


def test_bytes_for_a_quality_lie_on_the_line_between_two_settings():
    jpeg = next(curve for curve in curves(made_up_record()) if curve.key == "jpeg")
    low, high = jpeg.points
    assert bytes_for(jpeg, low.psnr_db) == pytest.approx(low.num_bytes)
    middle = (low.psnr_db + high.psnr_db) / 2
    assert bytes_for(jpeg, middle) == pytest.approx((low.num_bytes * high.num_bytes) ** 0.5)
    assert bytes_for(jpeg, low.psnr_db - 0.1) is None
    assert bytes_for(None, 20.0) is None


def test_others_stand_beside_ours_at_the_same_bytes():
    first, second, *_ = cells(made_up_record(), "same-bytes")
    assert (first["PSNR"], first["PSNR, JPEG"], first["PSNR, WebP"]) == ("20.50", "30.50", DASH)
    assert (second["bytes"], second["PSNR, WebP"], second["SSIM, WebP"]) == ("200", "36.50", "0.360")
    needed = 50.5 * (400.5 / 50.5) ** (2 / 12)
    assert first["times the bytes of JPEG"] == f"{100.5 / needed:.2f}"
    assert first["times the bytes of WebP"] == DASH


def test_a_mean_over_some_signals_does_not_stand_beside_one_over_all():
    record = without_file(made_up_record(starts=1), 1, codec="webp", beside_quality=80)
    told = cells(record, "same-bytes")[1]
    assert (told["PSNR, JPEG"], told["PSNR, WebP"], told["SSIM, WebP"]) == ("34.50", f"{DASH} (1 of 2)", DASH)
    assert terminal(record)[1][-3:] == ["24.50", "34.50", f"{DASH} (1 of 2)"]
    (card,) = page_context(record)["cards"]
    assert card.details[-2:] == ("JPEG with as many: 34.50 dB", f"WebP with as many: {DASH} (1 of 2)")


def test_what_we_have_no_code_of_is_left_out_of_the_others_too_and_that_is_said():
    record = without_file(made_up_record(starts=1), 1, codec="sparsine", quality=80)
    for codec in ("jpeg", "webp"):
        without_file(record, 1, codec=codec, beside_quality=80)
    whole, told = cells(record, "same-bytes")
    assert (whole["PSNR"], whole["PSNR, JPEG"]) == ("20.50", "30.50")
    assert (told["PSNR"], told["PSNR, JPEG"], told["PSNR, WebP"]) == ("24.00 (1 of 2)", "34.00", "36.00")
    assert whole["times the bytes of JPEG"] != DASH
    assert told["times the bytes of JPEG"] == DASH  # its curve is over both
    assert terminal(record)[1][-3:] == ["24.00 (1 of 2)", "34.00", "36.00"]
    assert "mean of 1 of 2 signals" in page_context(record)["cards"][0].details
    assert cells(record, "rounding")[1]["PSNR"] == "24.00 (1 of 2)"
    assert cells(record, "starts")[0]["code"].endswith("(1 of 2)")
    assert cells(record, "seconds")[0]["codec"].endswith("(1 of 2)")
    assert "mean of some signals (1 of 2)" in quality_figure(record, "psnr_db").lines[0].notes[1]


def test_a_start_is_counted_apart_and_shared_out():
    first, second = cells(made_up_record(), "starts")
    assert first["bytes of the start"] == "1,000"
    assert first["bits per pixel, start apart"] == f"{8 * 200.5 / 200:.2f}"
    assert first["start shared out over these 2"] == f"{8 * (200.5 + 500) / 200:.2f}"
    assert second["over 10,000"] == f"{8 * (250.5 + 0.2) / 200:.2f}"


def test_what_rounding_loses_is_told():
    row = cells(made_up_record(), "rounding")[0]
    assert (row["lost to rounding (dB), mean"], row["most"]) == ("0.500", "0.500")
    assert row["bits for a number"] == f"{8 * 100.5 / 50:.2f}"


def test_bits_and_errors_are_told_by_layer():
    rows = [dict(zip(t.head, r, strict=True)) for t in tables_of(made_up_record(starts=1), ["spent"]) for r in t.rows]
    assert [row["of all bits"] for row in rows] == ["60 %", "30 %", "10 %", "100 %"]
    assert [row["share of the error"] for row in rows] == ["75 %", "25 %", DASH, "100 %"]
    assert rows[0]["bits for a number"] == "6.00"
    assert rows[0]["entropy of a number"] == "5.00"


def test_seconds_are_told_for_every_codec():
    rows = cells(made_up_record(), "seconds")
    assert [row["codec"] for row in rows][-3:] == ["JPEG", "WebP", "dense field, float16, 7 steps"]
    assert {(row["encode, seconds"], row["decode, seconds"]) for row in rows} == {("0.5", "0.25")}


def test_tables_read_as_markdown():
    text = tables_markdown(made_up_record())
    assert text.count("| :--- |") == len(tables_of(made_up_record())) == len(KINDS)  # two of spent, none published
    assert "nan" not in text


def test_published_points_stand_beside_kodak_pictures_alone():
    assert published_for(made_up_record()) == ()
    assert published_for(made_up_record(KODAK)) == ()  # of another size
    assert published_for(made_up_record(["kodim25.png"], (512, 768))) == ()
    record = made_up_record(KODAK, (512, 768))
    assert [codec.name for codec in published_for(record)] == ["COIN", "COIN++", "RECOMBINER", "C3"]
    assert "means over" not in published_note(record).removeprefix("Published means over")
    assert "Ours are means over 3 of the 24" in published_note(made_up_record(KODAK[:3], (768, 512)))
    assert cells(record, "published")[0] == {"codec": "COIN", "bits per pixel": "0.037", "PSNR": "22.41"}


def test_published_points_say_where_they_are_from():
    for codec in kodak():
        assert codec.citation
        assert "at commit " in codec.source
        assert list(codec.bits_per_pixel) == sorted(codec.bits_per_pixel)
        assert list(codec.psnr_db) == sorted(codec.psnr_db)


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The figure of one record as SVG; its PNG lies beside it."""
    png, svg = write_figures([made_up_record()], tmp_path_factory.mktemp("alone"))
    assert (png.name, svg.name) == ("rate-distortion.png", "rate-distortion.svg")
    assert png.read_bytes()[:4] == b"\x89PNG"
    return svg.read_text()


def test_the_figure_shows_published_points_on_kodak_alone(alone, tmp_path):
    written = write_figures([made_up_record(), made_up_record(KODAK, (512, 768), label="Kodak $1")], tmp_path)
    text = written[1].read_text()
    assert text.count("COIN, published") == 1  # in the legend
    assert "Kodak $1" in text
    assert "published" not in alone


def test_the_same_record_gives_the_same_figure(alone, tmp_path):
    assert write_figures([made_up_record()], tmp_path)[1].read_text() == alone


@pytest.mark.parametrize(("low", "high"), [(0.04, 5.0), (0.9, 1.6), (1e-4, 300.0), (0.021, 0.049)])
def test_ticks_are_few_and_round(low, high):
    ticks = round_numbers(low, high, Fractions.few)
    assert 1 <= len(ticks) <= 7
    assert all(low <= tick <= high for tick in ticks)
    assert all(f"{tick:.10e}"[1:].startswith(".0000000000e") for tick in ticks)


def test_counting_the_start_moves_our_points_alone():
    record = made_up_record()
    apart, shared = (quality_figure(record, "psnr_db", counting).lines for counting in ("apart", "shared"))
    moved = [b.x[0] - a.x[0] for a, b in zip(apart, shared, strict=True)]
    assert moved == pytest.approx([8 * 500 / 200, 8 * 1000 / 200, 0, 0, 0])


def test_the_page_loads_nothing_and_has_every_figure(tmp_path):
    page = Page(write_page(tmp_path, made_up_record(KODAK, (512, 768))).read_text())
    assert_loads_nothing(page)
    shown = {attributes["data-figure"] for _, attributes in page.elements if "data-figure" in attributes}
    assert shown == {"psnr-apart", "ssim-apart"}
    assert set(page.figures) == {f"{q}-{c}" for q in ("psnr", "ssim") for c in ("apart", "shared", "many")}
    for figure in page.figures.values():
        layout = {name: value for name, value in figure["layout"].items() if name != "legend"}
        go.Figure({"data": figure["data"], "layout": layout})
    assert "arXiv 2103.03123" in page.reading


def test_what_is_drawn_stands_out_from_light_and_dark_pages(tmp_path):
    record = made_up_record(KODAK, (512, 768), starts=4)
    colours = drawn_colours(Page(write_page(tmp_path, record).read_text()).figures)
    assert len(colours) > 8
    assert faint(colours) == {}


def test_hostile_names_stay_text(tmp_path):
    evil = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
    record = made_up_record([evil, "b"], label=evil)
    record["data"] |= {"spec": evil, "description": evil}
    record["unreadable"] = {evil: evil}
    record["hardware"]["processor"] = evil
    for start in record["starts"]:
        start |= {"name": evil, "learned_on": evil, "density": 0.5}
    page = Page(write_page(tmp_path, record).read_text())
    assert len(page.named("script")) == 3
    assert not page.named("img")
    assert evil in page.reading
    assert "<img" not in json.dumps(page.figures)
