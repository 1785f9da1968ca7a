import xml.etree.ElementTree as ET

import numpy as np
import pytest
from fabricated_cells import cell, comparison, save_pictures, signal
from PIL import Image

from sparsine.errors import BadInput
from sparsine.report.axes import COARSE, round_numbers, short_count
from sparsine.report.comparison.figures import LEAST_WIDTH, count_figure, sheets, step_figure, write_figures
from sparsine.report.comparison.gallery import save_grid
from sparsine.report.comparison.results import results_of
from sparsine.report.contact_sheet import GAP
from sparsine.report.matplotlib_figures import Layout, legend_columns, save_sheet, sheet
from sparsine.report.plotly_figures import described
from sparsine.report.styles import MATPLOTLIB_DASHES, MATPLOTLIB_MARKS, STYLES, styles_of

pytest.importorskip("matplotlib")
MAIN = ("ours", "baseline", "other")


def drawn(cells, name):
    """The matplotlib figure called `name`."""
    panels, columns = sheets(results_of(cells))[name]
    return sheet(panels, Layout(most_columns=columns, least_width=LEAST_WIDTH))


def lines_of(axes):
    return {line.get_label(): line for line in axes.get_lines() if not line.get_label().startswith("_")}


def test_a_whole_comparison_gives_every_figure(tmp_path):
    cells = comparison(rounds=(4, 11), seeds=2, num_signals=2, methods=("meta-sparse", "scratch", "ticket-random"))
    save_pictures(tmp_path, cells)
    written = write_figures(tmp_path, cells, tmp_path / "out")
    names = [f"psnr-against-{what}" for what in ("weights", "numbers", "bits", "steps")] + ["ablations", "transfer"]
    grids = [f"grid-{data}-round-11.png" for data in ("faces", "photos")]
    assert [p.name for p in written] == [f"{name}.{kind}" for name in names for kind in ("png", "svg")] + grids
    assert all(path.is_file() for path in written)
    for path in written:
        if path.suffix == ".svg":
            assert ET.parse(path).getroot().tag.endswith("svg")


def test_the_same_cells_give_the_same_bytes(tmp_path):
    cells = [cell(), cell(seed=1, lasts=(33.0,)), cell("scratch", level="dense", weights=456)]
    for kind in ("png", "svg"):
        for name in ("one", "two"):
            save_sheet(lambda: drawn(cells, "psnr-against-weights"), tmp_path / f"{name}.{kind}")
        assert (tmp_path / f"one.{kind}").read_bytes() == (tmp_path / f"two.{kind}").read_bytes()


def test_figures_without_data_are_left_out(tmp_path):
    bad = cell()
    bad["protocols"] = {}
    assert write_figures(tmp_path, [bad], tmp_path / "out") == []
    names = {path.stem for path in write_figures(tmp_path, [cell()], tmp_path / "out")}
    assert names == {"psnr-against-weights", "psnr-against-numbers", "psnr-against-bits", "psnr-against-steps"}
    with pytest.raises(BadInput, match="no cells"):
        write_figures(tmp_path, [], tmp_path)


@pytest.mark.parametrize(("what", "x"), [("weights", [97, 233]), ("numbers", [138, 274]), ("bits", [4416, 8768])])
def test_lines_hold_the_means_and_bands_the_spread_of_seeds(what, x):
    cells = [cell(lasts=(30.0, 32.0)), cell(lasts=(34.0,), seed=1), cell(level="round-08", lasts=(20.0,), weights=97),
             cell("ticket-random")]  # fmt: skip
    (axes,) = drawn(cells, f"psnr-against-{what}").axes
    found = lines_of(axes)
    assert list(found) == ["Meta-SparseINR"]  # ablations have a figure of their own
    assert found["Meta-SparseINR"].get_xdata().tolist() == x
    assert found["Meta-SparseINR"].get_ydata().tolist() == pytest.approx([20.0, 32.5])
    (band,) = axes.collections
    corners = band.get_paths()[0].vertices
    assert {round(float(y), 6) for y in corners[:, 1]} == {20.0, 31.0, 34.0}


def test_shared_numbers_are_told_where_numbers_are_counted():
    cells = [cell("modulations", "latents-064", weights=64, biases=0, shared_numbers=12_345)]
    assert list(lines_of(drawn(cells, "psnr-against-weights").axes[0])) == ["Latent modulations (Functa, COIN++)"]
    (name,) = lines_of(drawn(cells, "psnr-against-bits").axes[0])
    assert name.endswith("and 12,345 shared")


