"""Mistakes on the command line: one line on stderr, the right exit code, nothing half-written."""

import json
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sparsine.cli.main import main
from sparsine.starts.start import load_start

TINY = ["--recipe", "quick", "--width", "7", "--hidden-layers", "2", "--resolution", "6x9", "--dense-steps", "3",
        "--steps-per-round", "2", "--rounds", "2", "--val-signals", "1"]  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    assert main(["learn", "curves", "--out", str(folder), *TINY]) == 0
    return folder


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    rng = np.random.default_rng(5)
    for i in range(7):
        Image.fromarray(rng.integers(0, 256, (11, 13, 3), dtype=np.uint8)).save(folder / f"{i}.png")
    return folder


def refused(capsys, *args) -> str:
    """The one line that the command says when it refuses."""
    capsys.readouterr()
    code = main([str(a) for a in args])
    said = capsys.readouterr().err.strip().splitlines()
    assert code == 2, (code, said)
    assert len(said) == 1, said
    assert said[0].startswith("error: ")
    return said[0]


BAD_NUMBERS = [
    (option, value)
    for option in (
        "--width", "--hidden-layers", "--omega-0", "--resolution", "--inner-steps", "--inner-step-size", "--points",
        "--outer-step-size", "--tasks-per-step", "--dense-steps", "--steps-per-round", "--fraction", "--rounds",
        "--sparsity", "--log-every", "--val-every", "--val-signals", "--checkpoint-seconds", "--seed",
        "--split-seed",
    )
    for value in ("-1", "nan", "99999999999999999999", "abc")
]  # fmt: skip


@pytest.mark.parametrize(("option", "value"), BAD_NUMBERS)
def test_a_number_that_makes_no_sense_is_refused_before_anything_is_written(capsys, tmp_path, option, value):
    said = refused(capsys, "learn", "curves", "--out", tmp_path / "run", "--recipe", "quick", option, value)
    assert option.strip("-").replace("-", "") in said.replace("-", "").replace("_", "")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("option", "value"),
    [("--inner-steps", "0"), ("--points", "0"), ("--width", "0"), ("--tasks-per-step", "0"), ("--fraction", "0"),
     ("--omega-0", "0"), ("--resolution", "1x1"), ("--resolution", "0"), ("--fraction", "1.5"),
     ("--sparsity", "1.01"), ("--omega-0", "inf"), ("--low", "2"), ("--low", "nan")],
)  # fmt: skip
def test_zero_and_out_of_range_are_refused(capsys, tmp_path, option, value):
    refused(capsys, "learn", "curves", "--out", tmp_path / "run", "--recipe", "quick", option, value)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("option", "value"),
    [("--steps", "-1"), ("--lr", "0"), ("--lr", "nan"), ("--batch", "0"), ("--limit", "0"), ("--size", "0x3"),
     ("--size", "x"), ("--sparsity", "2"), ("--sparsity", "nan"), ("--optimizer", "adamw"), ("--split", "testing"),
     ("--report", "-3"), ("--report", "999"), ("--engine", "fast"), ("--device", "tpu-9")],
)  # fmt: skip
def test_fit_refuses_options_that_make_no_sense(capsys, tmp_path, run, option, value):
    refused(capsys, "fit", run, "curves", "--out", tmp_path / "fit", "--limit", "2", option, value)
    assert not (tmp_path / "fit" / "psnr.csv").exists()


