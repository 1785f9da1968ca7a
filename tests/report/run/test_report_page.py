import json
import math
import re
from importlib.resources import files

import fabricated
import plotly.graph_objects as go
import pytest
from contrast import drawn_colours, faint
from fabricated import metrics, record, save_pictures
from html_page import Page, assert_loads_nothing

from sparsine.errors import BadInput
from sparsine.report.html import plotly_js
from sparsine.report.run.figures import save_summary_figure
from sparsine.report.run.page import write_report
from sparsine.report.run.tables import table_markdown
from sparsine.report.wording import DASH
from sparsine.storage import json_bytes


@pytest.fixture
def page(tmp_path):
    def make(evaluation, lines=None, pictures=False):
        if pictures:
            save_pictures(tmp_path, evaluation)
        path = write_report(tmp_path, evaluation, metrics() if lines is None else lines)
        assert path == tmp_path / "report.html"
        return Page(path.read_text())

    return make


def test_the_page_loads_nothing(page):
    assert_loads_nothing(page(record(), pictures=True))


def test_shapes_are_rows_times_columns_and_one_of_anything_is_one(page):
    made = record()
    made["hardware"]["threads"] = 1
    made["config"]["grid"] = {"resolution": [48, 64]}
    text = page(made).text
    assert "<dd>48 x 64</dd>" in text
    assert "an abacus, 1 thread" in text
    assert "1 threads" not in text


def test_the_drawing_library_is_in_the_page_once(page):
    made = page(record())
    assert made.text.count(plotly_js()) == 1
    assert len(made.named("script")) == 3


def test_every_chart_of_every_page_is_made_in_one_place_that_offers_no_upload():
    templates = files("sparsine.report").joinpath("templates").iterdir()
    scripts = [path for path in templates if path.name.endswith((".js", ".j2"))]
    assert len(scripts) > 5
    makers = [path for path in scripts if re.search(r"Plotly\.(react|newPlot|plot)\b", path.read_text())]
    assert [path.name for path in makers] == ["report.js"]
    text = makers[0].read_text()
    assert len(re.findall(r"Plotly\.(react|newPlot|plot)\b", text)) == 1
    assert "showSendToCloud: false, showEditInChartStudio: false, showLink: false" in text
    assert 'plotlyServerURL: ""' in text


def test_every_row_shows_both_counts(page):
    evaluation = record(num_rounds=7)
    made = page(evaluation)
    for row in evaluation["rows"]:
        assert f">{row['weights']:,}</td><td>97</td><td>{row['total']:,}</td>" in made.text
    assert "2,144 weights (100 %)" in made.reading
    assert "2,241 with biases" in made.reading


def test_the_headline_is_the_records(page):
    evaluation = record()
    scratch, dense, *_, sparse = [row["mean_psnr_db"][-1] for row in evaluation["rows"]]
    reading = page(evaluation).reading
    assert f"Dense start {dense:.2f} dB" in reading
    assert f"Sparsest start {sparse:.2f} dB" in reading
    assert f"+{sparse - scratch:.2f} dB" in reading
    assert "pruned 3 times to 51.2 %" in reading
    assert "5 unseen test signals" in reading
    assert "11.8 s" in reading


def test_hostile_names_stay_text(page):
    evil = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
    evaluation = record()
    evaluation["data"] |= {"spec": f"images:{evil}", "description": evil}
    evaluation["config"] |= {"data": evil, evil: evil}
    evaluation["config"]["field"][evil] = evil
    evaluation["hardware"]["processor"] = evil
    evaluation["rows"][1] |= {"name": evil, "round": None}
    for row in evaluation["rows"]:
        row["signals"][0]["input"] = evil
        row["signals"][1] |= {"status": "diverged", "reason": evil, "input": evil}
    made = page(evaluation, pictures=False)
    assert len(made.named("script")) == 3
    assert not [image for image in made.named("img") if "onerror" in image]
    assert evil in made.reading
    # plotly reads a little HTML in labels: there, too, a name must be text
    assert "<img" not in json.dumps(made.figures)


