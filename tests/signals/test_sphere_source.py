"""`sphere:` opens what the CF conventions say, whichever way the axes run, and refuses the rest in a line."""

import pickle
import sys

import numpy as np
import pytest

from sparsine.errors import BadInput, UnreadableSignal
from sparsine.signals.kinds.globe import MISSING, Globe
from sparsine.signals.netcdf_files import labels, variables
from sparsine.signals.open import absolute_spec, is_there, open_dataset
from sparsine.signals.places import options_of, part_of_axes, path_of
from sparsine.signals.values import load_values
from sparsine.signals.weights import weights_of

netCDF4 = pytest.importorskip("netCDF4", reason="the extra netcdf is not installed")
SHAPE = (5, 4, 6, 7)
VALUES = 250 + 40 * np.random.default_rng(3).random(SHAPE)
LATITUDES, LONGITUDES = np.linspace(60, -40, 6), np.linspace(-180, 120, 7)


def written(path, values=VALUES, *, latitudes=LATITUDES, longitudes=LONGITUDES, dims=("member", "time", "y", "x"),
            about=(), kind="f4", more=()):  # fmt: skip
    """A file with one variable `t`. `about`: its attributes, _FillValue among them."""
    file, about = netCDF4.Dataset(path, "w"), dict(about)
    for dim, length in zip(dims, np.shape(values), strict=True):
        file.createDimension(dim, length)
    for dim, along, unit in (("y", latitudes, "degrees_north"), ("x", longitudes, "degrees_east")):
        if dim in dims and along is not None:
            file.createVariable(dim, "f4", (dim,))[:] = along
            file.variables[dim].units = unit
    array = file.createVariable("t", kind, dims, fill_value=about.pop("_FillValue", None))
    array.setncatts({"units": "K", **about})
    array.set_auto_maskandscale(not about.keys() & {"scale_factor", "add_offset", "missing_value"})
    array[:] = values
    for name, dim, along, attributes in more:
        file.createVariable(name, "f8", (dim,))[:] = along
        file.variables[name].setncatts(attributes)
    file.close()
    return path


def kelvin(dataset, split="train", index=0):
    signals = getattr(dataset, split)
    return dataset.kind.in_unit(load_values(signals, index, dataset.kind))[..., 0]


def test_every_field_is_a_signal_and_comes_back_in_its_unit(tmp_path):
    data = open_dataset(f"sphere:{written(tmp_path / 'a.nc')}?t&train=member:0-4")
    assert len(data.train) == 20
    assert data.train.name(7) == "member=1,time=3"
    assert np.abs(kelvin(data, index=7) - VALUES[1, 3]).max() < 1e-4
    assert (data.kind.unit, data.kind.quantity) == ("K", "t")
    assert data.domain.latitudes == (60, -40)
    assert data.domain.longitudes == (-180, 120)
    low, high = data.kind.lowest, data.kind.highest
    assert low <= VALUES.min()
    assert high >= VALUES.max()
    assert (low, high) == (round(low), round(high))


def test_whichever_way_the_axes_run_rows_go_south_and_columns_east(tmp_path):
    plain = open_dataset(f"sphere:{written(tmp_path / 'a.nc')}?t&train=time:0-3&range=200:300")
    turned = written(tmp_path / "b.nc", VALUES[:, :, ::-1, ::-1].transpose(3, 0, 2, 1), latitudes=LATITUDES[::-1],
                     longitudes=LONGITUDES[::-1], dims=("x", "member", "y", "time"))  # fmt: skip
    other = open_dataset(f"sphere:{turned}?t&train=time:0-3&range=200:300")
    assert other.domain == plain.domain
    for index in (0, 9):
        assert np.array_equal(plain.train.load(index), other.train.load(index))
    assert other.train.name(9) == plain.train.name(9) == "member=2,time=1"


def test_packed_and_missing_values_are_unpacked_and_left_out(tmp_path):
    packed = np.round((VALUES - 270) / 0.01).astype(np.int16)
    packed[0, 0, 2, 3], packed[0, 0, 4, 1] = -32_768, 31_000
    about = {
        "scale_factor": 0.01,
        "add_offset": 270.0,
        "_FillValue": np.int16(-32_768),
        "missing_value": np.int16(31_000),
    }
    data = open_dataset(f"sphere:{written(tmp_path / 'a.nc', packed, about=about, kind='i2')}?train=time:0-3")
    found = kelvin(data)
    missing = np.zeros((6, 7), bool)
    missing[2, 3] = missing[4, 1] = True
    assert np.array_equal(np.isnan(found), missing)
    assert np.abs(found - VALUES[0, 0])[~missing].max() < 0.006
    assert np.isfinite(kelvin(data, index=1)).all()


