"""What this package wrote into a folder of pictures is no data."""

import pytest
from test_image_folder import all_names, put

from sparsine.signals import open_dataset, open_files
from sparsine.signals.listing import list_images

OWN = {
    "run": ("config.json", "metrics.jsonl"),
    "run that was killed at once": ("config.json", "starts/round-00.safetensors"),
    "modulations": ("config.json", "checkpoint.safetensors"),
    "comparison": ("comparison.json", "cells/x.json"),
    "codes": ("request.json", "journal.jsonl", "p.spn"),
    "fits": ("psnr.csv", "fields/p.safetensors"),
    "fits on the way": ("drawings/p.png", "fields/p.safetensors", "pictures/p.png"),
    "rate-distortion": ("rate-distortion.json",),
}


def own_folder(folder, files):
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).touch()
    put(folder / "evaluation" / "pictures" / "original-0.png")
    put(folder / "drawn.png")


def every_name(dataset):
    return sorted(name for split in all_names(dataset) for name in split)


@pytest.fixture
def photos(tmp_path):
    for i in range(5):
        put(tmp_path / "photos" / "more" / f"{i}.png", seed=i)
    return tmp_path / "photos"


@pytest.mark.parametrize("what", OWN)
def test_pictures_in_a_folder_that_this_package_wrote_are_left_out_and_it_is_said(photos, what):
    own_folder(photos / "more" / "made", OWN[what])
    dataset = open_dataset(f"images:{photos}")
    assert every_name(dataset) == [f"more/{i}.png" for i in range(5)]
    (note,) = dataset.notes
    assert "hold a run, codes or drawings" in note
    assert note.endswith(": more/made")
    files = open_files([photos], shape=None, num_channels=3)
    assert (len(files), files.notes) == (5, (note,))


@pytest.mark.parametrize(
    "files", [("config.json",), ("request.json",), ("drawings/a.png", "fields/b.png", "pictures/c.png")]
)
def test_a_folder_of_ones_own_with_some_of_these_names_is_read(photos, files):
    for file in files:
        put(photos / "mine" / "x.png")
        (put if file.endswith("png") else lambda path: path.touch())(photos / "mine" / file)
    listing = list_images(photos)
    assert "mine/x.png" in listing.names
    assert not listing.own


def test_a_folder_that_is_named_itself_is_read_whatever_lies_in_it(photos):
    own_folder(photos / "drawn", OWN["codes"])
    assert list_images(photos / "drawn").names == ["drawn.png", "evaluation/pictures/original-0.png"]


def test_of_many_such_folders_some_are_named_and_the_others_counted(photos):
    for i in range(5):
        own_folder(photos / f"run{i}", OWN["run"])
    assert list_images(photos).notes == (
        "left out, as they hold a run, codes or drawings and no signals: run0, run1, run2 and 2 more",
    )


def test_a_run_named_like_a_split_is_none(photos):
    own_folder(photos / "test", OWN["run"])
    dataset = open_dataset(f"images:{photos}")
    assert every_name(dataset) == [f"more/{i}.png" for i in range(5)]
    assert dataset.notes[0].endswith(": test")


def test_classes_of_imagenette_that_hold_runs_are_left_out_too(tmp_path):
    for split in ("train", "val"):
        for i in range(3):
            put(tmp_path / split / "n01" / f"{split}{i}.png", 30, 20, seed=i)
        own_folder(tmp_path / split / "run", OWN["run"])
    dataset = open_dataset(f"imagenette:{tmp_path}")
    assert sum(map(len, all_names(dataset))) == 6
    assert len(dataset.notes) == 2
