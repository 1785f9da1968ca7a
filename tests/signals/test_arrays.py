"""Arrays, mapped files and any sequence as data sets."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from sparsine import BadInput, FitConfig, UnreadableSignal, checks, fit_collection, open_run
from sparsine.codec import EncodeConfig, encode_collection
from sparsine.fields import Pattern, Siren
from sparsine.fitting import collection
from sparsine.measure.comparison.comparison import Comparison
from sparsine.measure.comparison.config import CompareConfig
from sparsine.measure.comparison.run import run_comparison
from sparsine.measure.evaluation import EvaluationConfig, evaluate_run
from sparsine.memory import Room
from sparsine.meta.config import FieldConfig, LearnConfig, OuterConfig, WatchConfig
from sparsine.meta.maml import InnerConfig
from sparsine.meta.sparse import learn_sparse_start
from sparsine.pruning.prune import PruningConfig
from sparsine.recipes import recipe
from sparsine.report.run.page import write_report
from sparsine.signals import Dataset, Grey, Grid, Points, Rgb, arrays
from sparsine.signals.arrays import Arrays
from sparsine.signals.fingerprint import UNREADABLE
from sparsine.starts.plan import FitPlan
from sparsine.starts.start import Start


def pictures(count=12, shape=(6, 5, 3), seed=0):
    return list(np.random.default_rng(seed).random((count, *shape), dtype=np.float32))


def test_a_tenth_each_is_held_out_and_no_signal_is_in_two_splits():
    data = Dataset.from_arrays(pictures(30), "rgb")
    names = [{signals.name(i) for i in range(len(signals))} for signals in (data.train, data.val, data.test)]
    assert [len(each) for each in names] == [24, 3, 3]
    assert len(set.union(*names)) == 30
    assert (data.shape, data.num_channels, data.kind) == ((6, 5), 3, Rgb())


def test_splits_that_are_given_are_taken():
    data = Dataset.from_arrays(pictures(4), "rgb", val=pictures(2, seed=1), test=pictures(3, seed=2))
    assert [len(each) for each in (data.train, data.val, data.test)] == [4, 2, 3]
    assert np.array_equal(data.test.load(2), pictures(3, seed=2)[2])


@pytest.mark.parametrize("item", ["array", "tensor", "tuple", "mapping", "image", "bytes"])
def test_items_may_be_what_torch_and_other_libraries_give(item):
    plain = (np.random.default_rng(0).integers(0, 256, (6, 5, 3))).astype(np.uint8)
    value = plain.astype(np.float32) / 255
    made = {"array": value, "tensor": torch.from_numpy(value), "tuple": (value, 7), "bytes": plain,
            "mapping": {"image": value, "label": 1}, "image": Image.fromarray(plain)}[item]  # fmt: skip
    signals = Arrays([made], Rgb(), key="image" if item == "mapping" else None)
    assert np.array_equal(signals.load(0), value)


def test_what_is_loaded_belongs_to_the_caller():
    items = pictures(1)
    loaded = Arrays(items, Rgb()).load(0)
    loaded[:] = 0
    assert items[0].any()


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (np.full((6, 5, 3), np.nan, np.float32), "NaN or infinity"), (np.zeros((6, 5), np.float32), "shape"),
        (np.zeros((6, 5, 1), np.float32), "shape"), (np.full((6, 5, 3), 200.0), "from 200"),
        (np.array([[{}]], dtype=object), "object"),
    ],
)  # fmt: skip
def test_a_bad_item_is_unreadable_and_the_others_go_on(bad, said):
    data = Dataset.from_arrays([*pictures(5), bad], "rgb", names=[*"abcde", "bad"], val=pictures(1), test=pictures(1))
    with pytest.raises(UnreadableSignal, match=said):
        data.train.load(5)
    assert data.train.load(4).shape == (6, 5, 3)


def test_what_makes_no_data_set_is_refused():
    for arguments, said in (
        (dict(arrays=[]), "no array"), (dict(arrays=pictures(3), names=["a", "a", "b"]), "names"),
        (dict(arrays=[np.zeros((3, 3, 2))], kind="rgb"), "not one of the first"),
        (dict(arrays=[{"a": 1}], kind="rgb"), "say which"), (dict(arrays=pictures(2), kind="smell"), "unknown kind"),
        (dict(arrays=pictures(3), coords=pictures(2)), "coordinates for each"),
    ):  # fmt: skip
        with pytest.raises(BadInput, match=said):
            Dataset.from_arrays(**arguments)


@pytest.fixture
def mapped(tmp_path):
    """A stack of two signals in a file, as it would be of two that no memory holds."""
    stack = np.memmap(tmp_path / "stack.bin", np.float32, "w+", shape=(2, 40, 30, 20, 1))
    rows = np.linspace(0, 1, 40, dtype=np.float32)[:, None, None, None]
    stack[0], stack[1] = rows, 1 - rows
    return stack


def test_chosen_points_of_a_mapped_signal_are_read_without_the_rest(mapped, monkeypatch):
    signals = Arrays(mapped, Grey() if mapped.ndim == 3 else Dataset.from_arrays(mapped).kind)
    places = np.array([0, 23_999, 600 * 20])
    whole = signals.load(0).reshape(-1, 1)
    monkeypatch.setattr(Arrays, "load", lambda *_: pytest.fail("the whole signal was read"))
    assert np.array_equal(signals.values_at(0, places), whole[places])
    assert signals.shape_of(0) == (40, 30, 20)


def test_a_start_is_learned_from_and_fitted_to_signals_that_are_never_read_whole(mapped, tmp_path, monkeypatch):
    data = Dataset.from_arrays(mapped, val=mapped[:1], test=mapped)
    tiny = recipe("quick")
    config = replace(
        tiny, data=data.spec, field=replace(tiny.field, width=8, hidden_layers=2, omega_0=3.0),
        grid=replace(tiny.grid, resolution=None), inner=replace(tiny.inner, points=50),
        outer=replace(tiny.outer, dense_steps=20, steps_per_round=5), pruning=replace(tiny.pruning, rounds=1),
        watch=replace(tiny.watch, val_signals=0),
    )  # fmt: skip
    monkeypatch.setattr(collection, "WHOLE", 500)
    monkeypatch.setattr(arrays, "SAMPLES_LOOKED_AT", 500)
    monkeypatch.setattr(Arrays, "load", lambda *_: pytest.fail("the whole signal was read"))
    with open_run(config, tmp_path / "run", data) as run:
        start = learn_sparse_start(config, run)
    monkeypatch.setattr(checks, "free_memory", lambda: Room(mapped[0].nbytes, "this test leaves"))
    with pytest.raises(BadInput, match="would need about"):
        list(fit_collection(start, data.test, FitConfig(steps=1)))
    fits = list(fit_collection(start, data.test, FitConfig(batch=1, steps=60, lr=3e-3, points=100)))
    assert [fit.status for fit in fits] == ["ok", "ok"]
    assert all(fit.original is None and fit.psnr_db[-1] > fit.psnr_db[0] + 3 for fit in fits)
    planned = replace(start, plans={"balanced": FitPlan(steps=60, lr=3e-3, decay="none", share=100 / 24_000)})
    fits = list(fit_collection(planned, data.test, FitConfig(batch=1)))
    assert [fit.status for fit in fits] == ["ok", "ok"]
    assert all(fit.original is None and fit.psnr_db[-1] > fit.psnr_db[0] + 3 for fit in fits)


def test_scattered_points_bring_their_coordinates_to_every_split():
    rng = np.random.default_rng(0)
    values, coords = rng.random((20, 9, 1), dtype=np.float32), rng.random((20, 9, 3), dtype=np.float32)
    box = Points(shape=(9,), extent=((0, 1),) * 3)
    data = Dataset.from_arrays(list(values), coords=list(coords), domain=box)
    for signals in (data.train, data.val, data.test):
        index = int(signals.name(0)[-6:])
        assert np.array_equal(signals.load(0), values[index])
        assert np.array_equal(signals.coords_of(0, np.array([3, 1])), coords[index][[3, 1]])


def test_fingerprints_follow_the_content(mapped):
    signals, before = Arrays(mapped, Dataset.from_arrays(mapped).kind), pictures(2)
    assert signals.fingerprint(0) != signals.fingerprint(1)
    assert Arrays(before, Rgb()).fingerprint(0) == Arrays(pictures(2), Rgb()).fingerprint(0)
    before[0][0, 0, 0] += 0.25
    assert Arrays(before, Rgb()).fingerprint(0) != Arrays(pictures(2), Rgb()).fingerprint(0)
    assert Arrays([np.full((2, 2, 3), np.inf)], Rgb()).fingerprint(0) == UNREADABLE


def test_sets_of_arrays_can_be_pickled_and_read_by_a_data_loader():
    signals = pickle.loads(pickle.dumps(Dataset.from_arrays(pictures(12), "rgb").train))
    (batch,) = torch.utils.data.DataLoader(signals, batch_size=len(signals))
    assert batch.shape == (len(signals), 6, 5, 3)


def test_a_mapped_array_is_sent_by_its_place_and_not_by_its_values(mapped, tmp_path):
    held = np.memmap(tmp_path / "stack.bin", np.float32, "r", 40 * 4, (599, 20, 2, 2))  # not from the start of a page
    for items in (mapped, mapped[1:], held, held[7:], held[3:, :5]):
        data = Dataset.from_arrays(items, val=items[:1], test=items[-1:])
        sent = pickle.dumps(data)
        assert (len(sent) < 20_000) == items.flags["C_CONTIGUOUS"]  # names of signals are sent
        again = pickle.loads(sent)
        for split in ("train", "val", "test"):
            ours, theirs = getattr(data, split), getattr(again, split)
            assert all(np.array_equal(ours.load(i), theirs.load(i)) for i in range(len(ours)))


def test_values_that_no_file_has_are_sent_themselves(mapped, tmp_path):
    changed = np.memmap(tmp_path / "stack.bin", np.float32, "c", shape=mapped.shape)
    changed[0] = 0.25
    again = pickle.loads(pickle.dumps(Dataset.from_arrays(changed)))
    assert (again.train.load(0) == 0.25).all()


def learned_from(data, folder):
    """(run folder, its last start) of a few steps on a data set that is handed over."""
    tiny = recipe("quick")
    config = replace(
        tiny, data=data.spec, field=replace(tiny.field, width=6, hidden_layers=2, omega_0=6.0),
        grid=replace(tiny.grid, resolution=None), inner=replace(tiny.inner, points=20),
        outer=replace(tiny.outer, dense_steps=4, steps_per_round=2, tasks_per_step=2),
        pruning=replace(tiny.pruning, rounds=1), watch=replace(tiny.watch, val_signals=1),
    )  # fmt: skip
    with open_run(config, folder, data) as run:
        return folder, learn_sparse_start(config, run)


class OfTorch(torch.utils.data.Dataset):
    """As torchvision gives them: (picture, label)."""

    def __init__(self, pictures):
        self.pictures = pictures

    def __len__(self):
        return len(self.pictures)

    def __getitem__(self, index):
        return torch.from_numpy(self.pictures[index]), index % 3


def sequences():
    """Sequences of the same pictures, as three libraries give them: (items, options)."""
    yield "list", pictures(14), {}
    yield "torch", OfTorch(pictures(14)), {}
    yield "mappings", [{"label": 1, "photo": picture} for picture in pictures(14)], {"key": "photo"}


@pytest.mark.parametrize(
    ("items", "options"), [rest for _, *rest in sequences()], ids=[name for name, *_ in sequences()]
)
def test_what_is_handed_over_is_learned_reported_encoded_and_compared(items, options, tmp_path):
    data = Dataset.from_arrays(items, "rgb", **options)
    folder, start = learned_from(data, tmp_path / "run")
    record = evaluate_run(folder, data, EvaluationConfig(fit=FitConfig(steps=2), signals=1, pictures=1))
    assert write_report(folder, record, []).read_text().count("data:image/png") >= 2
    encoded = list(encode_collection(start, data.test, tmp_path / "codes", EncodeConfig(fit=FitConfig(steps=2))))
    assert [one.status for one in encoded] == ["ok"]
    made = tiny_comparison(tmp_path / "compared", {"mine": data})
    outcome = run_comparison(made, workers=1)
    assert (outcome.num_measured, outcome.failed) == (2, {})
    assert run_comparison(tiny_comparison(tmp_path / "compared", {"mine": data}), workers=1).num_measured == 2


def tiny_comparison(folder, data):
    learn = LearnConfig(
        field=FieldConfig(width=5, hidden_layers=2, omega_0=9.0), inner=InnerConfig(points=9),
        outer=OuterConfig(dense_steps=2, steps_per_round=1, tasks_per_step=2), watch=WatchConfig(val_signals=0),
        pruning=PruningConfig(fraction=0.3, rounds=1),
    )  # fmt: skip
    config = CompareConfig(
        recipe="tiny", learn=learn, methods=("meta-sparse", "scratch"), levels=(1,), seeds=(0,), signals=1, pictures=0,
        adam=FitConfig(steps=2),
    )  # fmt: skip
    return Comparison(config, data, folder)


def test_what_cannot_be_sent_to_another_process_is_refused_before_anything_is_written(tmp_path):
    class Local(OfTorch):
        pass

    made = tiny_comparison(tmp_path / "compared", {"mine": Dataset.from_arrays(Local(pictures(14)), "rgb")})
    with pytest.raises(BadInput, match="the data set mine cannot be handed to the processes that compare"):
        run_comparison(made, workers=1)
    assert not (tmp_path / "compared").exists()


def test_a_label_of_a_data_set_that_is_handed_over_is_a_plain_word(tmp_path):
    with pytest.raises(BadInput, match="cannot name a data set"):
        tiny_comparison(tmp_path, {"../up": Dataset.from_arrays(pictures(14), "rgb")})


def test_a_real_data_set_of_hugging_face_is_learned_from(tmp_path):
    datasets = pytest.importorskip("datasets")
    images = [Image.fromarray((255 * picture).astype(np.uint8)) for picture in pictures(14)]
    found = datasets.Dataset.from_dict(
        {"image": images, "label": list(range(14))}, features=datasets.Features(
            {"image": datasets.Image(), "label": datasets.Value("int64")}),
    )  # fmt: skip
    data = Dataset.from_arrays(found, "rgb", key="image")
    assert np.array_equal(data.test.load(0), np.asarray(images[int(data.test.name(0)[-6:])]) / np.float32(255))
    _, start = learned_from(data, tmp_path / "run")
    assert [fit.status for fit in fit_collection(start, data.test, FitConfig(steps=2))] == ["ok"]
    assert run_comparison(tiny_comparison(tmp_path / "compared", {"mine": data}), workers=1).failed == {}


def test_chosen_points_of_zarr_are_read_without_the_rest(tmp_path, monkeypatch):
    zarr = pytest.importorskip("zarr")
    values = np.random.default_rng(0).random((3, 12, 10, 8, 2), dtype=np.float32)
    volumes = [zarr.open_array(str(tmp_path / f"{i}.zarr"), mode="w", shape=(12, 10, 8, 2), chunks=(4, 4, 4, 2),
                               dtype="float32") for i in range(3)]  # fmt: skip
    for volume, value in zip(volumes, values, strict=True):
        volume[:] = value
    data = Dataset.from_arrays(volumes, val=volumes[:1], test=volumes[1:])
    places = np.array([0, 959, 480, 7])
    monkeypatch.setattr(arrays, "SAMPLES_LOOKED_AT", 50)
    monkeypatch.setattr(collection, "WHOLE", 50)
    monkeypatch.setattr(Arrays, "load", lambda *_: pytest.fail("the whole signal was read"))
    assert np.array_equal(data.train.values_at(2, places), values[2].reshape(-1, 2)[places])
    assert (data.shape, data.num_channels) == ((12, 10, 8), 2)
    fits = list(fit_collection(start_of_volumes(), data.test, FitConfig(steps=3, points=40)))
    assert [fit.status for fit in fits] == ["ok", "ok"]


def start_of_volumes():
    field = Siren(sizes=(3, 6, 2), omega_0=5.0)
    return Start(Pattern.full(field), field.initial_theta(seed=0), Grid(shape=(12, 10, 8)))
