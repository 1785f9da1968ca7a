import numpy as np
import pytest

from sparsine import checks
from sparsine.errors import BadInput, UnreadableSignal
from sparsine.memory import Room
from sparsine.signals import open_dataset
from sparsine.signals.kinds import Grey, Rgb


def numbers(count, channels=1, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, 5, 3, channels), dtype=np.uint8)


def load_named(data, name):
    for signals in (data.train, data.val, data.test):
        for index in range(len(signals)):
            if signals.name(index) == name:
                return signals.load(index)
    raise AssertionError(name)


def save(path, **arrays):
    np.savez(path, **arrays)
    return f"sdf2d:{path}"


@pytest.mark.parametrize("suffix", ["", ".npy"])
@pytest.mark.parametrize(("channels", "kind"), [(1, Grey()), (3, Rgb())])
def test_learnits_file_is_read_and_divided_by_255(tmp_path, suffix, channels, kind):
    stored = {f"train_data{suffix}": numbers(23, channels), f"test_data{suffix}": numbers(3, channels, seed=1)}
    data = open_dataset(save(tmp_path / "a.npz", **stored))
    assert (data.shape, data.num_channels, data.kind) == ((5, 3), channels, kind)
    assert (len(data.train), len(data.val), len(data.test)) == (21, 2, 3)
    assert data.test.name(2) == "test-000002"
    assert (data.test.load(2) == stored[f"test_data{suffix}"][2].astype(np.float32) / 255).all()
    index = int(data.val.name(1).removeprefix("train-"))
    assert (data.val.load(1) == stored[f"train_data{suffix}"][index].astype(np.float32) / 255).all()
    held = {signals.name(i) for signals in (data.train, data.val) for i in range(len(signals))}
    assert len(held) == 23


def test_arrays_without_a_channel_axis_are_grey(tmp_path):
    data = open_dataset(save(tmp_path / "a.npz", train_data=numbers(4)[..., 0], test_data=numbers(1)[..., 0]))
    assert data.num_channels == 1
    assert data.train.load(0).shape == (5, 3, 1)


def test_signals_are_resized_on_request(tmp_path):
    stored = np.full((4, 5, 3, 1), 51.0)
    data = open_dataset(save(tmp_path / "a.npz", train_data=stored, test_data=stored), resolution=(9, 11))
    assert data.shape == (9, 11)
    assert data.train.load(1).shape == (9, 11, 1)
    assert np.allclose(data.train.load(1), 0.2)


@pytest.mark.parametrize(
    ("wrong", "words"), [(np.nan, "not finite"), (np.inf, "not finite"), (-3.0, "run from"), (256.0, "run from")]
)
def test_one_bad_signal_harms_only_itself(tmp_path, wrong, words):
    test_data = numbers(3).astype(np.float32)
    test_data[1, 2, 1] = wrong
    data = open_dataset(save(tmp_path / "a.npz", train_data=numbers(4).astype(np.float32), test_data=test_data))
    assert data.test.load(0).shape == data.test.load(2).shape == (5, 3, 1)
    with pytest.raises(UnreadableSignal, match=words):
        data.test.load(1)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"train_data": numbers(4), "tests": numbers(1)}, "has the keys train_data, tests"),
        ({"train_data": numbers(4), "test_data": numbers(1)[0, 0]}, r"test_data has shape \(3, 1\)"),
        ({"train_data": numbers(4, 2), "test_data": numbers(1, 2)}, r"train_data has shape \(4, 5, 3, 2\)"),
        ({"train_data": numbers(4), "test_data": numbers(1, 3)}, "both must be the same"),
        ({"train_data": numbers(4)[:, :4], "test_data": numbers(1)}, "both must be the same"),
        ({"train_data": numbers(4)[:, :1], "test_data": numbers(1)[:, :1]}, r"shape \(4, 1, 3, 1\)"),
        ({"train_data": numbers(4).astype(str), "test_data": numbers(1)}, "dtype <U"),
        ({"train_data": numbers(4) * 1j, "test_data": numbers(1)}, "dtype complex"),
        ({"train_data": np.array([{}, {}]), "test_data": numbers(1)}, "holds Python objects, which are never loaded"),
        ({"train_data": numbers(0), "test_data": numbers(0)}, "holds no signal"),
        (
            {"train_data": numbers(4), "test_data": 2 * numbers(3).astype(float)},
            r"test_data have .* to [45]\d\d;",
        ),
        ({"train_data": numbers(4), "test_data": -1.0 - numbers(1)}, r"test_data have values from -2\d\d to"),
        ({"train_data": numbers(4) / 100, "test_data": numbers(1) / 100}, r"train_data have values .* to 2\.\d+; exp"),
        ({"train_data": numbers(4) / 255, "test_data": numbers(1)}, "train_data up to 1, test_data up to 255"),
        ({"train_data": numbers(4), "test_data": numbers(1) / 255}, "train_data up to 255, test_data up to 1"),
    ],
)
def test_other_contents_are_refused(tmp_path, arrays, words):
    with pytest.raises(BadInput, match=words):
        open_dataset(save(tmp_path / "a.npz", **arrays))


