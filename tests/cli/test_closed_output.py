"""Whoever reads what is printed may go away, and the work goes on; its status is that of the work."""

import errno
import io
import os
import subprocess
import sys

import pytest
from small_starts import make_pictures, make_start

from sparsine.cli.main import main
from sparsine.cli.streams import Lasting, lasting_streams

FAST = ["--steps", "2"]


@pytest.fixture
def start(tmp_path):
    return make_start(tmp_path / "start.safetensors")


@pytest.fixture
def pictures(tmp_path):
    return make_pictures(tmp_path / "pictures", "0.png", "1.png", "2.png")


class Failing(io.TextIOBase):
    """A stream where every write, or only every flush, ends in an error, until it is mended."""

    def __init__(self, error, where="write"):
        self.error, self.where, self.said = error, where, []

    def write(self, text):
        if self.error and self.where == "write":
            raise self.error
        self.said.append(text)
        return len(text)

    def flush(self):
        if self.error and self.where == "flush":
            raise self.error


def shell(script, *args):
    """The command of this interpreter is "$@"; returns status, output and errors of the script."""
    command = ["bash", "-c", script, "bash", sys.executable, "-m", "sparsine", *map(str, args)]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("number", [errno.EPIPE, errno.EIO, errno.ENOSPC, errno.EAGAIN, errno.EBADF])
@pytest.mark.parametrize("where", ["write", "flush"])
def test_a_line_that_cannot_be_written_is_dropped(number, where):
    failing = Failing(OSError(number, os.strerror(number)), where)
    stream = Lasting(failing)
    assert stream.write("one line\n") == 9
    stream.flush()
    stream.end()
    assert stream.lost.errno == number


def test_lines_come_through_again_when_the_disk_has_room(monkeypatch):
    failing = Failing(OSError(errno.ENOSPC, "full"))
    stream = Lasting(failing)
    stream.write("lost\n")
    failing.error = None
    stream.write("kept\n")
    assert failing.said == ["kept\n"]


def test_letters_that_a_terminal_lacks_are_replaced():
    plain = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    stream = Lasting(plain)
    stream.write("界 é.png\n")
    stream.flush()
    assert plain.buffer.getvalue() == b"? ?.png\n"
    assert stream.lost is None


def test_a_process_without_streams_gets_some(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    with lasting_streams():
        print("nobody reads this")
        assert not sys.stderr.isatty()
    assert sys.stdout is None


def test_head_ends_neither_the_work_nor_its_status(start, pictures, tmp_path):
    """The reader is gone before the first line is printed."""
    (pictures / "1.png").write_text("no picture")
    for name, status in (("0.png", 0), ("1.png", 1)):
        out = tmp_path / f"fit-{status}"
        script = f'"$@" {pictures / name} --out {out} --steps 2 2>&1 | true; echo ${{PIPESTATUS[0]}}'
        assert shell(script, "fit", start) == (0, f"{status}\n", "")
        assert (out / "psnr.csv").is_file()


def test_learning_goes_on_when_nobody_listens_any_more(tmp_path):
    args = ["learn", "curves", "--out", tmp_path / "run", "--recipe", "quick", "--width", 7, "--resolution", "6x9",
            "--dense-steps", 3, "--steps-per-round", 2, "--rounds", 2, "--val-signals", 0]  # fmt: skip
    assert shell('"$@" 2>&1 | true; echo ${PIPESTATUS[0]}', *args) == (0, "0\n", "")
    assert len(list((tmp_path / "run" / "starts").iterdir())) == 3


def test_closed_descriptors_are_not_printed_into(start, pictures, tmp_path):
    """The first files that are opened would get the numbers of standard output and error."""
    args = ["encode", start, pictures, "--out", tmp_path / "codes", *FAST]
    assert shell('"$@" <&- >&- 2>&-', *args)[0] == 0
    assert sorted(p.name for p in (tmp_path / "codes").iterdir()) == [
        ".lock", "0.spn", "1.spn", "2.spn", "journal.jsonl", "request.json",
    ]  # fmt: skip
    assert b"encod" not in (tmp_path / "codes" / "journal.jsonl").read_bytes()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no device that is always full")
def test_a_full_disk_behind_the_output_fails_what_only_says_something(start, pictures, tmp_path):
    code, _, said = shell('"$@" >/dev/full', "info", start)
    assert code == 1
    assert said == "error: standard output cannot be written: No space left on device\n"
    code, _, said = shell('"$@" >/dev/full', "encode", start, pictures, "--out", tmp_path / "codes", *FAST)
    assert (code, said) == (0, "")


def test_help_for_a_reader_that_has_seen_enough(tmp_path):
    assert shell('"$@" | true; echo ${PIPESTATUS[0]}', "learn", "--help") == (0, "0\n", "")
    assert shell('"$@" | true; echo ${PIPESTATUS[0]}', "info", "--engines") == (0, "0\n", "")


def test_a_broken_pipe_that_is_not_the_output_is_an_error(capsys, monkeypatch):
    from sparsine.cli import info

    def broken(options, result):
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    monkeypatch.setattr(info, "run", broken)
    assert main(["info", "--engines"]) == 1
    assert "Broken pipe" in capsys.readouterr().err
