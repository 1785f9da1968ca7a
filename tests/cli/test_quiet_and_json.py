"""`--json -`: one value on standard output and nothing else. `--quiet`: results and errors, and nothing else."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from small_starts import make_pictures, make_start

from sparsine.cli.main import COMMANDS, main
from sparsine.cli.results import RESULTS
from sparsine.parts import fault

LEARN = ["learn", "curves:0/30", "--recipe", "quick", "--width", "7", "--hidden-layers", "1", "--resolution", "6x9",
         "--dense-steps", "1", "--steps-per-round", "1", "--rounds", "1", "--val-signals", "1", "--tasks-per-step", "1",
         "--out", "new"]  # fmt: skip
FAST = ["--steps", "2"]
COMPARE = ["compare", "quick", "--data", "curves:0/30", "--out", "compared", "--width", "6", "--hidden-layers", "2",
           "--resolution", "6x7", "--points", "20", "--tasks-per-step", "2", "--dense-steps", "1", "--steps-per-round",
           "1", "--rounds", "1", "--levels", "1", "--limit", "2", "--val-signals", "0", "--pictures", "0", "--workers",
           "1", "--methods", "meta-sparse", "--seeds", "0"]  # fmt: skip
WORK = {
    "learn": LEARN,
    "fit": ["fit", "start.safetensors", "in", "--out", "fits", *FAST],
    "report": ["report", "run", *FAST, "--limit", "2", "--pictures", "0"],
    "encode": ["encode", "start.safetensors", "in", "--out", "out", *FAST],
    "decode": ["decode", "codes", "--start", "start.safetensors", "--out", "drawn"],
    "export": ["export", "start.safetensors", "--to", "npz", "--out", "field.npz"],
    "tune": ["tune", "curves:0/30", "--out", "race", "--resolution", "5x6", "--numbers", "80", "--effort", "instant",
             "--candidates", "2", "--limit", "4"],
    "starts": ["starts"],
    "plan": ["plan", "start.safetensors", "in", "--plan-signals", "1", "--out", "planned.safetensors"],
    "calibrate": ["calibrate", "start.safetensors", "in", *FAST, "--out", "calibrated.safetensors"],
    "compare": COMPARE,
    "rate-distortion": ["rate-distortion", "better.safetensors", "in", "--out", "rd", *FAST, "--qualities", "48",
                        "--jpeg", "30", "--webp", "30", "--avif", "--jpeg-xl", "--coin-widths"],
    "info": ["info", "codes/a.spn", "--start", "start.safetensors", "--engines"],
    "bench": ["bench", "decode", "--densities", "0.5", "--batches", "1", "--repeats", "1", "--width", "8",
              "--hidden-layers", "3", "--resolution", "5x7"],
    "fetch": ["fetch"],
    "import-learnit": ["import-learnit", "learnit.npz", "--out", "learnit.safetensors"],
}  # fmt: skip
INTERACTIVE = {"view", "completion"}
CHATTER = ("learning", "signals:", "fitting", "encoding", "decoding", "planning", "calibrating", "comparing", "racing",
           "next:", "note:", "use one by", "code and PSNR", "load it with", "finished")  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a start, pictures, codes, a run and a start of Learnit's."""
    folder = tmp_path_factory.mktemp("place")
    make_start(folder / "start.safetensors")
    make_pictures(folder / "in", "a.png", "b.png")
    start, run = folder / "start.safetensors", folder / "run"
    assert main(["encode", str(start), str(folder / "in"), "--out", str(folder / "codes"), *FAST]) == 0
    assert main(["calibrate", str(start), str(folder / "in"), *FAST, "--out", str(folder / "better.safetensors")]) == 0
    assert main([*LEARN[:-1], str(run)]) == 0
    sizes, rng = (2, 5, 3), np.random.default_rng(3)
    layers = {f"layers.{i}.weight": rng.standard_normal((sizes[i + 1], sizes[i])) for i in range(2)}
    np.savez(folder / "learnit.npz", **layers, **{f"layers.{i}.bias": np.zeros(sizes[i + 1]) for i in range(2)})
    return folder


@pytest.fixture
def here(place, tmp_path, monkeypatch):
    """A folder of its own for each test, where the things of `place` are found by the same names."""
    for thing in place.iterdir():
        (tmp_path / thing.name).symlink_to(thing)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_command_that_reports_something_is_tried_and_says_what_it_reports():
    assert {*COMMANDS} - INTERACTIVE == {*WORK} == {*RESULTS}


@pytest.mark.parametrize("command", WORK)
def test_json_on_standard_output_is_all_that_is_there(command, here, capfd):
    assert main([*WORK[command], "--json", "-"]) == 0
    out, err = capfd.readouterr()
    assert fault(json.loads(out), RESULTS[command]) == ""
    assert err != ""
    assert "{" not in err.splitlines()[0]


@pytest.mark.parametrize("command", WORK)
def test_quiet_leaves_the_result_and_no_chatter(command, here, capfd):
    assert main([*WORK[command], "--quiet"]) == 0
    out, err = capfd.readouterr()
    assert out != ""
    assert err == ""
    assert [line for line in out.splitlines() if line.startswith(CHATTER)] == []


def test_without_quiet_there_is_chatter(here, capfd):
    assert main(WORK["fit"]) == 0
    assert capfd.readouterr().out.startswith("fitting 2 signals")


def test_json_and_quiet_together_leave_one_value_and_the_results_for_people(here, capfd):
    assert main([*WORK["encode"], "-q", "--json", "-"]) == 0
    out, err = capfd.readouterr()
    assert json.loads(out)["codes"] == 2
    assert "encoding" not in err


def test_what_goes_wrong_is_said_although_all_is_quiet(here, capfd):
    (here / "mixed").mkdir()
    (here / "mixed/broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno")
    make_pictures(here / "mixed", "fine.png")
    assert main(["encode", "start.safetensors", "mixed", "--out", "some", *FAST, "--quiet"]) == 1
    assert "broken.png" in capfd.readouterr().out
    assert main(["encode", "none.safetensors", "mixed", "--out", "other", "--quiet"]) == 2
    assert capfd.readouterr().err.startswith("error: there is no none.safetensors")


def test_one_stream_cannot_be_two_results(here, capfd):
    assert main(["calibrate", "start.safetensors", "in", *FAST, "--out", "-", "--json", "-"]) == 2
    assert capfd.readouterr().err.startswith("error: both --out and --json would be standard output")


def test_a_command_that_fails_writes_no_half_value(here, capfd):
    assert main(["decode", "codes", "--start", "none", "--out", "drawn", "--json", "-"]) == 2
    assert capfd.readouterr().out == ""


def test_the_page_for_people_names_every_field():
    page = (Path(__file__).parents[2] / "docs/command-line.md").read_text()
    rows = dict(re.findall(r"^\| `([\w-]+)` \| (.*) \|$", page, re.MULTILINE))
    for command, like in RESULTS.items():
        named = set(re.findall(r"`(\w+)`", rows[command]))
        assert names_in(like) <= named, command


def names_in(like):
    """Keys that are texts, of all objects within."""
    if isinstance(like, dict):
        own = {key for key in like if isinstance(key, str)}
        return own.union(*map(names_in, like.values()))
    return set().union(*map(names_in, like)) if isinstance(like, list | tuple) else set()
