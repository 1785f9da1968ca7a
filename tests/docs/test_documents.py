"""What the documents say is held to: their Python runs, their links lead somewhere, their commands exist."""

import json
import re
import shlex
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from sparsine.cli.main import COMMANDS
from sparsine.engines.choose import ENGINES
from sparsine.fields import ACTIVATIONS
from sparsine.measure.comparison.methods import METHODS
from sparsine.pruning import DISTRIBUTIONS, SCHEDULES, SCORES
from sparsine.recipes import RECIPES

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
PARSE_ALL = """
import json, sys
from importlib import import_module
from sparsine.cli.main import asks_for_help
from sparsine.cli.options import parse
from sparsine.errors import BadInput

refused = []
for document, words in json.load(sys.stdin):
    command, *options = [word for word in words if word != "--debug"]
    if asks_for_help(options):
        continue
    try:
        module = import_module("sparsine.cli." + command.replace("-", "_"))
        parse(module.Options, options, command, getattr(module, "defaults", None))
    except (BadInput, ImportError) as error:
        refused.append(f"{document}: sparsine {' '.join(words)}: {error}")
json.dump(refused, sys.stdout)
"""


def blocks(document, *languages):
    """(first line, text) of every block that is marked with one of the languages."""
    text = document.read_text()
    return [
        (text.count("\n", 0, found.start(2)) + 1, found[2]) for found in BLOCK.finditer(text) if found[1] in languages
    ]


def command_lines(document):
    """The commands of console and sh blocks, as lists of words; a line may go on after a backslash."""
    for _, text in blocks(document, "console", "sh"):
        for line in text.replace("\\\n", " ").splitlines():
            words = shlex.split(line.strip().removeprefix("$ "), comments=True)
            words = words[: words.index(">")] if ">" in words else words  # the rest is the shell's
            if words:
                yield [Path(words[0]).name, *words[1:]]


def name_of(document):
    return document.relative_to(ROOT).as_posix()


@pytest.fixture
def registries():
    """Documents add to tables; afterwards what they added is gone again."""
    tables = (SCORES, DISTRIBUTIONS, SCHEDULES, ACTIVATIONS, METHODS, ENGINES, RECIPES)
    saved = [(registry, dict(registry)) for registry in tables]
    yield
    for registry, before in saved:
        registry.clear()
        registry.update(before)


@pytest.mark.parametrize("document", [d for d in DOCUMENTS if blocks(d, "python")], ids=name_of)
def test_the_python_blocks_of_a_document_run_in_order(document, tmp_path, monkeypatch, registries):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": document.stem}
    for line, text in blocks(document, "python"):
        # empty lines before it make the lines of an error those of the document
        exec(compile("\n" * (line - 1) + text, str(document), "exec"), names)


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_relative_links_lead_to_files_of_the_project(document):
    missing = [
        link
        for link in LINK.findall(document.read_text())
        if not link.startswith(("https://", "http://", "#")) and not (document.parent / link.partition("#")[0]).exists()
    ]
    assert not missing


def test_commands_in_documents_are_understood_by_the_command_line(tmp_path):
    commands = [
        (name_of(document), words)
        for document in DOCUMENTS
        for program, *words in command_lines(document)
        if program == "sparsine" and words[0] not in ("--version", "--help")
    ]
    assert refused(commands, tmp_path) == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_make_targets_in_documents_exist(document):
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {word for program, *words in command_lines(document) if program == "make" for word in words}
    assert {word for word in named if "=" not in word} <= targets


def test_the_documents_show_every_command_of_the_command_line():
    shown = {words[1] for document in DOCUMENTS for words in command_lines(document) if words[0] == "sparsine"}
    assert set(COMMANDS) <= shown


def test_a_command_with_an_option_that_does_not_exist_is_refused(tmp_path):
    commands = [("nowhere", ["learn", "curves", "--out", "run", *more]) for more in ([], ["--no-such-option", "3"])]
    (found,) = refused(commands, tmp_path)
    assert "--no-such-option" in found


def test_the_citation_names_the_version_of_the_package():
    from sparsine.version import __version__

    assert f"\nversion: {__version__}\n" in (ROOT / "CITATION.cff").read_text()
    assert f"## [{__version__}]" in (ROOT / "CHANGELOG.md").read_text()


def refused(commands, folder):
    """Parse (document, words) pairs without doing anything; what is said of those that are not understood.

    In a process of its own, where signatures are not checked: options that are still missing are of no type. No run
    lies in `folder`, so that --resume takes the defaults of a recipe; recipe files lie there that say nothing.
    """
    for _, words in commands:
        for option, name in pairwise(words):
            if option == "--config":
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_text("{}")
    done = subprocess.run(
        [sys.executable, "-c", PARSE_ALL], input=json.dumps(commands), capture_output=True, text=True, cwd=folder
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("document", [d for d in DOCUMENTS if "<img" in d.read_text()], ids=name_of)
def test_pictures_that_move_have_a_still_one_for_who_wants_less_movement(document):
    text = document.read_text()
    for film in re.findall(r'<img [^>]*src="([^"]+)"', text):
        still = str(Path(film).with_suffix(".png"))
        assert f'<picture><source media="(prefers-reduced-motion: reduce)" srcset="{still}"><img src="{film}"' in text
        assert (document.parent / film).is_file()
        assert (document.parent / still).is_file()
