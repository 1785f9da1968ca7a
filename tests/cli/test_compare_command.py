"""`sparsine compare`: mistakes are answered in one line and write nothing; what fails is said and the rest is kept."""

import json

import numpy as np
import pytest
from PIL import Image

from sparsine.cli.main import main
from sparsine.folders import locked
from sparsine.measure.comparison.methods import METHODS
from sparsine.measure.comparison.records import read_cells

TINY = ["--width", "6", "--hidden-layers", "2", "--resolution", "13x11", "--points", "37", "--tasks-per-step", "2",
        "--dense-steps", "3", "--steps-per-round", "2", "--rounds", "2", "--levels", "1", "--ablation-levels", "1",
        "--limit", "2", "--val-signals", "0", "--pictures", "1", "--workers", "1"]  # fmt: skip


def refused(capsys, *args, code=2) -> str:
    """The one line that the command says when it refuses."""
    capsys.readouterr()
    found = main([str(a) for a in args])
    said = capsys.readouterr().err.strip().splitlines()
    assert found == code, (found, said)
    assert len(said) == 1, said
    assert said[0].startswith("error: ")
    return said[0]


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    rng = np.random.default_rng(5)
    for i in range(7):
        Image.fromarray(rng.integers(0, 256, (13, 15, 3), dtype=np.uint8)).save(folder / f"{i}.png")
    return folder


def compare(out, *more, recipe="quick", data=("curves",)):
    return ["compare", recipe, "--data", *data, "--out", out, *TINY, *more]


@pytest.mark.parametrize(
    ("args", "mentions"),
    [
        ([], "the recipe comes first"),
        (["--data", "curves", "--out", "x"], "quick, small, paper, paper-cpu"),
        (["--data", "curves", "quick", "--out", "x"], "the recipe comes first"),
        (["huge", "--data", "curves", "--out", "x"], "quick, small, paper, paper-cpu"),
        (["quick", "--out", "x"], "--data"),
        (["quick", "--data", "--out", "x"], "data"),
        (["quick", "--data", "curves"], "--out"),
        (["quick", "--data", "curves", "--out", "x", "--widht", "3"], "--width"),
        (["quick", "--data", "curves", "--out", "x", "--methods"], "at least one method"),
        (["quick", "--data", "curves", "--out", "x", "--methods", "magic"], "scratch, "),
        (["quick", "--data", "curves", "--out", "x", "--methods", "scratch", "scratch"], "once only"),
        (["quick", "--data", "curves", "curves:3", "--out", "x"], "'curves' is given 2 times"),
        (["quick", "--data", "a=curves", "a=curves:3", "--out", "x"], "'a' is given 2 times"),
        (["quick", "--data", "../a=curves", "--out", "x"], "plain word"),
        (["quick", "--data", "=curves", "--out", "x"], "plain word"),
        (["quick", "--data", "a=", "--out", "x"], "images:DIR"),
        (["quick", "--data", "pictures:somewhere", "--out", "x"], "images:DIR"),
        (["quick", "--data", "images:does/not/exist", "--out", "x"], "does/not/exist"),
        (["quick", "--data", "curves", "nowhere=celeba:gone", "--out", "x"], "gone"),
        (["quick", "--data", "curves", "--out", "x", "--levels", "7"], "schedule has 6 rounds"),
        (["quick", "--data", "curves", "--out", "x", "--ablation-levels", "9"], "schedule has 6 rounds"),
        (["quick", "--data", "curves", "--out", "x", "--rounds", "5"], "level 6 was asked for"),
        (["quick", "--data", "curves", "--out", "x", "--load", "nothing.py"], "cannot read nothing.py"),
        (["quick", "--data", "curves", "--out", "x", "--start-from", "nothing.safetensors"], "nothing.safetensors"),
        (["paper-cpu", "--data", "curves", "--out", "x"], "by --start-from FILE"),
        (["quick", "--data", "curves", "--out", "x", "--engine", "magic"], "one of: auto, reference, dense, sparse"),
        (["quick", "--data", "curves", "--out", "x", "--device", "tpu-9"], "tpu-9"),
        (["quick", "--data", "curves", "--out", "x", "--algorithm", "magic"], "maml"),
        (["quick", "--data", "curves", "--out", "x", "--score", "magic"], "magnitude"),
        (["quick", "--data", "curves", "--out", "x", "--alignment", "magic"], "corners"),
        (["quick", "--data", "curves", "--out", "x", "--low", "2"], "low < high"),
    ],
)
def test_a_mistake_is_answered_with_what_would_be_right(capsys, tmp_path, monkeypatch, args, mentions):
    monkeypatch.chdir(tmp_path)
    assert mentions in refused(capsys, "compare", *args)
    assert list(tmp_path.iterdir()) == []


