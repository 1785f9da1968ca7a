"""`~` leads home in every option that is a path, also after an equals sign, where no shell expands it."""

import dataclasses
import importlib
import os
from pathlib import Path
from typing import get_args, get_type_hints

import numpy as np
import pytest
from small_starts import make_pictures, make_start

from sparsine.cli.main import COMMANDS, main
from sparsine.cli.options import parse

TINY = ["--recipe=quick", "--width=7", "--hidden-layers=2", "--resolution=6x9", "--dense-steps=2",
        "--steps-per-round=1", "--rounds=1", "--val-signals=0"]  # fmt: skip


@pytest.fixture
def home(tmp_path, monkeypatch):
    (tmp_path / "home").mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "here")
    make_start(tmp_path / "home" / "start.safetensors")
    make_pictures(tmp_path / "home" / "in", "a.png", "b.png")
    return tmp_path / "home"


@pytest.mark.parametrize(
    ("command", "made"),
    [("fit ~/start.safetensors ~/in/a.png --steps=1 --out=~/f --json=~/f.json", ["f/psnr.csv", "f.json"]),
     ("encode ~/start.safetensors ~/in --steps=1 --out=~/c --json=~/c.json", ["c/a.spn", "c.json"]),
     ("plan ~/start.safetensors ~/in --plan-signals=1 --out=~/p.safetensors", ["p.safetensors"]),
     ("calibrate ~/start.safetensors ~/in --steps=1 --out=~/s.safetensors", ["s.safetensors"]),
     ("bench decode --densities=1 --batch=1 --repeats=1 --width=8 --hidden-layers=2 --resolution=5x7 --json=~/b.json",
      ["b.json"]),
     ("learn curves --out=~/r " + " ".join(TINY), ["r/starts/round-01.safetensors"])],
)  # fmt: skip
def test_results_go_home(home, command, made):
    assert main(command.split()) == 0
    for path in made:
        assert (home / path).is_file()
    assert list(Path.cwd().iterdir()) == []


def test_what_is_read_is_at_home(capsys, home):
    assert main(["encode", "~/start.safetensors", "~/in", "--steps=1", "--out=~/codes"]) == 0
    assert main(["decode", "~/codes", "~/codes/a.spn", "--start=~/start.safetensors", "--out=~/d"]) == 2
    assert "given twice" in capsys.readouterr().err
    assert main(["decode", "~/codes", "--start=~/start.safetensors", "--out=~/d", "--json=~/d.json"]) == 0
    assert main(["info", "~/codes/a.spn", "--start=~/start.safetensors"]) == 0
    assert main(["learn", "curves", "--out=~/r", *TINY]) == 0
    assert main(["report", "~/r", "--limit=1", "--steps=1"]) == 0
    again = ["learn", "curves", "--out=~/again", *TINY, "--start-from=~/r/starts/round-00.safetensors"]
    assert main(again) == 0
    assert main(["learn", "curves", "--out=~/again", "--resume"]) == 0
    weights = {f"layers.{i}.{part}": np.ones(shape) for i, (part, shape) in
               enumerate([("weight", (5, 2)), ("weight", (3, 5))])}  # fmt: skip
    np.savez(home / "learnit.npz", **weights, **{"layers.0.bias": np.zeros(5), "layers.1.bias": np.zeros(3)})
    assert main(["import-learnit", "~/learnit.npz", "--out=~/learnit.safetensors"]) == 0
    assert (home / "learnit.safetensors").is_file()
    (home / "methods.py").write_text("raise ValueError('it was run')")
    assert main(["compare", "quick", "--data=curves", "--load=~/methods.py", "--out=~/cmp"]) == 2
    assert "it was run" in capsys.readouterr().err
    assert list(Path.cwd().iterdir()) == []


def paths_of(options):
    """Names of the fields that hold a path, or several."""
    kinds = get_type_hints(options, include_extras=False)
    for field in dataclasses.fields(options):
        kind = kinds[field.name]
        if kind is Path or Path in get_args(kind):
            yield field.name


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_that_is_a_path_is_expanded(command, home, monkeypatch):
    """Of the options alone, whatever the command does with them."""
    module = importlib.import_module(f"sparsine.cli.{command.replace('-', '_')}")
    (home / "x").write_text('{"kind": "sparsine-recipe", "record_version": 1}')  # options of learn are read with it
    names = list(paths_of(module.Options))
    positional = {"codes": "~/x", "start": "~/x", "run": "~/x", "file": "~/x", "source": "~/x"}
    needed = {"learn": ["curves"], "compare": ["quick", "--data=curves"], "bench": ["decode"],
              "rate-distortion": ["~/x", "in"], "fit": ["~/x", "in"], "encode": ["~/x", "in"],
              "calibrate": ["~/x", "in"], "decode": ["~/x"], "report": ["~/x"], "info": ["~/x"], "view": ["~/x"],
              "import-learnit": ["~/x"], "plan": ["~/x", "in"], "starts": [], "tune": ["curves"],
              "export": ["~/x", "--to=npz"], "fetch": [], "completion": ["bash"]}  # fmt: skip
    with_start = ("decode", "info", "view", "export")
    given = [f"--{name.replace('_', '-')}=~/x" for name in names
             if name not in positional or (name == "start" and command in with_start)]  # fmt: skip
    parsed = parse(module.Options, [*needed[command], *given], command, getattr(module, "defaults", None))
    for name in names:
        value = getattr(parsed, name)
        for path in value if isinstance(value, tuple) else [value]:
            assert path == home / "x", name
    assert names or command == "completion"


def test_a_home_that_nobody_has_is_a_name_like_any_other(capsys, home):
    make_start(Path("~nobody-of-this-name"))
    assert main(["info", "~nobody-of-this-name"]) == 0
    assert os.listdir() == ["~nobody-of-this-name"]