def test_nan_counts_as_missing_and_a_field_without_values_is_reported_alone(tmp_path):
    values = VALUES.copy()
    values[0, 0, 1], values[1, 1] = np.nan, np.nan
    data = open_dataset(f"sphere:{written(tmp_path / 'a.nc', values)}?train=time:0-3")
    assert np.isnan(data.train.load(0)[1]).all()
    assert np.isfinite(data.train.load(0)[2:]).all()
    with pytest.raises(UnreadableSignal, match="member=1,time=1: every value is missing"):
        data.train.load(5)
    assert np.isfinite(data.train.load(6)).all()


def test_names_are_coordinates_where_a_file_has_them(tmp_path):
    more = [("time", "time", [0, 31, 59, 90], {"units": "days since 2001-01-01", "calendar": "noleap"}),
            ("member", "member", [0.5, 1, 2, 3, 4], {})]  # fmt: skip
    path = written(tmp_path / "a.nc", more=more)
    assert open_dataset(f"sphere:{path}?train=time:0-3").train.name(1) == "member=0.5,time=2001-02-01"
    assert labels(path, "time", 4) == ["2001-01-01", "2001-02-01", "2001-03-01", "2001-04-01"]


def test_dates_with_hours_say_them_and_labels_that_repeat_are_counted(tmp_path):
    path = written(tmp_path / "a.nc", more=[("time", "time", [0, 6, 12, 18], {"units": "hours since 2001-01-01"})])
    assert labels(path, "time", 4)[1] == "2001-01-01T06:00"
    path = written(tmp_path / "b.nc", more=[("time", "time", [0, 0, 1, 1], {"units": "no unit"})])
    assert labels(path, "time", 4) == ["0", "1", "2", "3"]


def test_splits_are_said_and_the_rest_trains(tmp_path):
    path = written(tmp_path / "a.nc")
    data = open_dataset(f"sphere:{path}?t&val=member:0-2,time:3&test=member:3-4,time:3")
    assert (len(data.train), len(data.val), len(data.test)) == (15, 3, 2)
    assert [data.test.name(i) for i in range(2)] == ["member=3,time=3", "member=4,time=3"]
    chosen = open_dataset(f"sphere:{path}?train=member:1&test=member:0,time:0-1")
    assert (len(chosen.train), len(chosen.val), len(chosen.test)) == (4, 0, 2)


def test_without_a_word_the_ends_of_the_longest_axis_are_held_out(tmp_path):
    data = open_dataset(f"sphere:{written(tmp_path / 'a.nc')}")
    names = {split: {s.name(i).split(",")[0] for i in range(len(s))} for split in ("train", "val", "test")
             for s in [getattr(data, split)]}  # fmt: skip
    assert names == {"train": {"member=0", "member=1", "member=2"}, "val": {"member=3"}, "test": {"member=4"}}
    assert "the last tenth tests" in data.description


def test_one_field_is_in_every_split(tmp_path):
    data = open_dataset(f"sphere:{written(tmp_path / 'a.nc', VALUES[0, 0], dims=('y', 'x'))}")
    assert [len(getattr(data, split)) for split in ("train", "val", "test")] == [1, 1, 1]
    assert data.train.name(0) == "t"


