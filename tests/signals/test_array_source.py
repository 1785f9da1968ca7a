"""`array:` opens arrays of several formats to the same values, whole or in boxes, and refuses the rest in a line."""

import gzip
import io
import pickle

import numpy as np
import pytest

from sparsine.errors import BadInput, UnreadableSignal
from sparsine.fields import Pattern, Siren
from sparsine.fitting import fitted_field
from sparsine.fitting.fitted_field import FittedField
from sparsine.fitting.view import View, drawing_of
from sparsine.signals.grid import Grid
from sparsine.signals.kinds.array import Array
from sparsine.signals.open import absolute_spec, is_there, open_dataset
from sparsine.signals.stored_arrays import open_array
from sparsine.signals.values import load_values
from sparsine.signals.weights import weights_of
from sparsine.starts.start import Start

RNG = np.random.default_rng(5)
VALUES = (100 + 50 * RNG.random((6, 8, 10))).astype(np.float32)
SPLITS = ("train", "val", "test")


def saved(path, values=VALUES):
    np.save(path, values)
    return path


def nifti(path, values=VALUES, affine=None, slope=None):
    nibabel = pytest.importorskip("nibabel", reason="the extra nifti is not installed")
    image = nibabel.Nifti1Image(values, np.diag([2.0, 3.0, 4.0, 1.0]) if affine is None else affine)
    if slope is not None:
        image.header.set_slope_inter(*slope)
    nibabel.save(image, path)
    return path


def zarr_store(path, values=VALUES, name=None, **about):
    zarr = pytest.importorskip("zarr", reason="the extra zarr is not installed")
    target = zarr.open_group(path, mode="a") if name else zarr
    options = {"name": name} if name else {"store": path}
    array = target.create_array(**options, shape=values.shape, chunks=(3,) * values.ndim, dtype=values.dtype)
    array[:] = values
    array.attrs.update(about)
    return path


def netcdf(path, values=VALUES):
    netCDF4 = pytest.importorskip("netCDF4", reason="the extra netcdf is not installed")
    with netCDF4.Dataset(path, "w") as file:
        for dim, length in zip("abc", values.shape, strict=True):
            file.createDimension(dim, length)
        array = file.createVariable("heat", "f4", tuple("abc"), fill_value=np.float32(-9))
        array.units = "K"
        array[:] = values
    return path


def in_unit(data, split="train", index=0):
    return data.kind.in_unit(load_values(getattr(data, split), index, data.kind))


