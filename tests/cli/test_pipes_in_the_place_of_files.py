"""A pipe in the place of a file that is read: nobody waits for it, and one line says what it is."""

import os
from pathlib import Path

import pytest
from small_starts import make_pictures, make_start

from sparsine.cli.main import main

pytestmark = pytest.mark.timeout(120)  # whoever waits for a pipe waits for ever
TINY = ["--recipe", "quick", "--width", "7", "--hidden-layers", "2", "--resolution", "6x9", "--dense-steps", "2",
        "--steps-per-round", "1", "--rounds", "1", "--val-signals", "0"]  # fmt: skip
READ = {
    "celeba/list_eval_partition.txt": ["learn", "celeba:celeba", "--out", "new", *TINY],
    "celeba/list_eval_partition.csv": ["learn", "celeba:celeba", "--out", "new", *TINY],
    "pipe.npz": ["learn", "sdf2d:pipe.npz", "--out", "new", *TINY],
    "pipe.safetensors": ["info", "pipe.safetensors"],
    "pipe.spn": ["info", "pipe.spn"],
    "pipe.py": ["info", "start.safetensors", "--load", "pipe.py"],
    "run/config.json": ["learn", "images:pictures", "--out", "run", *TINY, "--resume"],
    "run/data.json": ["report", "run"],
    "run/starts/round-01.safetensors": ["fit", "run", "pictures", "--out", "new"],
    "run/checkpoint.safetensors": ["learn", "images:pictures", "--out", "run", *TINY, "--resume"],
}


@pytest.mark.parametrize("place", READ)
def test_nobody_waits_for_it(tmp_path, monkeypatch, capsys, place):
    monkeypatch.chdir(tmp_path)
    make_start(tmp_path / "start.safetensors")
    make_pictures(Path("pictures"), *(f"{i}.png" for i in range(5)))
    make_pictures(Path("celeba/img_align_celeba"), "1.png")
    if place.startswith("run/"):
        assert main(["learn", "images:pictures", "--out", "run", *TINY]) == 0
        Path(place).unlink()
    os.mkfifo(place)
    capsys.readouterr()
    assert main(READ[place]) == 2
    said = capsys.readouterr().err
    assert "is a pipe" in said
    assert len(said.splitlines()) == 1
    assert Path(place).is_fifo()
