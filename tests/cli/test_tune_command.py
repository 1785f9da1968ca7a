"""`sparsine tune`: a race from the command line, the recipe that `learn` takes, and mistakes in one line."""

import json

import pytest
from small_runs import photos

from sparsine.cli.main import main
from sparsine.measure.tuning.records import read_record
from sparsine.meta.run_folder import read_config

SMALL = ["--resolution", "5x6", "--numbers", "80", "--effort", "instant", "--candidates", "3", "--limit", "4"]


@pytest.fixture(autouse=True)
def narrow_recipe(monkeypatch):
    """Recipe best with a field that takes moments."""
    from dataclasses import replace

    from sparsine.cli import tune
    from sparsine.meta.config import FieldConfig
    from sparsine.recipes import best

    usual = best()
    small = replace(usual, field=FieldConfig(width=12, hidden_layers=2, omega_0=usual.field.omega_0,
                                             output_offset=0.5))  # fmt: skip
    monkeypatch.setattr(tune, "best", lambda: small)


def refused(capsys, *args):
    capsys.readouterr()
    assert main(["tune", *args]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert said.count("\n") == 1
    return said


def test_a_race_ends_in_a_recipe_that_learn_takes(tmp_path, capsys):
    out, spec = tmp_path / "tuned", f"images:{photos(tmp_path / 'photos', 45)}"
    assert main(["tune", spec, "--out", str(out), *SMALL]) == 0
    told = capsys.readouterr().out
    assert "chosen" in told
    assert f"next: sparsine learn {spec} --config {out}/recipe.json --out runs/tuned" in told
    assert {path.name for path in out.iterdir()} >= {"recipe.json", "tune.json", "tune.html", "data.json"}
    assert main(["learn", spec, "--config", str(out / "recipe.json"), "--out", str(tmp_path / "run")]) == 0
    recipe = json.loads((out / "recipe.json").read_text())
    learned = read_config(tmp_path / "run").to_dict()
    assert {key: recipe[key] for key in learned} == json.loads(json.dumps(learned))
    chosen = read_record(out / "tune.json")
    assert recipe["field"]["omega_0"] == chosen["candidates"][chosen["winner"]]["omega_0"]
    assert recipe["grid"]["resolution"] == [5, 6]
    capsys.readouterr()
    assert main(["tune", spec, "--out", str(out), *SMALL]) == 0
    assert "finished already" in capsys.readouterr().out


def test_omega_follows_the_size_of_the_signals(tmp_path):
    assert main(["tune", "curves:0/9", "--out", str(tmp_path / "tuned"), *SMALL]) == 0
    usual = read_record(tmp_path / "tuned/tune.json")["candidates"][0]
    assert usual["family"] == "recipe"
    assert usual["omega_0"] == pytest.approx(12 + 0.2135 * 30**0.5, abs=0.001)


def test_too_few_signals_are_one_line(tmp_path, capsys):
    spec = f"images:{photos(tmp_path / 'photos', 9)}"
    said = refused(capsys, spec, "--out", str(tmp_path / "tuned"), *SMALL)
    assert "is too small to tune on: it has 7 training signals and 1 validation signal" in said
    assert "at least 6 and 4 are needed" in said


@pytest.mark.parametrize(
    ("args", "wanted"),
    [
        (["--numbers", "100000"], "numbers is 100000, but the widest field that is tried has"),
        (["--effort", "endless"], "--effort"),
        (["--candidates", "1"], "candidates is 1"),
        (["--limit", "2"], "limit is 2, but it must lie between 4"),
        (["--seed", "-1"], "seed is -1"),
    ],
)
def test_what_makes_no_race_is_one_line(tmp_path, capsys, args, wanted):
    assert wanted in refused(capsys, "curves:0/9", "--out", str(tmp_path / "tuned"), *SMALL, *args)
    assert not (tmp_path / "tuned/tune.json").exists()


def test_another_race_in_the_folder_is_refused(tmp_path, capsys):
    out = str(tmp_path / "tuned")
    assert main(["tune", "curves:0/9", "--out", out, *SMALL]) == 0
    assert "effort was 'instant', now 'fast'" in refused(capsys, "curves:0/9", "--out", out, *SMALL, "--effort", "fast")


def test_the_record_of_a_race_is_no_recipe(tmp_path, capsys):
    out = tmp_path / "tuned"
    assert main(["tune", "curves:0/9", "--out", str(out), *SMALL]) == 0
    capsys.readouterr()
    assert main(["learn", "curves:0/9", "--config", str(out / "tune.json"), "--out", str(tmp_path / "run")]) == 2
    assert "its kind is 'sparsine-tuning', but should be 'sparsine-recipe'" in capsys.readouterr().err
