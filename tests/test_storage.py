"""Files of ours are whole or absent, and plain: no pipe is waited for, no device replaced, no link written through."""

import errno
import os
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sparsine.cli.code_info import is_code
from sparsine.cli.main import main
from sparsine.codec.files.code_files import read_bounded
from sparsine.errors import BadInput, WorkFailed
from sparsine.measure.comparison.records import read_cells
from sparsine.measure.rate_distortion.records import read_record
from sparsine.plugins import load_files
from sparsine.starts.learnit import import_learnit
from sparsine.starts.start import load_start
from sparsine.storage import append, read_file, read_json, remove_leftovers, write_atomically, write_json

pytestmark = pytest.mark.timeout(60)  # whoever waits for a pipe waits for ever


@pytest.fixture
def pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    return tmp_path / "pipe"


@pytest.mark.parametrize(
    "read",
    [read_file, read_json, load_start, import_learnit, read_cells, read_record, lambda path: read_bounded(path, 9),
     lambda path: load_files([path])],
)  # fmt: skip
def test_a_reader_refuses_what_is_no_plain_file(pipe, read):
    for place, why in ((pipe, "a pipe"), (Path("/dev/zero"), "a device"), (pipe.with_name("none"), "o such file")):
        with pytest.raises(BadInput, match=why):
            read(place)


def test_a_link_to_a_plain_file_is_read(tmp_path, pipe):
    (tmp_path / "a.json").write_text("[1]")
    (tmp_path / "link").symlink_to("a.json")
    (tmp_path / "to-pipe").symlink_to("pipe")
    assert read_json(tmp_path / "link") == [1]
    with pytest.raises(BadInput, match="it is a pipe"):
        read_json(tmp_path / "to-pipe")


@pytest.mark.parametrize("command", ["info PIPE", "fit PIPE curves --out x", "encode PIPE curves --out x",
                                     "decode PIPE --start PIPE --out x", "calibrate PIPE curves --out x", "report PIPE",
                                     "import-learnit PIPE --out x", "learn sdf2d:PIPE --out x",
                                     "learn curves --recipe quick --start-from PIPE --out x",
                                     "learn images:PIPE --out x", "learn celeba:PIPE --out x", "view PIPE --start PIPE",
                                     "rate-distortion PIPE curves --out x",
                                     "compare quick --data curves --load PIPE --out x"])  # fmt: skip
def test_no_command_waits_for_a_pipe_among_its_arguments(capsys, tmp_path, monkeypatch, pipe, command):
    monkeypatch.chdir(tmp_path)
    assert main(command.replace("PIPE", str(pipe)).split()) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not (tmp_path / "x").exists()


def test_a_pipe_is_no_code(pipe):
    assert not is_code(pipe)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_is_not_replaced(tmp_path, make):
    make(tmp_path / "place")
    before = os.lstat(tmp_path / "place")
    with pytest.raises(WorkFailed, match="it is a"):
        write_json(tmp_path / "place", 1)
    assert os.path.samestat(os.lstat(tmp_path / "place"), before)
    assert [p.name for p in tmp_path.iterdir()] == ["place"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make devices")
def test_a_device_is_not_replaced(tmp_path):
    os.mknod(tmp_path / "null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    with pytest.raises(WorkFailed, match="it is a device"):
        write_json(tmp_path / "null", 1)
    assert stat.S_ISCHR(os.lstat(tmp_path / "null").st_mode)


def test_within_our_folders_a_link_is_replaced_and_not_written_through(tmp_path):
    (tmp_path / "precious").write_text("kept")
    (tmp_path / "a.json").symlink_to("precious")
    write_json(tmp_path / "a.json", 1)
    assert not (tmp_path / "a.json").is_symlink()
    (tmp_path / "journal").symlink_to("precious")
    with pytest.raises(WorkFailed):
        append(tmp_path / "journal", b"more")
    assert (tmp_path / "precious").read_text() == "kept"


def test_nothing_is_appended_to_what_is_not_there_or_no_file(tmp_path, pipe):
    for place in (tmp_path / "none", pipe):
        with pytest.raises(WorkFailed):
            append(place, b"x")
    assert not (tmp_path / "none").exists()


def test_a_link_in_the_place_of_the_temporary_file_is_not_written_through(tmp_path, monkeypatch):
    """Somebody may know what the next temporary file will be called."""
    (tmp_path / "precious").write_text("kept")
    monkeypatch.setattr("sparsine.storage._numbers", iter(range(7, 99)))
    (tmp_path / f".{os.getpid()}-7.tmp").symlink_to("precious")
    write_json(tmp_path / "a.json", 1)
    assert (tmp_path / "precious").read_text() == "kept"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.json", "precious"]


def test_names_as_long_as_the_system_allows_can_be_written(tmp_path):
    write_json(tmp_path / ("x" * 255), 1)
    with pytest.raises(WorkFailed, match="too long"):
        write_json(tmp_path / ("x" * 256), 1)
    assert [len(p.name) for p in tmp_path.iterdir()] == [255]


def test_threads_write_beside_each_other(tmp_path):
    barrier = threading.Barrier(4)

    def write(number):
        barrier.wait()
        for i in range(25):
            write_atomically(tmp_path / f"{number}-{i}", bytes([number]) * 1000)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {
        f"{number}-{i}": bytes([number]) * 1000 for number in range(4) for i in range(25)
    }


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOSYS, errno.ENOTSUP])
def test_a_file_system_that_cannot_flush_is_written_to(tmp_path, monkeypatch, number):
    def fsync(descriptor):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fsync)
    write_json(tmp_path / "a.json", 1)
    append(tmp_path / "a.json", b"2\n")
    assert (tmp_path / "a.json").read_text() == "1\n2\n"


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_fails_at_the_last_moment_leaves_what_was_there(tmp_path, monkeypatch, number):
    def fsync(descriptor):
        raise OSError(number, os.strerror(number))

    write_json(tmp_path / "a.json", 1)
    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(WorkFailed, match=os.strerror(number)):
        write_json(tmp_path / "a.json", 2)
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a.json", "1\n")]


def test_permissions_are_those_that_the_mask_leaves(tmp_path):
    before = os.umask(0o027)
    try:
        write_json(tmp_path / "a.json", 1)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.json").stat().st_mode) == 0o640


def test_leftovers_are_removed_and_what_looks_like_them_passed_over(tmp_path):
    (tmp_path / ".1-2.tmp").touch()
    (tmp_path / ".folder.tmp").mkdir()
    (tmp_path / "a.tmp").touch()
    remove_leftovers(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == [".folder.tmp", "a.tmp"]
