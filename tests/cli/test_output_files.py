"""Options that name an output file: devices, pipes, links and `-` are what they are, and all is looked at before the
work."""

import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from small_starts import make_pictures, make_start

from sparsine.cli.main import main
from sparsine.cli.outputs import output
from sparsine.errors import BadInput, WorkFailed
from sparsine.folders import locked
from sparsine.starts.start import load_start

pytestmark = pytest.mark.timeout(300)  # whoever waits for a pipe waits for ever
FAST = ["--steps", "2"]
BENCH = ["bench", "decode", "--densities", "0.5", "--batches", "1", "--repeats", "1", "--width", "8",
         "--hidden-layers", "3", "--resolution", "5x7"]  # fmt: skip


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder, the present one, with a start, a picture, a code and a start of Learnit's."""
    monkeypatch.chdir(tmp_path)
    make_start(tmp_path / "start.safetensors")
    make_pictures(tmp_path, "a.png", "b.png")
    assert main(["encode", "start.safetensors", "a.png", "--out", "codes", *FAST]) == 0
    sizes, rng = (2, 5, 3), np.random.default_rng(3)
    layers = {f"layers.{i}.weight": rng.standard_normal((sizes[i + 1], sizes[i])) for i in range(2)}
    np.savez(tmp_path / "learnit.npz", **layers, **{f"layers.{i}.bias": np.zeros(sizes[i + 1]) for i in range(2)})
    return tmp_path


COMMANDS = {
    "fit --json": ["fit", "start.safetensors", "a.png", "--out", "out", *FAST, "--json"],
    "encode --json": ["encode", "start.safetensors", "a.png", "--out", "out", *FAST, "--json"],
    "decode --json": ["decode", "codes", "--start", "start.safetensors", "--out", "out", "--json"],
    "calibrate --out": ["calibrate", "start.safetensors", "a.png", "b.png", *FAST, "--overwrite", "--out"],
    "import-learnit --out": ["import-learnit", "learnit.npz", "--out"],
    "bench --json": [*BENCH, "--json"],
}
AGAIN = " ".join([*COMMANDS["fit --json"][:-1], "--overwrite", "--json"])
EVERY = pytest.mark.parametrize("command", COMMANDS)


def sound(command, data):
    """Whether these are the bytes of a whole result."""
    if command.endswith("--json"):
        return bool(json.loads(data))
    Path("check.safetensors").write_bytes(data)
    return load_start(Path("check.safetensors")) is not None


def run(command, *more):
    return main([*COMMANDS[command], *map(str, more)])


def refused(capsys, command, path):
    capsys.readouterr()
    assert run(command, path) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) == 1
    assert not Path("out").exists()
    return said.err


@EVERY
def test_a_new_file_is_written_with_its_folders(place, command):
    assert run(command, "deep/er/result") == 0
    assert sound(command, Path("deep/er/result").read_bytes())


@EVERY
def test_a_link_is_followed(place, command):
    Path("real").mkdir()
    Path("link").symlink_to("real/result")
    assert run(command, "link") == 0
    assert os.readlink("link") == "real/result"
    assert sound(command, Path("real/result").read_bytes())


@EVERY
def test_a_pipe_is_written_to(place, command):
    os.mkfifo("pipe")
    with open(os.open("pipe", os.O_RDONLY | os.O_NONBLOCK), "rb") as reader:
        assert run(command, "pipe") == 0
        assert stat.S_ISFIFO(os.lstat("pipe").st_mode)
        assert sound(command, reader.read())


def test_the_reader_of_a_pipe_may_come_a_moment_later_and_more_than_fits_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr("sparsine.cli.outputs.PATIENCE_SECONDS", 200.0)
    os.mkfifo(tmp_path / "pipe")
    found = []
    reader = threading.Thread(target=lambda: found.append((tmp_path / "pipe").read_bytes()), daemon=True)
    reader.start()
    with output(tmp_path / "pipe", "--json") as out:
        out.write(bytes(10**6))
    reader.join()
    assert found == [bytes(10**6)]


@EVERY
def test_a_pipe_that_nobody_reads_is_told_before_the_work(capsys, place, command, monkeypatch):
    monkeypatch.setattr("sparsine.cli.outputs.PATIENCE_SECONDS", 0.0)
    os.mkfifo("pipe")
    assert "start its reader" in refused(capsys, command, "pipe")


