"""Every method from learning to record, on curves (one channel) and pictures (three)."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
import tiny
import torch

from sparsine import recipes
from sparsine.engines import ReferenceEngine
from sparsine.measure.comparison.comparison import stages_of
from sparsine.measure.comparison.fitted_models import FromStart
from sparsine.measure.comparison.methods import METHODS, Context, Method
from sparsine.measure.comparison.methods.tickets import pruned_once
from sparsine.measure.comparison.methods.transfer import with_channels
from sparsine.measure.comparison.records import check_record, read_cell
from sparsine.meta.modulations import load_modulations
from sparsine.meta.run_folder import read_config, start_name
from sparsine.psnr import psnr_db
from sparsine.ssim import ssim
from sparsine.starts.start import load_start
from sparsine.storage import write_json

DENSE_STEPS, PER_ROUND, LATENT_STEPS = 5, 3, 4
SEED = 2
LATE = "meta-sparse-connected-late"
"""Begins after round 8, which a comparison so small has not; see test_plan.py."""
ALL = (*(name for name in METHODS if name != LATE and METHODS[name].family != "linear"), "transfer")
"""Those that are fitted; the others have tests of their own."""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = tmp_path_factory.mktemp("methods")
    photos = tiny.save_photos(root / "photos")
    data = {"curves": "curves", "photos": f"images:{photos}"}
    return tiny.learned(tiny.comparison(root / "compared", data, methods=ALL, seeds=(SEED,)))


@pytest.fixture(scope="module")
def records(made):
    """By (data, method, level)."""
    found = {}
    for cell in made.cells():
        record = cell.measure(made.root, lambda fraction: None)
        write_json(made.root / cell.key, record)
        found[cell.plan.data, cell.method.name, cell.level.name] = record
    return found


def start(made, data, name, round=0):
    return load_start(made.root / f"learning/{data}/seed-{SEED}/{name}/starts/round-{round:02d}.safetensors")


def cell_of(made, data, method, level):
    (cell,) = [c for c in made.cells() if (c.plan.data, c.method.name, c.level.name) == (data, method, level)]
    return cell


def model_of(made, data, method, level):
    cell = cell_of(made, data, method, level)
    return cell.method.fitted_model(Context(cell.plan, cell.level, cell.needs, made.root))


def test_every_method_of_a_recipe_exists_under_a_name_and_a_label_of_its_own():
    assert set(recipes.EVERYTHING) <= set(ALL)
    assert {name for make in recipes.COMPARISONS.values() for name in make().methods} <= set(ALL)
    assert all(METHODS[name].name == name for name in METHODS)
    assert len({method.label for method in METHODS.values()}) == len(METHODS)


def test_every_method_has_a_record_at_each_of_its_levels(records):
    levels = {name: {"round-01", "round-03"} for name in ALL if name != "transfer"}
    levels |= {name: {"round-02"} for name in levels if name.startswith("ticket-")}
    levels |= {"dense-maml": {"dense"}, "modulations": {"latents-003"}}
    for data, other in (("curves", "photos"), ("photos", "curves")):
        expected = {**levels, f"transfer-{other}": {"round-01", "round-03"}}
        found = {name: {level for d, m, level in records if (d, m) == (data, name)} for name in expected}
        assert found == expected
        assert {m for d, m, _ in records if d == data} == set(expected)


SCHEMA = {
    "kind", "record_version", "created", "commit", "versions", "hardware", "comparison", "data", "seed", "method",
    "label", "family", "level", "round", "weights", "biases", "numbers", "bits", "shared_numbers", "field", "learn",
    "learning", "protocols", "pictures", "made_from",
}  # fmt: skip
USAGE = {"seconds", "cpu_seconds", "peak_bytes"}


def test_every_record_is_complete_and_comes_back_from_its_file(made, records):
    assert len(records) == len(made.cells())
    for cell in made.cells():
        record = read_cell(made.root / cell.key, cell)
        assert record == json.loads(json.dumps(records[cell.plan.data, cell.method.name, cell.level.name]))
        check_record(record, "here")
        assert record.keys() == SCHEMA
        assert record["learning"].keys() == {"outer_steps", *USAGE, "stages"}
        assert all(stage.keys() == {"name", "outer_steps", *USAGE} for stage in record["learning"]["stages"])
        assert record["data"].keys() == {"label", "spec", "description", "value_kind", "shape", "split"}
        assert (record["seed"], record["comparison"]) == (SEED, "tiny")
        assert (record["round"], record["level"]) == (cell.level.round, cell.level.name)
        assert record["learn"] == json.loads(json.dumps(asdict(tiny.LEARN.inner) | asdict(tiny.LEARN.outer)))


def test_every_signal_has_a_psnr_and_an_ssim_at_every_step(records):
    for record in records.values():
        adam, sgd = record["protocols"]["adam"], record["protocols"]["sgd"]
        assert (adam["optimizer"], adam["lr"], adam["steps"]) == ("adam", 1e-4, [0, 3, 7])
        assert (sgd["optimizer"], sgd["lr"], sgd["steps"]) == ("sgd", 1e-2, [0, 1, 2])
        for protocol in (adam, sgd):
            assert protocol["usage"].keys() == USAGE
            assert all(value > 0 for value in protocol["usage"].values())
            assert len(protocol["signals"]) == 3
            for signal in protocol["signals"]:
                assert signal["status"] == "ok"
                assert all(0 < psnr < 60 for psnr in signal["metrics"]["psnr_db"])
                assert all(-1 <= value <= 1 for value in signal["metrics"]["ssim"])
                assert len(signal["metrics"]["psnr_db"]) == len(signal["metrics"]["ssim"]) == 3
        names = [[signal["input"] for signal in p["signals"]] for p in (adam, sgd)]
        assert names[0] == names[1]


def test_all_methods_are_measured_on_the_same_signals(records):
    names = {data: set() for data, _, _ in records}
    for (data, _, _), record in records.items():
        names[data].add(tuple(signal["input"] for signal in record["protocols"]["adam"]["signals"]))
    assert {data: len(found) for data, found in names.items()} == {"curves": 1, "photos": 1}
    (curves,) = names["curves"]
    assert curves == ("curve-test-000000", "curve-test-000001", "curve-test-000002")


COUNTS = {
    # 2 - 6 - 6 - c: 48 + 6 c weights, 12 + c biases; 0.7 of them, rounded up, survive a pruning
    ("curves", "round-01"): (38, 13), ("curves", "round-02"): (27, 13), ("curves", "round-03"): (19, 13),
    ("photos", "round-01"): (47, 15), ("photos", "round-02"): (33, 15), ("photos", "round-03"): (24, 15),
    ("curves", "dense"): (54, 13), ("photos", "dense"): (66, 15),
}  # fmt: skip
NARROW = {
    # 2 - w - w - c: 2 w + w^2 + c w weights, 2 w + c biases, the smallest even w that has enough
    ("curves", "round-01"): (54, 13), ("curves", "round-03"): (28, 9),
    ("photos", "round-01"): (66, 15), ("photos", "round-03"): (36, 11),
}  # fmt: skip


def test_weights_are_counted_as_the_paper_counts_them(records):
    for (data, method, level), record in records.items():
        if method == "modulations" or method.startswith("transfer"):
            continue  # counted below
        narrow = method in ("dense-narrow", "scratch", "shared-layers", "coin-16", "coin-8")
        weights, biases = (NARROW if narrow else COUNTS)[data, level]
        assert (record["weights"], record["biases"]) == (weights, biases), (data, method, level)
        assert record["numbers"] == weights + biases
        assert record["shared_numbers"] == 0
        side = 6 * 64  # two floats for each of three weight matrices and three biases
        each = {"coin-16": 16, "coin-8": 8}.get(method)
        assert record["bits"] == (32 * record["numbers"] if each is None else each * record["numbers"] + side)


def test_of_latent_modulations_the_code_is_counted_and_the_base_apart(records):
    for data, channels in (("curves", 1), ("photos", 3)):
        record = records[data, "modulations", "latents-003"]
        assert (record["weights"], record["biases"], record["numbers"], record["bits"]) == (3, 0, 3, 96)
        assert record["shared_numbers"] == (48 + 6 * channels) + (12 + channels) + 3 * 12
        assert record["round"] is None


@pytest.mark.parametrize(
    ("method", "level", "steps", "stages"),
    [
        ("dense-maml", "dense", 5, ["dense"]),
        ("meta-sparse", "round-01", 5 + 3, ["dense", "magnitude"]),
        ("meta-sparse", "round-03", 5 + 9, ["dense", "magnitude"]),
        ("random-pruning", "round-03", 5 + 9, ["dense", "random"]),
        ("maml-oneshot", "round-03", 5, ["dense"]),
        ("maml-imp", "round-03", 5, ["dense"]),
        ("dense-narrow", "round-03", 5, ["narrow-004"]),
        ("scratch", "round-03", 0, []),
        ("pattern", "round-03", 0, ["pattern"]),
        ("coin-8", "round-01", 0, []),
        ("modulations", "latents-003", 5 + 4, ["dense", "latents-003"]),
        ("ticket-oneshot", "round-02", 5 + 6, ["dense", "ticket-oneshot-round-02"]),
        # the pattern has a price of its own: the alternation that found it
        ("ticket-rewound", "round-02", 5 + 6 + 6, ["dense", "magnitude", "ticket-rewound-round-02"]),
        ("ticket-random", "round-02", 5 + 6 + 5 + 6, ["dense", "magnitude", "ticket-random-round-02"]),
    ],
)
def test_a_record_says_what_learning_cost_earlier_stages_included(records, method, level, steps, stages):
    learning = records["photos", method, level]["learning"]
    assert learning["outer_steps"] == steps
    assert [stage["name"] for stage in learning["stages"]] == stages
    assert learning["seconds"] == pytest.approx(sum(stage["seconds"] for stage in learning["stages"]), abs=1e-2)
    assert (learning["seconds"] > 0) == bool(stages)


def test_a_transferred_start_costs_what_it_cost_where_it_was_learned(made, records):
    learning = records["curves", "transfer-photos", "round-03"]["learning"]
    assert learning == records["photos", "meta-sparse", "round-03"]["learning"]


# Numbers that can be had in another way


@pytest.mark.parametrize("data", ["curves", "photos"])
@pytest.mark.parametrize(("method", "round"), [("magnitude", 3), ("random", 1)])
def test_before_the_first_step_a_record_holds_what_the_start_itself_draws(made, records, data, method, round):
    name = {"magnitude": "meta-sparse", "random": "random-pruning"}[method]
    record = records[data, name, f"round-{round:02d}"]
    sparse, dataset = start(made, data, method, round), made.datasets[data]
    drawn = ReferenceEngine(sparse.pattern).predict(sparse.theta[None], sparse.domain.coords())[0].numpy()
    for i, signal in enumerate(record["protocols"]["adam"]["signals"]):
        original = dataset.test.load(i)
        fitted = drawn.reshape(original.shape)
        mse = float(np.square(fitted.astype(np.float64) - original).mean())
        assert signal["metrics"]["psnr_db"][0] == pytest.approx(psnr_db(mse), abs=1e-3)
        range_of_values = 2.0 if data == "curves" else 1.0
        assert signal["metrics"]["ssim"][0] == pytest.approx(ssim(original, fitted, range_of_values), abs=1e-4)


def test_oneshot_and_imp_begin_as_the_dense_start_does(records):
    for method in ("maml-oneshot", "maml-imp"):
        for level in ("round-01", "round-03"):
            for dense, pruned in zip(*(
                record["protocols"]["adam"]["signals"]
                for record in (records["photos", "dense-maml", "dense"], records["photos", method, level])
            ), strict=True):  # fmt: skip
                assert pruned["metrics"]["psnr_db"][0] == pytest.approx(dense["metrics"]["psnr_db"][0], abs=1e-3)
                assert pruned["metrics"]["psnr_db"][-1] != pytest.approx(dense["metrics"]["psnr_db"][-1], abs=1e-3)


def test_pruned_k_times_at_level_k(made):
    """Not k - 1 times, as the published evaluation plots it."""
    for level, counts in (("round-01", [47]), ("round-03", [47, 33, 24])):
        imp = model_of(made, "photos", "maml-imp", level)
        assert [count for _, count in imp.prunings(100)] == counts
        oneshot = model_of(made, "photos", "maml-oneshot", level)
        assert oneshot.prunings(100) == [(50, counts[-1])]


def test_pattern_only_has_the_numbers_of_a_random_field_where_its_weights_survive(made):
    first, last = start(made, "photos", "pattern"), start(made, "photos", "pattern", 3)
    assert first.pattern.num_weights == 66
    assert any(torch.equal(first.theta, first.field.initial_theta(seed)) for seed in range(9))
    assert not torch.equal(first.theta, first.field.initial_theta(SEED))  # the one that learning begins with
    assert torch.equal(last.theta, last.pattern.gather(first.theta[None])[0])
    assert (last.pattern.num_weights, last.info["steps"]) == (24, 0)


def test_pattern_only_looks_where_fits_of_random_fields_go_as_recipe_best_does(made):
    (needed,) = cell_of(made, "photos", "pattern", "round-03").needs
    best = recipes.best().pruning
    found = read_config(made.root / needed.stage.key).pruning
    assert (found.score, found.score_options) == (best.score, best.score_options)


def test_coin_is_scratch_in_fewer_bits(records):
    def last(method):
        signals = records["photos", method, "round-01"]["protocols"]["adam"]["signals"]
        return [signal["metrics"]["psnr_db"][-1] for signal in signals]

    assert last("coin-16") == pytest.approx(last("scratch"), abs=2e-3)
    assert last("coin-8") != last("scratch")


def test_scratch_learned_nothing(made):
    model = model_of(made, "curves", "scratch", "round-03")
    bounds = torch.cat([torch.full((8,), 0.5), torch.full((16 + 4,), (6 / 4) ** 0.5 / 9)])
    assert bool((model.start.theta[:28].abs() <= bounds).all())
    assert model.start.field.sizes == (2, 4, 4, 1)


def test_pictures_are_those_of_the_first_seeds_last_step(made, records):
    for (data, method, level), record in records.items():
        assert record["pictures"] == 1
        assert (made.root / "pictures" / data / method / f"{level}-0.png").is_file()
    assert (made.root / "pictures" / "photos" / "original-0.png").is_file()


# Where learning begins


def test_every_alternation_begins_from_the_same_dense_start(made):
    dense = start(made, "photos", "dense")
    for score in ("magnitude", "random"):
        assert torch.equal(start(made, "photos", score).theta, dense.theta)
    magnitude, random = (start(made, "photos", score, 1).pattern.keep for score in ("magnitude", "random"))
    assert torch.equal(magnitude, pruned_once(dense, 47).pattern.keep)
    assert int(random.sum()) == 47
    assert not torch.equal(magnitude, random)


def begun(made, method, data="photos"):
    """What a ticket begins from, as its stage makes it of the files of others; and the stage's folder."""
    (needed,) = cell_of(made, data, method, "round-02").needs
    stage = needed.stage
    first = stage.begin([earlier.start(made.root) for earlier in stage.needs])
    folder = made.root / stage.key
    # and the run that was learned did begin from it
    assert read_config(folder).outer.start_from == start_name(first)
    return first, load_start(folder / "starts" / "round-00.safetensors")


