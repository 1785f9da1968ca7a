"""The help of every command: choices are shown, defaults tell something, and a sentence is one paragraph."""

import itertools
import re
import shutil
import subprocess
import sys

import pytest

from sparsine.cli import learn
from sparsine.cli.main import COMMANDS, main
from sparsine.cli.options import parse
from sparsine.cli.signals import SPLITS
from sparsine.engines.choose import ENGINES
from sparsine.measure.comparison.methods import METHODS
from sparsine.measure.comparison.methods.registry import TRANSFER
from sparsine.pruning.scores import SCORES
from sparsine.recipes import COMPARISONS, RECIPES
from sparsine.signals.open import dataset_kinds

FRILLS = re.compile(r"\{None\}|\{fixed\}|\(default: (False|'')?\)|\[\w+ \[\w+ \.\.\.\]\]|MISSING")


@pytest.fixture
def help_of(capsys, monkeypatch):
    """The lines that `sparsine COMMAND --help` prints on a terminal of so many columns."""

    def lines(command, columns=80):
        monkeypatch.setenv("COLUMNS", str(columns))
        assert shutil.get_terminal_size().columns == columns
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main([command, "--help"])
        assert stop.value.code == 0
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
    assert "{auto,reference,dense,sparse,abacus}" in paragraphs_of("fit")
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
    options = parse(learn.Options, ["curves", "--out", "x", *given.split()], "learn", "", learn.defaults)
    name = given.split()[0].strip("-").replace("-", "_").replace("sparsity", "target_sparsity")
    parts = (options.inner, options.grid, options.pruning)
    assert [getattr(part, name) for part in parts if hasattr(part, name)] == [found]


def test_the_list_of_commands_loads_nothing_heavy():
    code = "import sys; from sparsine.cli.main import main; main(['--help']); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("False\n")
