import os
from collections import Counter

import pytest
from PIL import Image

from sparsine.errors import BadInput
from sparsine.signals import listing as module
from sparsine.signals import open_dataset, open_files
from sparsine.signals.listing import Listing, list_images


def put(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (3, 5), (10, 20, 30)).save(path)


@pytest.fixture
def closed(monkeypatch):
    """Folders of these paths cannot be listed (a real one could be, by root)."""
    paths, real = set(), os.scandir

    def scandir(path="."):
        if os.fspath(path) in paths:
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    return paths


def test_a_folder_without_permission_is_named_and_passed_over(tmp_path, closed):
    for i in range(4):
        put(tmp_path / f"{i}.png")
    put(tmp_path / "lost+found" / "a.png")
    closed.add(str(tmp_path / "lost+found"))
    note = f"cannot list {tmp_path / 'lost+found'}: Permission denied; it was passed over"
    assert list_images(tmp_path) == Listing(
        tmp_path, [f"{i}.png" for i in range(4)], closed=[note.removesuffix("; it was passed over")]
    )
    for found in (open_files([tmp_path], shape=(5, 3), num_channels=3), open_dataset(f"images:{tmp_path}")):
        assert found.notes == (note,)


def test_of_several_places_those_without_permission_are_named_and_the_others_taken(tmp_path, closed):
    put(tmp_path / "a" / "a.png")
    (tmp_path / "b").mkdir()
    closed.add(str(tmp_path / "b"))
    signals = open_files([tmp_path / "b", tmp_path / "a"], shape=None, num_channels=3)
    assert [signals.name(i) for i in range(len(signals))] == ["a.png"]
    assert signals.notes == (f"cannot list {tmp_path / 'b'}: Permission denied; it was passed over",)
    for everything in ([tmp_path / "b"], [tmp_path / "b", tmp_path / "b"]):
        with pytest.raises(BadInput, match=r"no image could be found: cannot list .*b: Permission denied"):
            open_files(everything, shape=None, num_channels=3)
    with pytest.raises(BadInput, match="Permission denied"):
        open_dataset(f"images:{tmp_path / 'b'}")


def test_a_folder_whose_images_all_lie_out_of_reach_says_why(tmp_path, closed):
    put(tmp_path / "in" / "a.png")
    closed.add(str(tmp_path / "in"))
    with pytest.raises(BadInput, match="Permission denied"):
        open_files([tmp_path], shape=None, num_channels=3)
    with pytest.raises(BadInput, match=r"holds no image.*Permission denied"):
        open_dataset(f"images:{tmp_path}")


def test_files_of_other_kinds_are_counted_by_suffix(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "readable_suffixes", lambda: frozenset({".png"}))
    monkeypatch.setattr(module, "what_reads", lambda suffix: "a reader" if suffix == ".heic" else "")
    for i in range(4):
        put(tmp_path / "in" / f"{i}.png")
    for name in (*(f"{i}.HEIC" for i in range(8)), "a.avif", "in/without", ".hidden", ".thumbs/a.avif"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert list_images(tmp_path).others == Counter({".heic": 8, ".avif": 1, "": 1})
    said = f"{tmp_path}: 10 other files were left out (.heic, .avif, none); .heic needs: a reader"
    assert open_files([tmp_path], shape=None, num_channels=3).notes == (said,)
    assert open_dataset(f"images:{tmp_path}").notes == (said,)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a.gif").touch()
    with pytest.raises(BadInput, match=r"no image.*1 other file was left out \(\.gif\)"):
        open_files([tmp_path / "other"], shape=None, num_channels=3)


def test_of_many_closed_folders_the_first_few_are_named(tmp_path):
    many = Listing(tmp_path, [], closed=[f"cannot list {i}: Permission denied" for i in range(8)])
    assert len(many.notes) == 6
    assert many.notes[-1] == "... and 3 more could not be listed"
