"""Things of one's own from the command line: from a file by --load, and from an installed package by entry points."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from packages_of_others import install

from sparsine.fields import ACTIVATIONS
from sparsine.measure.comparison.records import read_cells
from sparsine.pruning import SCORES

OWN = Path(__file__).with_name("own_things.py")
FIELD = ["--width", "6", "--hidden-layers", "2", "--resolution", "13x11", "--points", "37", "--val-signals", "0",
         "--dense-steps", "5", "--steps-per-round", "3", "--tasks-per-step", "2"]  # fmt: skip
LEARN = [*FIELD, "--activation", "bell", "--activation.narrow", "3", "--score", "power", "--score.exponent", "2",
         "--score.last-layer", "50", "--schedule", "even", "--schedule.stop-at", "24", "--rounds", "2",
         "--distribution", "first-fuller"]  # fmt: skip
COMPARE = ["compare", "quick", "--data", "curves", "--methods", "meta-sparse", "naive", "--levels", "1", "2", "--seeds",
           "0", "--limit", "2", "--pictures", "0", "--workers", "2", *LEARN]  # fmt: skip
OFFERS = {
    "sparsine.scores": {"power": "own_things:Power"},
    "sparsine.schedules": {"even": "own_things:Even"},
    "sparsine.distributions": {"first-fuller": "own_things:first_fuller"},
    "sparsine.activations": {"bell": "own_things:Bell"},
    "sparsine.methods": {"naive": "own_things:naive"},
}


def sparsine(folder, *words, site=None):
    """(exit status, what was printed, what was complained about) of a command in a process of its own."""
    env = {**os.environ, "COLUMNS": "200", "OMP_NUM_THREADS": "1"} | ({"PYTHONPATH": str(site)} if site else {})
    command = [sys.executable, "-m", "sparsine", *map(str, words)]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def sound(*told):
    status, out, err = told
    assert (status, err) == (0, ""), err
    return out


def refused(*told):
    status, _, err = told
    assert status == 2
    (line,) = err.splitlines()
    return line


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the file, and a run that was learned with it."""
    folder = tmp_path_factory.mktemp("loaded")
    (folder / "own.py").write_text(OWN.read_text())
    sound(*sparsine(folder, "learn", "curves", "--out", "run", *LEARN, "--load", "own.py"))
    return folder


@pytest.fixture(scope="module")
def packaged(tmp_path_factory):
    """The same from a package: (folder, folder of packages)."""
    folder, site = tmp_path_factory.mktemp("packaged"), tmp_path_factory.mktemp("site")
    install(site, "sparsine-own", "own_things", OWN.read_text(), OFFERS)
    sound(*sparsine(folder, "learn", "curves", "--out", "run", *LEARN, site=site))
    return folder, site


def starts(folder):
    return [path.read_bytes() for path in sorted((folder / "run" / "starts").glob("*.safetensors"))]


def weights(folder):
    from sparsine.starts.start import load_start

    return [load_start(path) for path in sorted((folder / "run" / "starts").glob("*.safetensors"))]


@pytest.fixture(scope="module")
def known_here():
    """What the file holds, in this process too."""
    from sparsine.plugins import load_files

    load_files([OWN])
    yield
    from sparsine.measure.comparison.methods import METHODS
    from sparsine.pruning import DISTRIBUTIONS, SCHEDULES

    for registry, name in ((SCORES, "power"), (SCHEDULES, "even"), (DISTRIBUTIONS, "first-fuller"),
                           (ACTIVATIONS, "bell"), (METHODS, "naive")):  # fmt: skip
        del registry[name]


def test_what_a_file_adds_is_a_choice_in_the_help_with_its_options(folder):
    out = sound(*sparsine(folder, "learn", "--load", "own.py", "--score", "power", "--activation", "bell", "--help"))
    for words in ("{magnitude,random,lamp,connected,saliency,power}", "{global,uniform,erk,first-fuller}",
                  "{geometric,even}", "{sine,finer,gauss,relu,bell}", "--score.exponent FLOAT", "Of the magnitude.",
                  "--score.last-layer FLOAT", "--activation.narrow FLOAT"):  # fmt: skip
        assert words in out


