"""encode and decode of files that lie elsewhere, into places elsewhere."""

import fsspec
import pytest
from small_starts import make_pictures, make_start

from sparsine import addresses
from sparsine.addresses import Address
from sparsine.cli.main import main
from sparsine.codec.files import stores


@pytest.fixture
def memory(tmp_path):
    yield Address(f"memory://{tmp_path.name}")
    fsspec.filesystem("memory").rm("/", recursive=True)


@pytest.fixture
def start(tmp_path):
    return make_start(tmp_path / "start.safetensors")


@pytest.fixture
def pictures(tmp_path, memory):
    """The same here and there, and one there that is none."""
    folder = make_pictures(tmp_path / "pictures", *(f"{number}.png" for number in range(5)))
    for path in folder.iterdir():
        addresses.write(memory / "pictures" / path.name, path.read_bytes())
    addresses.write(memory / "pictures" / "bad.png", b"no picture")
    return folder


def files_at(address, suffix):
    names = [name for name in addresses.names_below(address) if name.endswith(suffix)]
    return {name: addresses.read(address / name) for name in names}


def files_in(folder, suffix):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix == suffix}


def encoded(start, source, out, *more):
    return main(["encode", str(start), str(source), "--out", str(out), "--steps", "3", *map(str, more)])


def test_what_lies_elsewhere_becomes_what_it_becomes_here(start, pictures, memory, tmp_path, capsys):
    assert encoded(start, pictures, tmp_path / "here") == 0
    assert encoded(start, memory / "pictures", memory / "codes", "--batch", "2") == 1  # one of them is no picture
    assert "bad.png" in capsys.readouterr().out
    assert files_at(memory / "codes", ".spn") == files_in(tmp_path / "here", ".spn") != {}
    drawing = ["decode", "--start", str(start), "--scale", "2"]
    assert main([*drawing, str(tmp_path / "here"), "--out", str(tmp_path / "drawn")]) == 0
    assert main([*drawing, str(memory / "codes"), "--out", str(memory / "drawn")]) == 0
    assert files_at(memory / "drawn", ".png") == files_in(tmp_path / "drawn", ".png") != {}
    assert main([*drawing, f"file://{tmp_path}/here", "--out", f"file://{tmp_path}/again"]) == 0
    assert files_in(tmp_path / "again", ".png") == files_in(tmp_path / "drawn", ".png")


def test_what_was_interrupted_elsewhere_goes_on_and_keeps_what_is_done(start, pictures, memory, capsys, monkeypatch):
    note, calls = stores._Elsewhere.note, iter((False, True))

    def interrupted(self, text):
        if next(calls):
            raise KeyboardInterrupt
        note(self, text)

    with monkeypatch.context() as patch:
        patch.setattr(stores._Elsewhere, "note", interrupted)
        assert encoded(start, memory / "pictures/*.png", memory / "codes", "--batch", "2") == 130
    capsys.readouterr()
    assert encoded(start, memory / "pictures/*.png", memory / "codes", "--batch", "2") == 1
    assert "5 ok, 1 unreadable; 2 kept" in capsys.readouterr().out
    assert sorted(files_at(memory / "codes", "")) == sorted(
        ["request.json", "journal.jsonl", *(f"{number}.spn" for number in range(5)),
         *(name for name in addresses.names_below(memory / "codes") if name.startswith("journal/"))]
    )  # fmt: skip
    assert encoded(start, memory / "pictures", memory / "codes", "--batch", "2") == 1
    assert "5 ok, 1 unreadable; 5 kept" in capsys.readouterr().out
    assert not [name for name in addresses.names_below(memory / "codes") if name.startswith("journal/")]


def test_another_request_elsewhere_is_refused(start, pictures, memory, capsys):
    assert encoded(start, pictures, memory / "codes") == 0
    before = files_at(memory, "")
    assert encoded(start, pictures, memory / "codes", "--quality", "60") == 2
    assert f"{memory / 'codes'} belongs to another request (quality was 80, now 60)" in capsys.readouterr().err
    assert files_at(memory, "") == before


def test_places_here_and_elsewhere_are_not_mixed(start, pictures, memory, tmp_path, capsys):
    assert main(["encode", str(start), str(pictures), str(memory / "pictures"), "--out", str(tmp_path / "out")]) == 2
    assert "name those of one place at a time" in capsys.readouterr().err


def test_a_place_that_nobody_can_reach_is_refused_in_one_line_before_the_work(start, pictures, tmp_path, capsys):
    for out in ("nowhere://a/b", "s3x://b"):
        assert encoded(start, pictures, out) == 2
        (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error")]
        assert line.startswith(f"error: cannot list {out}: ")
    assert encoded(start, "nowhere://a", tmp_path / "out") == 2
    assert not (tmp_path / "out").exists()
