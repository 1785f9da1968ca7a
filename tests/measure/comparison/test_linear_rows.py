"""Cosines, components and grids as methods of a comparison."""

import json
import os
from dataclasses import replace
from math import prod
from pathlib import Path

import numpy as np
import pytest
import tiny

from sparsine.errors import BadInput
from sparsine.measure.comparison import linear, training_signals
from sparsine.measure.comparison.comparison import Comparison
from sparsine.measure.comparison.linear import lattice_shape, on_lattice
from sparsine.measure.comparison.methods import METHODS
from sparsine.measure.comparison.records import check_record, read_cell
from sparsine.meta.config import GridConfig
from sparsine.psnr import psnr_db
from sparsine.report.comparison.figures import write_figures
from sparsine.report.comparison.notes import notes_of
from sparsine.report.comparison.page import write_comparison_page
from sparsine.report.comparison.results import results_of
from sparsine.report.comparison.tables import tables_markdown
from sparsine.signals import Dataset, Kind, Points, Sphere
from sparsine.signals.dataset import SignalSet
from sparsine.storage import write_json

DATA = Path(os.environ.get("SPARSINE_DATA") or Path(__file__).resolve().parents[3] / ".." / "shared" / "data")
LINEAR = ("cosines", "own-cosines", "components", "bicubic-grid")


def measured(made):
    """Every cell's record, by method and level."""
    return {(cell.method.name, cell.level.name): cell.measure(made.root, lambda done: None) for cell in made.cells()}


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    return tiny.save_photos(tmp_path_factory.mktemp("data") / "photos")


@pytest.fixture(scope="module")
def made(tmp_path_factory, photos):
    return tiny.comparison(tmp_path_factory.mktemp("linear"), {"photos": f"images:{photos}"},
                           methods=("scratch", *LINEAR), seeds=(3, 1))  # fmt: skip


@pytest.fixture(scope="module")
def records(made):
    found = {}
    for cell in made.cells():
        record = cell.measure(made.root, lambda done: None)
        write_json(made.root / cell.key, record)
        assert read_cell(made.root / cell.key, cell) == json.loads(json.dumps(record))
        found[cell.method.name, cell.level.name, cell.plan.seed] = record
    return found


def test_they_are_learned_from_nothing_and_measured_once_under_the_first_seed(made, records):
    assert {key for key in records if key[0] in LINEAR} == {
        (name, level, 3) for name in LINEAR for level in ("round-01", "round-03")
    }
    assert not any(cell.needs for cell in made.cells())


def test_they_store_as_many_numbers_as_the_level_has_weights_or_say_how_many(made, records):
    train = len(made.datasets["photos"].train)
    for (name, level, _), record in records.items():
        if name not in LINEAR:
            continue
        weights = {"round-01": 47, "round-03": 24}[level]
        stored = {"components": min(weights, train - 1), "bicubic-grid": {47: 45, 24: 24}[weights]}.get(name, weights)
        assert (record["weights"], record["biases"], record["numbers"]) == (stored, 0, stored)
        assert record["bits"] == 32 * stored
        assert record["field"] is None
        values = 13 * 11 * 3
        assert record["shared_numbers"] == {"components": (1 + stored) * values, "bicubic-grid": 0}.get(name, values)
        check_record(record, "here")


def test_a_constant_over_the_steps_is_what_the_formulas_say(made, records):
    dataset = made.datasets["photos"]
    train = np.stack([dataset.train.load(i) for i in range(len(dataset.train))]).astype(np.float64)
    test = np.stack([dataset.test.load(i) for i in range(3)]).astype(np.float64)
    expected = {
        "cosines": linear.fixed_cosines(train, test, 24, luma=True),
        "own-cosines": np.stack(list(linear.own_cosines(train, test, 24, luma=True))),
        "components": linear.principal_components(train, test, 24),
        "bicubic-grid": on_lattice(test, lattice_shape((13, 11), 3, 24)),
    }
    for name, told in expected.items():
        for protocol, steps in (("adam", [0, 3, 7]), ("sgd", [0, 1, 2])):
            fit = records[name, "round-03", 3]["protocols"][protocol]
            assert fit["steps"] == steps
            for signal, original, drawn in zip(fit["signals"], test, told, strict=True):
                (constant,) = set(signal["metrics"]["psnr_db"])
                assert constant == pytest.approx(psnr_db(float(np.square(original - drawn).mean())), abs=2e-3), name


