"""Output folders: held by one process, on any file system, and never made again behind one's back."""

import errno
import fcntl
import multiprocessing
import os
import shutil
import warnings
from contextlib import contextmanager
from pathlib import Path

import pytest

from sparsine.codec.files.code_files import list_codes
from sparsine.errors import BadInput, WorkFailed
from sparsine.folders import LOCK, CannotLock, as_it_is, locked, make_folder, names_in, walk, watched
from sparsine.signals.listing import list_images
from sparsine.storage import append, write_atomically, write_json


def no_lock(number):
    def flock(descriptor, operation):
        raise OSError(number, os.strerror(number))

    return flock


@pytest.mark.parametrize("number", [errno.EWOULDBLOCK, errno.EAGAIN])
def test_only_would_block_means_another_process(tmp_path, monkeypatch, number):
    monkeypatch.setattr(fcntl, "flock", no_lock(number))
    with pytest.raises(BadInput, match="another process"), locked(tmp_path / "out"):
        pass


@pytest.mark.parametrize(
    "number",
    [errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK, errno.EINVAL, errno.EBADF, errno.EIO, errno.EACCES, errno.EPERM],
)
def test_a_file_system_that_cannot_lock_is_told_once_and_worked_on(tmp_path, monkeypatch, number):
    monkeypatch.setattr(fcntl, "flock", no_lock(number))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with locked(tmp_path / "out"), locked(tmp_path / "out" / "inner"):
            write_json(tmp_path / "out" / "a.json", 1)
    assert [one.category for one in told] == [CannotLock]
    assert os.strerror(number) in str(told[0].message)
    assert (tmp_path / "out" / "a.json").read_text() == "1\n"


def test_a_folder_is_held_by_one_at_a_time_and_free_afterwards(tmp_path):
    with locked(tmp_path / "out"):
        with pytest.raises(BadInput, match="another process"), locked(tmp_path / "out"):
            pass
        write_json(tmp_path / "out" / "a.json", 1)
    with locked(tmp_path / "out"):
        pass


@pytest.mark.parametrize("target", ["precious", "nowhere", "."])
def test_a_link_in_the_place_of_the_lock_is_not_followed(tmp_path, target):
    (tmp_path / "precious").write_text("kept")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / LOCK).symlink_to(tmp_path / target)
    with pytest.raises(BadInput, match="link"), locked(tmp_path / "out"):
        pass
    assert (tmp_path / "precious").read_text() == "kept"
    assert not (tmp_path / "nowhere").exists()


def test_what_a_hard_link_of_the_lock_leads_to_is_not_emptied(tmp_path):
    (tmp_path / "precious").write_text("kept")
    (tmp_path / "out").mkdir()
    os.link(tmp_path / "precious", tmp_path / "out" / LOCK)
    with locked(tmp_path / "out"):
        pass
    assert (tmp_path / "precious").read_text() == "kept"


@pytest.mark.timeout(20)
@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_a_pipe_or_a_folder_in_the_place_of_the_lock_is_refused_and_not_waited_for(tmp_path, make):
    (tmp_path / "out").mkdir()
    make(tmp_path / "out" / LOCK)
    with pytest.raises(BadInput, match="no lock file"), locked(tmp_path / "out"):
        pass


def gone(folder):
    shutil.rmtree(folder)


def moved(folder):
    folder.rename(folder.with_name("elsewhere"))


def replaced(folder):
    moved(folder)
    folder.mkdir()


def without_lock(folder):
    (folder / LOCK).unlink()


def with_another_lock(folder):
    (folder / LOCK).rename(folder / "old")
    (folder / LOCK).touch()


def with_a_link_for_a_lock(folder):
    (folder / LOCK).rename(folder / "old")
    (folder / LOCK).symlink_to("old")


@contextmanager
def held_and_lost(folder):
    """Held while the folder ceases to be the same, which is noticed at the end at the latest."""
    holding = locked(folder)
    holding.__enter__()
    yield
    with pytest.raises(WorkFailed, match="while"):
        holding.__exit__(None, None, None)


HAPPENINGS = [gone, moved, replaced, without_lock, with_another_lock, with_a_link_for_a_lock]


