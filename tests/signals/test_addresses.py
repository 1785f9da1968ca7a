"""Files that lie elsewhere: listed, read and written by their addresses."""

import functools
import http.server
import threading
from pathlib import Path

import fsspec
import numpy as np
import pytest
from PIL import Image

from sparsine import addresses
from sparsine.addresses import Address, as_place
from sparsine.errors import BadInput, UnreadableSignal, WorkFailed
from sparsine.signals.fetched import fetched_files
from sparsine.signals.image_files import open_image_files
from sparsine.signals.kinds import Rgb


@pytest.fixture
def memory(tmp_path):
    """An address of its own."""
    yield Address(f"memory://{tmp_path.name}")
    fsspec.filesystem("memory").rm("/", recursive=True)


def picture(number, shape=(5, 7)):
    return Image.fromarray(np.random.default_rng(number).integers(0, 256, (*shape, 3), dtype=np.uint8))


def put_pictures(folder, tmp_path, *names):
    for number, name in enumerate(names):
        picture(number).save(tmp_path / "one.png")
        addresses.write(folder / name, (tmp_path / "one.png").read_bytes())


def test_what_is_written_is_read_and_listed(memory):
    assert addresses.names_below(memory) == []
    addresses.write(memory / "a/b.txt", b"first")
    addresses.write(memory / "a/b.txt", b"second")
    addresses.write(memory / "c.txt", b"")
    assert addresses.read(memory / "a/b.txt") == b"second"
    assert addresses.names_below(memory) == ["a/b.txt", "c.txt"]
    addresses.remove(memory / "c.txt")
    assert addresses.names_below(memory) == ["a/b.txt"]


def test_a_file_longer_than_any_of_its_kind_is_refused(memory):
    addresses.write(memory / "a", b"12345")
    assert addresses.read(memory / "a", 5) == b"12345"
    with pytest.raises(UnreadableSignal, match="more than 4 bytes"):
        addresses.read(memory / "a", 4)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("s3://bucket/a.png", Address("s3://bucket/a.png")), ("a.png", Path("a.png")), ("c:/x", Path("c:/x")),
     ("file:///tmp/a%20b", Path("/tmp/a b")), ("curves:3/5", Path("curves:3/5")), ("images:s3://b", Path("images:s3://b"))],
)  # fmt: skip
def test_an_address_has_a_scheme_and_everything_else_is_a_path(text, expected):
    assert as_place(text) == expected


@pytest.mark.parametrize(
    ("address", "said"),
    [("nowhere://a/b.png", "nowhere"), ("memory://a/missing.png", "there is no such file"),
     ("sftp://host/b.png", "aramiko")],
)  # fmt: skip
def test_an_address_that_cannot_be_read_is_one_line_that_names_it(address, said):
    with pytest.raises(UnreadableSignal) as error:
        addresses.read(Address(address))
    assert str(error.value).startswith(f"{address}: it cannot be read: ")
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_what_fails_for_a_moment_is_tried_again(memory, monkeypatch):
    monkeypatch.setattr(addresses, "WAITS", (0.0, 0.0))
    files, calls = type(fsspec.filesystem("memory")), []
    real = files.cat_file

    def flaky(self, path, **options):
        calls.append(path)
        if len(calls) < 3:
            raise OSError("connection reset")
        return real(self, path, **options)

    addresses.write(memory / "a", b"data")
    monkeypatch.setattr(files, "cat_file", flaky)
    assert addresses.read(memory / "a") == b"data"
    assert len(calls) == 3
    calls.clear()
    with pytest.raises(UnreadableSignal, match="there is no such file"):
        addresses.read(memory / "b")


def test_pictures_of_a_folder_a_pattern_or_a_name_are_the_same_as_on_this_machine(memory, tmp_path):
    put_pictures(memory, tmp_path, "a.png", "deep/b.PNG", "deep/c.txt", ".hidden/d.png", "deep/.e.png")
    ours = fetched_files([memory], Rgb(), None, 3)
    assert [ours.name(i) for i in range(len(ours))] == ["a.png", "deep/b.PNG"]
    picture(1).save(tmp_path / "b.png")
    theirs = open_image_files([tmp_path / "b.png"], None, 3)
    assert ours.load(1).tobytes() == theirs.load(0).tobytes()
    assert ours.coords_of(1) is None
    assert len(fetched_files([memory / "*.png"], Rgb(), None, 3)) == 1
    assert len(fetched_files([memory / "**.PNG"], Rgb(), None, 3)) == 1
    assert fetched_files([memory / "a.png"], Rgb(), (3, 4), 3).load(0).shape == (3, 4, 3)
    with pytest.raises(BadInput, match="holds no file"):
        fetched_files([memory / "empty"], Rgb(), None, 3)


def test_a_file_that_is_no_picture_is_named_by_its_address(memory):
    addresses.write(memory / "a.png", b"no picture")
    with pytest.raises(UnreadableSignal) as error:
        fetched_files([memory], Rgb(), None, 3).load(0)
    assert str(memory / "a.png") in str(error.value)
    assert "/tmp" not in str(error.value).replace(str(memory), "")


def test_pictures_are_fetched_over_http_and_nothing_can_be_written_there(tmp_path):
    pytest.importorskip("aiohttp", reason="https is read with aiohttp")
    picture(0).save(tmp_path / "a.png")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    handler.func.log_message = lambda *args: None
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        root = Address(f"http://127.0.0.1:{server.server_port}")
        fetched = fetched_files([root / "a.png"], Rgb(), None, 3)
        assert fetched.load(0).tobytes() == open_image_files([tmp_path / "a.png"], None, 3).load(0).tobytes()
        with pytest.raises(UnreadableSignal, match="there is no such file"):
            fetched_files([root / "b.png"], Rgb(), None, 3).load(0)
        with pytest.raises(WorkFailed, match="cannot write"):
            addresses.write(root / "c.png", b"data")
        server.shutdown()
