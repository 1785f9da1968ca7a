"""Folders that cannot be looked into: named, passed over, and the exit status says that not all was done."""

import os
from pathlib import Path

import pytest
from small_starts import make_pictures, make_start

from sparsine.cli.main import main

FAST = ["--steps", "2"]
COMMANDS = {
    "fit": ["fit", "start.safetensors", "pictures", *FAST, "--out", "out"],
    "encode": ["encode", "start.safetensors", "pictures", *FAST, "--out", "out"],
    "encode a data set": ["encode", "start.safetensors", "images:data", *FAST, "--out", "out"],
    "decode": ["decode", "codes", "--start", "start.safetensors", "--out", "out"],
    "rate-distortion": ["rate-distortion", "start.safetensors", "pictures", *FAST, "--out", "out", "--qualities", "48",
                        "--jpeg", "30", "--webp", "30", "--coin-widths", "4", "--coin-steps", "1"],
}  # fmt: skip


@pytest.fixture
def closed(monkeypatch):
    """Folders of these names cannot be listed (root could list any)."""
    names, real = set(), os.scandir

    def scandir(path="."):
        if Path(os.fspath(path)).name in names:
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    return names


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_start(tmp_path / "start.safetensors")
    for folder in ("pictures", "data/train", "data/val", "data/test"):
        make_pictures(Path(folder), "a.png", "b.png")
        make_pictures(Path(folder) / "shut", "c.png")
    named = ["start.safetensors", "pictures/a.png", "pictures/b.png", *FAST, "--out"]
    assert main(["calibrate", *named, "start.safetensors", "--overwrite"]) == 0
    assert main(["encode", *named, "codes"]) == 0
    (tmp_path / "codes" / "shut").mkdir()
    (tmp_path / "codes" / "shut" / "d.spn").write_bytes((tmp_path / "codes" / "a.spn").read_bytes())
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS)
def test_what_lies_there_is_not_done_and_the_rest_is(place, closed, capsys, command):
    closed.add("shut")
    assert main(COMMANDS[command]) == 1
    said = capsys.readouterr().out
    assert "shut: Permission denied; it was passed over" in said
    assert any(Path("out").rglob("rate-distortion.json" if command == "rate-distortion" else "*a.*"))
    assert not any(Path("out").rglob("*shut*"))
    closed.clear()
    assert main([*COMMANDS[command], *["--overwrite"] * (command == "fit")]) == 0


def test_a_folder_of_codes_that_is_closed_as_a_whole_does_not_hide_another(place, closed, capsys):
    Path("more").mkdir()
    Path("more/e.spn").write_bytes(Path("codes/a.spn").read_bytes())
    closed.add("codes")
    assert main(["decode", "codes", "more", "--start", "start.safetensors", "--out", "out"]) == 1
    assert "cannot list codes: Permission denied; it was passed over" in capsys.readouterr().out
    assert Path("out/e.png").exists()
    assert main(["decode", "codes", "--start", "start.safetensors", "--out", "none"]) == 2
    assert "Permission denied" in capsys.readouterr().err


def test_the_viewer_names_a_level_that_it_cannot_list(place, closed, capsys, monkeypatch):
    monkeypatch.setattr("sparsine.viewer.serve.serve", lambda *_: None)
    command = ["view", "codes", "--start", "start.safetensors", "--port", "0", "--no-browser"]
    assert main(command) == 0
    assert "note" not in capsys.readouterr().out
    closed.add("shut")
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "viewing 2 signals" in said
    assert "note: cannot list codes/shut: Permission denied; it was passed over" in said


def test_codes_behind_a_link_to_a_folder_are_drawn_once(place, capsys):
    Path("codes/back").symlink_to(".", target_is_directory=True)
    Path("codes/more").symlink_to(place / "elsewhere", target_is_directory=True)
    Path("elsewhere").mkdir()
    Path("elsewhere/f.spn").write_bytes(Path("codes/a.spn").read_bytes())
    assert main(["decode", "codes", "--start", "start.safetensors", "--out", "out"]) == 0
    assert sorted(path.name for path in Path("out").glob("*.png")) == [
        "a.png", "b.png", "more_f.png", "shut_d.png",
    ]  # fmt: skip