def test_figures_are_what_plotly_accepts_and_hold_the_records_numbers(page):
    evaluation = record()
    figures = page(evaluation).figures
    assert set(figures) == {"weights", "steps", "training"}
    for figure in figures.values():
        go.Figure({"data": figure["data"], "layout": {**figure["layout"], "legend": {}}})
    learned = next(t for t in figures["weights"]["data"] if t["name"].startswith("learned"))
    assert learned["x"] == [row["weights"] for row in evaluation["rows"][1:]]
    assert learned["y"] == [row["mean_psnr_db"][-1] for row in evaluation["rows"][1:]]
    assert "1,715 weights + 97 biases = 1,812" in learned["text"][1]
    scratch = next(t for t in figures["steps"]["data"] if t["name"] == "from scratch")
    assert scratch["y"] == pytest.approx(evaluation["rows"][0]["mean_psnr_db"], abs=1e-5)
    assert scratch["x"][0] == 0
    assert scratch["x"][-1] == pytest.approx(math.log10(101))


def test_what_is_drawn_stands_out_from_light_and_dark_pages(page):
    colours = drawn_colours(page(record(num_rounds=21)).figures)
    assert len(colours) > 21
    assert faint(colours) == {}


def test_prunings_are_marked_where_the_round_changes(page):
    shapes = page(record()).figures["training"]["layout"]["shapes"]
    assert [shape["x0"] for shape in shapes] == [70, 140, 210]


def test_smoothing_does_not_reach_across_a_pruning(page):
    flat = [{"step": i, "round": int(i > 30), "psnr_db": 30.0 if i > 30 else 10.0} for i in range(60)]
    smooth = next(t for t in page(record(), flat).figures["training"]["data"] if t["name"].endswith("smoothed"))
    assert {value for value in smooth["y"] if value is not None} == {10.0, 30.0}


def test_long_training_curves_are_thinned_but_keep_their_end(page):
    lines = metrics(num_rounds=3, steps_per_round=40_000)
    figure = page(record(), lines).figures["training"]
    assert max(len(trace["x"]) for trace in figure["data"]) <= 1600
    raw = next(t for t in figure["data"] if t["name"] == "outer loss, every line")
    assert raw["x"][-1] == 120_000


def test_pictures_are_embedded_with_the_psnr_of_their_own_signal(page):
    evaluation = record()
    made = page(evaluation, pictures=True)
    images = made.named("img")
    assert len(images) == 2 * (1 + 5)
    assert len({image["src"] for image in images}) == len(images)
    assert images[7]["alt"] == "picture-001.jpg, from scratch"
    for row in evaluation["rows"]:
        for signal in row["signals"][:2]:
            assert f"{signal['psnr_db'][-1]:.2f} dB" in made.reading


def test_a_picture_belongs_to_the_first_signals_that_could_be_read(page):
    evaluation = record()
    for row in evaluation["rows"]:
        row["signals"][0] = fabricated.signal("broken.jpg", None, status="unreadable")
    made = page(evaluation, pictures=True)
    assert {image["alt"].split(",")[0] for image in made.named("img")} == {"picture-001.jpg", "picture-002.jpg"}


def test_many_rounds_are_shown_in_eight_columns_with_the_first_and_the_last(page):
    evaluation = record(num_rounds=21, dense=197_888)
    alts = [image["alt"] for image in page(evaluation, pictures=True).named("img")]
    assert len(alts) == 2 * 8
    assert alts[:3] == ["picture-000.jpg, original", "picture-000.jpg, from scratch", "picture-000.jpg, round 0"]
    assert alts[7] == "picture-000.jpg, round 20"


def test_missing_pictures_are_said_to_be_missing(page, tmp_path):
    evaluation = record()
    save_pictures(tmp_path, evaluation)
    (tmp_path / "evaluation/pictures/round-02-1.png").unlink()
    made = page(evaluation)
    assert len(made.named("img")) == 2 * 6 - 1
    assert made.reading.count("no picture") == 1


def test_a_run_without_any_picture_has_no_gallery(page):
    assert "What it looks like" not in page(record()).reading


def test_a_run_without_metrics_says_so(page):
    made = page(record(), [])
    assert "This run has no metrics." in made.reading
    assert set(made.figures) == {"weights", "steps"}