def test_a_run_holds_what_was_chosen_and_what_was_loaded(folder, known_here):
    config = json.loads((folder / "run" / "config.json").read_text())
    assert config["pruning"]["score_options"] == {"exponent": 2.0, "last_layer": 50.0}
    assert config["pruning"]["schedule_options"] == {"stop_at": 24}
    assert config["field"]["activation_options"] == {"narrow": 3.0}
    digest = hashlib.sha256(OWN.read_bytes()).hexdigest()
    assert json.loads((folder / "run" / "loaded.json").read_text()) == [{"file": "own.py", "sha256": digest}]
    dense, once, twice = weights(folder)
    assert [int(keep.sum()) for keep in dense.pattern.layer_keeps()] == [12, 36, 6]
    assert [int(keep.sum()) for keep in once.pattern.layer_keeps()] == [12, 27, 0]
    assert [int(keep.sum()) for keep in twice.pattern.layer_keeps()] == [12, 12, 0]
    assert twice.field.activation == ACTIVATIONS["bell"](narrow=3.0)
    assert twice.info["loaded"][0]["file"] == "own.py"


def test_a_run_goes_on_with_the_file_and_says_which_is_missing_without_it(folder):
    before = starts(folder)
    said = refused(*sparsine(folder, "learn", "curves", "--out", "run", "--resume"))
    assert "run was made with --load own.py, which is missing here" in said
    assert "finished" in sound(*sparsine(folder, "learn", "curves", "--out", "run", "--resume", "--load", "own.py"))
    assert starts(folder) == before


def test_a_file_that_was_changed_since_is_told(folder):
    (folder / "other").mkdir()
    (folder / "other" / "own.py").write_text(OWN.read_text() + "\n# changed\n")
    status, out, err = sparsine(folder, "learn", "curves", "--out", "run", "--resume", "--load", "other/own.py")
    assert (status, err) == (0, "")
    assert "note: own.py is not the same as when this was begun" in out


def test_a_report_is_made_with_the_file_and_says_which_is_missing_without_it(folder):
    assert "--load own.py, which is missing here" in refused(*sparsine(folder, "report", "run"))
    few = ("--limit", "2", "--steps", "3", "--pictures", "0")
    sound(*sparsine(folder, "report", "run", *few, "--load", "own.py"))
    assert (folder / "run" / "report.html").is_file()


def test_a_start_says_which_file_is_missing(folder):
    start = "run/starts/round-02.safetensors"
    said = refused(*sparsine(folder, "info", start))
    assert "unknown activation 'bell'" in said
    assert f"{start} was made with --load own.py, which is missing here" in said
    assert "24 weights" in sound(*sparsine(folder, "info", start, "--load", "own.py"))


def test_every_process_of_a_comparison_runs_the_file(folder):
    sound(*sparsine(folder, *COMPARE, "--out", "compared", "--load", "own.py"))
    cells = read_cells(folder / "compared")
    assert [(cell["method"], cell["weights"]) for cell in cells] == [
        ("meta-sparse", 39), ("meta-sparse", 24), ("naive", 39), ("naive", 24),
    ]  # fmt: skip
    assert json.loads((folder / "compared" / "comparison.json").read_text())["loaded"][0]["file"] == "own.py"


def test_a_package_does_the_same_to_the_bit_without_load(folder, packaged, known_here):
    here, site = packaged
    assert [start.digest for start in weights(here)] == [start.digest for start in weights(folder)]
    assert json.loads((here / "run" / "loaded.json").read_text()) == [{"package": "sparsine-own", "version": "1.2"}]
    out = sound(*sparsine(here, "learn", "curves", "--out", "run", "--resume", site=site))
    assert "finished" in out
    few = ("--limit", "2", "--steps", "3", "--pictures", "0")
    sound(*sparsine(here, "report", "run", *few, site=site))
    sound(*sparsine(here, *COMPARE, "--out", "compared", site=site))
    assert {cell["method"] for cell in read_cells(here / "compared")} == {"meta-sparse", "naive"}


def test_a_package_that_is_missing_is_named(packaged):
    here, _ = packaged
    said = refused(*sparsine(here, "report", "run"))
    assert "run was made with the package sparsine-own, which is missing here" in said


def test_a_broken_package_is_one_line_and_the_work_is_done(tmp_path):
    offers = {"sparsine.scores": {"a": "broken:a", "b": "broken:b"}, "sparsine.engines": {"c": "broken:c"}}
    install(tmp_path / "site", "sparsine-broken", "broken", "1 / 0", offers)
    learn = ("learn", "curves", "--out", "run", *FIELD, "--rounds", "0")
    status, _, err = sparsine(tmp_path, *learn, site=tmp_path / "site")
    assert (status, err) == (0, "")  # nobody asked for anything of others
    status, out, err = sparsine(tmp_path, "info", "--engines", site=tmp_path / "site")
    assert status == 0
    assert "reference" in out
    (line,) = err.splitlines()
    assert line.startswith("note: the package sparsine-broken is left out: its ")
    assert line.endswith("ZeroDivisionError: division by zero")
