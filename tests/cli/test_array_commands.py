"""Volumes from the command line: learned, resumed, reported, coded, and drawn as NumPy's files and NIfTI."""

import json

import numpy as np
import pytest

from sparsine import decode, load_start
from sparsine.cli.main import main

TINY = ["--recipe", "quick", "--width", "8", "--hidden-layers", "2", "--omega-0", "4", "--dense-steps", "4",
        "--steps-per-round", "2", "--rounds", "1", "--val-signals", "1", "--tasks-per-step", "2", "--points", "40",
        "--output-offset", "0.5"]  # fmt: skip
LOWEST, HIGHEST = 10, 30


def run(*words):
    return main([str(word) for word in words])


def volume():
    x, y, z = np.meshgrid(*(np.linspace(0, 3, n) for n in (8, 9, 10)), indexing="ij")
    return (20 + 9 * np.sin(x + 2 * y) * np.cos(z)).astype(np.float32)


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """(the spec of eighteen boxes, a value of which is missing, the run)"""
    folder = tmp_path_factory.mktemp("array")
    values = volume()
    values[0, 0, 0] = np.nan
    np.save(folder / "a.npy", values)
    spec = f"array:{folder / 'a.npy'}?box=4,3,3&range={LOWEST}:{HIGHEST}&test=2:2&val=2:1"
    assert run("learn", spec, "--out", folder / "run", *TINY) == 0
    return spec, folder / "run"


@pytest.fixture(scope="module")
def codes(learned, tmp_path_factory):
    folder = tmp_path_factory.mktemp("codes") / "codes"
    spec, start = learned
    assert run("encode", start, spec, "--split", "test", "--steps", "30", "--lr", "0.01", "--out", folder) == 0
    return folder


def test_a_finished_run_goes_on(learned):
    spec, folder = learned
    assert run("learn", spec, "--out", folder, *TINY, "--resume") == 0


def test_the_report_has_errors_in_the_unit_and_pictures(learned):
    _, folder = learned
    assert run("report", folder, "--steps", "5", "--limit", "1") == 0
    record = json.loads((folder / "evaluation.json").read_text())
    assert record["data"]["metrics"].keys() == {"rmse", "max_error"}
    (signal,) = record["rows"][-1]["signals"]
    assert signal["input"] == "a.npy@0-0-6"
    expected = (HIGHEST - LOWEST) * 10 ** (-signal["metrics"]["psnr_db"][-1] / 20)
    assert signal["metrics"]["rmse"][-1] == pytest.approx(expected, rel=1e-3)
    assert (folder / "evaluation" / "pictures" / "original-0.png").is_file()


def test_a_code_is_drawn_at_any_size_in_the_unit(learned, codes, tmp_path):
    _, folder = learned
    assert run("decode", codes, "--start", folder, "--size", "7x5x4", "--out", tmp_path) == 0
    start = load_start(next((folder / "starts").glob("*01.safetensors")))
    drawn = np.load(tmp_path / "a_0-0-6.npy")
    field = decode(start, (codes / "a_0-0-6.spn").read_bytes())
    assert (drawn.shape, drawn.dtype) == ((7, 5, 4), np.float32)
    assert np.abs(drawn - start.kind.in_unit(field.render((7, 5, 4))[..., 0])).max() < 1e-4
    assert LOWEST - 20 < drawn.min() < drawn.max() < HIGHEST + 20


def test_missing_values_do_not_keep_a_box_from_being_coded(learned, tmp_path):
    spec, folder = learned
    assert run("encode", folder, spec, "--split", "train", "--steps", "5", "--out", tmp_path / "c") == 0
    assert len(list((tmp_path / "c").glob("*.spn"))) == 6


def test_a_whole_nifti_comes_back_where_it_lay(learned, tmp_path):
    nibabel = pytest.importorskip("nibabel", reason="the extra nifti is not installed")
    _, folder = learned
    affine = np.array([[0, 2, 0, -7], [3, 0, 0, 5], [0, 0, 4, 1], [0, 0, 0, 1.0]])
    nibabel.save(nibabel.Nifti1Image(volume(), affine), tmp_path / "b.nii.gz")
    assert run("encode", folder, tmp_path / "b.nii.gz", "--steps", "5", "--out", tmp_path / "c") == 0
    assert [path.name for path in (tmp_path / "c").glob("*.spn")] == ["b.spn"]
    for options, suffix in (([], ".nii.gz"), (["--size", "15x9x10"], ".nii"), (["--region", "0.5,0,0,1,1,1"], ".nii")):
        out = tmp_path / f"d{len(options)}{suffix}{options[:1]}"
        form = ["--format", suffix.removeprefix(".")]
        assert run("decode", tmp_path / "c", "--start", folder, *form, *options, "--out", out) == 0
        image = nibabel.load(out / f"b{suffix}")
        assert image.affine.shape == (4, 4)
        first, last = image.affine[:3, 3], image.affine[:3] @ [*(n - 1 for n in image.shape), 1]
        assert np.allclose(last, affine[:3] @ [7, 8, 9, 1])
        if "--region" not in options:
            assert np.allclose(first, affine[:3, 3])
        else:
            assert first[1] > 5 + 3 * 3
    whole = nibabel.load(tmp_path / "d0.nii.gz[]" / "b.nii.gz")
    start = load_start(next((folder / "starts").glob("*01.safetensors")))
    assert whole.shape == (8, 9, 10)
    field = decode(start, (tmp_path / "c" / "b.spn").read_bytes())
    assert np.abs(whole.get_fdata() - start.kind.in_unit(field.render()[..., 0])).max() < 1e-4


def test_a_format_that_is_none_and_files_of_another_size_are_refused(learned, codes, tmp_path, capsys):
    spec, folder = learned
    assert run("decode", codes, "--start", folder, "--format", "png", "--out", tmp_path / "d") == 2
    assert "drawings of array are written as npy, nii.gz or nii, not as png" in capsys.readouterr().err
    other = spec.replace("range=10:30", "range=0:30")
    assert run("encode", folder, other, "--out", tmp_path / "e") == 2
    assert "the start draws array (lowest 10, highest 30)" in " ".join(capsys.readouterr().err.split())


def test_what_is_no_array_is_told_beside_those_that_are_coded(learned, tmp_path, capsys):
    _, folder = learned
    np.save(tmp_path / "good.npy", volume())
    np.save(tmp_path / "bad.npy", np.array([None]), allow_pickle=True)
    assert run("encode", folder, tmp_path / "good.npy", tmp_path / "bad.npy", "--steps", "2", "--out",
               tmp_path / "c") == 1  # fmt: skip
    assert [path.name for path in (tmp_path / "c").glob("*.spn")] == ["good.spn"]
    told = " ".join("".join(capsys.readouterr()).split())
    assert "never loaded" in told
