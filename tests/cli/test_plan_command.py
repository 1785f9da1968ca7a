import json

import numpy as np
import pytest
from PIL import Image
from small_problems import Pattern, field_of

from sparsine.cli.main import main
from sparsine.signals.grid import Grid
from sparsine.signals.kinds import Rgb
from sparsine.starts.plan import FULL_STEPS
from sparsine.starts.start import Start, load_start, save_start


@pytest.fixture
def start(tmp_path):
    field = field_of(2, 10, 10, 3, omega_0=12.0, output_offset=0.5)
    path = tmp_path / "start.safetensors"
    save_start(path, Start(Pattern.full(field), field.initial_theta(seed=1), Grid(shape=(12, 16)), kind=Rgb()))
    return path


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for i in range(3):
        y, x = np.mgrid[0:12, 0:16] / 8
        shades = 0.5 + 0.4 * np.sin(np.stack([y + i * x, x - y, 2 * y], axis=-1))
        Image.fromarray((255 * shades).astype(np.uint8)).save(folder / f"{i}.png")
    return folder


def plan(start, pictures, out, *more):
    return main(["plan", str(start), str(pictures), "--out", str(out), "--plan-signals", "2", *more])


def test_fit_and_encode_follow_the_plans_that_were_found(tmp_path, start, pictures, capsys):
    planned = tmp_path / "planned.safetensors"
    assert plan(start, pictures, planned) == 0
    told = capsys.readouterr().out
    assert "balanced" in told
    assert "of adam from" in told
    found = load_start(planned)
    assert list(found.plans) == list(FULL_STEPS)
    assert found.digest == load_start(start).digest
    record = tmp_path / "fits.json"
    fits = ["fit", str(planned), str(pictures), "--out", str(tmp_path / "fits"), "--json", str(record)]
    assert main(fits) == 0
    assert json.loads(record.read_text())[0]["steps"][-1] == found.plans["balanced"].steps
    assert main([*fits, "--overwrite", "--effort", "instant"]) == 0
    assert json.loads(record.read_text())[0]["steps"][-1] == found.plans["instant"].steps
    assert main([*fits, "--overwrite", "--protocol", "paper"]) == 0
    assert json.loads(record.read_text())[0]["steps"][-1] == 100
    assert main(["encode", str(planned), str(pictures), "--out", str(tmp_path / "codes"), "--effort", "fast"]) == 0
    request = json.loads((tmp_path / "codes" / "request.json").read_text())
    assert request["fit"] == {
        "optimizer": "adam", "lr": found.plans["fast"].lr, "steps": found.plans["fast"].steps, "decay": "cosine",
        "share": found.plans["fast"].share, "sampling": "lattice", "points_seed": 0,
    }  # fmt: skip


def test_codes_of_another_effort_are_another_request(tmp_path, start, pictures, capsys):
    planned = tmp_path / "planned.safetensors"
    assert plan(start, pictures, planned) == 0
    encode = ["encode", str(planned), str(pictures), "--out", str(tmp_path / "codes"), "--effort"]
    assert main([*encode, "instant"]) == 0
    assert main([*encode, "fast"]) == 2
    assert "another request" in capsys.readouterr().err


def test_an_effort_without_a_plan_is_one_line(tmp_path, start, pictures, capsys):
    assert main(["fit", str(start), str(pictures), "--out", str(tmp_path / "fits"), "--effort", "best"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: the start was not asked how to be fitted with effort best: it has no plans; ")
    assert error.count("\n") == 1
    assert not (tmp_path / "fits").exists()


def test_a_start_that_is_there_already_is_kept(tmp_path, start, pictures, capsys):
    before = start.read_bytes()
    assert plan(start, pictures, start) == 2
    assert start.read_bytes() == before
    assert plan(start, pictures, start, "--overwrite") == 0
    assert load_start(start).plans
