"""An experiment that nobody has heard of: it brings a function that fits, and has records, tables and figures."""

import numpy as np
import pytest
import torch

from sparsine.measure.records import head, signal
from sparsine.measure.score import measure
from sparsine.report.matplotlib_figures import Layout, save
from sparsine.report.measured import measured_table, over_steps, over_weights
from sparsine.report.plotly_figures import described
from sparsine.signals.arrays import dataset_from_arrays
from sparsine.signals.grid import Grid

SHAPE, STEPS = (12, 17), (0, 4)


def blurred(size):
    """What is left of a picture in blocks of some pixels: a way to fit, made up here."""

    def fit(batch, on_drawn):
        pictures = batch.target.reshape(-1, *SHAPE, 1)
        on_drawn(0, torch.zeros_like(batch.target))
        coarse = torch.nn.functional.interpolate(pictures.permute(0, 3, 1, 2), scale_factor=1 / size, mode="area")
        drawn = torch.nn.functional.interpolate(coarse, SHAPE)
        on_drawn(4, drawn.permute(0, 2, 3, 1).reshape(batch.target.shape))
        return ["ok"] * len(pictures)

    return fit


@pytest.fixture(scope="module")
def made():
    """The record of that experiment."""
    pictures = np.random.default_rng(5).uniform(0, 1, (7, *SHAPE, 1)).astype(np.float32)
    dataset = dataset_from_arrays(pictures, kind="values", seed=0)
    names = ["psnr_db", *(metric.name for metric in dataset.kind.metrics)]
    rows = []
    for size, weights in ((1, 204), (3, 20)):
        found = measure(blurred(size), dataset, Grid(shape=SHAPE), len(dataset.test), 2, torch.device("cpu"))
        rows.append({"name": f"blocks of {size}", "weights": weights, "steps": list(STEPS), "method": "blocks",
                     "signals": [one.to_dict(names, len(STEPS)) for one in found.signals]})  # fmt: skip
    return {**head("blocks", 1), "rows": rows}


def test_its_table_has_a_line_for_each_row(made):
    table = measured_table(made)
    assert table.head[:3] == ("", "weights", "PSNR (dB)")
    assert [row[:2] for row in table.rows] == [("blocks of 1", "204"), ("blocks of 3", "20")]
    assert table.rows[0][2] == "inf"
    assert 3 < float(table.rows[1][2]) < 20


def test_its_figures_are_drawn_for_documents_and_for_pages(made, tmp_path):
    pytest.importorskip("matplotlib")
    weights, steps = over_weights(made), over_steps(made)
    (line,) = described(weights)["data"]
    assert line["x"] == [20, 204]
    assert line["y"][1] is None  # no axis holds a perfect fit
    assert [trace["name"] for trace in described(steps)["data"]] == ["blocks of 3", "blocks of 1"]
    assert described(steps)["layout"]["xaxis"]["ticktext"] == ["0", "4"]
    save([weights, steps], tmp_path / "both.svg", Layout())
    assert "blocks of 3" in (tmp_path / "both.svg").read_text()


def test_a_row_says_over_how_many_of_its_signals_its_means_are(made):
    bad = signal("bad", "diverged", {"psnr_db": [1.0, -30.0]}, "too fast")
    row = {**made["rows"][1], "signals": [*made["rows"][1]["signals"], bad]}
    told = measured_table({**made, "rows": [row]}).rows[0]
    number = len(row["signals"])
    assert told[0] == f"blocks of 3 ({number - 1} of {number})"
    assert told[2] == measured_table(made).rows[1][2]
