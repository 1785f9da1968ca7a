import numpy as np
import pytest
from PIL import Image

from sparsine.errors import BadInput, UnreadableSignal
from sparsine.signals import open_dataset, open_files
from sparsine.signals.kinds import Rgb
from sparsine.signals.resize import cover_crop, cover_crop_values

REFUSALS = (BadInput, TypeError)  # where annotations are checked, the checker refuses a wrong type first


def put(path, rows=5, columns=3, seed=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng([seed, rows, columns]).integers(0, 256, (rows, columns, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return pixels


def names(signals):
    return [signals.name(i) for i in range(len(signals))]


def all_names(data):
    return names(data.train), names(data.val), names(data.test)


@pytest.fixture
def folder(tmp_path):
    """23 images of 5 x 3 in two folders, and things to be ignored."""
    for i in range(23):
        put(tmp_path / "photos" / ("b" if i % 2 else "a") / f"{i:02d}.png", seed=i)
    (tmp_path / "photos" / "notes.txt").write_text("no image")
    put(tmp_path / "photos" / ".hidden.png", 9, 9)
    put(tmp_path / "photos" / ".thumbs" / "x.png", 9, 9)
    return tmp_path / "photos"


def test_a_plain_folder_is_split_by_seed_without_overlap(folder):
    data = open_dataset(f"images:{folder}", seed=3)
    train, val, test = all_names(data)
    assert (len(train), len(val), len(test)) == (19, 2, 2)
    assert len({*train, *val, *test}) == 23
    assert train == sorted(train)
    assert all_names(open_dataset(f"images:{folder}", seed=3)) == (train, val, test)
    assert all_names(open_dataset(f"images:{folder}", seed=4)) != (train, val, test)
    assert (data.source, data.shape, data.num_channels, data.kind) == ("images", (5, 3), 3, Rgb())


def test_signals_hold_the_pixels_of_their_files(folder):
    data = open_dataset(f"images:{folder}")
    for i, name in enumerate(names(data.train)):
        expected = np.asarray(Image.open(folder / name)).astype(np.float32) / 255
        assert (data.train.load(i) == expected).all()


def test_split_folders_are_used_as_they_are(tmp_path):
    for split, count in (("train", 5), ("val", 2), ("test", 3)):
        for i in range(count):
            put(tmp_path / split / f"{i}.png", seed=i)
    put(tmp_path / "loose.png", 9, 9)
    data = open_dataset(f"images:{tmp_path}")
    expected = (("train", 5), ("val", 2), ("test", 3))
    assert all_names(data) == tuple([f"{split}/{i}.png" for i in range(count)] for split, count in expected)


def test_missing_split_folders_are_taken_from_the_training_images(tmp_path):
    for i in range(21):
        put(tmp_path / "train" / f"{i}.png", seed=i)
    put(tmp_path / "test" / "t.png")
    train, val, test = all_names(open_dataset(f"images:{tmp_path}"))
    assert test == ["test/t.png"]
    assert (len(train), len(val)) == (19, 2)
    assert not {*train} & {*val}


def test_without_a_train_folder_everything_outside_the_others_trains(tmp_path):
    for i in range(5):
        put(tmp_path / f"{i}.png", seed=i)
    put(tmp_path / "test" / "t.png")
    train, val, test = all_names(open_dataset(f"images:{tmp_path}"))
    assert test == ["test/t.png"]
    assert len(train) == 4
    assert len(val) == 1
    assert not {*train} & {*val}


@pytest.mark.parametrize(
    ("spelled", "places"),
    [
        (("train", "test", "valid"), ("train", "valid", "test")),
        (("Train", "TEST", "Val"), ("Train", "Val", "TEST")),
        (("training", "testing", "validation"), ("training", "validation", "testing")),
        (("test", "VALID"), ("", "VALID", "test")),
    ],
)
def test_folders_of_splits_are_known_in_every_usual_spelling(tmp_path, spelled, places):
    for name in spelled:
        for i in range(len(name)):
            put(tmp_path / name / f"{i}.png", seed=i)
    for i in range(5 * ("" in places)):
        put(tmp_path / f"{i}.png", seed=i)
    for found, place in zip(all_names(open_dataset(f"images:{tmp_path}")), places, strict=True):
        assert {name.rpartition("/")[0] for name in found} == {place}
        assert len(found) == (len(place) or 5)


@pytest.mark.parametrize("both", [("val", "valid"), ("train", "Training"), ("test", "TEST")])
def test_two_folders_for_one_split_are_refused(tmp_path, both):
    for name in both:
        put(tmp_path / name / "a.png")
    with pytest.raises(BadInput, match=f"two folders for the {both[0]} split, .*{both[1]}"):
        open_dataset(f"images:{tmp_path}")


@pytest.mark.parametrize("folders", [{"test": 3}, {"val": 1, "Test": 2}, {"train": 1, "test": 1}, {"train": 2}])
def test_a_split_that_is_missing_is_demanded_only_where_it_is_used(tmp_path, folders):
    for name, count in folders.items():
        for i in range(count):
            put(tmp_path / name / f"{i}.png", seed=i)
    (tmp_path / "val").mkdir(exist_ok=True)
    data = open_dataset(f"images:{tmp_path}")
    given = {name.lower(): count for name, count in folders.items()}
    if given == {"train": 2}:
        given = {"train": 1, "test": 1}  # a tenth of two, where no folder says otherwise
    for split in ("train", "val", "test"):
        if split in given:
            assert len(data.split(split)) == given[split]
            assert data.split(split).load(0).shape == (5, 3, 3)
        else:
            with pytest.raises(BadInput, match=f"no signal in its {split} split .*{given['test']} test"):
                data.split(split)
    assert ("val" in folders) or any("val holds no image" in note for note in data.notes)


def test_images_beside_the_folders_of_splits_are_left_out_and_told(tmp_path):
    for name in ("train/a", "train/b", "train/c", "loose", "more/loose"):
        put(tmp_path / f"{name}.png")
    assert open_dataset(f"images:{tmp_path}").notes == (f"{tmp_path}: 2 images outside train left out",)


def test_suffixes_are_read_in_any_case_and_linked_folders_followed(tmp_path):
    for name in ("a.PNG", "b.Jpg", "c.TIFF", "d.bmp", "e.webp", "f.jpeg", "g.tif"):
        put(tmp_path / "real" / name)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "link").symlink_to(tmp_path / "real")
    (tmp_path / "real" / "back").symlink_to(tmp_path / "real")
    data = open_dataset(f"images:{tmp_path / 'photos'}")
    assert sum(map(len, all_names(data))) == 7


@pytest.mark.parametrize("upright", [False, True])
def test_a_non_square_resolution_covers_and_crops_the_centre(tmp_path, upright):
    pixels = np.zeros((9, 21, 3), dtype=np.uint8)
    pixels[:, 8:13] = 255  # the middle, which is all that a 9 x 5 crop must show
    for i in range(3):
        Image.fromarray(pixels.swapaxes(0, 1) if upright else pixels).save(tmp_path / f"{i}.png")
    data = open_dataset(f"images:{tmp_path}", resolution=(5, 9) if upright else (9, 5))
    assert (data.train.load(0) == 1).all()
    assert open_dataset(f"images:{tmp_path}", resolution=(7, 11)).val.load(0).shape == (7, 11, 3)


@pytest.mark.parametrize("upright", [False, True])
def test_a_resized_crop_is_centred(upright):
    ramp = np.repeat(np.arange(43, dtype=np.float32)[None, :], 9, axis=0)
    small = cover_crop_values((ramp.T if upright else ramp)[:, :, None], (4, 4))
    assert small.mean() == pytest.approx(21.0, abs=1e-3)


def test_a_linear_ramp_stays_linear_when_resized():
    rows, columns = np.meshgrid(np.arange(31), np.arange(53), indexing="ij")
    ramp = np.stack([rows / 31, columns / 53], axis=-1).astype(np.float32)
    small = cover_crop_values(ramp, (11, 7))  # scale 31 / 11: rows are all used, columns centred
    assert small.shape == (11, 7, 2)
    middle_row, middle_column = (31 - 1) / 2 / 31, (53 - 1) / 2 / 53
    assert np.allclose(small[5, 3], [middle_row, middle_column], atol=1e-6)
    # A filter 5.6 pixels wide has so few taps that its mean wanders by a few hundredths of a pixel.
    assert np.allclose(np.diff(small[2:-2, 3, 0]), 1 / 11, atol=2e-3)
    assert np.allclose(np.diff(small[5, :, 1]), 31 / 11 / 53, atol=2e-3)


def test_an_elongated_image_is_resized_without_a_huge_one_between():
    assert cover_crop(Image.new("RGB", (20_000, 2), (9, 8, 7)), (300, 301)).getpixel((150, 150)) == (9, 8, 7)


def test_images_of_several_sizes_need_a_resolution(folder):
    put(folder / "b" / "odd.png", 7, 3)
    with pytest.raises(BadInput, match=r"00\.png is 5 x 3 and .*odd\.png is 7 x 3.*--resolution"):
        open_dataset(f"images:{folder}")
    assert open_dataset(f"images:{folder}", resolution=(4, 6)).shape == (4, 6)


def test_unreadable_files_harm_only_themselves(folder):
    (folder / "a" / "text.png").write_text("no image")
    (folder / "a" / "empty.png").touch()
    put(folder / "a" / "dot.png", 1, 1)
    Image.fromarray(np.full((5, 3), np.nan, dtype=np.float32)).save(folder / "a" / "nan.tif")
    (folder / "b" / "cut.png").write_bytes((folder / "b" / "01.png").read_bytes()[:-40])
    data = open_dataset(f"images:{folder}")
    bad = {}
    for signals in (data.train, data.val, data.test):
        for i in range(len(signals)):
            try:
                assert signals.load(i).shape == (5, 3, 3)
            except UnreadableSignal as error:
                bad[signals.name(i)] = str(error)
    assert all(message.startswith(f"{folder / name}: ") for name, message in bad.items())
    assert set(bad) == {"a/text.png", "a/empty.png", "a/dot.png", "a/nan.tif", "b/cut.png"}


def test_a_file_that_changes_size_after_opening_is_unreadable(folder):
    data = open_dataset(f"images:{folder}")
    put(folder / data.val.name(1), 7, 5)
    with pytest.raises(UnreadableSignal, match="7 x 5 pixels, the data set is 5 x 3"):
        data.val.load(1)


def test_hopeless_folders_are_refused_with_one_line(tmp_path):
    def message(path, **options):
        with pytest.raises(BadInput) as caught:
            open_dataset(f"images:{path}", **options)
        assert "\n" not in str(caught.value)
        assert str(path) in str(caught.value)
        return str(caught.value)

    assert "does not exist" in message(tmp_path / "absent")
    (tmp_path / "empty").mkdir()
    assert "no image" in message(tmp_path / "empty")
    put(tmp_path / "two" / "a.png")
    assert "is a file" in message(tmp_path / "two" / "a.png")
    put(tmp_path / "two" / "b.png")
    assert "2 images" in message(tmp_path / "two")
    assert "at least 3" in message(tmp_path / "two")
    for name in "abc":
        (tmp_path / f"{name}.png").write_text("no image")
    (tmp_path / "bad").mkdir()
    for name in "abc":
        (tmp_path / f"{name}.png").rename(tmp_path / "bad" / f"{name}.png")
    assert "none of the 3" in message(tmp_path / "bad")
    assert "none of the 3" in message(tmp_path / "bad", resolution=(5, 3))


def test_three_images_are_enough(tmp_path):
    for i in range(3):
        put(tmp_path / f"{i}.png", seed=i)
    assert [len(part) for part in all_names(open_dataset(f"images:{tmp_path}"))] == [1, 1, 1]


@pytest.mark.parametrize("spec", ["", "images", "images:", "images: ", "imgs:there", "celeba:", "sdf2d:", "there"])
def test_an_unknown_spec_lists_the_kinds(spec):
    with pytest.raises(BadInput) as refused:
        open_dataset(spec)
    told = str(refused.value).partition("use one of: ")[2]
    assert [told.count(kind) for kind in ("images:DIR", "celeba:DIR", "imagenette:DIR", "sdf2d:FILE.npz")] == [1] * 4
    assert "curves:SEED" in told


@pytest.mark.parametrize("resolution", [(0, 5), (5, -3), (1, 5), (5, 16385), (5, 3, 3), (5.0, 3)])
def test_an_absurd_resolution_is_refused(resolution):
    with pytest.raises(REFUSALS, match="resolution"):
        open_dataset("curves", resolution=resolution)


def test_a_path_that_the_system_refuses_is_bad_input():
    with pytest.raises(BadInput, match="cannot open the data set"):
        open_dataset("images:" + "a" * 5000)
    with pytest.raises(UnreadableSignal):
        open_files(["a" * 5000 + ".png"], shape=(5, 3), num_channels=3).load(0)


def test_a_negative_seed_is_refused(folder):
    with pytest.raises(BadInput, match="seed"):
        open_dataset(f"images:{folder}", seed=-1)


def test_files_and_folders_to_be_fitted_are_opened_together(folder, tmp_path):
    put(tmp_path / "mine.jpg", 15, 9)
    signals = open_files([tmp_path / "mine.jpg", str(folder), tmp_path / "absent.png"], shape=(7, 5), num_channels=3)
    assert len(signals) == 25
    assert names(signals)[:2] == ["mine.jpg", "a/00.png"]
    assert signals.load(0).shape == signals.load(9).shape == (7, 5, 3)
    with pytest.raises(UnreadableSignal, match=r"absent\.png: No such file"):
        signals.load(24)


def test_files_of_one_name_are_told_apart(tmp_path):
    put(tmp_path / "a" / "x.png")
    put(tmp_path / "b" / "x.png")
    signals = open_files([tmp_path / "a" / "x.png", tmp_path / "b"], shape=(5, 3), num_channels=3)
    assert len(set(names(signals))) == 2


def test_files_that_cannot_be_fitted_are_refused(folder, tmp_path):
    (tmp_path / "empty").mkdir()
    for paths, channels, words in (
        ([], 3, "no image file"),
        ([tmp_path / "empty"], 3, "holds no image"),
        ([folder], 1, "3 channels"),
        ([folder, folder], 3, "twice"),
    ):
        with pytest.raises(BadInput, match=words):
            open_files(paths, shape=(5, 3), num_channels=channels)
