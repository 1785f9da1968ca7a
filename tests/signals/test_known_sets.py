import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sparsine.errors import BadInput, UnreadableSignal
from sparsine.signals import open_dataset
from sparsine.signals.kinds import Rgb

DATA = Path(os.environ.get("SPARSINE_DATA") or Path(__file__).resolve().parents[2] / ".." / "shared" / "data")


def needs(name):
    return pytest.mark.skipif(not (DATA / name).is_dir(), reason=f"no real data at SPARSINE_DATA/{name}")


def put(path, rows, columns, seed=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (rows, columns, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


def names(signals):
    return [signals.name(i) for i in range(len(signals))]


def all_names(data):
    return names(data.train), names(data.val), names(data.test)


@pytest.fixture
def celeba(tmp_path):
    lines = []
    for i, split in enumerate((0, 0, 2, 1, 0), 182801):
        put(tmp_path / "img_align_celeba" / f"{i}.jpg", 218, 178, seed=i)
        lines.append(f"{i}.jpg {split}")
    (tmp_path / "list_eval_partition.txt").write_text("\n".join([*lines, "202599.jpg 2", "", ""]))
    return tmp_path


def test_celeba_follows_its_partition_and_crops_the_centre(celeba):
    data = open_dataset(f"celeba:{celeba}")
    assert names(data.train) == ["182801.jpg", "182802.jpg", "182805.jpg"]
    assert (names(data.val), names(data.test)) == (["182804.jpg"], ["182803.jpg"])
    whole = np.asarray(Image.open(celeba / "img_align_celeba" / "182803.jpg")).astype(np.float32) / 255
    assert (data.test.load(0) == whole[20:198]).all()
    assert (data.shape, data.num_channels, data.kind) == ((178, 178), 3, Rgb())


def test_celeba_is_resized_after_the_crop(celeba):
    data = open_dataset(f"celeba:{celeba}", resolution=(31, 17))
    assert data.shape == (31, 17)
    assert data.val.load(0).shape == (31, 17, 3)
    assert "31 x 17" in data.description


def test_a_celeba_image_that_is_too_small_is_unreadable(celeba):
    put(celeba / "img_align_celeba" / "182804.jpg", 218, 177)
    with pytest.raises(UnreadableSignal, match=r"182804\.jpg: it is 218 x 177 pixels"):
        open_dataset(f"celeba:{celeba}").val.load(0)


@pytest.mark.parametrize("line", ["182806.jpg", "182806.jpg 3", "182806.jpg 1 1", "../182806.jpg 1", "what?"])
def test_a_malformed_partition_line_is_named(celeba, line):
    partition = celeba / "list_eval_partition.txt"
    partition.write_text(f"182801.jpg 0\n182804.jpg 1\n{line}\n182803.jpg 2\n")
    with pytest.raises(BadInput) as caught:
        open_dataset(f"celeba:{celeba}")
    assert f"{partition}, line 3: {line!r}" in str(caught.value)


def test_other_partition_faults_are_refused(celeba):
    partition = celeba / "list_eval_partition.txt"
    partition.write_text("182801.jpg 0\n182804.jpg 1\n182801.jpg 2\n")
    with pytest.raises(BadInput, match=r"line 3: 182801\.jpg is listed twice"):
        open_dataset(f"celeba:{celeba}")
    partition.write_text("202598.jpg 0\n202599.jpg 2\n")
    with pytest.raises(BadInput, match=r"none of the images that .* lists, but others such as 182801\.jpg"):
        open_dataset(f"celeba:{celeba}")
    partition.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match="not text"):
        open_dataset(f"celeba:{celeba}")
    partition.unlink()
    with pytest.raises(BadInput, match=r"partition\.txt: No such file.* or list_eval_partition\.csv"):
        open_dataset(f"celeba:{celeba}")


def test_a_byte_order_mark_costs_celeba_no_face(celeba):
    partition = celeba / "list_eval_partition.txt"
    whole = all_names(open_dataset(f"celeba:{celeba}"))
    partition.write_bytes(b"\xef\xbb\xbf" + partition.read_bytes().replace(b"\n", b"\r\n"))  # Windows' Notepad
    assert all_names(open_dataset(f"celeba:{celeba}")) == whole


def test_celeba_as_kaggle_packs_it_is_read(celeba):
    whole = all_names(open_dataset(f"celeba:{celeba}"))
    (celeba / "img_align_celeba").rename(celeba / "deeper")
    (celeba / "img_align_celeba").mkdir()
    (celeba / "deeper").rename(celeba / "img_align_celeba" / "img_align_celeba")
    lines = (celeba / "list_eval_partition.txt").read_text().strip().replace(" ", ",")
    (celeba / "list_eval_partition.txt").unlink()
    (celeba / "list_eval_partition.csv").write_text(f"image_id,partition\n{lines}\n")
    assert all_names(open_dataset(f"celeba:{celeba}")) == whole


def test_a_folder_around_celeba_is_told_which_to_give(celeba, tmp_path):
    around = tmp_path / "archive"
    around.mkdir()
    for name in ("img_align_celeba", "list_eval_partition.txt"):
        (around / "celeba").mkdir(exist_ok=True)
        (celeba / name).rename(around / "celeba" / name)
    with pytest.raises(BadInput, match=f"there is .*img_align_celeba, so give celeba:{around / 'celeba'}$"):
        open_dataset(f"celeba:{around}")


def test_a_celeba_of_test_images_alone_is_one(celeba):
    for name in ("182801", "182802", "182804", "182805"):
        (celeba / "img_align_celeba" / f"{name}.jpg").unlink()
    put(celeba / "img_align_celeba" / "200000.jpg", 218, 178)
    data = open_dataset(f"celeba:{celeba}")
    assert data.counts == "0 train, 0 val, 1 test"
    assert data.split("test").load(0).shape == (178, 178, 3)
    assert data.notes == (f"{celeba / 'img_align_celeba'}: 1 image in no split of list_eval_partition.txt left out",)
    with pytest.raises(BadInput, match=r"no signal in its train split \(0 train, 0 val, 1 test\)"):
        data.split("train")


@pytest.fixture
def imagenette(tmp_path):
    for i in range(13):
        put(tmp_path / "train" / f"n0{i % 2}" / f"{i:02d}.JPEG", 61 + i, 83, seed=i)
    put(tmp_path / "val" / "n01" / "v.JPEG", 205, 311)
    return tmp_path


def test_imagenettes_val_is_our_test_and_our_val_comes_from_its_train(imagenette):
    data = open_dataset(f"imagenette:{imagenette}", seed=5)
    assert names(data.test) == ["n01/v.JPEG"]
    assert (len(data.train), len(data.val)) == (12, 1)
    assert len({*names(data.train), *names(data.val)}) == 13
    assert "1 of its training images (seed 5)" in data.description


def test_imagenette_brings_the_shorter_side_to_200_and_crops_the_centre(imagenette):
    image = Image.open(imagenette / "val" / "n01" / "v.JPEG")
    image = image.resize((int(200 * 311 / 205), 200), Image.Resampling.BILINEAR)
    left = round((image.width - 178) / 2)
    expected = np.asarray(image.crop((left, 11, left + 178, 189))).astype(np.float32) / 255
    assert (open_dataset(f"imagenette:{imagenette}").test.load(0) == expected).all()
    assert open_dataset(f"imagenette:{imagenette}", resolution=(9, 15)).train.load(11).shape == (9, 15, 3)


def test_an_elongated_imagenette_image_is_unreadable(imagenette):
    put(imagenette / "val" / "n01" / "v.JPEG", 3, 900)
    with pytest.raises(UnreadableSignal, match="elongated"):
        open_dataset(f"imagenette:{imagenette}").test.load(0)


def test_an_imagenette_without_val_has_no_test_split_and_without_anything_is_refused(imagenette):
    (imagenette / "val" / "n01" / "v.JPEG").unlink()
    with pytest.raises(BadInput, match=r"no signal in its test split"):
        open_dataset(f"imagenette:{imagenette}").split("test")
    with pytest.raises(BadInput, match=r"no image in train/<class>/ or val/<class>/"):
        open_dataset(f"imagenette:{imagenette / 'absent'}")


@needs("celeba")
def test_real_celeba_opens():
    data = open_dataset(f"celeba:{DATA / 'celeba'}")
    assert not {*names(data.train)} & {*names(data.test)}
    for signals in (data.train, data.val, data.test):
        values = signals.load(len(signals) - 1)
        assert values.shape == (178, 178, 3)
        assert values.dtype == np.float32
        assert 0 <= values.min() < values.max() <= 1
    assert max(names(data.train)) < min(names(data.val)) <= max(names(data.val)) < min(names(data.test))


@needs("imagenette")
def test_real_imagenette_opens_grey_files_included():
    data = open_dataset(f"imagenette:{DATA / 'imagenette'}")
    for signals in (data.train, data.val, data.test):
        for index in range(0, len(signals), 29):
            assert signals.load(index).shape == (178, 178, 3)


@needs("kodak")
def test_real_kodak_needs_a_resolution():
    with pytest.raises(BadInput, match="--resolution"):
        open_dataset(f"images:{DATA / 'kodak'}")
    data = open_dataset(f"images:{DATA / 'kodak'}", resolution=(33, 51))
    assert data.test.load(0).shape == (33, 51, 3)
