"""A kind of signal on one axis, another on scattered points, and an activation, all from a user's own file, pass
through everything: nothing of the package was written for them."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from sparsine.cli.main import main
from sparsine.fields import ACTIVATIONS
from sparsine.signals import KINDS, SOURCES
from sparsine.viewer.app import make_app
from sparsine.viewer.catalogue import Catalogue
from sparsine.viewer.folder import CodeFolder
from sparsine.viewer.originals import Originals
from sparsine.viewer.starts import Starts

PLUGIN = Path(__file__).with_name("plugin.py")
TINY = ["--recipe", "quick", "--width", "8", "--hidden-layers", "2", "--omega-0", "9", "--dense-steps", "20",
        "--steps-per-round", "5", "--rounds", "1", "--val-signals", "2", "--tasks-per-step", "2"]  # fmt: skip


def run(*words):
    return main([*map(str, words), "--load", str(PLUGIN)])


@pytest.fixture(scope="module", autouse=True)
def nothing_stays_in_tables():
    """What the file enters is gone again afterwards."""
    saved = [(table, dict(table)) for table in (KINDS, SOURCES, ACTIVATIONS)]
    yield
    for table, before in saved:
        table.clear()
        table.update(before)


@pytest.fixture(scope="module", params=[("tides", "sine"), ("tides", "bump"), ("sensors", "sine")], ids="-".join)
def learned(request, tmp_path_factory):
    """(data, folder with a run in it)."""
    data, activation = request.param
    folder = tmp_path_factory.mktemp(data)
    assert run("learn", data, "--out", folder / "run", *TINY, "--activation", activation) == 0
    return data, folder


def test_a_run_goes_on_where_it_is_done(learned):
    data, folder = learned
    before = (folder / "run" / "starts" / "round-01.safetensors").read_bytes()
    assert run("learn", data, "--out", folder / "run", "--resume") == 0
    assert (folder / "run" / "starts" / "round-01.safetensors").read_bytes() == before


def test_a_report_has_pictures_and_what_the_kind_measures(learned):
    data, folder = learned
    assert run("report", folder / "run", "--limit", "3", "--steps", "4", "--pictures", "2") == 0
    record = json.loads((folder / "run" / "evaluation.json").read_text())
    assert record["data"]["value_kind"] == {"tides": "tide", "sensors": "smoke"}[data]
    signals = [signal for row in record["rows"] for signal in row["signals"]] if data == "tides" else []
    worst = [signal["metrics"]["worst_m"][-1] for signal in signals]
    assert all(0 < value < 8 for value in worst)
    pictures = sorted((folder / "run" / "evaluation" / "pictures").glob("*.png"))
    assert len(pictures) == 2 * (1 + len(record["rows"]))
    page = (folder / "run" / "report.html").read_text()
    assert ("largest error (m)" in page) == (data == "tides")


def test_signals_are_fitted_coded_and_drawn(learned, capsys):
    data, folder = learned
    assert run("fit", folder / "run", data, "--out", folder / "fits", "--limit", "2", "--steps", "3") == 0
    assert len(list((folder / "fits" / "pictures").glob("*.png"))) == 2
    calibrated = folder / "calibrated.safetensors"
    assert run("calibrate", folder / "run", data, "--out", calibrated, "--steps", "3", "--lr", "1e-3") == 0
    assert run("encode", calibrated, data, "--out", folder / "codes", "--limit", "3", "--steps", "3") == 0
    capsys.readouterr()
    code = next((folder / "codes").glob("*.spn"))
    assert run("info", code, "--start", calibrated) == 0
    assert {"tides": "tide", "sensors": "smoke"}[data] in capsys.readouterr().out
    assert run("decode", folder / "codes", "--start", calibrated, "--out", folder / "drawn") == 0
    drawn = [np.load(path) for path in sorted((folder / "drawn").glob("*.npy"))]
    assert [values.shape for values in drawn] == [{"tides": (25, 2), "sensors": (4, 4, 4, 1)}[data]] * 3
    size = {"tides": "50", "sensors": "5x6x7"}[data]
    assert run("decode", code, "--start", calibrated, "--out", folder / "large", "--size", size) == 0
    (large,) = (np.load(path) for path in (folder / "large").glob("*.npy"))
    assert large.shape[:-1] == {"tides": (50,), "sensors": (5, 6, 7)}[data]


def test_the_viewer_shows_thumbnails_of_them_and_measures_them(learned):
    data, folder = learned
    assert run("encode", folder / "run", data, "--out", folder / "seen", "--limit", "2", "--steps", "3") == 0
    starts = Starts.at(folder / "run")
    originals = Originals(data, next(iter(starts.drawers.values())).start, room=1 << 20)
    client = TestClient(
        make_app(Catalogue(CodeFolder(folder / "seen"), starts, originals), ["localhost"]), "http://localhost"
    )
    codes = client.get("/api/codes").json()["codes"]
    assert [(code["zoomed"], code["sample"]) for code in codes] == [
        (False, {"tides": "hour", "sensors": "sample"}[data])
    ] * 2
    for code in codes:
        thumbnail = client.get("/thumbnail", params={"name": code["name"]})
        assert thumbnail.headers["content-type"] == "image/png"
        assert np.asarray(Image.open(io.BytesIO(thumbnail.content))).std() > 0
        measures = client.get("/api/measured", params={"name": code["name"]}).json()["measures"]
        assert ("largest error (m)" in {told["label"] for told in measures}) == (data == "tides")


def test_methods_are_compared_on_them(learned):
    data, folder = learned
    command = ["compare", "quick", "--data", data, "--out", folder / "compared", "--methods", "meta-sparse", "scratch",
               "maml-imp", "--levels", "1", "--limit", "2", "--pictures", "1", "--width", "8", "--hidden-layers", "2",
               "--dense-steps", "4", "--steps-per-round", "2", "--workers", "1"]  # fmt: skip
    assert run(*command) == 0
    cells = [json.loads(path.read_text()) for path in (folder / "compared" / "cells").rglob("*.json")]
    assert {cell["method"] for cell in cells} == {"meta-sparse", "scratch", "maml-imp"}
    for cell in cells:
        signals = cell["protocols"]["adam"]["signals"]
        assert all(np.isfinite(signal["metrics"]["psnr_db"]).all() for signal in signals)
        assert all(("worst_m" in signal["metrics"]) == (data == "tides") for signal in signals)


def test_without_the_file_a_start_of_an_unknown_kind_says_what_is_missing(learned, monkeypatch):
    import subprocess
    import sys

    _, folder = learned
    start = folder / "run" / "starts" / "round-01.safetensors"
    done = subprocess.run([sys.executable, "-m", "sparsine", "info", str(start)], capture_output=True, text=True)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "--load" in line