@EVERY
def test_a_device_is_written_to_and_stays(place, command):
    if os.geteuid() == 0:  # one of our own: the system's must not be at risk
        os.mknod("null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    else:
        Path("null").symlink_to("/dev/null")
    assert run(command, "null") == 0
    assert stat.S_ISCHR(os.stat("null").st_mode)
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


@EVERY
def test_dash_is_standard_output_and_people_are_told_on_standard_error(capfdbinary, place, command):
    capfdbinary.readouterr()
    assert run(command, "-") == 0
    said = capfdbinary.readouterr()
    assert sound(command, said.out)
    assert said.err
    assert not Path("-").exists()


def shell(script):
    command = ["bash", "-c", script.replace("SPARSINE", f"{sys.executable} -m sparsine")]
    return subprocess.run(command, capture_output=True)


@pytest.mark.parametrize("name", ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_standard_output_has_several_names(place, name):
    done = shell(f"SPARSINE {AGAIN} {name} | cat")
    assert done.returncode == 0, done.stderr
    assert sound("fit --json", done.stdout)
    assert b"fitting 1 signal" in done.stderr


def test_standard_output_that_is_a_file_gets_the_result_alone(place):
    assert shell(f"SPARSINE {AGAIN} /dev/stdout > all.json").returncode == 0
    assert sound("fit --json", Path("all.json").read_bytes())
    assert shell(f"SPARSINE {AGAIN} both.json > both.json").returncode == 0
    assert sound("fit --json", Path("both.json").read_bytes())
    done = shell(f"SPARSINE {AGAIN} /dev/stderr 2> err.json")
    assert b"fitting 1 signal" in done.stdout
    assert sound("fit --json", Path("err.json").read_bytes())


def test_a_device_for_everybody_is_not_taken_for_standard_output(place):
    done = shell(f"SPARSINE {' '.join(COMMANDS['fit --json'])} /dev/null > /dev/null")
    assert (done.returncode, done.stderr) == (0, b"")


def test_descriptors_of_the_shell_are_written_to(place):
    assert shell(f"SPARSINE {AGAIN} >(cat > piped.json); wait $!").returncode == 0
    assert sound("fit --json", Path("piped.json").read_bytes())
    assert shell(f"SPARSINE {AGAIN} /dev/fd/3 3> third.json").returncode == 0
    assert sound("fit --json", Path("third.json").read_bytes())
    # of a file that was removed meanwhile: there is no name to put another file at
    done = shell(f"exec 3<> gone.json; rm gone.json; SPARSINE {AGAIN} /proc/self/fd/3 > /dev/null; cat /proc/self/fd/3")
    assert done.returncode == 0, done.stderr
    assert sound("fit --json", done.stdout)
    assert not list(Path().glob("gone*"))


@EVERY
def test_what_cannot_be_written_is_told_before_the_work(capsys, place, command):
    Path("folder").mkdir()
    Path("a").symlink_to("b")
    Path("b").symlink_to("a")
    Path("lost").symlink_to("a.png/under")
    for path, why in (("folder", "folder"), (".", "folder"), ("a.png/under", "a directory"), ("a", "symbolic links"),
                      ("lost", "a directory"), ("x" * 300, "too long"), ("no\0thing", "null")):  # fmt: skip
        assert why in refused(capsys, command, path), path


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a disk; nothing is written to it")
@EVERY
def test_a_disk_is_no_file(capsys, place, command):
    os.mknod("disk", 0o600 | stat.S_IFBLK, os.makedev(7, 200))
    assert "disk" in refused(capsys, command, "disk")
    assert stat.S_ISBLK(os.lstat("disk").st_mode)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no device that is always full")
def test_a_result_that_is_lost_fails_the_work(capsys, place):
    assert run("fit --json", "/dev/full") == 1
    assert "cannot write /dev/full: No space left on device" in capsys.readouterr().err
    done = shell(f"SPARSINE {AGAIN} - > /dev/full")
    assert done.returncode == 1
    assert b"error: cannot write standard output: No space left on device" in done.stderr


def test_a_reader_that_goes_away_fails_the_work(place):
    done = shell(f"SPARSINE {' '.join(COMMANDS['fit --json'])} - | true; exit ${{PIPESTATUS[0]}}")
    assert done.returncode == 1
    assert b"Broken pipe" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_start_is_not_sent_to_a_terminal(place, monkeypatch):
    reading, terminal = os.openpty()
    args = [sys.executable, "-m", "sparsine", *COMMANDS["calibrate --out"], "-"]
    done = subprocess.run(args, stdout=terminal, stderr=subprocess.PIPE)
    os.close(terminal)
    os.close(reading)
    assert done.returncode == 2
    assert b"terminal" in done.stderr


def test_a_start_that_is_there_stays_unless_it_may_be_replaced(capsys, place):
    Path("there").write_text("kept")
    assert main(["calibrate", "start.safetensors", "a.png", *FAST, "--out", "there"]) == 2
    assert main(["import-learnit", "learnit.npz", "--out", "there"]) == 2
    assert capsys.readouterr().err.count("is there already") == 2
    assert Path("there").read_text() == "kept"


def test_owner_and_permissions_of_a_file_stay(tmp_path):
    path = tmp_path / "a.json"
    path.write_text("before, and longer than what comes")
    path.chmod(0o604)
    if os.geteuid() == 0:
        os.chown(path, 65534, 65534)
    before = path.stat()
    with output(path, "--json") as out:
        out.write_json(1)
    after = path.stat()
    assert (after.st_uid, after.st_gid, after.st_mode) == (before.st_uid, before.st_gid, before.st_mode)
    assert path.read_text() == "1\n"


@pytest.mark.parametrize("number", ["EACCES", "EPERM", "EROFS", "EBUSY"])
def test_a_file_where_none_can_be_made_beside_it_is_written_over(tmp_path, monkeypatch, number):
    """As when it is mounted by itself into a container."""
    import errno

    def refuse(*args):
        raise OSError(getattr(errno, number), "refused")

    path = tmp_path / "a.json"
    path.write_text("before, and longer than what comes")
    inode = path.stat().st_ino
    monkeypatch.setattr(os, "replace", refuse)
    with output(path, "--json") as out:
        out.write_json(1)
    assert path.read_text() == "1\n"
    assert path.stat().st_ino == inode
    with output(tmp_path / "new.json", "--json") as out, pytest.raises(WorkFailed, match="refused"):
        out.write_json(1)
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_drafts_go_only_where_they_can_be_replaced(tmp_path, capfd):
    with output(tmp_path / "a.json", "--json") as out:
        out.draft_json(1)
        assert (tmp_path / "a.json").read_text() == "1\n"
        out.write_json(2)
    assert (tmp_path / "a.json").read_text() == "2\n"
    with output(Path("-"), "--json") as out:
        out.draft_json(1)
        out.write_json(2)
    assert capfd.readouterr().out == "2\n"
    with output(None, "--json") as out:
        out.write_json(3)


def test_a_result_in_a_folder_that_vanished_does_not_make_it_again(tmp_path):
    """Also where the folder has another name through a link."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    holding = locked(tmp_path / "link" / "out")
    holding.__enter__()
    with output(tmp_path / "real" / "out" / "a.json", "--json") as out:
        (tmp_path / "real" / "out").rename(tmp_path / "elsewhere")
        with pytest.raises(WorkFailed, match="moved"):
            out.write_json(1)
    with pytest.raises(WorkFailed):
        holding.__exit__(None, None, None)
    assert list((tmp_path / "real").iterdir()) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_missing_permissions_are_told_before_the_work(tmp_path):
    (tmp_path / "shut").mkdir()
    (tmp_path / "shut" / "open").touch()
    (tmp_path / "kept").touch(mode=0o400)
    (tmp_path / "shut").chmod(0o500)
    for path in (tmp_path / "kept", tmp_path / "shut" / "new", tmp_path / "shut" / "new" / "er"):
        with pytest.raises(BadInput, match="permission"), output(path, "--json"):
            pass
    with output(tmp_path / "shut" / "open", "--json") as out:  # itself it may be written
        out.write_json(1)
    assert (tmp_path / "shut" / "open").read_text() == "1\n"


def test_what_stands_in_the_place_of_a_result_is_told_before_the_work(capsys, place):
    Path("out/psnr.csv").mkdir(parents=True)
    args = [*COMMANDS["fit --json"][:-1], "--overwrite"]
    assert main(args) == 2
    assert "psnr.csv is a folder" in capsys.readouterr().err
    Path("out/psnr.csv").rmdir()
    Path("out/drawings").touch()
    assert main(args) == 2
    assert "drawings is no folder" in capsys.readouterr().err
