"""`sparsine view DIR` without a start: codes, fits and runs are opened by what lies around them."""

import os
import shutil
from pathlib import Path

import pytest
from small_runs import config_of, learn, photos
from viewer_problems import CURVES, tiny_start

from sparsine.cli.main import main
from sparsine.codec import Coder
from sparsine.fitting.collection import fit_collection
from sparsine.fitting.fit import FitConfig
from sparsine.fitting.fitted_files import write_fitted
from sparsine.signals.open import open_dataset
from sparsine.starts.start import load_start, save_start


@pytest.fixture
def seen(monkeypatch):
    """What would be served."""
    found = {}

    def serve(catalogue, listening):
        page = catalogue.page("", "name", None, 0, 99)
        code = catalogue.code(page["codes"][0]["name"])
        found.update(about=catalogue.about(), codes=page["codes"], root=catalogue.folder.root, first=code["levels"][0],
                     starts=[drawer.name for drawer in catalogue.starts.drawers.values()])  # fmt: skip

    monkeypatch.setattr("sparsine.viewer.serve.serve", serve)
    return found


def viewed(*words):
    return main(["view", *map(str, words), "--port", "0", "--no-browser"])


def copied(codes, place):
    shutil.copytree(codes, place)
    return place


def test_a_start_beside_the_codes_is_found_among_other_files(tmp_path, codes, start, seen):
    folder = copied(codes, tmp_path / "codes")
    save_start(tmp_path / "b.safetensors", start)
    save_start(tmp_path / "a.safetensors", tiny_start(seed=9))
    (tmp_path / "c.safetensors").write_bytes(b"no start at all")
    os.mkfifo(tmp_path / "0.safetensors")
    assert viewed(folder) == 0
    assert seen["starts"] == ["b.safetensors"]
    assert [code["name"] for code in seen["codes"]] == CURVES
    assert not any("error" in code for code in seen["codes"])


def test_codes_of_two_starts_have_both(tmp_path, codes, start, seen):
    folder, other = copied(codes, tmp_path / "codes"), tiny_start(seed=4, density=0.4)
    (folder / "a-of-another.spn").write_bytes(Coder(other).write(other.theta, (5, 4)))
    for name, one in (("one", start), ("two", other)):
        save_start(tmp_path / f"{name}.safetensors", one)
    assert viewed(folder) == 0
    assert sorted(seen["starts"]) == ["one.safetensors", "two.safetensors"]
    assert not any("error" in code for code in seen["codes"])


def test_fits_find_their_start_too(tmp_path, start, seen):
    (tmp_path / "fits").mkdir()
    curves = open_dataset("curves", resolution=start.domain.shape).test
    fits = fit_collection(start, curves, FitConfig(protocol="paper", steps=2), indices=range(2))
    for fitted in fits:
        write_fitted(tmp_path / "fits" / "fields" / f"{fitted.name}.safetensors", start, fitted)
    (tmp_path / "fits" / "psnr.csv").touch()
    save_start(tmp_path / "start.safetensors", start)
    assert viewed(tmp_path / "fits") == 0
    assert [code["name"] for code in seen["codes"]] == CURVES[:2]
    assert seen["starts"] == ["start.safetensors"]


def test_codes_of_a_start_that_comes_with_the_package_need_nothing_beside_them(tmp_path, seen):
    start = load_start("photos-2k")
    (tmp_path / "a.spn").write_bytes(Coder(start).write(start.theta, (12, 18)))
    assert viewed(tmp_path) == 0
    assert seen["starts"] == ["photos-2k.safetensors"]


def test_a_start_that_is_nowhere_is_asked_for(tmp_path, codes, capsys):
    assert viewed(copied(codes, tmp_path / "codes")) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"the start of {CURVES[0]} is not beside" in line
    assert "name it by --start" in line


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("learned")
    photos(folder / "photos")
    learn(config_of(folder / "photos"), folder / "a run")
    return folder / "a run"


def test_of_a_run_test_signals_are_fitted_beside_their_originals_and_nothing_is_left(run, seen, capsys):
    before = sorted(path.name for path in run.iterdir())
    assert viewed(run, "--limit", "2") == 0
    assert seen["about"]["folder"] == "a run"
    assert len(seen["codes"]) == 2
    assert all(code["psnr_db"] > 0 for code in seen["codes"])
    assert seen["first"]["no_original"] is None
    assert not seen["root"].exists()
    assert sorted(path.name for path in run.iterdir()) == before
    assert "fitted 2 test signals of it" in capsys.readouterr().out


def test_codes_within_a_run_find_its_starts(run, seen, tmp_path):
    sparsest = load_start(sorted((run / "starts").iterdir())[-1])
    (run / "codes").mkdir()
    try:
        (run / "codes" / "a.spn").write_bytes(Coder(sparsest).write(sparsest.theta, (9, 8)))
        assert viewed(run / "codes") == 0
    finally:
        shutil.rmtree(run / "codes")
    assert seen["starts"] == [sorted(path.name for path in (run / "starts").iterdir())[-1]]


def test_a_run_whose_signals_are_gone_is_refused_unless_it_is_said_where_they_are(run, seen, capsys, tmp_path):
    data = run.parent / "photos"
    data.rename(tmp_path / "moved")
    try:
        assert viewed(run) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1
        assert viewed(run, "--originals", f"images:{tmp_path / 'moved'}") == 0
    finally:
        Path(tmp_path / "moved").rename(data)
    assert seen["first"]["no_original"] is None
