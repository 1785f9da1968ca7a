"""Files of one's own: run once, known by what they hold, and missed where something was made with them."""

import hashlib
import pickle
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from sparsine import plugins
from sparsine.errors import BadInput, UnknownName
from sparsine.fields import ACTIVATIONS, Pattern
from sparsine.fields.activations import Gauss
from sparsine.fields.mlp import MLP
from sparsine.plugins import load_files, loaded, made_with
from sparsine.pruning import SCORES
from sparsine.signals.grid import Grid
from sparsine.starts.start import Start, load_start, save_start

SCORE = """
from dataclasses import dataclass
from sparsine.pruning import SCORES

@dataclass(frozen=True)
class Mine:
    power: float = 1.5

    def __call__(self, pattern, theta, context):
        return theta[: pattern.num_weights].abs() ** self.power

SCORES["mine"] = Mine
"""


@pytest.fixture
def mine(tmp_path):
    yield write(tmp_path / "mine.py", SCORE)
    SCORES.pop("mine", None)


def write(path, text):
    path.write_text(text)
    return path


def test_a_file_that_is_loaded_adds_to_what_there_is(mine):
    load_files([mine])
    assert SCORES["mine"]().power == 1.5
    assert loaded() == [{"file": str(mine), "sha256": hashlib.sha256(SCORE.encode()).hexdigest()}]


def test_a_file_is_run_once_as_long_as_it_is_the_same(mine):
    load_files([mine, mine])
    first = SCORES["mine"]
    load_files([str(mine)])
    assert SCORES["mine"] is first
    mine.write_text(SCORE.replace("1.5", "2.5"))
    load_files([mine])
    assert SCORES["mine"]().power == 2.5
    assert len(loaded()) == 1


def test_what_a_file_defines_can_be_handed_to_processes_that_load_it(mine):
    load_files([mine])
    (file,) = plugins.loaded_files()
    score = pickle.dumps(SCORES["mine"](power=3.0))
    code = ("import sys, pickle\nfrom sparsine import plugins\nfile, score = pickle.load(sys.stdin.buffer)\n"
            "plugins.load(file)\nprint(pickle.loads(score).power)")  # fmt: skip
    mine.write_text("1 / 0")  # what was loaded counts, not what is there now
    done = subprocess.run([sys.executable, "-c", code], input=pickle.dumps((file, score)), capture_output=True)
    assert done.stdout == b"3.0\n", done.stderr


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("\n\n1 / 0", " failed in line 3: ZeroDivisionError: division by zero"),
        ("x = 1\ndef f(:", " failed in line 2: SyntaxError: invalid syntax"),
        ("import not_there", " failed in line 1: ModuleNotFoundError: No module named 'not_there'"),
        ("def f():\n    return {}['a']\n\nf()", " failed in line 2: KeyError: 'a'"),
        ("import json\n\njson.loads('{')", " failed in line 3: JSONDecodeError: "),
        ("raise SystemExit(3)", " failed in line 1: SystemExit: 3"),
        ("from sparsine.pruning import SCORES\nSCORES['mine'] = 3", " failed in line 2: score 'mine' must be "),
        ("b = b'\\xff'\n\xff = 1; 2 +", " failed in line 2: SyntaxError: "),
    ],
)
def test_a_file_that_fails_says_which_and_where_and_why(tmp_path, text, why):
    path = write(tmp_path / "own.py", text)
    with pytest.raises(BadInput) as error:
        load_files([path])
    assert str(error.value).startswith(f"{path}{why}")
    assert loaded() == []
    with pytest.raises(BadInput, match="failed"):  # and is not taken for loaded the next time
        load_files([path])


def test_what_is_no_plain_file_is_refused(tmp_path):
    no_name = tmp_path / "a\0b"
    for path, why in ((tmp_path, "directory|folder"), (tmp_path / "none.py", "No such file"), (no_name, "null")):
        with pytest.raises(BadInput, match=why):
            load_files([path])


