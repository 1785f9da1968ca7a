"""The help of every command: choices are shown, defaults tell something, and a sentence is one paragraph."""

import importlib
import itertools
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sparsine.cli import learn
from sparsine.cli.catalogue import FOLDER, Page, stored_page
from sparsine.cli.commands import FIRST
from sparsine.cli.main import COMMANDS, main
from sparsine.cli.options import parse
from sparsine.cli.signals import SPLITS
from sparsine.engines.choose import ENGINES
from sparsine.measure.comparison.methods import METHODS
from sparsine.measure.comparison.methods.registry import TRANSFER
from sparsine.pruning.scores import SCORES
from sparsine.recipes import COMPARISONS, RECIPES
from sparsine.signals.open import dataset_kinds

SCRIPTS = Path(__file__).parents[2] / "scripts"
OF_TWO_TYPES = {
    "resolution": {"SIZE", "{...}"},  # encode has words for the usual ones
    "data": {"SPEC", "SPEC [SPEC ...]"},
    "out": {"PATH", "ADDRESS|PATH"},  # codes and drawings may go to addresses
}
ONE_THING = {
    "out": "where the result goes", "seed": "decides random numbers", "engine": "who computes ours",
    "device": "where it is computed", "hidden-layers": "of a field", "omega-0": "frequency of a field's sines",
    "resolution": "samples along each axis that signals are brought to", "inner-steps": "steps from a start to a task",
    "points": "samples that a step sees", "share": "part of the samples that a step sees",
    "sampling": "how these are drawn", "decay": "how a step size falls", "sparsity": "fraction of removed weights",
    "split": "part of a data set that is used", "limit": "only so many signals, from the front",
    "size": "samples along each axis of what is drawn", "overwrite": "use --out although something is there",
    "effort": "what a fit may cost", "steps": "of a fit", "data": "which data sets", "pictures": "how many are drawn",
    "levels": "rounds of pruning that are measured", "rounded-steps": "steps that see the rounded vector",
    "start": "what codes were encoded with", "ray": "work on a Ray cluster",
    "config": "a file that says the options; of learn a recipe file", "print-config": "print such a file",
}  # fmt: skip
FRILLS = re.compile(r"\{None\}|\{fixed\}|\(default: (False|'')?\)|\[\w+ \[\w+ \.\.\.\]\]|MISSING")


@pytest.fixture
def help_of(capsys, monkeypatch):
    """The lines that `sparsine COMMAND --help` prints on a terminal of so many columns."""

    def lines(command, columns=80):
        monkeypatch.setenv("COLUMNS", str(columns))
        assert shutil.get_terminal_size().columns == columns
        capsys.readouterr()
        assert main([command, "--help"]) == 0
        return capsys.readouterr().out.splitlines()

    return lines


@pytest.fixture
def paragraphs_of(help_of):
    """The same without its boxes, every paragraph on one line."""
    return lambda command: " ".join(" ".join(line.strip("│ ") for line in help_of(command)).split())


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_no_frills_and_no_stray_breaks_and_fits(help_of, command, columns):
    usage, *lines = help_of(command, columns)
    assert usage.startswith(f"usage: sparsine {command} ")
    assert not FRILLS.findall("\n".join(lines))
    assert max(map(len, lines)) <= columns
    assert stray_breaks(lines) == []


def stray_breaks(lines):
    """Lines of a sentence that end although the next word had room. Boxes are drawn, or of spaces."""
    found = []
    for above, below in itertools.pairwise(lines):
        if not (above[:2] == below[:2] and above[:2] in ("│ ", "  ") and below.strip("│ ")):
            continue
        column = len(below) - len(below[2:].lstrip())
        goes_on = column > 2 and above[column - 2 : column].isspace() and not above[column].isspace()
        if goes_on and len(above.rstrip("│ ")) + 1 + len(below[column:].split()[0]) <= len(above) - 2:
            found.append(above)
    return found


def test_a_stray_break_is_seen():
    box = ["│ --sparsity FLOAT  the start whose fraction      │", "│                   of removed weights is nearest │"]
    for lines in (box, [line.replace("│", " ") for line in box]):
        assert stray_breaks(lines) == lines[:1]
        assert stray_breaks([lines[0][:43] + lines[0][-2:], lines[1]]) == []