def test_steps_are_shown_at_the_levels_near_ten_and_four_percent():
    cells = [cell(level=f"round-{k:02d}", weights=w) for k, w in ((5, 149), (10, 49), (12, 31), (14, 20))]
    first, second = drawn(cells, "psnr-against-steps").axes
    assert first.get_title() == "faces, 10.7 % of the weights (49)"
    assert second.get_title() == "faces, 4.39 % of the weights (20)"
    assert [text.get_text() for text in first.get_xticklabels()] == ["0", "1", "2", "5", "10", "20", "50", "100"]
    assert lines_of(first)["Meta-SparseINR"].get_ydata()[[0, -1]].tolist() == pytest.approx([9.0, 31.0])


def test_ablations_and_transfer_stand_beside_ours_only():
    cells = [cell(), cell("scratch"), cell("ticket-random"), cell("transfer-photos", family="transfer")]
    assert list(lines_of(drawn(cells, "ablations").axes[0])) == ["Meta-SparseINR", "survivors at random values"]
    assert list(lines_of(drawn(cells, "transfer").axes[0])) == ["Meta-SparseINR", "transfer-photos"]


def papers_cells():
    cells = [cell(m, "round-14", (27.0,), weights=8704, biases=1027, sizes=(2, 256, 256, 256, 256, 3))
             for m in ("meta-sparse", "scratch")]  # fmt: skip
    for made in cells:
        made["data"]["shape"] = [178, 178]
        made["field"]["omega_0"] = 200.0
    return cells


def test_published_points_are_hollow_and_only_on_axes_of_weights():
    axes = drawn(papers_cells(), "psnr-against-weights").axes[0]
    hollow = [line for line in axes.get_lines() if line.get_markerfacecolor() == "none" and len(line.get_xdata())]
    assert [len(line.get_xdata()) for line in hollow] == [8, 8]  # of methods that are here, and no other
    assert [line.get_markeredgecolor() for line in hollow] == [STYLES["meta-sparse"].colour, STYLES["scratch"].colour]
    assert (8704, 27.71) in zip(hollow[0].get_xdata(), hollow[0].get_ydata(), strict=True)
    assert any(name.startswith("hollow: published") for name in lines_of(axes))
    assert not any(name.startswith("hollow") for name in lines_of(drawn(papers_cells(), "psnr-against-bits").axes[0]))
    cells = papers_cells()
    cells[0]["field"]["omega_0"] = 30.0
    assert len(lines_of(drawn(cells, "psnr-against-weights").axes[0])) == 2


def test_odd_names_neither_crash_nor_vanish():
    cells = [cell(name, label=label, data="a$b$_x", family="made up") for name, label in
             (("_x", "_hidden"), ("money", "$\\frac{$"), ("lines", "two\nlines"))]  # fmt: skip
    figure = drawn(cells, "psnr-against-weights")
    figure.draw_without_rendering()
    (legend,) = figure.legends
    assert [text.get_text().strip() for text in legend.get_texts()] == ["_hidden", "two lines", "\\$\\frac{\\$"]


def test_every_known_method_looks_different():
    styles = [(style.colour, style.mark, style.dash) for style in STYLES.values()]
    assert len(set(styles)) == len(styles)
    tickets = [name for name in STYLES if name.startswith("ticket-")]
    for shown in (
        [name for name in STYLES if name not in tickets],
        ["meta-sparse", "meta-sparse-saliency", "meta-sparse-connected", *tickets],
    ):
        assert len({STYLES[name].colour for name in shown}) == len(shown)
        assert len({(STYLES[name].mark, STYLES[name].dash) for name in shown}) == len(shown)
    for style in STYLES.values():
        assert style.mark in MATPLOTLIB_MARKS
        assert style.dash in MATPLOTLIB_DASHES


def test_unknown_methods_get_looks_that_do_not_depend_on_their_order():
    names = [f"method-{i}" for i in range(12)]
    styles = styles_of(names)
    assert styles == styles_of(reversed(names))
    assert len({(style.colour, style.mark) for style in styles.values()}) == 12


def test_ticks_are_round_and_few():
    assert round_numbers(60, 9000, 9, COARSE) == [100, 200, 500, 1000, 2000, 5000]
    assert round_numbers(60, 30_000, 6, COARSE) == [100, 300, 1000, 3000, 10_000, 30_000]
    assert round_numbers(5, 10**9, 6, COARSE) == [10**k for k in range(1, 10)]
    assert [short_count(n) for n in (500, 2000, 300_000, 10**6)] == ["500", "2 k", "300 k", "1 M"]