@pytest.mark.parametrize(
    ("args", "mentions"),
    [
        (["bogus"], "learn, fit, report"),
        (["learn", "curves", "--out", "x", "--recipe", "huge"], "quick, small, paper"),
        (["learn", "pictures:somewhere", "--out", "x"], "images:DIR"),
        (["learn", "images:", "--out", "x"], "images:DIR"),
        (["learn", "images:does/not/exist", "--out", "x"], "does/not/exist"),
        (["learn", "sdf2d:nothing.npz", "--out", "x"], "nothing.npz"),
        (["learn", "--out", "x"], "DATASET"),
        (["learn", "curves"], "--out"),
        (["learn", "curves", "--out"], "--out"),
        (["learn", "curves", "--out", "x", "--widht", "3"], "--width"),
        (["learn", "curves", "--out", "x", "--algorithm", "magic"], "maml"),
        (["learn", "curves", "--out", "x", "--score", "magic"], "magnitude"),
        (["learn", "curves", "--out", "x", "--engine", "magic"], "dense"),
        (["learn", "curves", "--out", "x", "--device", "magic"], "cpu"),
        (["learn", "curves", "--out", "x", "--width", "60000", "--hidden-layers", "9"], "GiB"),
        (["learn", "curves", "--out", "x", "--start-from", "nothing.safetensors"], "nothing.safetensors"),
        (["fit", "nowhere", "curves", "--out", "x"], "nowhere"),
        (["report", "nowhere"], "nowhere"),
        (["info", "nowhere"], "nowhere"),
        (["import-learnit", "nowhere.npz", "--out", "x"], "nowhere.npz"),
    ],
)
def test_a_mistake_is_answered_with_what_would_be_right(capsys, tmp_path, monkeypatch, args, mentions):
    monkeypatch.chdir(tmp_path)
    assert mentions in refused(capsys, *args)
    assert not Path("x").exists()


def test_a_run_is_not_overwritten(capsys, run):
    before = {p: p.read_bytes() for p in run.rglob("*") if p.is_file()}
    assert "--resume" in refused(capsys, "learn", "curves", "--out", run, *TINY)
    assert "field.width" in refused(capsys, "learn", "curves", "--out", run, "--resume", "--width", "12")
    assert "data" in refused(capsys, "learn", "curves:3", "--out", run, "--resume")
    assert {p: p.read_bytes() for p in run.rglob("*") if p.is_file()} == before


def test_a_folder_with_other_files_is_not_taken_for_a_run(capsys, images):
    assert "not of a run" in refused(capsys, "learn", "curves", "--out", images, *TINY)
    assert "is a file" in refused(capsys, "learn", "curves", "--out", images / "0.png", *TINY)


def test_two_processes_cannot_write_to_one_run(capsys, run, tmp_path):
    from sparsine.folders import locked

    shutil.copytree(run, tmp_path / "copy")
    with locked(tmp_path / "copy"):
        assert "another process" in refused(capsys, "learn", "curves", "--out", tmp_path / "copy", "--resume")


def test_resuming_a_finished_run_changes_no_start(run, capsys):
    before = [load_start(p).theta for p in sorted((run / "starts").iterdir())]
    assert main(["learn", "curves", "--out", str(run), "--resume"]) == 0
    after = [load_start(p).theta for p in sorted((run / "starts").iterdir())]
    assert len(before) == 3
    assert all(a.equal(b) for a, b in zip(before, after, strict=True))


