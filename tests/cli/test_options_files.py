"""`--config FILE` and `--print-config` of every command: what is printed says the same when it is given."""

import importlib
import json

import pytest
from small_starts import make_pictures, make_start

from sparsine.cli.commands import COMMANDS
from sparsine.cli.main import main
from sparsine.cli.options import Working

NEEDED = {
    "fit": ["s", "a", "b", "--out", "x", "--size", "7x9", "--report", "1", "3", "--lr", "2e-3"],
    "report": ["run", "--limit", "3", "--levels", "1", "4", "--effort", "fast"],
    "encode": ["s", "a", "--out", "x", "--target-bytes", "300", "--resolution", "own", "--overwrite"],
    "decode": ["c", "d", "--start", "s", "--out", "x", "--region", "0,0.25,0.5,1", "--scale", "2.5"],
    "export": ["s", "--to", "npz", "--sparsity", "0.5"],
    "tune": ["curves", "--out", "x", "--numbers", "90", "--resolution", "5x6"],
    "plan": ["s", "a", "--out", "x", "--plan-signals", "2"],
    "calibrate": ["s", "a", "--out", "x", "--limit", "7", "--steps", "4"],
    "compare": ["quick", "--data", "faces=curves", "leaves", "--out", "x", "--seeds", "3", "--score", "saliency",
                "--score.steps", "9", "--sparsity", "0.75"],
    "rate-distortion": ["s", "a", "--out", "x", "--qualities", "40", "50", "--avif", "--rounded-steps", "3"],
    "bench": ["fit", "--hidden-layers", "2", "--resolution", "5x7", "--densities", "0.5", "--batches", "1", "2"],
    "import-learnit": ["f.npz", "--out", "x", "--conventions", "paper"],
}  # fmt: skip


@pytest.fixture
def printed(capsys):
    """What a command prints with --print-config, as an object."""

    def said(*args):
        capsys.readouterr()
        assert main([*map(str, args), "--print-config"]) == 0, capsys.readouterr().err
        out, err = capsys.readouterr()
        assert err == ""
        return json.loads(out)

    return said


@pytest.fixture
def put(tmp_path):
    def written(said):
        path = tmp_path / "given.json"
        path.write_text(said if isinstance(said, str) else json.dumps(said))
        return str(path)

    return written


def options_of(command, **said):
    return {"kind": "sparsine-options", "record_version": 1, "command": command, **said}


def test_every_command_with_options_worth_a_file_is_tried():
    modules = {command: importlib.import_module(f"sparsine.cli.{command.replace('-', '_')}") for command in COMMANDS}
    assert {command for command, module in modules.items() if issubclass(module.Options, Working)} == set(NEEDED)


@pytest.mark.parametrize("command", NEEDED)
def test_what_is_printed_says_the_same_when_it_is_given(command, printed, put, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    told = printed(command, *NEEDED[command])
    assert printed(command, "--config", put(told)) == told
    names = [word.strip("-") for word in NEEDED[command] if word.startswith("--")]
    assert set(names) <= set(told)
    assert [path.name for path in tmp_path.iterdir()] == ["given.json"]


def test_values_are_written_as_people_write_them(printed):
    told = printed("fit", *NEEDED["fit"])
    assert told["signals"] == ["a", "b"]
    assert (told["start"], told["size"], told["report"], told["lr"]) == ("s", "7x9", [1, 3], 0.002)
    assert (told["effort"], told["overwrite"], told["batch"]) == (None, False, told["batch"])


def test_what_must_be_given_need_not_be_when_options_are_only_printed(printed, put, capsys):
    told = printed("encode", "--target-bytes", "300")
    assert "out" not in told
    assert "start" not in told
    assert main(["encode", "--config", put(told)]) == 2
    assert "required" in capsys.readouterr().err


def test_options_of_the_command_line_come_before_those_of_the_file(printed, put):
    path = put(options_of("encode", start="s", signals=["a"], out="x", quality=40, steps=9, overwrite=True))
    told = printed("encode", "--config", path, "--quality", "50", "--out", "y")
    assert (told["quality"], told["out"], told["steps"], told["overwrite"]) == (50, "y", 9, True)
    assert printed("encode", "t", "b", "c", "--config", path)["signals"] == ["b", "c"]


def test_a_choice_in_a_file_brings_its_options(printed, put):
    path = put(options_of("compare", recipe="quick", data=["curves"], out="x", score="saliency", **{"score.steps": 7}))
    assert printed("compare", "--config", path)["score.steps"] == 7


def test_earlier_names_are_understood_in_files_too(printed, put):
    assert printed("fit", "s", "a", "--out", "x", "--config", put(options_of("fit", render="4x5")))["size"] == "4x5"


def test_a_command_works_by_its_file(put, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    make_start(tmp_path / "start.safetensors")
    make_pictures(tmp_path / "in", "a.png", "b.png")
    given = options_of("encode", start="start.safetensors", signals=["in"], out="codes", steps=2, limit=1)
    assert main(["encode", "--config", put(given)]) == 0
    assert [path.name for path in (tmp_path / "codes").glob("*.spn")] == ["a.spn"]


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        (options_of("encode", qualty=3), "there is no option qualty; did you mean quality?"),
        (options_of("encode", weather=3), "there is no option weather"),
        (options_of("encode", quality="high"), "quality: got 'high', but it must be a whole number"),
        (options_of("encode", quality=True), "quality: got 'True', but it must be a whole number"),
        (options_of("encode", quality=[1, 2]), "quality: got [1, 2], but it must be INT"),
        (options_of("encode", overwrite="yes"), 'overwrite: got "yes", but it must be true or false'),
        (options_of("encode", split="testing"), "split: got 'testing', but it must be one of: train, val, test"),
        (options_of("encode", steps=-1), "steps is -1, but it must lie between"),
        (options_of("encode", load=["evil.py"]), "load is said on the command line, never in a file"),
        (options_of("decode", quality=3), "holds options of 'decode', but the command is encode"),
        ({**options_of("encode"), "record_version": 2}, "has record_version 2, but this version of sparsine reads 1"),
        ({"kind": "sparsine-recipe", "record_version": 1}, "its kind is 'sparsine-recipe', but should be"),
        ([1], "its kind is None, but should be 'sparsine-options'"),
        ("quality = 3", "is not valid JSON"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_one_line_that_names_the_file_and_the_key(said, wanted, put, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["encode", "s", "a", "--out", str(out), "--config", put(said)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert wanted in line
    assert "given.json" in line
    assert not out.exists()


def test_a_file_that_is_not_there_is_named(tmp_path, capsys):
    assert main(["encode", "s", "a", "--out", "x", "--config", f"{tmp_path}/none.json"]) == 2
    assert f"cannot read {tmp_path}/none.json" in capsys.readouterr().err