@pytest.mark.parametrize("happens", HAPPENINGS)
@pytest.mark.parametrize("place", ["a.json", "deep/er/a.json"])
def test_nothing_is_written_into_a_folder_that_is_not_the_same_any_more(tmp_path, happens, place):
    out = tmp_path / "out"
    with held_and_lost(out):
        write_json(out / "before.json", 1)
        happens(out)
        before = sorted(out.rglob("*"))
        with pytest.raises(WorkFailed, match=str(out)):
            write_json(out / place, 1)
        assert sorted(out.rglob("*")) == before
        assert out.exists() == (happens not in (gone, moved))


@pytest.mark.parametrize("happens", [gone, moved])
def test_no_folder_that_is_held_is_made_again(tmp_path, happens, monkeypatch):
    out = tmp_path / "far" / "out"
    with held_and_lost(out):
        happens(out)
        for path in (out, out / "deep" / "er"):
            with pytest.raises(WorkFailed):
                make_folder(path)
            with pytest.raises(WorkFailed), locked(path):
                pass
        with monkeypatch.context() as patch:  # in the moment between the look and the making
            patch.setattr("sparsine.folders.check_held", lambda path: None)
            with pytest.raises(OSError):
                make_folder(out / "deep" / "er")
        assert not out.exists()


@pytest.mark.parametrize("happens", HAPPENINGS)
def test_it_is_noticed_at_the_end_at_the_latest(tmp_path, happens):
    with held_and_lost(tmp_path / "out"):
        happens(tmp_path / "out")


def test_another_error_is_not_hidden_by_the_look_at_the_end(tmp_path):
    def work():
        with locked(tmp_path / "out"):
            gone(tmp_path / "out")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()