def test_numbers_that_are_missing_or_not_finite_become_dashes(page):
    evaluation = record(num_rounds=3)
    lost = evaluation["rows"][3]
    lost["signals"] = [fabricated.signal(f"{s}.jpg", None, status=s) for s in ("diverged", "unreadable")]
    lost["mean_psnr_db"] = []
    evaluation["rows"][2]["mean_psnr_db"][3] = math.nan
    evaluation["rows"][1]["signals"][0]["psnr_db"][-1] = math.inf
    lines = metrics()
    lines[3]["psnr_db"] = math.nan
    lines[-1]["val_psnr_db"][1] = None
    made = page(evaluation, lines, pictures=True)
    assert f"Sparsest start {DASH} dB" in made.reading
    assert "diverged.jpg is diverged for a test" in made.reading
    assert "unreadable.jpg is unreadable for a test" in made.reading
    learned = next(t for t in made.figures["weights"]["data"] if t["name"].startswith("learned"))
    assert len(learned["x"]) == 2


def test_a_perfect_fit_is_inf_wherever_it_is_shown(page, tmp_path):
    evaluation, lines = record(num_rounds=3), metrics()
    for row in (evaluation["rows"][3], evaluation["rows"][0]):
        row["signals"][0]["psnr_db"][-1] = row["mean_psnr_db"][-1] = math.inf
    lines[-1]["val_psnr_db"][2] = lines[3]["psnr_db"] = math.inf
    save_pictures(tmp_path, evaluation)
    made = page(evaluation, lines)
    assert "Sparsest start inf dB" in made.reading
    assert "Gain, sparsest start +0.00 dB" in made.reading  # as scratch is perfect too
    assert made.reading.count("picture-000.jpg inf dB") == 1
    assert ">inf</td>" in made.text
    assert "Where a fit is perfect its PSNR is infinite (inf)" in made.reading
    learned = next(t for t in made.figures["weights"]["data"] if t["name"].startswith("learned"))
    assert learned["y"][2] is None
    assert "<br>inf dB, mean of 5 signals" in learned["text"][2]
    band = next(t for t in made.figures["weights"]["data"] if t["name"] == "10th to 90th percentile")
    assert band["y"]
    assert None not in band["y"]
    assert "| inf |" in table_markdown(evaluation)
    again, metrics_again = (json.loads(json_bytes(told)) for told in (evaluation, lines))
    assert page(again, metrics_again).text == made.text  # a record and its file say the same
    save_summary_figure([("faces", again)], tmp_path / "summary.png")


def test_a_page_without_perfect_fits_does_not_explain_them(page):
    assert "infinite" not in page(record(), pictures=True).reading


def test_a_row_where_every_signal_failed_everywhere_still_makes_a_page(page):
    evaluation = record(num_rounds=2)
    for row in evaluation["rows"]:
        row["signals"] = [fabricated.signal("bad.jpg", None, status="unreadable")]
        row["mean_psnr_db"] = []
    made = page(evaluation, pictures=True)
    assert made.figures["weights"]["data"] == []
    assert "0/1" in made.reading


def test_one_round_only_makes_a_page(page):
    reading = page(record(num_rounds=1)).reading
    assert "Sparsest" not in reading
    assert "Gain over scratch" in reading
    assert "fitted from it" in reading


def test_measuring_before_the_first_step_only_makes_a_page(page):
    made = page(record(steps=(0,)))
    assert "0 Adam steps" in made.reading
    assert made.figures["steps"]["layout"]["xaxis"]["ticktext"] == ["0"]


def test_the_whole_configuration_is_there(page):
    reading = page(record()).reading
    for words in ("omega_0 30.0", "resolution 5 x 3", "seed 8", "commit 0123abcd", "processor an abacus", "lr 0.0001",
                  "measured 2031-05-06T07:08:09+00:00", "torch 2.9"):  # fmt: skip
        assert words in reading


@pytest.mark.parametrize("change", [{"kind": "experiment"}, {"record_version": 3}, {"rows": []}])
def test_other_records_are_refused_and_the_old_page_stays(tmp_path, change):
    (tmp_path / "report.html").write_text("old")
    with pytest.raises(BadInput, match="record"):
        write_report(tmp_path, record() | change, [])
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    assert (tmp_path / "report.html").read_text() == "old"
