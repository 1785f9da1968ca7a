"""What `sparsine fit` wrote is opened by `info` and drawn by `decode`."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from small_starts import make_pictures, make_start

from sparsine.cli import find_start
from sparsine.cli.main import main
from sparsine.starts.start import load_start, save_start, write_vectors


@pytest.fixture
def fits(tmp_path):
    """Of two pictures, fitted from one start."""
    make_start(tmp_path / "start.safetensors")
    make_pictures(tmp_path / "pictures", "a.png", "b.png")
    given = [str(tmp_path / "start.safetensors"), str(tmp_path / "pictures")]
    assert main(["fit", *given, "--out", str(tmp_path / "fits"), "--steps", "5", "--lr", "0.01"]) == 0
    return tmp_path / "fits"


def decode(fits, *options):
    start = fits.parent / "start.safetensors"
    return main(["decode", str(fits), "--start", str(start), "--out", str(fits.parent / "drawn"), *options])


def test_a_folder_of_fits_is_drawn_by_decode_as_fit_drew_it(fits):
    assert decode(fits, "--size", "10x14") == 0  # what fit draws: twice the grid
    for name in ("a.png", "b.png"):
        with Image.open(fits.parent / "drawn" / name) as one, Image.open(fits / "drawings" / name) as other:
            assert np.array_equal(np.asarray(one), np.asarray(other))


def test_one_fitted_vector_is_drawn_at_any_size_and_region(fits):
    start, out = fits.parent / "start.safetensors", fits.parent / "part"
    options = ["--start", str(start), "--out", str(out), "--size", "9x8", "--region", "0.25,0.25,0.5,0.75"]
    assert main(["decode", str(fits / "fields" / "a.safetensors"), *options]) == 0
    with Image.open(out / "a.png") as drawn:
        assert drawn.size == (8, 9)


def test_info_says_what_was_fitted_and_from_which_start(fits, capsys):
    assert main(["info", str(fits / "fields" / "a.safetensors")]) == 0
    told = " ".join(capsys.readouterr().out.split())
    start = load_start(fits.parent / "start.safetensors")
    for said in ("fitted vector", "a.png", start.digest[:16], "5 x 7", "dB", f"= {start.pattern.num_params}"):
        assert said in told


def test_info_of_a_folder_of_fits_says_what_to_name_instead(fits, capsys):
    assert main(["info", str(fits)]) == 2
    assert f"{fits}/fields/NAME.safetensors" in capsys.readouterr().err


def test_a_vector_of_another_start_is_named_and_the_others_are_drawn(fits):
    start = load_start(fits.parent / "start.safetensors")
    about = {"input": "x", "grid": start.domain.to_dict(), "psnr_db": [1.0], "start_sha256": "0" * 64}
    write_vectors(fits / "fields" / "c.safetensors", {"theta": start.theta}, start.pattern, about, "sparsine-field")
    record = fits.parent / "record.json"
    assert decode(fits, "--json", str(record)) == 1
    told = {one["input"]: one for one in json.loads(record.read_text())}
    assert [told[f"{name}.safetensors"]["status"] for name in "abc"] == ["ok", "ok", "bad"]
    assert "another start" in told["c.safetensors"]["reason"]


def test_a_vector_of_a_wrong_length_and_a_damaged_one_are_named(fits):
    start = load_start(fits.parent / "start.safetensors")
    about = {"input": "x", "grid": start.domain.to_dict(), "psnr_db": [1.0], "start_sha256": start.digest}
    write_vectors(fits / "fields" / "a.safetensors", {"theta": start.theta[1:]}, start.pattern, about, "sparsine-field")
    whole = (fits / "fields" / "b.safetensors").read_bytes()
    (fits / "fields" / "b.safetensors").write_bytes(whole[:-5] + b"\0\0\0\0\1")
    record = fits.parent / "record.json"
    assert decode(fits, "--json", str(record)) == 1
    reasons = {one["input"]: one["reason"] for one in json.loads(record.read_text())}
    assert "numbers for" in reasons["a.safetensors"]
    assert "damaged" in reasons["b.safetensors"]


def test_of_several_starts_the_one_that_a_vector_was_fitted_from_draws_it(fits, monkeypatch):
    own, other = load_start(fits.parent / "start.safetensors"), fits.parent / "starts" / "other.safetensors"
    other.parent.mkdir()
    save_start(other, replace(own, theta=own.theta + 1))
    monkeypatch.setattr(find_start, "starts_at", lambda _: [other, fits.parent / "start.safetensors"])
    found, _ = find_start.find_start_of([fits / "fields" / "a.safetensors"], other, None)
    assert found == fits.parent / "start.safetensors"
