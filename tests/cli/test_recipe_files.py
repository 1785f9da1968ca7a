"""`learn --config FILE` and `--print-config`: what a file says comes before the recipe, options come before both."""

import json

import pytest

from sparsine.cli.main import main
from sparsine.meta.config import LearnConfig
from sparsine.meta.recipe_file import KIND, VERSION
from sparsine.meta.run_folder import read_config
from sparsine.recipes import best, quick

TINY = ["--recipe", "quick", "--width", "7", "--hidden-layers", "2", "--resolution", "6x9", "--dense-steps", "3",
        "--steps-per-round", "2", "--rounds", "2", "--val-signals", "1"]  # fmt: skip


@pytest.fixture
def put(tmp_path):
    """A file that says so."""

    def written(said):
        path = tmp_path / "given.json"
        path.write_text(said if isinstance(said, str) else json.dumps(said))
        return str(path)

    return written


@pytest.fixture
def printed(capsys):
    """What `learn curves ... --print-config` prints, as an object."""

    def said(*args, dataset=("curves",)):
        capsys.readouterr()
        assert main(["learn", *dataset, *args, "--print-config"]) == 0
        told = capsys.readouterr()
        assert told.err == ""
        return json.loads(told.out)

    return said


def refused(capsys, *args):
    capsys.readouterr()
    assert main(["learn", "curves", *args]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert said.count("\n") == 1
    return said


def test_what_is_printed_is_what_is_learned_with(tmp_path, printed):
    told = printed(*TINY)
    assert (told.pop("kind"), told.pop("record_version")) == (KIND, VERSION)
    assert main(["learn", "curves", *TINY, "--out", str(tmp_path / "run")]) == 0
    assert told == json.loads((tmp_path / "run/config.json").read_text())


def test_printing_needs_no_folder_and_makes_none(tmp_path, monkeypatch, printed):
    monkeypatch.chdir(tmp_path)
    printed()
    printed("--out", "run")
    assert list(tmp_path.iterdir()) == []


def test_what_is_printed_says_the_same_when_it_is_given(printed, put):
    told = printed("--resolution", "64x64", "--omega-0", "31", "--score", "lamp", "--activation", "finer")
    assert printed("--config", put(told)) == told
    assert told["field"]["activation"] == "finer"


def test_options_come_before_the_file_and_the_file_before_the_recipe(printed, put):
    path = put({"recipe": "quick", "field": {"width": 20, "omega_0": 11.5}, "seed": 4})
    told = printed("--config", path, "--width", "24")
    usual = quick()
    assert (told["field"]["width"], told["field"]["omega_0"], told["seed"]) == (24, 11.5, 4)
    assert told["field"]["hidden_layers"] == usual.field.hidden_layers
    assert told["inner"]["points"] == usual.inner.points
    assert printed("--config", path, "--recipe", "best")["inner"]["points"] is None


def test_a_run_is_repeated_from_its_configuration_alone(tmp_path, printed, capsys):
    first, again = tmp_path / "first", tmp_path / "again"
    assert main(["learn", "curves", *TINY, "--out", str(first)]) == 0
    assert main(["learn", "--config", str(first / "config.json"), "--out", str(again)]) == 0
    last = "starts/round-02.safetensors"
    assert (first / "config.json").read_bytes() == (again / "config.json").read_bytes()
    from sparsine.starts.start import load_start

    assert load_start(first / last).digest == load_start(again / last).digest


def test_a_frequency_that_a_file_says_does_not_follow_the_size(printed, put):
    usual = best().field.omega_0
    assert printed("--resolution", "32x32")["field"]["omega_0"] != usual
    assert printed("--resolution", "32x32", "--config", put({"field": {"omega_0": usual}}))["field"]["omega_0"] == usual
    assert printed("--resolution", "32x32", "--config", put({"seed": 1}))["field"]["omega_0"] != usual


def test_steps_of_the_score_follow_a_frequency_unless_the_file_says_them(printed, put):
    """As configurations of runs do that were begun when these steps were the same for all."""
    options = best().pruning.score_options

    def step(said):
        return printed("--config", put({"field": {"omega_0": 94.0}, **said}))["pruning"]["score_options"]["step_size"]

    assert step({}) < options["step_size"]
    assert step({"pruning": {"score": "saliency", "score_options": dict(options)}}) == options["step_size"]


def test_a_run_with_such_a_frequency_is_resumed(tmp_path, put):
    path = put({"field": {"omega_0": best().field.omega_0, "width": 6, "hidden_layers": 2}, "pruning": {"rounds": 1},
                "grid": {"resolution": [5, 6]}, "plan": {"plan_signals": 0}})  # fmt: skip
    run = tmp_path / "run"
    assert main(["learn", "curves:0/30", "--config", path, "--out", str(run)]) == 0
    assert main(["learn", "curves:0/30", "--out", str(run), "--resume"]) == 0
    assert main(["learn", "curves:0/30", "--config", path, "--out", str(run), "--resume"]) == 0
    assert read_config(run).field.omega_0 == best().field.omega_0


def test_another_score_in_a_file_leaves_the_options_of_the_recipes(printed, put):
    assert printed()["pruning"]["score_options"] == {"signals": 6, "steps": 60, "step_size": 1e-3}
    assert printed("--config", put({"pruning": {"score": "magnitude"}}))["pruning"]["score_options"] == {}
    told = printed("--config", put({"pruning": {"score_options": {"steps": 7}}}))["pruning"]["score_options"]
    assert told == {"signals": 6, "steps": 7, "step_size": 1e-3}
    assert (
        printed("--config", put({"pruning": {"score_options": {"steps": 7}}}), "--score", "lamp")["pruning"][
            "score_options"
        ]
        == {}
    )


def test_names_from_before_scores_had_options_are_understood(printed, put):
    old = LearnConfig(recipe="small").to_dict()
    old["pruning"] |= {"score": "saliency", "saliency_signals": 3, "saliency_steps": 9, "saliency_step_size": 1e-3}
    del old["pruning"]["score_options"]
    told = printed("--config", put(old))
    assert told["pruning"]["score_options"] == {"signals": 3, "steps": 9, "step_size": 1e-3}


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ({"field": {"widht": 3}}, "there is no field.widht in a configuration; did you mean field.width?"),
        ({"width": 3}, "there is no width in a configuration; did you mean field.width?"),
        ({"weather": 3}, "there is no weather in a configuration; sparsine learn DATASET --print-config shows all"),
        ({"field": {"width": "wide"}}, "field.width is 'wide', which is of the wrong type; it is written as in 256"),
        ({"field": {"width": True}}, "field.width is True"),
        ({"seed": 1.5}, "seed is 1.5, which is of the wrong type"),
        ({"grid": {"resolution": "64x64"}}, "grid.resolution is '64x64', which is of the wrong type"),
        ({"grid": [64, 64]}, "grid is [64, 64], but should be an object"),
        ({"field": {"width": -1}}, "width is -1, but it must lie between 1 and 65536"),
        ({"outer": {"decay": "steep"}}, "outer.decay is 'steep'"),
        ({"pruning": {"score_options": {"stride": 2}}}, "score saliency has no option 'stride'"),
        ({"pruning": {"score": "guessing"}}, "guessing"),
        ({"recipe": "unheard-of"}, "recipe is 'unheard-of', but it must be one of: best, quick, small, paper"),
        ({"engine": "steam"}, "steam"),
        ({"record_version": 2}, "record_version 2, but this version of sparsine reads 1"),
        ({"kind": "sparsine-tuning"}, "its kind is 'sparsine-tuning', but should be 'sparsine-recipe'"),
        ([1], "it holds list, but should hold an object"),
        ("recipe = 'best'", "is not valid JSON"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_named_by_its_key(tmp_path, put, capsys, said, wanted):
    out = tmp_path / "run"
    assert wanted in refused(capsys, "--config", put(said), "--out", str(out))
    assert not out.exists()


def test_a_file_that_is_not_there_is_named(tmp_path, capsys):
    assert f"cannot read {tmp_path}/none.json" in refused(capsys, "--config", f"{tmp_path}/none.json", "--out", "run")


def test_a_run_is_not_resumed_with_another_file(tmp_path, put, capsys):
    run = tmp_path / "run"
    assert main(["learn", "curves", *TINY, "--out", str(run)]) == 0
    assert "width was 7, now 8" in refused(
        capsys, "--config", put({"field": {"width": 8}}), "--out", str(run), "--resume"
    )