def test_every_format_gives_the_same_values(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", one=VALUES, other=VALUES[0])
    packed = tmp_path / "b.nii.gz"
    specs = [saved(tmp_path / "a.npy"), f"{tmp_path / 'a.npz'}?one", nifti(tmp_path / "a.nii"), nifti(packed),
             zarr_store(tmp_path / "a.zarr"), f"{zarr_store(tmp_path / 'b.zarr', name='one')}?one",
             f"{netcdf(tmp_path / 'a.nc')}?heat"]  # fmt: skip
    places = np.array([0, 479, 37, 37, 250])
    for spec in specs:
        data = open_dataset(f"array:{spec}")
        assert (data.shape, data.num_channels) == ((6, 8, 10), 1)
        assert np.abs(in_unit(data)[..., 0] - VALUES).max() < 1e-4
        inner = data.train.uncached
        assert np.array_equal(inner.values_at(0, places), data.train.load(0).reshape(-1, 1)[places])
        assert is_there(absolute_spec(f"array:{spec}"))
    assert data.kind == Array(lowest=100, highest=150, unit="K", quantity="heat")


def test_scaled_integers_and_names_of_axes_come_from_the_file(tmp_path):
    whole = RNG.integers(0, 200, (4, 5, 6)).astype(np.int16)
    found = open_array(nifti(tmp_path / "a.nii.gz", whole, slope=(0.5, -3)))
    assert np.array_equal(found.read((slice(1, 3), slice(None), 2)), whole[1:3, :, 2] * 0.5 - 3)
    assert found.axes == ("x", "y", "z")
    assert found.affine == (2, 0, 0, 0, 0, 3, 0, 0, 0, 0, 4, 0)
    assert open_array(zarr_store(tmp_path / "a.zarr", units="mm", _ARRAY_DIMENSIONS=["h", "v", "w"])).axes == tuple(
        "hvw"
    )
    assert open_array(tmp_path / "a.zarr").unit == "mm"


def test_boxes_begin_at_the_corner_and_are_named_by_it(tmp_path):
    data = open_dataset(f"array:{saved(tmp_path / 'a.npy')}?box=2,3,4&from=0,1,1&range=100:150&test=0:2&val=0:1")
    assert [len(getattr(data, split)) for split in SPLITS] == [4, 4, 4]
    assert [data.val.name(i) for i in range(4)] == [f"a.npy@2-{y}-{z}" for y in (1, 4) for z in (1, 5)]
    assert np.array_equal(in_unit(data, "test", 3)[..., 0], VALUES[4:6, 4:7, 5:9])
    where = np.array([23, 0, 11])
    assert np.array_equal(data.test.uncached.values_at(3, where), data.test.load(3).reshape(-1, 1)[where])


def test_an_axis_of_one_sample_is_dropped_and_channels_are_last(tmp_path):
    slices = open_dataset(f"array:{saved(tmp_path / 'a.npy')}?box=1,all,all")
    assert (slices.shape, len(slices.train), len(slices.val), len(slices.test)) == ((8, 10), 4, 1, 1)
    assert np.allclose(in_unit(slices, "test")[..., 0], VALUES[5], atol=1e-4)
    several = open_dataset(f"array:{saved(tmp_path / 'b.npy', VALUES[:, :1])}?channels=last")
    assert (several.shape, several.num_channels) == ((6,), 10)
    assert np.allclose(in_unit(several), VALUES[:, 0], atol=1e-4)
    places = np.array([5, 0])
    assert np.array_equal(several.train.uncached.values_at(0, places), several.train.load(0)[places])


def test_one_array_is_in_every_split_and_boxes_are_held_out_by_place(tmp_path):
    alone = open_dataset(f"array:{saved(tmp_path / 'a.npy')}")
    assert [len(getattr(alone, split)) for split in SPLITS] == [1, 1, 1]
    boxes = open_dataset(f"array:{tmp_path / 'a.npy'}?box=3,4,2")
    first = {split: {getattr(boxes, split).name(i)[-1:] for i in range(len(getattr(boxes, split)))} for split in SPLITS}
    assert first == {"train": {"0", "2", "4"}, "val": {"6"}, "test": {"8"}}
    assert "the last tenth tests" in boxes.description


def test_boxes_that_hold_nearly_nothing_are_left_out(tmp_path):
    values = VALUES.copy()
    values[:3, :4] = 7
    data = open_dataset(f"array:{saved(tmp_path / 'a.npy', values)}?box=3,4,5&std=1")
    assert sum(len(getattr(data, split)) for split in SPLITS) // 3 == 6
    assert data.notes == ("2 signals with a standard deviation of at most 1 left out",)
    with pytest.raises(BadInput, match="none of 8 signals has a standard deviation above 99"):
        open_dataset(f"array:{tmp_path / 'a.npy'}?box=3,4,5&std=99")


def test_the_range_is_that_of_the_training_signals_unless_stated(tmp_path):
    values = np.linspace(0, 1, 10, dtype=np.float32)[:, None] * np.ones((10, 4), np.float32)
    data = open_dataset(f"array:{saved(tmp_path / 'a.npy', values)}?box=1,4&test=0:9&val=0:8")
    assert (data.kind.lowest, data.kind.highest) == (0.0, pytest.approx(0.78))
    assert data.kind.value_range == (0, 1)
    assert data.kind.peak == 1
    stated = open_dataset(f"array:{tmp_path / 'a.npy'}?box=1,4&range=-1:3")
    assert (stated.kind.lowest, stated.kind.highest) == (-1, 3)
    assert stated.train.load(0).tolist() == [[0.25]] * 4


def test_missing_values_count_nothing_and_a_signal_of_them_alone_is_reported(tmp_path):
    values = VALUES.copy()
    values[0, 2, 3], values[2:4] = np.nan, np.nan
    data = open_dataset(f"array:{saved(tmp_path / 'a.npy', values)}?box=2,all,all&train=0:0-1&test=0:2")
    signal = load_values(data.train, 0, data.kind)
    weights = weights_of(data.domain, signal)
    assert np.argwhere(weights == 0).tolist() == [[0, 2, 3]]
    assert np.argwhere((data.kind.picture(signal) == (255, 0, 255)).all(axis=2)).tolist() == []
    signal[1, 2, 3] = np.nan  # on the middle slice of the first axis
    assert np.argwhere((data.kind.picture(signal) == (255, 0, 255)).all(axis=2)).tolist() == [[2, 3]]
    with pytest.raises(UnreadableSignal, match=r"every value is missing"):
        data.train.load(1)


def test_of_a_folder_the_others_go_on(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(12):
        saved(folder / f"{number:02}.npy")
    saved(folder / "complex.npy", VALUES * 1j)
    np.save(folder / "objects.npy", np.array([{}, None], dtype=object), allow_pickle=True)
    saved(folder / "five.npy", np.zeros((2, 2, 2, 2, 2)))
    saved(folder / "other.npy", VALUES[:, :4])
    saved(folder / "nothing.npy", np.full_like(VALUES, np.nan))
    saved(folder / "infinite.npy", np.full_like(VALUES, np.inf))
    saved(folder / "far.npy", VALUES * 1e6)
    (folder / "broken.npy").write_bytes(b"\x93NUMPY")
    data = open_dataset(f"array:{folder}?range=100:150")
    reasons = {}
    for signals in (data.train, data.val, data.test):
        for index in range(len(signals)):
            try:
                load_values(signals, index, data.kind)
            except UnreadableSignal as error:
                reasons[signals.name(index)] = str(error)
    expected = {
        "complex.npy": "complex numbers; save real and imaginary", "objects.npy": "Python objects, which are never",
        "five.npy": "has 5 axes of two or more samples", "other.npy": "its shape is 6 x 4 x 10 x 1, that of the others",
        "nothing.npy": "every value is missing", "infinite.npy": "it holds infinity", "far.npy": "far outside of the",
        "broken.npy": "broken.npy: ",
    }  # fmt: skip
    assert reasons.keys() == expected.keys()
    for name, words in expected.items():
        assert words in reasons[name]
        assert "\n" not in reasons[name]
    assert any("1 array of another shape than 6 x 8 x 10 x 1" in note for note in data.notes)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("?box=2,3", "box=2,3 is no box in an array of the axes 0, 1, 2; give 3 whole numbers as in box=32,32,32"),
        ("?box=0,2,2", "box=0,2,2 is no box"),
        ("?box=7,2,2", "no box of 7 x 2 x 2 fits into 6 x 8 x 10 from 0 x 0 x 0 on"),
        ("?box=1,1,1", "no box of 1 x 1 x 1"),
        ("?from=1,1,1", "say how large they are too"),
        ("?box=2,2,2&test=z:1", "names 'z:1'; the axes and their places are 0:0-2, 1:0-3, 2:0-4"),
        ("?box=2,2,2&test=0:1&val=0:1", "is in two splits"),
        ("?channels=first", "channels=first is not known"),
        ("?range=3", "the range is '3'; give lowest:highest"),
        ("?std=much", "std=much is no number"),
        ("?name", "holds one array without a name"),
    ],
)
def test_options_that_make_no_sense_are_refused(tmp_path, options, words):
    with pytest.raises(BadInput) as error:
        open_dataset(f"array:{saved(tmp_path / 'a.npy')}{options}")
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_files_that_are_none_are_refused(tmp_path):
    np.savez(tmp_path / "a.npz", one=VALUES, other=VALUES)
    with pytest.raises(BadInput, match=r"holds 2 arrays: one, other; say which, as in array:FILE\?NAME"):
        open_dataset(f"array:{tmp_path / 'a.npz'}")
    with pytest.raises(BadInput, match=r"has no array 'three'; it has: one, other"):
        open_dataset(f"array:{tmp_path / 'a.npz'}?three")
    with pytest.raises(BadInput, match="does not exist"):
        open_dataset(f"array:{tmp_path / 'b.npy'}")
    (tmp_path / "c.txt").write_text("1 2 3")
    with pytest.raises(BadInput, match="is no array that is read here"):
        open_dataset(f"array:{tmp_path / 'c.txt'}")
    for shape in ((1, 1), (), (0, 3)):
        with pytest.raises(BadInput, match="an axis of two or more samples is needed"):
            open_dataset(f"array:{saved(tmp_path / 'd.npy', np.zeros(shape))}")
    with pytest.raises(BadInput, match="arrays are taken as they are"):
        open_dataset(f"array:{saved(tmp_path / 'a.npy')}", resolution=(4, 4, 4))