@pytest.mark.parametrize(
    ("registry", "value", "wanted"),
    [
        (SCORES, 3, "a function, or a frozen dataclass"),
        (SCORES, type("NoDataclass", (), {"__call__": lambda self: 0}), "a function, or a frozen dataclass"),
        (ACTIVATIONS, Gauss(), "a subclass of Activation, a frozen dataclass whose `name` is that"),
        (ACTIVATIONS, Gauss, "a subclass of Activation, a frozen dataclass whose `name` is that"),  # of another name
        (ACTIVATIONS, int, "a subclass of Activation"),
    ],
)
def test_what_cannot_stand_in_a_table_is_refused_where_it_is_entered(registry, value, wanted):
    with pytest.raises(BadInput, match=f"'mine' must be {re.escape(wanted)}"):
        registry["mine"] = value
    assert "mine" not in registry


# What is missing


GONE = {"file": "far/away/own.py", "sha256": "0" * 64}


def refused_in(recorded, error=UnknownName, why="unknown score 'mine'"):
    with pytest.raises(error) as caught, made_with(recorded, "runs/a"):
        raise error(why)
    return str(caught.value)


def test_an_unknown_name_is_told_with_the_files_that_something_was_made_with():
    told = "unknown score 'mine'. runs/a was made with --load far/away/own.py, which is missing here"
    assert refused_in([GONE]) == told
    with pytest.raises(UnknownName) as caught, made_with([GONE], "runs/b"), made_with([GONE], "runs/a"):
        raise UnknownName("unknown score 'mine'")
    assert str(caught.value) == told  # once
    assert "the package nowhere-to-be-found" in refused_in([{"package": "nowhere-to-be-found", "version": "1"}])


def test_files_that_are_loaded_are_not_missed_wherever_they_lie(mine):
    load_files([mine])
    for recorded in ([{"file": "other/mine.py", "sha256": "0" * 64}], [{**loaded()[0], "file": "other.py"}]):
        assert refused_in(recorded) == "unknown score 'mine'"
    assert "--load far/away/own.py," in refused_in([GONE, *loaded()])


@pytest.mark.parametrize("recorded", [None, {}, "own.py", 3, [], [3, None, {"file": []}], [{"sha256": "0"}]])
def test_a_record_that_is_none_says_nothing(recorded):
    plugins.changed(recorded)
    assert refused_in(recorded).startswith("unknown score 'mine'")


def test_other_errors_are_not_blamed_on_files():
    assert refused_in([GONE], BadInput, "rounds is -1") == "rounds is -1"


def test_a_file_that_is_not_what_it_was_is_told(mine):
    load_files([mine])
    assert plugins.changed(loaded()) == []
    assert plugins.changed([GONE]) == []
    (told,) = plugins.changed([{"file": "some/mine.py", "sha256": "0" * 64}])
    assert told.startswith("some/mine.py is not the same")


ACTIVATION = """
from dataclasses import dataclass
from typing import ClassVar
from sparsine.fields import ACTIVATIONS
from sparsine.fields.activations import Gauss

@dataclass(frozen=True, kw_only=True)
class Own(Gauss):
    name: ClassVar[str] = "own"

ACTIVATIONS["own"] = Own
"""


def test_a_start_names_the_file_that_it_needs_and_loads_nothing_by_itself(tmp_path):
    path = write(tmp_path / "own.py", ACTIVATION)
    load_files([path])
    field = MLP(sizes=(2, 5, 1), activation=ACTIVATIONS["own"](sigma=0.3))
    start = Start(Pattern.full(field), field.initial_theta(0), Grid(shape=(7, 5)), {"loaded": loaded()})
    save_start(tmp_path / "start.safetensors", start)
    assert torch.equal(load_start(tmp_path / "start.safetensors").theta, start.theta)

    del ACTIVATIONS["own"]
    plugins._files.clear()
    with pytest.raises(BadInput, match=r"unknown activation 'own'.*was made with --load .*own\.py, which is missing"):
        load_start(tmp_path / "start.safetensors")
    assert "own" not in ACTIVATIONS
    save_start(tmp_path / "bare.safetensors", replace(start, info={}))
    with pytest.raises(BadInput, match=r"unknown activation 'own'; known are .*FILE adds\)$"):
        load_start(tmp_path / "bare.safetensors")


def test_paths_are_kept_as_they_were_given(mine, monkeypatch):
    monkeypatch.chdir(mine.parent)
    load_files([Path("mine.py")])
    assert [entry["file"] for entry in loaded()] == ["mine.py"]
    assert plugins.as_options() == " --load mine.py"
