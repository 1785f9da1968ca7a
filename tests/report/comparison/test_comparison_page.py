import json
from math import inf

import plotly.graph_objects as go
import pytest
from contrast import drawn_colours, faint
from fabricated_cells import cell, comparison, save_pictures, signal
from html_page import Page, assert_loads_nothing

from sparsine.errors import BadInput
from sparsine.measure.comparison.records import read_cells, write_cells
from sparsine.report.comparison.figures import write_figures
from sparsine.report.comparison.page import write_comparison_page
from sparsine.report.comparison.tables import tables_of
from sparsine.report.html import plotly_js


@pytest.fixture
def page(tmp_path):
    def make(cells, pictures=False):
        if pictures:
            save_pictures(tmp_path, cells)
        path = write_comparison_page(tmp_path, cells)
        assert path == tmp_path / "comparison.html"
        return Page(path.read_text())

    return make


def test_the_page_loads_nothing(page):
    made = page(comparison(rounds=(4, 11), seeds=2, num_signals=2), pictures=True)
    assert_loads_nothing(made)
    assert made.text.count(plotly_js()) == 1
    assert len(made.named("script")) == 3


def test_hostile_names_stay_text(page):
    evil = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
    cells = [cell(name, label=evil, data=evil, level=evil, lasts=(30.0, 31.0, 29.0)) for name in ("meta-sparse", evil)]
    for made in cells:
        made["data"] |= {"spec": evil, "description": evil, "split": evil}
        made["hardware"]["processor"] = made["comparison"] = made["versions"][evil] = evil
        made["protocols"]["adam"]["signals"][0] = signal(evil, None, status="diverged") | {"reason": evil}
    made = page(cells)
    assert len(made.named("script")) == 3
    assert not made.named("img")
    assert evil in made.reading
    # plotly reads a little HTML in labels: there, too, a name must be text
    assert "<img" not in json.dumps(made.figures)


def test_every_figure_has_its_place_and_plotly_accepts_it(page):
    made = page(comparison(rounds=(4, 11, 14), seeds=2, num_signals=2))
    shown = [attributes["data-figure"] for _, attributes in made.elements if "data-figure" in attributes]
    chosen = {f"count-{i}-{what}" for i in range(2) for what in ("numbers", "bits")} | {"steps-0-1", "steps-1-1"}
    assert set(shown) | chosen == set(made.figures)
    assert shown == ["count-0-weights", "count-1-weights", "steps-0-0", "steps-1-0", "ablation-0", "ablation-1",
                     "transfer-0", "transfer-1"]  # fmt: skip
    for figure in made.figures.values():
        go.Figure({"data": figure["data"], "layout": {**figure["layout"], "legend": {}}})
    choices = [(a["name"], a["value"]) for a in made.named("input")]
    assert choices == [("count", "weights"), ("count", "numbers"), ("count", "bits"), ("steps", "0"), ("steps", "1")]


def test_what_is_drawn_stands_out_from_light_and_dark_pages(page):
    colours = drawn_colours(page(comparison(rounds=(4, 11), seeds=2, num_signals=2)).figures)
    assert len(colours) > 13
    assert faint(colours) == {}


def test_numbers_of_the_cells_are_on_the_page(page):
    cells = [cell(lasts=(30.0, 31.0), weights=49), cell(lasts=(32.0, 33.0), weights=49, seed=1),
             cell("dense-narrow", lasts=(28.0, 29.0), weights=50)]  # fmt: skip
    reading = page(cells).reading
    assert "2 methods at 1 level of sparsity on 1 data set, with 2 seeds: 3 cells" in reading
    assert "31.50 dB Meta-SparseINR, 49 weights 90 with biases best baseline: Dense-Narrow, 28.50 dB" in reading
    assert "31.50 ± 1.41" in reading
    assert "+2.00 (+2.00 to +2.00)" in reading
    assert "49 weights are 90 numbers" in reading


def test_notes_name_what_these_cells_hold_and_nothing_else(page):
    reading = page([cell()]).reading
    assert "published figures (Lee et al. 2021) are not drawn beside ours" in reading
    assert "signals are 5 x 3, not 178 x 178" in reading
    assert "starves" not in reading
    assert "one round too kind" not in reading
    more = page([cell(), cell("scratch"), cell("maml-imp"), cell("coin-8", bits=2192),
                 cell("modulations", "latents-064", shared_numbers=12_345)]).reading  # fmt: skip
    assert "starves Scratch and Dense-Narrow: 100 Adam steps at 0.0001" in more
    assert "one round too kind" in more
    assert "a base of 12,345 numbers" in more
    assert "methods that quantise" in more


