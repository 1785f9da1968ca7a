"""The exit status tells a script whether all was done: 0 only then, 1 where it failed or was not done for every signal,
2 for bad input."""

import json
from pathlib import Path

import pytest
from small_starts import make_pictures, make_start

from sparsine.cli.main import main
from sparsine.cli.status import MEANINGS

FAST = ["--steps", "2"]
TINY = ["--recipe", "quick", "--width", "7", "--hidden-layers", "2", "--resolution", "6x9", "--dense-steps", "2",
        "--steps-per-round", "1", "--rounds", "1", "--val-signals", "0"]  # fmt: skip


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_start(tmp_path / "start.safetensors")
    make_pictures(tmp_path, "a.png", "b.png")
    Path("broken.png").write_text("no picture")
    assert main(["encode", "start.safetensors", "a.png", "b.png", "--out", "codes", *FAST]) == 0
    Path("broken.spn").write_bytes(Path("codes/a.spn").read_bytes()[:-2])
    return tmp_path


ALL = {"fit": ["fit", *FAST, "start.safetensors", "a.png", "b.png"],
       "encode": ["encode", *FAST, "start.safetensors", "a.png", "b.png"],
       "decode": ["decode", "--start", "start.safetensors", "codes/a.spn", "codes/b.spn"]}  # fmt: skip
BAD = {"fit": "broken.png", "encode": "broken.png", "decode": "broken.spn"}


@pytest.mark.parametrize("command", ALL)
def test_signal_by_signal(place, command):
    one, bad = ALL[command], BAD[command]
    assert main([*one, "--out", "all"]) == 0
    assert main([*one, bad, "--out", "some", "--json", "some.json"]) == 1
    told = json.loads(Path("some.json").read_text())
    statuses = [signal["status"] for signal in (told["files"] if command == "encode" else told)]
    assert statuses.count("ok") == 2
    assert len(statuses) == 3
    assert main([*one[:-2], bad, "--out", "none"]) == 1
    assert main([*one, "--out", "a.png"]) == 2
    assert main([*one, "--out", "all", "--nonsense"]) == 2


@pytest.mark.parametrize("command", ["encode", "decode"])
def test_what_was_there_already_is_done(place, command):
    for status in (0, 0):
        assert main([*ALL[command], "--out", "all"]) == status


def test_a_code_that_misses_its_target_is_not_done_as_it_was_asked_for(place):
    assert main([*ALL["encode"], "--out", "close", "--target-bytes", "2000"]) == 0
    assert main([*ALL["encode"], "--out", "far", "--target-psnr", "90"]) == 1
    assert len(list(Path("far").glob("*.spn"))) == 2


def test_a_report_on_signals_of_which_some_cannot_be_read(place):
    make_pictures(Path("data/train"), *(f"{i}.png" for i in range(5)))
    make_pictures(Path("data/test"), "0.png", "1.png")
    make_pictures(Path("data/val"), "0.png")
    assert main(["learn", "images:data", "--out", "run", *TINY]) == 0
    assert main(["report", "run", *FAST]) == 0
    Path("data/test/1.png").write_text("no picture any more")
    assert main(["report", "run", "--steps", "3"]) in (1, 2)  # 2 where it is refused for it


def test_a_run_that_passes_over_what_it_cannot_read_is_done(place):
    """It is the start that was asked for."""
    make_pictures(Path("data"), *(f"{i}.png" for i in range(9)))
    Path("data/broken.png").write_text("no picture")
    assert main(["learn", "images:data", "--out", "run", *TINY]) == 0


def test_what_a_status_means_is_in_the_usage_and_in_the_documents(capsys):
    assert main(["--help"]) == 0
    said = capsys.readouterr().out
    page = (Path(__file__).parents[2] / "docs" / "getting-started.md").read_text()
    for status, meaning in MEANINGS.items():
        assert f"exit status {status:<3}  {meaning}" in said
        assert f"| {status} | {meaning} |" in page
