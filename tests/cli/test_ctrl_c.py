"""Ctrl-C ends a command with 130 and says which command goes on."""

import os
import re
import shlex
import signal
import subprocess
import sys
import time

import pytest

from sparsine.cli.main import main
from sparsine.meta.run import Run
from sparsine.meta.run_folder import starts_of

TINY = ["--recipe", "quick", "--width", "7", "--hidden-layers", "2", "--resolution", "6x9", "--dense-steps", "4",
        "--steps-per-round", "2", "--rounds", "2", "--val-signals", "0"]  # fmt: skip


def interrupted(capsys, args):
    """The command that is told."""
    capsys.readouterr()
    assert main([str(arg) for arg in args]) == 130
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("interrupted")]
    found = re.fullmatch(r"interrupted; go on with: (.+)", line)
    return shlex.split(found[1]) if found else None


def test_learn_says_the_command_that_goes_on_and_it_does(capsys, tmp_path, monkeypatch):
    out = tmp_path / "my run"
    after_step, steps = Run.after_step, 0

    def ending(run, state, loss):
        nonlocal steps
        after_step(run, state, loss)
        steps += 1
        if steps == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr(Run, "after_step", ending)
    again = interrupted(capsys, ["learn", "curves:3/5", "--out", out, *TINY])
    assert again == ["sparsine", "learn", "curves:3/5", "--out", str(out), "--resume"]
    assert main(again[1:]) == 0
    assert steps == 8
    assert len(starts_of(out)) == 3


def test_before_a_run_has_begun_there_is_nothing_to_go_on_with(capsys, tmp_path, monkeypatch):
    def ending(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("sparsine.cli.learn.open_dataset", ending)
    assert interrupted(capsys, ["learn", "curves", "--out", tmp_path / "run", *TINY]) is None


@pytest.mark.parametrize(
    ("command", "args", "goes_on"),
    [
        ("encode", ["a start", "photos", "--out", "codes", "--quality", "60"], True),
        ("decode", ["codes", "--start", "s", "--out", "drawn"], True),
        ("compare", ["quick", "--data", "curves", "--out", "x y"], True),
        ("report", ["run", "--limit", "3"], True),
        ("fit", ["start", "photos", "--out", "fits"], False),
        ("bench", ["engines"], False),
    ],
)
def test_what_goes_on_by_itself_is_told_as_it_was_given(capsys, monkeypatch, command, args, goes_on):
    def ending(options, result):
        raise KeyboardInterrupt

    monkeypatch.setattr(f"sparsine.cli.{command}.run", ending)
    told = interrupted(capsys, [command, *args])
    assert told == (["sparsine", command, *args] if goes_on else None)


def test_a_comparison_that_is_interrupted_on_a_terminal_ends_in_one_line(tmp_path):
    """Ctrl-C reaches every process of the terminal, those that learn too. Where these tests run in the background it is
    ignored, which processes inherit: this one does not."""
    code = ("import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
            "from sparsine.cli.main import main; sys.exit(main(sys.argv[1:]))")  # fmt: skip
    args = ["compare", "quick", "--data", "curves:0/9", "--out", str(tmp_path / "x"), "--workers", "2",
            "--methods", "meta-sparse", "scratch", "--dense-steps", "100000"]  # fmt: skip
    process = subprocess.Popen([sys.executable, "-c", code, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True, start_new_session=True)  # fmt: skip
    try:
        while not list(tmp_path.glob("x/learning/*/*/*/metrics.jsonl")):
            assert process.poll() is None
            time.sleep(0.2)
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 130
    assert said.splitlines()[-1] == f"interrupted; go on with: {shlex.join(['sparsine', *args])}"
    assert "Traceback" not in said