def test_a_rewound_ticket_has_the_alternations_pattern_at_the_dense_starts_numbers(made):
    first, learned = begun(made, "ticket-rewound")
    dense, sparse = start(made, "photos", "dense"), start(made, "photos", "magnitude", 2)
    assert torch.equal(first.pattern.keep, sparse.pattern.keep)
    kept = torch.cat([sparse.pattern.keep, torch.ones(15, dtype=torch.bool)])
    assert torch.equal(first.theta, dense.theta[kept])
    assert torch.equal(learned.pattern.keep, first.pattern.keep)
    assert not torch.equal(learned.theta, first.theta)
    assert learned.info["steps"] == 2 * PER_ROUND


def test_a_random_ticket_has_the_alternations_pattern_at_numbers_of_its_own(made):
    first, learned = begun(made, "ticket-random")
    dense, sparse = start(made, "photos", "dense"), start(made, "photos", "magnitude", 2)
    assert torch.equal(first.pattern.keep, sparse.pattern.keep)
    # those of a random start, but not of the one that the dense start was learned from
    theirs = [sparse.pattern.gather(dense.field.initial_theta(seed)[None])[0] for seed in range(9)]
    found = [seed for seed, theta in enumerate(theirs) if torch.equal(theta, first.theta)]
    assert found
    assert found != [SEED]
    assert learned.info["steps"] == DENSE_STEPS + 2 * PER_ROUND


