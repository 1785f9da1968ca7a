"""An output folder that is moved, removed or replaced while a command works: the command fails, says so in one line,
and makes no folder of that name again."""

import shutil

import pytest
from small_starts import make_pictures, make_start

from sparsine.cli.console import Waiting
from sparsine.cli.main import main
from sparsine.folders import LOCK

FAST = ["--steps", "2", "--batch", "1"]
TINY = ["--recipe", "quick", "--width", "7", "--hidden-layers", "2", "--resolution", "6x9", "--dense-steps", "6",
        "--steps-per-round", "3", "--rounds", "2", "--val-signals", "0"]  # fmt: skip


def moved(folder):
    folder.rename(folder.with_name("elsewhere"))


def removed(folder):
    moved(folder)  # at once, or files would be written while others are removed
    shutil.rmtree(folder.with_name("elsewhere"), ignore_errors=True)


def replaced(folder):
    moved(folder)
    folder.mkdir()


HAPPENS = pytest.mark.parametrize("happens", [removed, moved, replaced])


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_start(tmp_path / "start.safetensors")
    make_pictures(tmp_path / "in", *(f"{i}.png" for i in range(7)))
    return tmp_path


@pytest.fixture
def after(monkeypatch):
    """Calls something when the command says for the n-th time how far it is."""

    def arrange(number, call):
        usual, count = Waiting.at, iter(range(1, 10**6))

        def at(self, *args, **told):
            usual(self, *args, **told)
            if next(count) == number:
                call()

        monkeypatch.setattr(Waiting, "at", at)

    return arrange


def failed(capsys, args, out):
    """Whether the command ended as it must, with nothing new under the old name."""
    capsys.readouterr()
    assert main([str(arg) for arg in args]) == 1
    said = capsys.readouterr()
    assert len(said.err.splitlines()) == 1
    assert "was written to" in said.err
    assert "done" not in said.out
    assert not out.exists() or list(out.iterdir()) == []


@HAPPENS
@pytest.mark.parametrize("number", [1, 3, 7])
@pytest.mark.parametrize("command", ["fit", "encode", "decode"])
def test_results_of_signals(capsys, place, after, happens, number, command):
    if command == "decode":
        assert main(["encode", "start.safetensors", "in", "--out", "codes", *FAST]) == 0
    out = place / "out"
    after(number, lambda: happens(out))
    args = {"decode": ["decode", "codes", "--start", "start.safetensors"]}.get(
        command, [command, "start.safetensors", "in", *FAST]
    )
    failed(capsys, [*args, "--out", out, "--json", "out/all.json"], out)


@pytest.mark.parametrize("command", ["encode", "decode"])
def test_the_same_command_goes_on_in_a_folder_that_was_brought_back(capsys, place, after, monkeypatch, command):
    if command == "decode":
        assert main(["encode", "start.safetensors", "in", "--out", "codes", *FAST]) == 0
    out = place / "out"
    args = {"decode": ["decode", "codes", "--start", "start.safetensors"]}.get(
        command, [command, "start.safetensors", "in", *FAST]
    )
    with monkeypatch.context():
        after(3, lambda: moved(out))
        failed(capsys, [*args, "--out", out], out)
    monkeypatch.undo()
    monkeypatch.chdir(place)
    (place / "elsewhere").rename(out)
    assert main([*args, "--out", "out"]) == 0
    assert "kept" in capsys.readouterr().out
    assert len(list(out.glob("*.spn" if command == "encode" else "*.png"))) == 7


def test_a_lock_that_was_removed_ends_the_work(capsys, place, after):
    after(2, (place / "out" / LOCK).unlink)
    assert main(["encode", "start.safetensors", "in", "--out", "out", *FAST]) == 1
    assert f"out/{LOCK} was removed" in capsys.readouterr().err


@HAPPENS
@pytest.mark.parametrize("number", [2, 7, 11])
def test_a_run(capsys, place, after, happens, number):
    after(number, lambda: happens(place / "run"))
    failed(capsys, ["learn", "curves", "--out", place / "run", *TINY, "--checkpoint-seconds", "0"], place / "run")


@HAPPENS
def test_the_report_of_a_run(capsys, place, after, happens):
    assert main(["learn", "curves", "--out", "run", *TINY]) == 0
    after(2, lambda: happens(place / "run"))
    failed(capsys, ["report", place / "run", "--limit", "2", "--steps", "2"], place / "run")


@HAPPENS
def test_a_comparison(capsys, place, after, happens):
    after(1, lambda: happens(place / "out"))
    args = ["--methods", "meta-sparse", "--seeds", "0", "--levels", "1", "--limit", "1", "--workers", "1",
            "--width", "7", "--resolution", "6x9", "--dense-steps", "6", "--steps-per-round", "3"]  # fmt: skip
    failed(capsys, ["compare", "quick", "--data", "curves", "--out", place / "out", *args], place / "out")


@HAPPENS
def test_bytes_beside_other_codecs(capsys, place, after, happens):
    assert main(["calibrate", "start.safetensors", "in", "--out", "calibrated.safetensors", "--steps", "2"]) == 0
    after(2, lambda: happens(place / "out"))
    args = ["--steps", "2", "--jpeg", "30", "--webp", "30", "--qualities", "48", "--coin-widths", "4", "--coin-steps",
            "1"]  # fmt: skip
    failed(capsys, ["rate-distortion", "calibrated.safetensors", "in", "--out", place / "out", *args], place / "out")