def test_their_own_cosines_are_no_worse_than_a_fixed_set(records):
    for level in ("round-01", "round-03"):
        last = {name: records[name, level, 3]["protocols"]["adam"]["signals"] for name in ("cosines", "own-cosines")}
        for fixed, own in zip(last["cosines"], last["own-cosines"], strict=True):
            assert own["metrics"]["psnr_db"][-1] >= fixed["metrics"]["psnr_db"][-1]


def test_tables_figures_and_the_page_hold_them(made, records, tmp_path):
    cells = list(records.values())
    table = tables_markdown(cells, ["psnr"])
    assert "| Cosines, a fixed set |" in table
    assert "numbers)" in next(line for line in table.splitlines() if line.startswith("| Principal components"))
    assert "of 2 seeds" not in table
    notes = " ".join(notes_of(results_of(cells)))
    assert "Which cosines are a signal's own is not counted" in notes
    assert "need a base" not in notes
    write_figures(tmp_path, cells, tmp_path / "figures")
    page = write_comparison_page(tmp_path, cells).read_text()
    assert "Bicubic grid" in page


def test_linear_rows_alone_are_a_comparison(records, tmp_path):
    cells = [record for (name, _, _), record in records.items() if name in LINEAR]
    assert tables_markdown(cells, ["psnr"]).count("Cosines") >= 2
    assert write_comparison_page(tmp_path, cells).is_file()
    assert write_figures(tmp_path, cells, tmp_path / "figures")


def test_a_signal_in_space_and_time_has_them_too(tmp_path):
    rng = np.random.default_rng(5)
    clips = [rng.random((4, 5, 3, 2), dtype=np.float32) for _ in range(30)]
    learn = replace(tiny.LEARN, grid=GridConfig())
    config = replace(tiny.CONFIG, methods=LINEAR, learn=learn, signals=2)
    made = Comparison(config, {"clips": Dataset.from_arrays(clips, Kind())}, tmp_path)
    for record in measured(made).values():
        assert all(signal["status"] == "ok" for signal in record["protocols"]["adam"]["signals"])


class Scattered(SignalSet):
    def __init__(self, count):
        self.count = count

    def __len__(self):
        return self.count

    def name(self, index):
        return f"cloud-{index}"

    def load(self, index):
        return np.zeros((7, 1), dtype=np.float32)

    def coords_of(self, index, places=None):
        return np.zeros((7, 2), dtype=np.float32)


@pytest.mark.parametrize("name", [*LINEAR, "shared-layers"])
@pytest.mark.parametrize("where", ["sphere", "points"])
def test_signals_on_no_lattice_are_refused_in_one_line_before_anything_is_learned(tmp_path, name, where):
    if where == "sphere":
        globe = np.random.default_rng(2).random((20, 6, 5, 1), dtype=np.float32)
        dataset = Dataset.from_arrays(globe, Kind(), domain=Sphere(shape=(6, 5)))
    else:
        sets = [Scattered(n) for n in (9, 4, 4)]
        dataset = Dataset(spec="clouds", source="clouds", kind=Kind(), shape=(7,), num_channels=1, description="",
                          domain=Points(shape=(7,), extent=((-1.0, 1.0), (-1.0, 1.0))), train=sets[0], val=sets[1],
                          test=sets[2])  # fmt: skip
    config = replace(
        tiny.CONFIG, methods=("meta-sparse", name), signals=2, learn=replace(tiny.LEARN, grid=GridConfig())
    )
    with pytest.raises(BadInput, match=rf"^{name} needs signals on a lattice.*samples lie on no lattice; leave it out"):
        Comparison(config, {"data": dataset}, tmp_path / "out").cells()
    assert not (tmp_path / "out").exists()


def test_a_kind_whose_values_may_be_missing_is_refused(tmp_path):
    class Holes(Kind):
        missing = True

    data = {"data": Dataset.from_arrays(np.zeros((20, 6, 5, 1), np.float32), Holes())}
    learn = replace(tiny.LEARN, grid=GridConfig())
    made = Comparison(replace(tiny.CONFIG, methods=("cosines",), signals=2, learn=learn), data, tmp_path)
    with pytest.raises(BadInput, match="values may be missing"):
        made.cells()


