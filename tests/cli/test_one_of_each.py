"""Where there is one of a thing, no command speaks of several."""

import re
from pathlib import Path

import pytest
from small_starts import make_pictures

from sparsine.cli.main import main

LEARN = ["learn", "images:data", "--out", "run", "--recipe", "quick", "--width", "7", "--hidden-layers", "1",
         "--resolution", "6x9", "--dense-steps", "1", "--steps-per-round", "1", "--rounds", "1", "--val-signals", "1",
         "--tasks-per-step", "1"]  # fmt: skip
COMMANDS = [
    LEARN, [*LEARN, "--resume"], ["report", "run", "--steps", "1", "--limit", "2"], ["info", "run"],
    ["fit", "run", "data/test/c.png", "--steps", "1", "--out", "fits"],
    ["encode", "run", "data/test", "--steps", "1", "--out", "codes"],
    ["decode", "codes", "--start", "run", "--out", "drawn"],
    ["info", "codes/c.spn", "--start", "run"],
]  # fmt: skip
REFUSED = [
    ["compare", "quick", "--data", "images:data", "--out", "compared", "--limit", "2"],
    ["compare", "quick", "--data", "images:data", "--out", "compared", "--limit", "1"],
    ["learn", "images:data/test", "--out", "few"],
]  # fmt: skip
SEVERAL_OF_ONE = re.compile(r"(?<![\d.,x/-])(?<!x )1 (?!is |was )(?:[a-z]+ )?[a-z]+[^s\W]s\b")


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for split, name in (("train", "a.png"), ("val", "b.png"), ("test", "c.png")):
        make_pictures(Path("data") / split, name)


def test_no_command_speaks_of_several(place, capsys):
    for command in COMMANDS:
        assert main(command) == 0, command
        said = "".join(capsys.readouterr())
        assert said
        assert SEVERAL_OF_ONE.findall(said) == [], command
    for command in REFUSED:
        assert main(command) == 2, command
        assert SEVERAL_OF_ONE.findall(capsys.readouterr().err) == [], command