def test_a_link_to_a_folder_that_leads_elsewhere_now_is_noticed(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    (tmp_path / "out").symlink_to("one")
    with held_and_lost(tmp_path / "out"):
        write_json(tmp_path / "out" / "a.json", 1)
        (tmp_path / "out").unlink()
        (tmp_path / "out").symlink_to("two")
        with pytest.raises(WorkFailed):
            write_json(tmp_path / "out" / "b.json", 1)
    assert sorted(p.name for p in (tmp_path / "one").iterdir()) == [LOCK, "a.json"]
    assert list((tmp_path / "two").iterdir()) == []


def test_a_journal_is_not_begun_again_elsewhere(tmp_path):
    with held_and_lost(tmp_path / "out"):
        write_atomically(tmp_path / "out" / "journal", b"1\n")
        append(tmp_path / "out" / "journal", b"2\n")
        replaced(tmp_path / "out")
        with pytest.raises(WorkFailed):
            append(tmp_path / "out" / "journal", b"3\n")
    assert (tmp_path / "elsewhere" / "journal").read_bytes() == b"1\n2\n"
    assert list((tmp_path / "out").iterdir()) == []


def test_folders_that_are_not_held_are_written_to_as_ever(tmp_path):
    with locked(tmp_path / "out"):
        write_json(tmp_path / "other" / "deep" / "a.json", 1)
        write_json(tmp_path / "out-of-it" / "a.json", 1)
    write_json(tmp_path / "out" / "new" / "a.json", 1)
    assert len(list(tmp_path.rglob("a.json"))) == 3


def test_a_folder_can_be_watched_without_a_lock_and_by_another_process(tmp_path):
    held = as_it_is(tmp_path)
    with watched(held):
        write_json(tmp_path / "a.json", 1)
    assert not (tmp_path / LOCK).exists()
    with pytest.raises(BadInput, match="not there"):
        as_it_is(tmp_path / "nowhere")
    with locked(tmp_path / "out") as held:
        context = multiprocessing.get_context("spawn")
        results = context.Queue()
        for happens in (None, replaced):
            if happens:
                happens(tmp_path / "out")
            worker = context.Process(target=in_worker, args=(held, results))
            worker.start()
            told = results.get(timeout=60)
            worker.join()
            assert told == ("moved, removed or replaced" if happens else "written")
        shutil.rmtree(tmp_path / "out")
        (tmp_path / "elsewhere").rename(tmp_path / "out")


def in_worker(held, results):
    try:
        with watched(held):
            write_json(held.folder / "cell.json", 1)
        results.put("written")
    except WorkFailed as error:
        results.put("moved, removed or replaced" if "moved, removed or replaced" in str(error) else str(error))


@pytest.fixture
def deep(tmp_path):
    """Where a folder could be, a thousand deep. What is left of it is removed step by step: nobody else could."""
    deep = tmp_path.joinpath(*["d"] * 1000)
    yield deep
    for place in (deep, *deep.parents[:999]):
        for name in names_in(place) | {LOCK}:
            if not (place / name).is_dir():
                (place / name).unlink(missing_ok=True)
        place.rmdir()


def test_folders_a_thousand_deep_are_made_as_far_as_the_system_goes(deep):
    make_folder(deep)
    assert deep.is_dir()
    write_json(deep / "a.json", 1)
    with pytest.raises(OSError, match="too long"):
        make_folder(deep.joinpath(*["d"] * 2000))
    with pytest.raises(BadInput, match="too long"), locked(deep.joinpath(*["d"] * 2000)):
        pass


def test_files_a_thousand_deep_are_found(deep):
    make_folder(deep)
    write_atomically(deep / "a.png", b"no picture")
    write_atomically(deep / "a.spn", b"no code")
    top = deep.parents[999]
    assert list_images(top).names == [(deep / "a.png").relative_to(top).as_posix()]
    assert list_codes([top]) == ({(deep / "a.spn").relative_to(top).as_posix(): deep / "a.spn"}, ())


def test_a_walk_is_that_of_the_system_and_tells_what_cannot_be_listed(tmp_path):
    for name in ("b/x", "a/y/z", "a/w", "c"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "file").touch()
    (tmp_path / "link").symlink_to("a")
    (tmp_path / "lost").symlink_to("nowhere")
    usual = os.walk(tmp_path, followlinks=True)
    expected = {where: (sorted(folders), sorted(files)) for where, folders, files in usual}
    found = {where: (folders, files) for where, folders, files in walk(tmp_path)}
    assert found == expected
    assert list(found) == sorted(found, key=lambda where: where.split("/"))
    told = []
    assert list(walk(tmp_path / "nowhere", told.append)) == []
    assert [error.filename for error in told] == [str(tmp_path / "nowhere")]
    for _, folders, _ in walk(tmp_path):
        folders.clear()
    assert [where for where, folders, _ in walk(tmp_path) if folders.clear() is None] == [str(tmp_path)]


def test_the_names_in_a_folder_or_why_they_cannot_be_told(tmp_path):
    (tmp_path / ".hidden").touch()
    (tmp_path / "seen").touch()
    (tmp_path / "link").symlink_to("nowhere")
    assert names_in(tmp_path) == {"seen", "link"}
    assert names_in(tmp_path / "new" / "er") == set()
    for place, why in ((tmp_path / "seen", "is a file"), (tmp_path / "seen" / "x", "Not a directory"),
                       (tmp_path / "link", "leads nowhere"), (tmp_path / ("x" * 300), "too long")):  # fmt: skip
        with pytest.raises(BadInput, match=why):
            names_in(place)


def ordinary_user(work, *args):
    """What `work` gives in a child that has given up root, if it has it."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            os.write(writing, str(work(*args)).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading, "rb") as file:
        told = file.read().decode()
    os.waitpid(child, 0)
    return told


def refusal(folder):
    try:
        with locked(folder):
            return "held"
    except BadInput as error:
        return str(error)


@pytest.fixture
def shared(tmp_path):
    """A folder that everybody can get to and write in."""
    for place in (tmp_path, *tmp_path.parents):
        if place == Path("/tmp") or not os.access(place, os.W_OK):
            break
        place.chmod(place.stat().st_mode | 0o711)
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o777)
    return folder


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files of another user")
def test_a_lock_file_of_another_user_can_be_locked(shared):
    (shared / LOCK).touch(mode=0o644)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert ordinary_user(refusal, shared) == "held"
        with locked(shared):
            assert "another process" in ordinary_user(refusal, shared)


def test_a_folder_that_may_not_be_used_is_told(shared):
    (shared / "shut").mkdir(mode=0o555)
    (shared / "blind").mkdir(mode=0o300)
    assert "Permission denied" in ordinary_user(refusal, shared / "shut")
    assert "Permission denied" in ordinary_user(refusal, shared / "shut" / "new")
    assert "Permission denied" in ordinary_user(names_told, shared / "blind")


def names_told(folder):
    try:
        return names_in(folder)
    except BadInput as error:
        return str(error)
