"""A fit without any error has infinite PSNR, and every command says so alike."""

import csv
import json

import pytest
import torch
from PIL import Image
from small_problems import field_of

from sparsine.cli.main import main
from sparsine.codec.format.default_tables import laplace_survival
from sparsine.fields.pattern import Pattern
from sparsine.signals.grid import Grid
from sparsine.signals.kinds import Rgb
from sparsine.starts.coding import CodingTables
from sparsine.starts.start import Start, save_start


@pytest.fixture
def place(tmp_path):
    """A start that draws black, and a black picture beside one that it cannot fit."""
    pattern = Pattern.full(field_of(2, 5, 3))
    theta = torch.zeros(pattern.num_params)
    step = torch.full(theta.shape, -150, dtype=torch.int16)
    tables = CodingTables(theta.clone(), step, step + 40, laplace_survival())
    start = Start(pattern, theta, Grid(shape=(6, 7), extent=(0.0, 1.0)), coding=tables, kind=Rgb())
    save_start(tmp_path / "start.safetensors", start)
    (tmp_path / "pictures").mkdir()
    Image.new("RGB", (7, 6)).save(tmp_path / "pictures" / "black.png")
    Image.new("RGB", (7, 6), (0, 90, 200)).save(tmp_path / "pictures" / "blue.png")
    return tmp_path


def run(*args):
    assert main([str(arg) for arg in args]) == 0


def test_fit_says_inf_in_terminal_csv_and_json(place, capsys):
    run("fit", place / "start.safetensors", place / "pictures", "--out", place / "out", "--steps", 3,
        "--json", place / "fits.json")  # fmt: skip
    shown = [line.split() for line in capsys.readouterr().out.splitlines()]
    black, mean = (next(line for line in shown if name in line) for name in ("black.png", "mean"))
    assert black.count("inf") == mean.count("inf") >= 2
    with open(place / "out" / "psnr.csv") as file:
        rows = {row["input"]: row for row in csv.DictReader(file)}
    assert {value for name, value in rows["black.png"].items() if name.startswith("psnr")} == {"inf"}
    assert "inf" not in rows["blue.png"].values()
    perfect, other = json.loads((place / "fits.json").read_text())
    assert set(perfect["psnr_db"]) == {"inf"}
    assert all(isinstance(value, float) for value in other["psnr_db"])


def test_encode_says_inf_in_terminal_json_and_journal(place, capsys):
    summaries = []
    for _ in range(2):  # once encoded, once kept
        run("encode", place / "start.safetensors", place / "pictures", "--out", place / "codes", "--steps", 3,
            "--json", place / "codes.json")  # fmt: skip
        assert "inf dB as drawn, inf dB as fitted" in capsys.readouterr().out
        summaries.append(json.loads((place / "codes.json").read_text()))
    for summary in summaries:
        assert (summary["psnr_db"], summary["fitted_psnr_db"]) == ("inf", "inf")
        assert summary["files"][0]["psnr_db"] == "inf"
    lines = [json.loads(line) for line in (place / "codes" / "journal.jsonl").read_text().splitlines()]
    assert {line["input"]: line["psnr_db"] for line in lines}["black.png"] == "inf"