def test_a_damaged_nifti_is_refused(tmp_path):
    whole = nifti(tmp_path / "a.nii.gz").read_bytes()
    for data in (whole[: len(whole) // 2], gzip.compress(b"no header"), b"no gzip"):
        (tmp_path / "b.nii.gz").write_bytes(data)
        with pytest.raises(BadInput, match=r"b\.nii\.gz: "):
            open_dataset(f"array:{tmp_path / 'b.nii.gz'}")


@pytest.mark.parametrize(
    ("module", "file", "extra"),
    [("nibabel", "a.nii", "nifti"), ("zarr", "a.zarr", "zarr"), ("netCDF4", "a.nc", "netcdf")],
)
def test_what_is_missing_is_named(tmp_path, monkeypatch, module, file, extra):
    made = {"nifti": nifti, "zarr": zarr_store, "netcdf": netcdf}[extra](tmp_path / file)
    monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(BadInput, match=rf"pip install 'sparsine\[{extra}\]'"):
        open_dataset(f"array:{made}")


def test_folders_of_stores_are_listed_whole(tmp_path):
    for number in range(4):
        zarr_store(tmp_path / "in" / f"{number}.zarr")
    nifti(tmp_path / "in" / "b.nii.gz")
    (tmp_path / "in" / "c.txt.gz").write_bytes(b"")
    data = open_dataset(f"array:{tmp_path / 'in'}")
    names = [s.name(i) for s in (data.train, data.val, data.test) for i in range(len(s))]
    assert sorted(names) == ["0.zarr", "1.zarr", "2.zarr", "3.zarr", "b.nii.gz"]
    assert any("1 other file was left out (.gz)" in note for note in data.notes)


def test_another_content_is_noticed_and_pickles_read_for_themselves(tmp_path):
    spec = f"array:{saved(tmp_path / 'a.npy')}?range=100:150"
    data = open_dataset(spec)
    before, copy = data.train.fingerprint(0), pickle.loads(pickle.dumps(data.train))
    assert np.array_equal(copy.load(0), data.train.load(0))
    saved(tmp_path / "a.npy", VALUES + 1)
    assert open_dataset(spec).train.fingerprint(0) != before
    assert np.array_equal(in_unit(open_dataset(spec))[0, 0, 0], VALUES[0, 0, :1] + 1)


def test_errors_are_told_in_the_unit():
    kind = Array(lowest=100, highest=150, unit="mm")
    original = np.zeros((4, 5, 6, 1), np.float32)
    fitted = original.copy()
    fitted[1, 2, 3] = 0.5
    measured = {metric.name: metric.measure(original, fitted, None) for metric in kind.metrics}
    assert measured == {"rmse": pytest.approx(25 / np.sqrt(120)), "max_error": 25}
    assert [metric.label for metric in kind.metrics] == ["RMSE (mm)", "largest error (mm)"]
    with pytest.raises(BadInput, match="1 to 4 axes"):
        kind.check((2, 2, 2, 2, 2, 1))


def test_an_array_that_is_drawn_in_parts_is_the_file_of_the_whole(monkeypatch, tmp_path):
    """Also by `fit`, which draws at another size without a code."""
    monkeypatch.setattr(fitted_field, "BLOCK_POINTS", 7)
    start = Start(*_small_field(), Grid(shape=(6, 4)), kind=Array(lowest=-2.0, highest=3.0))
    field = FittedField(start, start.theta, (6, 4))
    slabs = list(field.slabs((9, 5)))
    assert len(slabs) == 9
    drawing = drawing_of(field, View(size=(9, 5)), ".npy")
    written = np.load(io.BytesIO(start.kind.write_drawing(iter(slabs), drawing)))
    assert written.shape == (9, 5)
    assert np.array_equal(written, start.kind.in_unit(field.render((9, 5)))[..., 0])
    assert start.kind.write_slabs(slabs) == start.kind.write(np.concatenate(slabs))


def _small_field():
    field = Siren(sizes=(2, 5, 1), omega_0=9.0)
    return Pattern.full(field), field.initial_theta(seed=0)