def test_failures_are_listed_with_the_fits_they_concern(page):
    cells = [cell(name, seed=seed) for name in ("meta-sparse", "scratch") for seed in range(2)]
    assert "did not work out" not in page(cells).reading
    for made in cells:
        made["protocols"]["sgd"]["signals"][1] = signal("odd.jpg", None, (0, 1, 2), status="diverged")
    reading = page(cells).reading
    assert "faces odd.jpg diverged Meta-SparseINR (round-03, seed 0)" in reading
    assert "and 1 more odd.jpg is diverged for a test" in reading


def test_a_recipe_that_is_a_trial_says_so_and_no_other_does(page):
    assert "too few to judge" not in page([cell()]).reading
    reading = page([cell(comparison="quick", lasts=(30.0, 31.0, 32.0)), cell("scratch", comparison="quick")]).reading
    assert "3 test signals, 1 seed and at most 4,200 outer steps are too few to judge methods by" in reading


def test_a_perfect_fit_is_inf_wherever_it_is_shown(page, tmp_path):
    sparse = {"level": "round-08", "weights": 97}
    cells = [cell(lasts=(20.0, 21.0)), cell(lasts=(inf, 30.0), pictures=1, **sparse),
             cell(lasts=(31.0, 32.0), seed=1, **sparse), cell("dense-narrow", lasts=(28.0, inf), **sparse),
             cell("scratch", lasts=(11.0, 12.0), **sparse)]  # fmt: skip
    write_cells(tmp_path / "cells.jsonl", cells)
    read = read_cells(tmp_path)
    assert '"inf"' in (tmp_path / "cells.jsonl").read_text()
    made = page(read, pictures=True)
    assert page(cells).text == made.text  # what was measured and its file say the same
    assert "21.3 % of the weights inf dB" in made.reading
    assert "best baseline: Dense-Narrow, inf dB" in made.reading
    assert "picture-00.jpg inf dB" in made.reading
    assert "Where a fit is perfect its PSNR is infinite (inf)" in made.reading
    line = next(t for t in made.figures["count-0-weights"]["data"] if t.get("name") == "Meta-SparseINR")
    assert line["y"] == [None, 20.5]
    assert "inf dB, mean of 2 seeds (seeds from 31.50 to inf)" in line["text"][0]
    (psnr,) = tables_of(read, ["psnr"])
    assert psnr.rows[0] == ("Meta-SparseINR", "20.50 (1 of 2 seeds)", "inf")
    assert write_figures(tmp_path, read, tmp_path / "figures")


def test_pictures_are_embedded_with_the_psnr_of_their_own_signal(page):
    made = page([cell("scratch", lasts=(11.0, 12.0), pictures=2), cell(pictures=2)], pictures=True)
    assert [image["alt"] for image in made.named("img")] == [
        f"picture-0{i}.jpg, {name}" for i in range(2) for name in ("original", "Meta-SparseINR", "Scratch")
    ]
    assert "picture-00.jpg 30.00 dB 11.00 dB" in made.reading
    assert "What it looks like" in made.reading


def test_missing_pictures_are_said_to_be_missing(page, tmp_path):
    cells = [cell(pictures=2), cell("scratch", pictures=2)]
    save_pictures(tmp_path, cells)
    (tmp_path / "pictures/faces/scratch/round-03-1.png").unlink()
    assert page(cells).reading.count("no picture") == 1
    assert "What it looks like" not in page([cell()]).reading


def test_what_differs_between_cells_is_told_in_full(page):
    cells = [cell(), cell("scratch", seed=3, commit="4567ef", created="2032-01-01T00:00:00+00:00")]
    reading = page(cells).reading
    assert "measured 2031-05-06T07:08:09+00:00 to 2032-01-01T00:00:00+00:00" in reading
    assert "commit 0123abcd; 4567ef seeds 0; 3" in reading
    assert "processor an abacus cores 3" in reading


def test_stand_ins_are_marked(page):
    made = cell()
    made["data"]["description"] = "A stand-in for faces."
    assert '<p class="note"><strong>faces</strong>: A stand-in for faces.</p>' in page([made]).text
    assert '<p class="quiet"><strong>faces</strong>: Made up faces.</p>' in page([cell()]).text


def test_partial_comparisons_make_pages(page):
    cells = comparison(rounds=(3, 11), seeds=2, num_signals=2)
    for start in range(0, len(cells), 17):
        page(cells[start : start + 3])
    lost = cell(lasts=(None, None))
    assert page([lost]).figures == {}
    assert "Meta-SparseINR" in page([lost | {"protocols": {}}]).reading


def test_other_records_are_refused_and_the_old_page_stays(tmp_path):
    (tmp_path / "comparison.html").write_text("old")
    for cells in ([], [cell() | {"record_version": 3}]):
        with pytest.raises(BadInput, match="cells"):
            write_comparison_page(tmp_path, cells)
    assert [path.name for path in tmp_path.iterdir()] == ["comparison.html"]
    assert (tmp_path / "comparison.html").read_text() == "old"