@pytest.mark.parametrize("command", COMMANDS)
def test_none_is_a_default_only_where_the_sentence_says_what_it_means(paragraphs_of, command):
    for option in re.split(r" (?=--[a-z])", paragraphs_of(command)):
        assert "(default: None)" not in option or option.count("None") > 1, option


@pytest.mark.parametrize(
    ("option", "words", "commands"),
    [
        ("--engine", ["auto", *ENGINES], ["learn", "fit", "encode", "decode", "calibrate", "compare", "bench"]),
        ("--score", SCORES, ["learn", "compare"]),
        ("--split", SPLITS, ["fit", "encode", "calibrate", "rate-distortion"]),
        ("--recipe", RECIPES, ["learn"]),
        ("required", COMPARISONS, ["compare"]),
    ],
)
def test_words_of_a_registry_are_choices(paragraphs_of, option, words, commands):
    for command in commands:
        said = paragraphs_of(command)
        assert "{" + ",".join(words) + "}" in said, command
        assert option in said


def test_a_word_that_is_added_to_a_registry_is_in_the_help_and_can_be_chosen(paragraphs_of, monkeypatch, tmp_path):
    monkeypatch.setitem(ENGINES, "abacus", ENGINES["dense"])
    assert f"{{auto,{','.join(ENGINES)}}}" in paragraphs_of("fit")
    assert "abacus" in ENGINES
    assert main(["fit", str(tmp_path / "nothing"), "curves", "--out", str(tmp_path / "x"), "--engine", "abacus"]) == 2


def test_methods_and_kinds_of_data_are_named(paragraphs_of):
    said = paragraphs_of("compare")
    assert f"Known: {', '.join([TRANSFER, *METHODS])}." in said
    assert {kind for kind in dataset_kinds() if re.search(rf"\b{kind}\b", paragraphs_of("learn"))} == {*dataset_kinds()}


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ("fit s a --out x --optimizer foo", "--optimizer: got 'foo', but it must be one of: adam, sgd"),
        ("fit s a --out x --split foo", "--split: got 'foo', but it must be one of: train, val, test"),
        ("fit s a --out x --engine foo", "--engine: got 'foo', but it must be one of: auto, reference, dense, sparse"),
        ("fit s a --out x --limit foo", "--limit: got 'foo', but it must be a whole number"),
        ("fit s a --out x --report 1 foo", "--report: got 'foo', but it must be a whole number"),
        ("fit s a --out x --sparsity foo", "--sparsity: got 'foo', but it must be a number"),
        ("learn curves --out x --score foo", f"--score: got 'foo', but it must be one of: {', '.join(SCORES)}"),
        ("learn curves --out x --recipe foo", "recipe is 'foo', but it must be one of: best, quick, small, paper"),
        ("learn curves --out x --points 1.5", "--points: got '1.5', but it must be a whole number"),
        ("learn curves --out x --decay", "Missing value for argument '--decay'. It needs one value."),
        ("bench foo", "got 'foo', but it must be one of: engines, meta, fit, decode"),
        ("import-learnit a --out x --conventions foo", "--conventions: got 'foo', but it must be one of: learnit, "),
        ("encode s a --out x --resolution foo", "--resolution: got 'foo', but it must be one of: own, start; or a size "
         "is written as in 96x128, but got 'foo'"),
    ],
)  # fmt: skip
def test_what_is_none_of_the_choices_is_refused_in_one_line(capsys, args, said):
    assert main(args.split()) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {said}")


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("--points None", None), ("--points 37", 37), ("--resolution None", None), ("--resolution 5x7", (5, 7)),
        ("--sparsity None", None), ("--sparsity 0.5", 0.5), ("--sparsity 1", 1.0),
    ],
)  # fmt: skip
def test_none_can_still_be_written(given, found):
    options = parse(learn.Options, ["curves", "--out", "x", *given.split()], "learn", learn.defaults)
    name = given.split()[0].strip("-").replace("-", "_").replace("sparsity", "target_sparsity")
    parts = (options.inner, options.grid, options.pruning)
    assert [getattr(part, name) for part in parts if hasattr(part, name)] == [found]