WHOLE_NUMBERS = ("--seeds", "--levels", "--ablation-levels", "--latents", "--latent-steps", "--limit", "--pictures",
                 "--workers", "--rounds", "--dense-steps", "--steps-per-round", "--tasks-per-step", "--points",
                 "--width", "--hidden-layers", "--inner-steps", "--split-seed", "--val-every", "--val-signals",
                 "--log-every")  # fmt: skip
OTHERS = ("--omega-0", "--inner-step-size", "--outer-step-size", "--fraction", "--sparsity",
          "--checkpoint-seconds", "--resolution")  # fmt: skip


@pytest.mark.parametrize("value", ["-1", "nan", "99999999999999999999", "abc"])
@pytest.mark.parametrize("option", WHOLE_NUMBERS + OTHERS)
def test_a_number_that_makes_no_sense_is_refused_before_anything_is_written(
    capsys, tmp_path, monkeypatch, option, value
):
    monkeypatch.chdir(tmp_path)
    said = refused(capsys, "compare", "quick", "--data", "curves", "--out", "x", option, value)
    assert option.strip("-").replace("-", "").rstrip("s") in said.replace("-", "").replace("_", "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "option",
    ["--workers", "--limit", "--levels", "--ablation-levels", "--latents", "--latent-steps", "--width", "--points"],
)
def test_zero_of_what_is_needed_is_refused(capsys, tmp_path, option):
    refused(capsys, *compare(tmp_path / "x"), option, "0")
    assert not (tmp_path / "x").exists()


def test_every_option_is_in_the_help(capsys):
    for command in (["compare", "quick", "--help"], ["compare", "--help"]):
        assert main(command) == 0
        said = capsys.readouterr().out
        for option in (*WHOLE_NUMBERS, *OTHERS, "--data", "--out", "--methods", "--load", "--start-from", "--engine",
                       "--device"):  # fmt: skip
            assert option in said


def test_too_few_signals_are_refused(capsys, tmp_path, images):
    data, out = [f"a=images:{images}"], tmp_path / "x"
    said = refused(capsys, *compare(out, data=data))
    assert "has 1 test signal but 2 are to be measured" in said
    said = refused(capsys, *compare(out, "--limit", "1", "--tasks-per-step", "6", data=data))
    assert "has 5 training signals, fewer than the 6 of one outer step" in said
    # the smallest of several decides
    assert "images:" in refused(capsys, *compare(out, data=["curves", *data]))
    assert not out.exists()


@pytest.mark.parametrize(
    ("text", "mentions"),
    [("1 / 0", "ZeroDivisionError"), ("def f(:", "SyntaxError"), ("import not_there", "not_there"),
     ("raise SystemExit(3)", "SystemExit"), ("open('not-there')", "not-there")],
)  # fmt: skip
def test_a_file_of_methods_that_fails_is_named(capsys, tmp_path, text, mentions):
    (tmp_path / "own.py").write_text(text + "\n")
    said = refused(capsys, *compare(tmp_path / "x", "--load", tmp_path / "own.py"))
    assert mentions in said
    assert "own.py" in said
    assert not (tmp_path / "x").exists()


def test_a_folder_of_methods_is_no_file_of_methods(capsys, tmp_path):
    assert str(tmp_path) in refused(capsys, *compare(tmp_path / "x", "--load", tmp_path))


def test_an_out_that_is_a_file_is_refused_and_left(capsys, tmp_path):
    (tmp_path / "file").write_text("x")
    assert "is a file" in refused(capsys, *compare(tmp_path / "file"))
    refused(capsys, *compare(tmp_path / "file" / "below"))
    assert (tmp_path / "file").read_text() == "x"