def test_a_damaged_checkpoint_is_refused_and_left(capsys, run, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    checkpoint = copy / "checkpoint.safetensors"
    checkpoint.write_bytes(checkpoint.read_bytes()[:-7])
    assert "checkpoint.safetensors" in refused(capsys, "learn", "curves", "--out", copy, "--resume")
    assert len(list((copy / "starts").iterdir())) == 3


def test_a_damaged_config_is_named(capsys, run, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    (copy / "config.json").write_text('{"recipe": ')
    assert "config.json" in refused(capsys, "learn", "curves", "--out", copy, "--resume")
    (copy / "config.json").write_text('{"recipe": "quick", "surprise": 3}')
    assert "surprise" in refused(capsys, "learn", "curves", "--out", copy, "--resume")


@pytest.mark.parametrize("cut", [0, 5, 90, -1])
def test_a_damaged_start_is_named(capsys, run, tmp_path, cut):
    data = next((run / "starts").iterdir()).read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(data[:cut])
    assert "cut.safetensors" in refused(capsys, "info", tmp_path / "cut.safetensors")
    assert "cut.safetensors" in refused(capsys, "fit", tmp_path / "cut.safetensors", "curves", "--out", tmp_path / "x")


def test_a_start_for_other_channels_is_refused(capsys, run, images, tmp_path):
    assert "draws distance, but" in refused(capsys, "fit", run, f"images:{images}", "--out", tmp_path / "a")
    assert "not read from files" in refused(capsys, "fit", run, images, "--out", tmp_path / "b")
    start = next((run / "starts").iterdir())
    assert "channel" in refused(
        capsys, "learn", f"images:{images}", "--out", tmp_path / "c", *TINY, "--start-from", start
    )


def test_fit_refuses_a_folder_that_holds_files_and_nothing_to_fit(capsys, run, images, tmp_path):
    assert "--overwrite" in refused(capsys, "fit", run, "curves", "--out", images)
    assert "nothing to fit" in refused(capsys, "fit", run, "--out", tmp_path / "fit")


def test_bad_images_are_reported_and_the_good_ones_fitted(capsys, images, tmp_path):
    run, out = tmp_path / "run", tmp_path / "fit"
    (images / "note.png").write_text("no picture")
    (images / "cut.jpg").write_bytes(_jpeg(tmp_path)[:-300])
    (images / "empty.png").touch()
    Image.new("RGB", (1, 1)).save(images / "dot.png")
    assert main(["learn", f"images:{images}", "--out", str(run), *TINY, "--dense-steps", "9"]) == 0
    assert "could not be read" in capsys.readouterr().out
    wanted = [images / "0.png", images / "note.png", images / "cut.jpg", tmp_path / "gone.png", images / "1.png"]
    args = [str(a) for a in ["fit", run, *wanted, "--out", out, "--json", tmp_path / "fit.json", "--steps", "3"]]
    assert main(args) == 1
    records = json.loads((tmp_path / "fit.json").read_text())
    assert [r["status"] for r in records] == ["ok", "unreadable", "unreadable", "unreadable", "ok"]
    assert all(len(r["psnr_db"]) == len(r["steps"]) for r in records)
    assert records[1]["psnr_db"][0] is None
    assert sorted(p.name for p in (out / "pictures").iterdir()) == ["0.png", "1.png"]


def test_a_folder_without_one_readable_image_is_refused(capsys, tmp_path):
    folder = tmp_path / "bad"
    folder.mkdir()
    assert "bad" in refused(capsys, "learn", f"images:{folder}", "--out", tmp_path / "run", *TINY)
    for i in range(5):
        (folder / f"{i}.png").write_text("no picture")
    said = refused(capsys, "learn", f"images:{folder}", "--out", tmp_path / "run", *TINY)
    assert "read" in said


def test_a_loss_that_is_not_finite_ends_the_run_with_1_and_keeps_the_last_good_checkpoint(capsys, tmp_path):
    args = [
        "learn",
        "curves",
        "--out",
        str(tmp_path / "run"),
        *TINY,
        "--inner-step-size",
        "1000",
        "--inner-steps",
        "60",
    ]
    capsys.readouterr()
    code = main(args)
    said = capsys.readouterr().err
    assert code == 1
    assert "not finite" in said or "is nan" in said or "is inf" in said
    assert "--inner-step-size" in said


def test_a_full_disk_ends_the_run_with_1_and_leaves_what_was_there(tmp_path):
    """A limit on the size of files stands in for the full disk: the same OSError at the same calls."""
    folder = tmp_path / "run"
    script = ("import resource, signal, sys; from sparsine.cli.main import main; "
              "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
              "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2); "
              "sys.exit(main(sys.argv[2:]))")  # fmt: skip
    args = ["learn", "curves", "--out", str(folder), *TINY, "--width", "40"]

    def learn(limit: int, *more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", script, str(limit), *args, *more]
        return subprocess.run(command, capture_output=True, text=True)

    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] in (resource.RLIM_INFINITY, -1)
    done = learn(9_000)
    assert done.returncode == 1, done.stderr
    assert "cannot write" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(folder.rglob("*.tmp")) == []
    assert learn(10**9, "--resume").returncode == 0
    assert len(list((folder / "starts").iterdir())) == 3


def test_an_output_folder_that_cannot_be_written_is_refused(capsys, tmp_path):
    (tmp_path / "file").write_text("x")
    assert "file" in refused(capsys, "learn", "curves", "--out", tmp_path / "file" / "run", *TINY)


def test_debug_shows_where_an_error_came_from():
    with pytest.raises(ValueError, match="unknown command"):
        main(["bogus", "--debug"])


def _jpeg(folder: Path) -> bytes:
    picture = Image.fromarray(np.random.default_rng(1).integers(0, 256, (40, 40, 3), dtype=np.uint8))
    picture.save(folder / "whole.jpeg")
    return (folder / "whole.jpeg").read_bytes()