def test_the_list_of_commands_loads_nothing_heavy():
    code = "import sys; from sparsine.cli.main import main; main(['--help']); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("False\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_what_is_kept_for_help_is_what_the_options_say(command, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(SCRIPTS), *sys.path])
    from make_help import page_as_it_is, written

    kept = (FOLDER / f"{command}.json").read_text(encoding="utf-8")
    assert kept == written(page_as_it_is(command)), "python scripts/make_help.py writes it anew"
    assert Page.from_dict(json.loads(kept)) == page_as_it_is(command)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_loads_nothing_that_computes(command):
    code = (
        f"import sys; from sparsine.cli.main import main; assert main([{command!r}, '--help']) == 0; "
        "print([name for name in ('torch', 'numpy', 'matplotlib', 'tyro') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"usage: sparsine {command}")
    assert done.stdout.endswith("[]\n")


def test_with_a_package_that_adds_choices_help_is_made_from_the_options(tmp_path, monkeypatch):
    assert stored_page("learn") is not None
    (tmp_path / "mine-1.dist-info").mkdir()
    (tmp_path / "mine-1.dist-info/entry_points.txt").write_text("[sparsine.scores]\nmine = mine:score\n")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    assert stored_page("learn") is None


def test_help_with_another_choice_tells_its_defaults_and_its_options(capsys):
    assert main(["learn", "--recipe", "paper", "--score", "lamp", "--help"]) == 0
    said = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "(default: paper)" in said
    assert "--score.steps" not in said
    assert main(["learn", "--help"]) == 0
    assert "--score.steps" in capsys.readouterr().out


@pytest.mark.parametrize("command", COMMANDS)
def test_few_options_come_first_and_all_that_must_be_given_are_among_them(command):
    page, first = stored_page(command), FIRST.get(command, ())
    names = {option.name for option in page.options if not option.positional}
    assert set(first) <= names
    assert len(first) <= 5
    assert {option.name for option in page.options if option.required and not option.positional} <= set(first)


def test_the_same_word_is_the_same_type_and_means_the_same_in_every_command():
    """Where the sentences differ, they are told here to be about one thing."""
    found = {}
    for command in COMMANDS:
        for option in stored_page(command).options:
            if not option.positional:
                found.setdefault(option.name, {})[command] = option
    several = {name: by for name, by in found.items() if len(by) > 1}
    types = {name: {o.metavar if not o.words else "{...}" for o in by.values()} for name, by in several.items()}
    assert {name: kinds for name, kinds in types.items() if len(kinds) > 1} == OF_TWO_TYPES
    differing = {name for name, by in several.items() if len({option.sentence for option in by.values()}) > 1}
    assert differing == set(ONE_THING)


def test_no_two_options_of_a_command_have_one_name_or_one_short_form():
    shorts = {}
    for command in COMMANDS:
        options = stored_page(command).options
        names = [option.name for option in options]
        assert len(names) == len(set(names)), command
        for option in options:
            if option.short:
                shorts.setdefault(option.short, set()).add(option.name)
    assert {short: names for short, names in shorts.items() if len(names) > 1} == {}


@pytest.mark.parametrize(
    ("command", "given"),
    [("fit", "s a --out x --render 4x4"), ("report", "r --signals 3"), ("calibrate", "s a --out x --signals 3"),
     ("bench", "fit --depth 2 --size 4x5 --signals 3"), ("learn", "curves --out x --target_sparsity 0.5"),
     ("learn", "curves --out x --target-sparsity=0.5")],
)  # fmt: skip
def test_earlier_names_are_understood_and_not_told(command, given, paragraphs_of):
    module = importlib.import_module(f"sparsine.cli.{command}")
    options = parse(module.Options, given.split(), command, getattr(module, "defaults", None))
    assert any(str(value) in repr(options) for value in ("size=(4, 4)", "signals=3", "target_sparsity=0.5"))
    said = paragraphs_of(command)
    for name in re.findall(r"--[a-z_-]+", given):
        assert name == "--out" or f"{name.replace('_', '-')} " not in said or (command, name) == ("bench", "--size")


def test_the_list_of_commands_fits_eighty_columns(capsys):
    assert main(["--help"]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80
