import hashlib
import json

import numpy as np
import pytest
from PIL import Image

from sparsine import decode, encode
from sparsine.cli.main import main
from sparsine.codec.format.header import read_header
from sparsine.codec.format.identity import start_hash
from sparsine.starts.built_in import built_in_starts, where_is
from sparsine.starts.plan import FULL_STEPS
from sparsine.starts.start import load_start

MADE = {
    "curves-1k": ("10e3277fb7d9393e5ab2261562e15456aa873859e7bbd72480c47c5f1fd2b1bc", "e7a1c1f97005beb3"),
    "photos-2k": ("e3ccf68f198a29178b158b3329e93189abe4820c24ce75532d522e71eb66c408", "836fbbde343585af"),
    "photos-4k": ("479470b335eed437b111096c79c302929de1274999454b6dbadb3223e62c53b3", "bb0c8345bd00696b"),
    "photos-9k": ("ed8a6b5cf47429b0687a08f7352712dad4924503c8e4933416cf5c920585b592", "40ac4307a590108e"),
    "photos-17k": ("1b516845e9d5fdb838e85a6695ebbca29c386c5767e8749b5703c600873838b9", "a702379782d34439"),
}
"""SHA-256 of each file and the hash in its codes: codes of a released start must stay readable."""


@pytest.fixture
def picture(tmp_path):
    y, x = np.mgrid[0:20, 0:30] / 20
    shades = 0.5 + 0.4 * np.sin(np.stack([3 * y, 4 * x, 5 * x * y], axis=-1))
    path = tmp_path / "waves.png"
    Image.fromarray((255 * shades).astype(np.uint8)).save(path)
    return path


def test_the_starts_that_come_with_the_package_are_those_that_were_made():
    found = {
        name: (hashlib.sha256(path.read_bytes()).hexdigest(), start_hash(load_start(path)).hex())
        for name, path in built_in_starts().items()
    }
    assert found == MADE


@pytest.mark.parametrize("name", MADE)
def test_a_built_in_start_has_plans_tables_and_an_expectation(name):
    start = load_start(name)
    assert list(start.plans) == list(FULL_STEPS)
    assert start.coding is not None
    assert start.info["expected"]["bytes"] > 0
    assert built_in_starts()[name].stat().st_size < 400_000


def test_they_are_listed_with_what_to_expect(tmp_path, capsys):
    record = tmp_path / "starts.json"
    assert main(["starts", "--json", str(record)]) == 0
    told = capsys.readouterr().out
    for name in MADE:
        assert name in told
    assert [one["start"] for one in json.loads(record.read_text())] == list(built_in_starts())


def test_a_stranger_encodes_and_decodes_without_learning_first(tmp_path, picture, capsys):
    codes, drawn = tmp_path / "codes", tmp_path / "drawn"
    assert main(["encode", "photos-2k", str(picture), "--out", str(codes), "--effort", "instant"]) == 0
    assert main(["decode", str(codes), "--start", "photos-2k", "--out", str(drawn)]) == 0
    original, found = (np.asarray(Image.open(p), dtype=float) / 255 for p in (picture, drawn / "waves.png"))
    assert -10 * np.log10(np.square(original - found).mean()) > 25
    assert main(["info", str(codes / "waves.spn"), "--start", "photos-2k"]) == 0


def test_a_file_of_that_name_comes_first(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos-2k").write_text("not a start")
    assert main(["info", "photos-2k"]) == 2
    assert "photos-2k" in capsys.readouterr().err
    assert where_is(tmp_path / "photos-2k") == tmp_path / "photos-2k"


def test_a_name_that_does_not_exist_is_answered_with_those_that_do(picture, tmp_path, capsys):
    assert main(["encode", "photos-3k", str(picture), "--out", str(tmp_path / "codes")]) == 2
    error = capsys.readouterr().err
    assert "there is no photos-3k" in error
    assert all(name in error for name in MADE)
    assert not (tmp_path / "codes").exists()


def test_from_python_by_name():
    start = load_start("photos-2k")
    values = np.full((6, 7, 3), 0.25, np.float32)
    drawing = decode(start, encode(start, values)).render((12, 14))
    assert abs(drawing - 0.25).max() < 0.05


def test_a_target_chooses_a_start_of_a_family_and_codes_find_it_again(tmp_path, picture, capsys):
    codes, fast = tmp_path / "codes", ["--steps", "3", "--lr", "1e-3", "--share", "1"]
    assert main(["encode", "photos", str(picture), "--out", str(codes), "--target-bytes", "5000", *fast]) == 0
    told = capsys.readouterr().out
    assert "choosing a start of 4 by 1 signal" in told
    used = read_header((codes / "waves.spn").read_bytes()).start_hash.hex()
    assert used in {MADE[name][1] for name in ("photos-4k", "photos-9k")}
    assert main(["decode", str(codes), "--start", "photos", "--out", str(tmp_path / "drawn")]) == 0
    assert (tmp_path / "drawn/waves.png").exists()
    assert main(["info", str(codes / "waves.spn"), "--start", "photos"]) == 0
    exported = tmp_path / "waves.npz"
    assert main(["export", str(codes / "waves.spn"), "--start", "photos", "--to", "npz", "--out", str(exported)]) == 0
    assert exported.stat().st_size > 0


@pytest.mark.parametrize("command", [["encode"], ["fit"]])
def test_a_family_without_a_target_is_refused_with_its_names(tmp_path, picture, capsys, command):
    assert main([*command, "photos", str(picture), "--out", str(tmp_path / "out")]) == 2
    assert "photos is a family of starts: photos-2k, photos-4k, photos-9k, photos-17k; name one" in " ".join(
        capsys.readouterr().err.split()
    )
    assert not (tmp_path / "out").exists()


def test_a_family_that_does_not_exist_is_refused(tmp_path, picture, capsys):
    assert main(["encode", "pictures", str(picture), "--out", str(tmp_path / "out"), "--target-bytes", "900"]) == 2
    assert "photos-2k" in capsys.readouterr().err