@pytest.mark.parametrize(
    ("changed", "options", "words"),
    [
        ({}, "?u", "no variable 'u'.*t \\(member 5, time 4, y 6, x 7\\)"),
        ({}, "?y", "no latitudes and longitudes along two of its axes"),
        ({"latitudes": None}, "?t", "no latitudes and longitudes.*variables that have: none"),
        ({"latitudes": None}, "", "has 0 variables with latitudes and longitudes"),
        ({"latitudes": [60, 41, 20, 0, -20, -40]}, "", "axis y .*not evenly spaced .*Gaussian"),
        ({"longitudes": [0, 10, 20, 30, 40, 50, 90]}, "", "axis x .*not evenly spaced"),
        ({"values": VALUES[:, :, :1], "latitudes": [3]}, "", "axis y .*has one sample"),
        ({"values": VALUES[..., :1], "longitudes": [3]}, "", "axis x .*has one sample"),
        ({"latitudes": np.linspace(120, -40, 6)}, "", "latitudes of a sphere must lie within 90"),
        ({"values": VALUES * np.nan}, "", "holds no value in its training fields"),
        ({}, "?t&u", "one name is wanted"),
        ({}, "?t&speed=3", "speed= .*not known; there are range=, train=, val=, test="),
        ({}, "?t&range=1:2&range=1:2", "said twice"),
        ({}, "?t&range=300", "range is '300'"),
        ({}, "?t&range=300:200", "range of t is 300.0:200.0"),
        ({}, "?t&test=level:3", "names 'level:3'; the axes and their places are member:0-4, time:0-3"),
        ({}, "?t&test=time:4", "asks for time:4, but time has the places 0 to 3"),
        ({}, "?t&test=time:3-1", "asks for time:3-1"),
        ({}, "?t&test=time:-1", "give places as time:3 or time:0-4"),
        ({}, "?t&train=time:0-2&test=time:2", "member=0,time=2 is in two splits"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_with_what_there_is(tmp_path, changed, options, words):
    path = written(tmp_path / "a.nc", **changed)
    with pytest.raises(BadInput, match=words):
        open_dataset(f"sphere:{path}{options}")


def test_files_that_are_none_are_refused(tmp_path):
    (tmp_path / "b.nc").write_bytes(b"no such thing")
    for name, words in (("a.nc", "does not exist"), ("b.nc", "cannot be read as NetCDF"), ("", "is no file")):
        with pytest.raises(BadInput, match=words):
            open_dataset(f"sphere:{tmp_path / name}?t")


def test_another_size_is_refused(tmp_path):
    path = written(tmp_path / "a.nc")
    assert open_dataset(f"sphere:{path}", resolution=(6, 7)).shape == (6, 7)
    with pytest.raises(BadInput, match=r"asked for at 5 x 9.*on their own grid"):
        open_dataset(f"sphere:{path}", resolution=(5, 9))


def test_without_the_library_the_extra_is_named(tmp_path, monkeypatch):
    path = written(tmp_path / "a.nc")
    monkeypatch.setitem(sys.modules, "netCDF4", None)
    with pytest.raises(BadInput, match=r"pip install 'sparsine\[netcdf\]'"):
        open_dataset(f"sphere:{path}")


def test_a_spec_is_found_from_every_folder_with_what_it_says(tmp_path, monkeypatch):
    written(tmp_path / "a.nc")
    monkeypatch.chdir(tmp_path)
    whole = absolute_spec("sphere:a.nc?t&train=time:0-2")
    assert whole == f"sphere:{tmp_path / 'a.nc'}?t&train=time:0-2"
    assert is_there(whole)
    assert not is_there(f"sphere:{tmp_path / 'b.nc'}?t")


def test_a_name_with_a_question_mark_is_found(tmp_path):
    path = written(tmp_path / "what?.nc")
    assert path_of(str(path)) == str(path)
    assert options_of(f"{tmp_path}/x.nc?t&a=1", ("a",)).values == {"a": "1"}
    assert len(open_dataset(f"sphere:{path}").train) == 12


def test_parts_of_axes_are_counted_by_hand():
    assert part_of_axes("b:1", {"a": 2, "b": 3}, "x") == [(0, 1), (1, 1)]
    assert part_of_axes("b:0-1,a:1", {"a": 2, "b": 3}, "x") == [(1, 0), (1, 1)]


def test_fields_can_be_pickled_and_have_fingerprints_of_their_own(tmp_path):
    data = open_dataset(f"sphere:{written(tmp_path / 'a.nc')}")
    other = pickle.loads(pickle.dumps(data.train))
    assert np.array_equal(other.load(3), data.train.load(3))
    assert len({data.train.fingerprint(i) for i in range(len(data.train))}) == len(data.train)


def test_errors_are_in_the_unit_and_by_area(tmp_path):
    data = open_dataset(f"sphere:{written(tmp_path / 'a.nc')}?range=200:300")
    original = data.train.load(0)
    original[0, 0] = np.nan
    fitted = np.nan_to_num(original) + np.linspace(0.01, 0.02, 6, dtype=np.float32)[:, None, None]
    weights = weights_of(data.domain, original)
    found = {metric.name: metric.measure(original, fitted, weights) for metric in data.kind.metrics}
    area = np.repeat(np.cos(np.deg2rad(LATITUDES))[:, None], 7, 1)
    area[0, 0] = 0
    expected = np.sqrt(np.average(np.repeat(np.linspace(1, 2, 6)[:, None], 7, 1) ** 2, weights=area))
    assert found["rmse"] == pytest.approx(expected, rel=1e-4)
    assert found["max_error"] == pytest.approx(2, rel=1e-4)


def test_a_map_is_north_up_and_grey_where_a_value_is_missing():
    values = np.linspace(1, 0, 6, dtype=np.float32)[:, None, None].repeat(7, 1)
    values[2, 3] = np.nan
    picture = Globe().picture(values)
    assert picture.shape == (6, 7, 3)
    assert tuple(picture[2, 3]) == MISSING
    assert picture[0].sum() > picture[-1].sum()  # bright is high
    error = Globe().error_picture(values, np.zeros_like(values))
    assert tuple(error[2, 3]) == MISSING
    assert error[-1].max() <= 4


def test_a_drawing_becomes_a_file_that_says_where_its_samples_lie(tmp_path):
    data = open_dataset(f"sphere:{written(tmp_path / 'a.nc')}?range=200:300")
    values = data.train.load(0)
    values[1, 1] = np.nan
    path = tmp_path / "drawn.nc"
    path.write_bytes(data.kind.write_on(data.domain, values))
    with netCDF4.Dataset(path) as file:
        assert np.allclose(file["latitude"][:], LATITUDES)
        assert np.allclose(file["longitude"][:], LONGITUDES)
        assert file["t"].units == "K"
        assert np.ma.is_masked(file["t"][1, 1])
        assert np.abs(file["t"][:] - VALUES[0, 0]).max() < 1e-4
    assert "t" in variables(path)
    again = open_dataset(f"sphere:{path}")
    assert again.domain == data.domain