def test_files_that_are_no_npz_are_refused(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, train_data=numbers(4), test_data=numbers(1))
    whole = path.read_bytes()
    damaged = bytearray(whole)
    damaged[200:230] = bytes(30)
    for content in (b"", b"text", whole[: len(whole) // 2], bytes(damaged)):
        path.write_bytes(content)
        with pytest.raises(BadInput, match=r"a\.npz is not an npz of plain arrays.*expected"):
            open_dataset(f"sdf2d:{path}")
    with open(path, "wb") as file:
        np.save(file, numbers(4))
    with pytest.raises(BadInput, match="single array"):
        open_dataset(f"sdf2d:{path}")
    with pytest.raises(BadInput, match="no such file"):
        open_dataset(f"sdf2d:{tmp_path / 'absent.npz'}")
    with pytest.raises(BadInput, match=f"{tmp_path} is not an npz"):
        open_dataset(f"sdf2d:{tmp_path}")


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.float16, np.uint8])
def test_values_from_0_to_1_are_taken_as_they_are_and_told(tmp_path, kind):
    train, test = numbers(9) / 255, numbers(3, seed=1) / 255
    stored = {"train_data": train.round().astype(kind) if kind == np.uint8 else train.astype(kind),
              "test_data": test.round().astype(kind) if kind == np.uint8 else test.astype(kind)}  # fmt: skip
    data = open_dataset(save(tmp_path / "a.npz", **stored))
    assert (data.test.load(2) == stored["test_data"][2].astype(np.float32)).all()
    assert "values as they are, 0 to 1" in data.description
    by_bytes = open_dataset(save(tmp_path / "b.npz", train_data=numbers(9), test_data=numbers(3, seed=1)))
    assert "values / 255" in by_bytes.description


def test_which_range_it_is_does_not_hang_on_one_bad_signal(tmp_path):
    unit, whole = numbers(9) / np.float32(255), numbers(9).astype(np.float32)
    unit[4] *= 255
    unit[5] = np.nan
    data = open_dataset(save(tmp_path / "a.npz", train_data=unit, test_data=numbers(3) / 255))
    assert data.test.load(0).max() > 0.5
    with pytest.raises(UnreadableSignal, match=r"train-000004: its values run from .* but 0 to 1 was expected"):
        load_named(data, "train-000004")
    whole[4] /= 255
    data = open_dataset(save(tmp_path / "a.npz", train_data=whole, test_data=numbers(3)))
    assert 0.5 < data.test.load(0).max() <= 1
    with pytest.raises(UnreadableSignal, match=r"train-000004: its values run from .* but 0 to 255 was expected"):
        load_named(data, "train-000004")


def test_a_signal_that_is_black_or_nearly_so_is_of_either_range(tmp_path):
    dark = np.zeros((3, 5, 3, 1), dtype=np.uint8)
    dark[1] = 1
    data = open_dataset(save(tmp_path / "a.npz", train_data=numbers(4), test_data=dark))
    with pytest.raises(BadInput, match="train_data up to 255, test_data up to 1"):
        open_dataset(save(tmp_path / "a.npz", train_data=numbers(4), test_data=dark / 2))
    assert [data.test.load(i).max() for i in range(3)] == [0, np.float32(1 / 255), 0]


@pytest.mark.parametrize("split", ["train", "test"])
def test_one_of_both_arrays_is_enough_for_what_needs_no_other(tmp_path, split):
    data = open_dataset(save(tmp_path / "a.npz", **{f"{split}_data": numbers(1)}))
    assert len(data.split(split)) == 1
    with pytest.raises(BadInput, match="no signal in its val split"):
        data.split("val")


def test_what_is_promised_is_looked_at_before_anything_is_inflated(tmp_path, monkeypatch):
    path = tmp_path / "a.npz"
    np.savez_compressed(path, train_data=np.zeros((60, 100, 100, 7), np.uint8), test_data=numbers(1))
    monkeypatch.setattr(np, "load", lambda *args, **options: pytest.fail("it was inflated"))
    with pytest.raises(BadInput, match=r"train_data has shape \(60, 100, 100, 7\)"):
        open_dataset(f"sdf2d:{path}")
    np.savez_compressed(path, train_data=np.zeros((600, 100, 100, 3), np.uint8))
    monkeypatch.setattr(checks, "free_memory", lambda: Room(10**7, "this test has free"))
    with pytest.raises(BadInput, match=r"reading .*a\.npz would need about 0\.0 GiB of memory, but this test has free"):
        open_dataset(f"sdf2d:{path}")