def test_a_legend_has_as_many_columns_as_fit():
    assert legend_columns(["ours"] * 4, 9.0) == 4
    assert legend_columns(["a rather long name of a method"] * 4, 5.9) == 2
    assert legend_columns(["x" * 200], 5.0) == 1


def test_the_interactive_figures_hold_the_same_numbers():
    cells = [cell(lasts=(30.0, 32.0)), cell(lasts=(34.0,), seed=1), cell(level="round-08", lasts=(20.0,), weights=97)]
    (results,) = results_of(cells)
    band, line = described(count_figure(results, "numbers", MAIN, styles_of(["meta-sparse"])))["data"]
    assert (line["x"], line["y"]) == ([138, 274], [20.0, 32.5])
    assert band["y"] == [20.0, 34.0, 31.0, 20.0]
    assert "233 weights (51.1 %)<br>274 numbers, 8,768 bits<br>32.50 dB, mean of 2 seeds" in line["text"][1]
    assert "seeds from 31.00 to 34.00" in line["text"][1]
    steps = described(step_figure(results, results.levels[0], styles_of(["meta-sparse"])))
    assert steps["data"][-1]["y"][-1] == 32.5
    assert steps["layout"]["xaxis"]["ticktext"][0] == "0"
    assert count_figure(results, "bits", ["transfer"], {}) is None


def test_pictures_stand_beside_each_other_in_the_order_of_methods(tmp_path):
    cells = [cell("scratch", pictures=2, weights=200), cell(pictures=2), cell("dense-maml", "dense", pictures=2),
             cell(pictures=2, seed=1), cell("ticket-random", pictures=2)]  # fmt: skip
    save_pictures(tmp_path, cells, (7, 5))
    (results,) = results_of(cells)
    colours = {"original": 20, "meta-sparse/round-03": 40, "scratch/round-03": 60, "dense-maml/dense": 80}
    for name, red in colours.items():
        for i in range(2):
            Image.new("RGB", (7, 5), (red, 10 * i, 9)).save(tmp_path / "pictures" / "faces" / f"{name}-{i}.png")
    save_grid(tmp_path, results, results.levels[0], tmp_path / "grid.png")
    with Image.open(tmp_path / "grid.png") as image:
        values = np.asarray(image.convert("RGB"))
    width, height = 7 * 26, 5 * 26
    assert values.shape[1] == GAP + 4 * (width + GAP)
    for column, red in enumerate(colours.values()):
        for i in range(2):
            found = (values == (red, 10 * i, 9)).all(axis=2)
            assert found.sum() == width * height
            assert np.flatnonzero(found.any(axis=0))[0] == GAP + column * (width + GAP)


def test_a_grid_leaves_blanks_and_skips_what_was_not_drawn(tmp_path):
    cells = [cell(pictures=2), cell("scratch", pictures=2), cell("coin-8")]
    cells[1]["protocols"]["adam"]["signals"][0] = signal("picture-00.jpg", None, status="diverged")
    save_pictures(tmp_path, cells)
    (tmp_path / "pictures/faces/scratch/round-03-1.png").unlink()
    (results,) = results_of(cells)
    save_grid(tmp_path, results, results.levels[0], tmp_path / "grid.png")
    with Image.open(tmp_path / "grid.png") as image:
        assert image.size[0] == GAP + 3 * (177 + GAP)
    with pytest.raises(BadInput, match="holds no pictures"):
        save_grid(tmp_path / "elsewhere", results, results.levels[0], tmp_path / "none.png")


def test_names_of_data_sets_make_harmless_file_names_and_labels(tmp_path):
    names = ["a b", "a$b", "界\udcff\r"]
    cells = [cell(data=name, pictures=1, seed=0) for name in names]
    save_pictures(tmp_path, cells)
    written = {path.name for path in write_figures(tmp_path, cells, tmp_path / "out")}
    assert {"grid-a_b-round-03.png", "grid-a_b-round-03-2.png", "grid-界__-round-03.png"} <= written
    titles = [axes.get_title() for axes in drawn(cells, "psnr-against-weights").axes]
    assert {"a b", r"a\$b", "界\N{REPLACEMENT CHARACTER}\\r"} <= set(titles)
