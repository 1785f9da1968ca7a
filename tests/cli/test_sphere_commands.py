"""Fields on the globe from the command line: learned, resumed, reported, coded, and drawn as NetCDF at other sizes."""

import json

import numpy as np
import pytest

from sparsine import decode, load_start
from sparsine.cli.main import main

netCDF4 = pytest.importorskip("netCDF4", reason="the extra netcdf is not installed")

TINY = ["--recipe", "quick", "--width", "8", "--hidden-layers", "2", "--omega-0", "4", "--dense-steps", "4",
        "--steps-per-round", "2", "--rounds", "1", "--val-signals", "1", "--tasks-per-step", "2", "--points", "40",
        "--output-offset", "0.5"]  # fmt: skip
LATITUDES, LONGITUDES = np.linspace(-90, 90, 9), np.arange(0, 360, 30.0)


def run(*words):
    return main([str(word) for word in words])


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """(the spec of eight fields with a hole in each, the run)"""
    folder = tmp_path_factory.mktemp("sphere")
    with netCDF4.Dataset(folder / "t.nc", "w") as file:
        for name, along, unit in (("lat", LATITUDES, "degrees_north"), ("lon", LONGITUDES, "degrees_east")):
            file.createDimension(name, len(along))
            file.createVariable(name, "f8", (name,))[:] = along
            file.variables[name].units = unit
        file.createDimension("month", 8)
        values = 280 + 20 * np.cos(np.deg2rad(LATITUDES))[:, None] + 5 * np.cos(np.deg2rad(LONGITUDES))
        fields = np.ma.array(np.stack([values + month for month in range(8)]), "f4")
        fields[:, 2, 3:6] = np.ma.masked
        file.createVariable("t", "f4", ("month", "lat", "lon"), fill_value=-1e30)[:] = fields
        file.variables["t"].units = "K"
    spec = f"sphere:{folder / 't.nc'}?t&val=month:6&test=month:7"
    assert run("learn", spec, "--out", folder / "run", *TINY) == 0
    return spec, folder / "run"


def test_a_finished_run_goes_on_from_wherever_the_file_is_named(learned):
    spec, folder = learned
    assert run("learn", spec, "--out", folder, *TINY, "--resume") == 0


def test_the_report_has_the_error_in_the_unit_and_a_picture(learned):
    _, folder = learned
    assert run("report", folder, "--steps", "5", "--limit", "1") == 0
    record = json.loads((folder / "evaluation.json").read_text())
    assert record["data"]["metrics"]["rmse"] == "RMSE (K)"
    (signal,) = record["rows"][-1]["signals"]
    assert signal["input"] == "month=7"
    lowest, highest = 275, 311  # the range of the training fields, outwards
    expected = (highest - lowest) * 10 ** (-signal["metrics"]["psnr_db"][-1] / 20)
    assert signal["metrics"]["rmse"][-1] == pytest.approx(expected, rel=1e-3)
    assert "RMSE (K)" in (folder / "report.html").read_text()
    assert (folder / "evaluation" / "pictures" / "original-0.png").is_file()


def test_a_code_is_drawn_as_netcdf_at_any_size_with_its_coordinates(learned, tmp_path):
    spec, folder = learned
    assert (
        run("encode", folder, spec, "--split", "test", "--steps", "30", "--lr", "0.01", "--out", tmp_path / "codes")
        == 0
    )
    assert run("decode", tmp_path / "codes", "--start", folder, "--size", "18x24", "--out", tmp_path / "drawn") == 0
    (code,), (path,) = (tmp_path / "codes").glob("*.spn"), (tmp_path / "drawn").glob("*.nc")
    start = load_start(next((folder / "starts").glob("*01.safetensors")))
    field = decode(start, code.read_bytes())
    with netCDF4.Dataset(path) as file:
        assert file["t"].shape == (18, 24)
        assert file["t"].units == "K"
        latitude, longitude = np.asarray(file["latitude"][:]), np.asarray(file["longitude"][:])
        assert (latitude[0], longitude[0]) == (90, -7.5)
        there = field(latitude[:, None], longitude)[..., 0]
        assert np.abs(file["t"][:] - there).max() < 1e-3


def test_a_part_is_drawn_where_it_lies(learned, tmp_path):
    spec, folder = learned
    assert run("encode", folder, spec, "--split", "test", "--steps", "1", "--out", tmp_path / "codes") == 0
    asked = ["--region", "0,0.5,0.5,1", "--size", "4x6", "--out", tmp_path / "drawn"]
    assert run("decode", tmp_path / "codes", "--start", folder, *asked) == 0
    with netCDF4.Dataset(next((tmp_path / "drawn").glob("*.nc"))) as file:
        assert np.asarray(file["latitude"][:]).min() > 0
        assert np.asarray(file["longitude"][:]).min() > 150


def test_fits_are_told_with_masked_samples_grey(learned, tmp_path):
    spec, folder = learned
    assert run("fit", folder, spec, "--steps", "3", "--out", tmp_path / "fits", "--json", tmp_path / "fits.json") == 0
    (found,) = json.loads((tmp_path / "fits.json").read_text())
    assert found["status"] == "ok"
    assert len(list((tmp_path / "fits" / "pictures").glob("*.png"))) == 1


@pytest.mark.parametrize("command", ["learn", "fit"])
def test_a_variable_that_is_not_there_ends_in_one_line(command, learned, tmp_path, capsys):
    spec, folder = learned
    words = [command, *([folder] if command == "fit" else []), spec.replace("?t", "?u"), "--out", tmp_path / "out"]
    assert run(*words) == 2
    said = " ".join("".join(capsys.readouterr()).split())
    assert "has no variable 'u'; with latitudes and longitudes it has: t (month 8, lat 9, lon 12)" in said