def test_a_ticket_pruned_once_has_the_dense_starts_largest_weights_as_they_were(made):
    first, learned = begun(made, "ticket-oneshot")
    dense = start(made, "photos", "dense")
    largest = dense.theta[:66].abs().argsort(descending=True)[:33].sort().values
    assert torch.equal(first.pattern.survivors, largest)
    assert torch.equal(first.theta, torch.cat([dense.theta[:66][largest], dense.theta[66:]]))
    assert learned.pattern.num_weights == 33
    assert learned.info["steps"] == 2 * PER_ROUND


def test_modulations_are_learned_on_from_the_dense_start(made):
    learned = load_modulations(made.root / f"learning/photos/seed-{SEED}/latents-003/modulations.safetensors")
    assert learned.info["start"] == start_name(start(made, "photos", "dense"))
    assert learned.info["steps"] == LATENT_STEPS
    assert learned.latents == 3


@pytest.mark.parametrize(("data", "source", "channels"), [("photos", "curves", 3), ("curves", "photos", 1)])
def test_a_start_is_transferred_to_signals_of_other_channels(made, records, data, source, channels):
    model = model_of(made, data, f"transfer-{source}", "round-03")
    assert model.field.out_features == channels
    expected = with_channels(start(made, source, "magnitude", 3), channels)
    assert torch.equal(model.start.theta, expected.theta)
    record = records[data, f"transfer-{source}", "round-03"]
    # counted as it is fitted: with the channels that it was given
    assert (record["weights"], record["biases"]) == (expected.pattern.num_weights, 12 + channels)
    assert record["family"] == "transfer"
    assert record["label"] == f"start learned on {source}"