def test_a_start_that_is_no_start_is_refused(capsys, tmp_path):
    (tmp_path / "start.safetensors").write_bytes(b"no start at all")
    said = refused(capsys, *compare(tmp_path / "x", "--start-from", tmp_path / "start.safetensors"))
    assert "start.safetensors" in said
    assert not (tmp_path / "x").exists()


# One real comparison


OWN = """
from sparsine.measure.comparison.fitted_models import FromStart
from sparsine.measure.comparison.methods import METHODS, Method
from sparsine.measure.comparison.methods.tickets import pruned_once

class Naive(Method):
    name, label, family = "naive", "pruned, nothing more", "ablation"

    def needs(self, plan, level):
        return [plan.dense().at()]

    def fitted_model(self, context):
        return FromStart(pruned_once(context.starts[0], context.level.weights))

METHODS["naive"] = Naive()
"""


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """(folder, arguments) of a comparison with a method of one's own."""
    folder = tmp_path_factory.mktemp("compared")
    (folder / "own.py").write_text(OWN)
    args = compare(folder / "out", "--load", folder / "own.py", "--methods", "meta-sparse", "naive")
    assert main([str(arg) for arg in args]) == 0
    yield folder / "out", args
    del METHODS["naive"]


def test_a_comparison_has_records_figures_and_a_page(done):
    out, _ = done
    cells = read_cells(out)
    assert [(cell["method"], cell["weights"]) for cell in cells] == [("meta-sparse", 35), ("naive", 35)]
    assert (out / "cells/curves/seed-0/naive/round-01.json").is_file()
    assert "pruned, nothing more" in (out / "comparison.html").read_text()
    assert list((out / "figures").glob("*.svg"))


def test_quick_says_in_terminal_help_and_page_that_it_is_not_to_be_judged_by(capsys, done):
    out, args = done
    assert main([str(arg) for arg in args]) == 0  # everything is measured already
    note = "2 test signals, 1 seed and at most 5 outer steps are too few to judge methods by"
    assert note in " ".join(capsys.readouterr().out.split())
    page = (out / "comparison.html").read_text()
    assert f'<p class="note">Recipe quick shows that everything is in place. {note}' in page
    assert main(["compare", "--help"]) == 0
    told = capsys.readouterr().out.replace("│", " ")
    assert "too few steps and signals to judge methods by" in " ".join(told.split())


def snapshot(out):
    return {path: path.read_bytes() for path in out.rglob("*") if path.is_file() and path.name != ".lock"}


def test_another_configuration_in_the_folder_is_refused_and_nothing_written(capsys, done):
    out, args = done
    before = snapshot(out)
    assert "field.width was 6, now 7" in refused(capsys, *args, "--width", "7")
    assert "outer_step_size" in refused(capsys, *args, "--outer-step-size", "1e-4")
    assert "signals was 2, now 1" in refused(capsys, *args, "--limit", "1")
    moved = [arg if arg != "curves" else "curves=curves:4" for arg in args]
    assert "give it another label" in refused(capsys, *moved)
    assert snapshot(out) == before


def test_two_commands_cannot_share_a_folder(capsys, done):
    out, args = done
    with locked(out):
        assert "another process is writing" in refused(capsys, *args)


def test_a_damaged_record_is_named(capsys, done):
    out, args = done
    path = out / "cells/curves/seed-0/naive/round-01.json"
    content = path.read_bytes()
    for damaged in (content[:-7], json.dumps({**json.loads(content), "record_version": 99}).encode()):
        path.write_bytes(damaged)
        assert "naive/round-01.json" in refused(capsys, *args)
        assert path.read_bytes() == damaged
    path.write_bytes(content)


def test_what_fails_is_said_and_ends_with_1_and_the_rest_is_kept(capsys, tmp_path):
    args = compare(tmp_path / "x", "--methods", "meta-sparse", "scratch", "--inner-step-size", "1000",
                   "--inner-steps", "60")  # fmt: skip
    capsys.readouterr()
    assert main([str(arg) for arg in args]) == 1
    said = capsys.readouterr()
    assert "failed learning/curves/seed-0/dense" in said.out
    assert "finite" in said.out
    assert "1 of 2 cells are measured; the same command goes on where this one ended" in said.err
    assert [cell["method"] for cell in read_cells(tmp_path / "x")] == ["scratch"]
