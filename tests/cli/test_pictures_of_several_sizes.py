import json

import numpy as np
import pytest
from PIL import Image

from sparsine.cli.main import main

FEW = ["--width", "6", "--hidden-layers", "1", "--rounds", "1", "--score.steps", "2", "--score.signals", "2",
       "--plan-signals", "0"]  # fmt: skip


def put(folder, sizes):
    folder.mkdir()
    for i, size in enumerate(sizes):
        pixels = np.random.default_rng(i).integers(0, 256, (*size, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{i}.png")


def test_pictures_of_several_sizes_are_brought_to_a_usual_one_and_it_is_said(tmp_path, capsys):
    put(tmp_path / "photos", [(9, 12), (12, 9), (10, 10), (9, 9), (9, 9), (9, 9)])
    assert main(["learn", f"images:{tmp_path / 'photos'}", "--out", str(tmp_path / "run"), *FEW]) == 0
    said = capsys.readouterr()
    assert "brought to 178 x 178; --resolution chooses another" in said.out + said.err
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["grid"]["resolution"] == [178, 178]
    assert config["field"]["omega_0"] == pytest.approx(50.0, abs=0.1)


def test_pictures_of_one_size_keep_it(tmp_path, capsys):
    put(tmp_path / "photos", [(9, 12)] * 6)
    assert main(["learn", f"images:{tmp_path / 'photos'}", "--out", str(tmp_path / "run"), *FEW]) == 0
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["grid"]["resolution"] is None
    assert config["field"]["omega_0"] == pytest.approx(12 + 0.2135 * 108**0.5, abs=0.01)
