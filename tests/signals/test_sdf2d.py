import numpy as np
import pytest

from sparsine.errors import BadInput, UnreadableSignal
from sparsine.signals import open_dataset
from sparsine.signals.kinds import Grey, Rgb


def numbers(count, channels=1, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, 5, 3, channels), dtype=np.uint8)


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
        ({"train_data": np.array([{}, {}]), "test_data": numbers(1)}, "Object arrays cannot be loaded"),
        ({"train_data": numbers(1), "test_data": numbers(1)}, "1 training and 1 test"),
        ({"train_data": numbers(4), "test_data": numbers(0)}, "4 training and 0 test"),
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
        with pytest.raises(BadInput, match=r"a\.npz.*cannot be read.*expected"):
            open_dataset(f"sdf2d:{path}")
    with open(path, "wb") as file:
        np.save(file, numbers(4))
    with pytest.raises(BadInput, match="cannot be read"):
        open_dataset(f"sdf2d:{path}")
    with pytest.raises(BadInput, match="does not exist"):
        open_dataset(f"sdf2d:{tmp_path / 'absent.npz'}")
    with pytest.raises(BadInput, match="not a file"):
        open_dataset(f"sdf2d:{tmp_path}")