# A method of one's own


class Naive(Method):
    """As in the contract's docstring."""

    name, label, family = "naive", "pruned, nothing more", "ablation"

    def needs(self, plan, level):
        return [plan.dense().at()]

    def fitted_model(self, context):
        return FromStart(pruned_once(context.starts[0], context.level.weights))


def test_a_method_of_a_few_lines_has_records_like_any_other(tmp_path, monkeypatch):
    monkeypatch.setitem(METHODS, "naive", Naive())
    made = tiny.learned(tiny.comparison(tmp_path, methods=("naive", "dense-maml")))
    cells = made.cells()
    assert [(cell.method.name, cell.level.name) for cell in cells] == [
        ("naive", "round-01"), ("naive", "round-03"), ("dense-maml", "dense"),
    ]  # fmt: skip
    assert list(stages_of(cells)) == ["learning/curves/seed-0/dense"]
    record = cells[1].measure(tmp_path, lambda fraction: None)
    assert record.keys() == SCHEMA
    assert (record["label"], record["weights"], record["learning"]["outer_steps"]) == ("pruned, nothing more", 19, 5)


# Signals that cannot be used


def test_a_signal_that_cannot_be_read_is_named_in_the_record_and_the_others_are_measured(tmp_path):
    photos = tiny.save_photos(tmp_path / "photos")
    for split in ("train", "val", "test"):
        (photos / split).mkdir()
    for i, path in enumerate(sorted(photos.glob("*.png"))):
        path.rename(photos / ("test" if i < 4 else "val" if i < 8 else "train") / path.name)
    (photos / "test" / "01.png").write_text("no picture")
    made = tiny.comparison(tmp_path / "out", {"p": f"images:{photos}"}, methods=("scratch",), levels=(2,), signals=4)
    (cell,) = made.cells()
    signals = cell.measure(made.root, lambda fraction: None)["protocols"]["adam"]["signals"]
    assert [signal["status"] for signal in signals] == ["ok", "unreadable", "ok", "ok"]
    assert signals[1]["metrics"]["psnr_db"] == signals[1]["metrics"]["ssim"] == [None] * 3
    assert "01.png" in signals[1]["reason"]
    # the others have the values that they have without it
    (photos / "test" / "01.png").unlink()
    made = tiny.comparison(tmp_path / "out2", {"p": f"images:{photos}"}, methods=("scratch",), levels=(2,))
    found = made.cells()[0].measure(made.root, lambda fraction: None)["protocols"]["adam"]["signals"]
    assert [s["input"] for s in found] == [s["input"] for s in signals if s["status"] == "ok"]
    for a, b in zip(found, (s for s in signals if s["status"] == "ok"), strict=True):
        assert a["metrics"]["psnr_db"] == pytest.approx(b["metrics"]["psnr_db"], abs=1e-3)


def test_a_signal_that_diverges_says_so_and_its_psnr_is_kept(tmp_path):
    config = replace(tiny.CONFIG.sgd, lr=500.0)
    made = tiny.comparison(tmp_path, methods=("scratch",), levels=(2,), sgd=config)
    (cell,) = made.cells()
    signals = cell.measure(made.root, lambda fraction: None)["protocols"]["sgd"]["signals"]
    assert [signal["status"] for signal in signals] == ["diverged"] * 3
    assert all("above where it began" in signal["reason"] for signal in signals)
    assert all(signal["metrics"]["psnr_db"][0] > 0 for signal in signals)


def test_a_signal_smaller_than_a_window_has_no_ssim(tmp_path):
    learn = replace(tiny.LEARN, grid=replace(tiny.LEARN.grid, resolution=(12, 10)))
    made = tiny.comparison(tmp_path, methods=("scratch",), levels=(2,), learn=learn)
    (cell,) = made.cells()
    for signal in cell.measure(made.root, lambda fraction: None)["protocols"]["adam"]["signals"]:
        assert signal["metrics"]["ssim"] == [None] * 3
        assert len(signal["metrics"]["psnr_db"]) == 3