def test_training_signals_are_bounded_in_number_and_in_memory(monkeypatch, photos):
    made = tiny.comparison(photos, {"photos": f"images:{photos}"}, methods=("cosines",))
    plan = made.plan("photos", 0)
    assert plan.training_signals.shape == (len(plan.dataset.train), 13, 11, 3)
    assert plan.training_signals is plan.training_signals
    monkeypatch.setattr(training_signals, "MOST_SIGNALS", 5)
    assert len(training_signals.training_signals(plan.dataset)) == 5
    monkeypatch.setattr(training_signals, "MOST_BYTES", 3 * 13 * 11 * 3 * 4 + 7)
    assert len(training_signals.training_signals(plan.dataset)) == 3
    monkeypatch.setattr(training_signals, "MOST_BYTES", 13 * 11 * 3 * 4)
    with pytest.raises(BadInput, match="so large that 1 of them fit"):
        made.cells()


def test_what_is_learned_does_not_depend_on_the_size_of_blocks(monkeypatch):
    rng = np.random.default_rng(8)
    train, test = rng.random((17, 6, 5, 3)), rng.random((2, 6, 5, 3))
    once = [linear.fixed_cosines(train, test, 20, luma=True), linear.principal_components(train, test, 9)]
    monkeypatch.setattr(linear, "BLOCK_BYTES", 8 * 17 * 7)
    again = [linear.fixed_cosines(train, test, 20, luma=True), linear.principal_components(train, test, 9)]
    for a, b in zip(once, again, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-12)


@pytest.mark.parametrize(("shape", "channels"), [((13, 11), 3), ((64,), 1), ((5, 9, 4), 2), ((178, 178), 3)])
@pytest.mark.parametrize("count", [3, 24, 47, 1_200])
def test_a_lattice_is_the_finest_that_the_numbers_allow(shape, channels, count):
    sizes = lattice_shape(shape, channels, count)
    assert all(1 <= size <= full for size, full in zip(sizes, shape, strict=True))
    assert prod(sizes) * channels <= max(count, channels)
    for axis in range(len(shape)):
        finer = [size + (a == axis) for a, size in enumerate(sizes)]
        assert finer[axis] > shape[axis] or prod(finer) * channels > count


def test_a_grid_as_fine_as_the_signal_is_the_signal_and_cubics_are_told_by_four_samples():
    signals = np.random.default_rng(1).random((2, 7, 5, 3))
    np.testing.assert_allclose(on_lattice(signals, (7, 5)), signals, atol=1e-12)
    np.testing.assert_allclose(on_lattice(signals, (1, 1))[:, 3, 2], signals.mean(axis=(1, 2)), atol=1e-12)
    x = np.linspace(-1, 1, 31)
    cubic = (x**3 - 0.4 * x + 0.2)[None, :, None]
    np.testing.assert_allclose(on_lattice(cubic, (4,)), cubic, atol=1e-12)
    assert np.abs(on_lattice(cubic, (3,)) - cubic).max() > 1e-2


def test_no_lattice_of_samples_comes_nearer_than_the_one_in_least_squares():
    signal = np.random.default_rng(4).random((1, 9, 8, 1))
    best = np.square(on_lattice(signal, (4, 3)) - signal).sum()
    told = on_lattice(signal, (4, 3))
    np.testing.assert_allclose(on_lattice(told, (4, 3)), told, atol=1e-12)  # a projection
    for seed in range(5):
        other = on_lattice(np.random.default_rng(seed).normal(0, 0.1, signal.shape), (4, 3)) + told
        assert np.square(other - signal).sum() > best


def test_they_are_methods_like_any_other():
    assert set(LINEAR) <= set(METHODS)
    assert {METHODS[name].family for name in LINEAR} == {"linear"}


@pytest.mark.skipif(not (DATA / "celeba").is_dir(), reason="no real data at SPARSINE_DATA/celeba")
def test_the_known_answers_come_out_on_the_first_genuine_test_faces(tmp_path):
    """Of an independent computation with 1,600 training faces."""
    learn = replace(tiny.LEARN, grid=GridConfig(resolution=(64, 64)))
    plan = tiny.comparison(tmp_path, {"faces": f"celeba:{DATA / 'celeba'}"}, learn=learn).plan("faces", 0)
    assert len(plan.training_signals) == 1_600
    test = np.stack([plan.dataset.test.load(i) for i in range(50)]).astype(np.float64)

    def reached(name, count):
        told = METHODS[name].make(plan, count).tell(test)
        return np.mean([psnr_db(float(np.square(a - b).mean())) for a, b in zip(test, told, strict=True)])

    known = {"cosines": {1_200: 30.92, 2_284: 35.32, 4_458: 43.23}, "components": {1_200: 29.24, 1_590: 30.18}}
    found = {name: {count: reached(name, count) for count in counts} for name, counts in known.items()}
    assert found == {name: pytest.approx(counts, abs=0.05) for name, counts in known.items()}
