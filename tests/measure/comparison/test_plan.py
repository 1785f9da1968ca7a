"""What is learned and measured: sizes that the paper states, and stages that methods share."""

from dataclasses import replace

import pytest
import tiny
from hypothesis import given
from hypothesis import strategies as st
from small_problems import repeatable

from sparsine import recipes
from sparsine.errors import BadInput
from sparsine.measure.comparison.comparison import Comparison, parse_data, stages_of
from sparsine.measure.comparison.config import CompareConfig
from sparsine.measure.comparison.methods import METHODS as METHODS_KNOWN
from sparsine.measure.comparison.methods.meta_sparse import Alternation
from sparsine.measure.comparison.plan import Plan
from sparsine.measure.comparison.stages import ancestors
from sparsine.meta.config import FieldConfig, GridConfig
from sparsine.meta.run_folder import start_name
from sparsine.pruning.prune import PruningConfig
from sparsine.signals.open import open_dataset
from sparsine.starts.start import load_start, save_start

PAPERS_WIDTHS = (230, 206, 184, 164, 148, 132, 118, 106, 94, 84, 76, 68, 60, 54, 48, 44, 38, 34, 32, 28)


METHODS = ("meta-sparse", "random-pruning", "dense-narrow", "maml-oneshot", "maml-imp", "scratch", "dense-maml",
           "modulations", "coin-16", "coin-8", "ticket-rewound", "ticket-random", "ticket-oneshot",
           "transfer")  # fmt: skip


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    return tiny.save_photos(tmp_path_factory.mktemp("data") / "photos")


@pytest.fixture
def papers_plan(photos):
    config = recipes.compare_paper()
    return Plan(config, {"photos": open_dataset(f"images:{photos}", resolution=(178, 178))}, "photos", 0)


def tiny_plan(**changes):
    dataset = open_dataset("curves", resolution=tiny.LEARN.grid.resolution)
    return Plan(replace(tiny.CONFIG, **changes), {"curves": dataset}, "curves", 4)


def test_the_papers_field_leaves_the_papers_weights(papers_plan):
    assert papers_plan.field.num_weights == 197_888
    # exact in the table beside its figure 2; the curves' labels are 0.8^k rounded
    assert (papers_plan.survivors[11], papers_plan.survivors[14]) == (17_000, 8_704)
    for k, weights in {4: 81_055, 8: 33_200, 10: 21_248, 15: 6_963, 17: 4_456, 20: 2_281}.items():
        assert papers_plan.survivors[k] == pytest.approx(weights, abs=3)
    assert len(papers_plan.survivors) == 21


def test_narrow_widths_are_the_papers_list(papers_plan):
    assert tuple(papers_plan.narrow_width(count) for count in papers_plan.survivors[1:]) == PAPERS_WIDTHS
    # those that the table beside figure 2 has
    counts = [papers_plan.narrow_field(width).num_weights for width in (94, 76, 68)]
    assert counts == [26_978, 17_708, 14_212]


@repeatable
@given(weights=st.integers(0, 3_000), hidden=st.integers(1, 4))
def test_a_narrow_field_has_at_least_the_weights_and_two_neurons_fewer_would_not(weights, hidden):
    learn = replace(tiny.LEARN, field=FieldConfig(width=7, hidden_layers=hidden))
    plan = tiny_plan(learn=learn)
    width = plan.narrow_width(weights)
    field = plan.narrow_field(width)
    assert field.sizes == (2, *[width] * hidden, 1)
    assert field.num_weights >= weights
    assert width % 2 == 0
    assert width == 2 or plan.narrow_field(width - 2).num_weights < weights


def test_levels_are_named_by_their_round_and_hold_its_survivors():
    plan = tiny_plan()
    assert plan.survivors == tiny.SURVIVORS
    found = [(level.name, level.weights, level.round) for level in map(plan.level, (0, 1, 3))]
    assert found == [("dense", 54, 0), ("round-01", 38, 1), ("round-03", 19, 3)]


def test_a_level_beyond_the_schedule_is_refused(tmp_path):
    with pytest.raises(BadInput, match="level 4 was asked for, but the schedule has 3 rounds"):
        tiny_plan().level(4)
    for changes in ({"levels": (1, 4)}, {"methods": ("ticket-rewound",), "ablation_levels": (4,)}):
        with pytest.raises(BadInput, match="level 4"):
            tiny.comparison(tmp_path, **changes).cells()


def test_a_target_sparsity_makes_its_own_rounds():
    learn = replace(tiny.LEARN, pruning=PruningConfig(fraction=0.3, target_sparsity=0.6))
    assert tiny_plan(learn=learn).survivors == [54, 38, 27, 22]


def test_stages_that_methods_share_have_one_key_and_are_planned_once(tmp_path):
    made = tiny.comparison(tmp_path, methods=METHODS, levels=(1, 2, 3), seeds=(0, 5))
    keys = list(stages_of(made.cells()))
    assert len(set(keys)) == len(keys)
    expected = {"dense", "magnitude", "random", "latents-003", "ticket-rewound-round-02", "ticket-random-round-02",
                "ticket-oneshot-round-02", "narrow-006", "narrow-004"}  # fmt: skip
    assert {key.rsplit("/", 1)[1] for key in keys} == expected
    assert set(keys) == {f"learning/curves/seed-{seed}/{name}" for name in expected for seed in (0, 5)}


def test_stages_of_one_key_are_the_same_whoever_asks_for_them(tmp_path):
    made = tiny.comparison(tmp_path, methods=METHODS, levels=(1, 2, 3))
    found = {}

    def visit(stage):
        for earlier in stage.needs:
            visit(earlier.stage)
        # what decides the bits; how they begin is a function
        known = found.setdefault(stage.key, stage)
        assert (known.config, known.seed, known.data) == (stage.config, stage.seed, stage.data)
        assert [m.stage.key for m in known.needs] == [m.stage.key for m in stage.needs]

    for cell in made.cells():
        for needed in cell.needs:
            visit(needed.stage)
    assert len(found) == 9


def test_a_stage_comes_after_all_that_it_needs(tmp_path):
    made = tiny.comparison(tmp_path, {"a": "curves", "b": "curves:3"}, methods=METHODS)
    seen = set()
    for key, stage in stages_of(made.cells()).items():
        assert {needed.stage.key for needed in stage.needs} <= seen
        seen.add(key)


def test_what_lies_behind_a_cell_counts_each_stage_once_at_its_latest_round():
    plan = tiny_plan()
    early, late = plan.chain("magnitude").at(1), plan.chain("magnitude").at(3)
    found = [(artifact.stage.name, artifact.round) for artifact in ancestors([early, late, plan.dense().at()])]
    assert found == [("dense", 0), ("magnitude", 3)]


def test_seeds_data_sets_and_methods_do_not_share_cells(tmp_path):
    made = tiny.comparison(tmp_path, {"a": "curves", "b": "curves:3"}, methods=METHODS, seeds=(0, 1))
    keys = [cell.key for cell in made.cells()]
    assert len(set(keys)) == len(keys)
    # six of the paper and two of COIN at both levels, dense, latents and each ticket at one, transfer at both
    assert len(keys) == 2 * 2 * (8 * 2 + 1 + 1 + 3 + 2)
    assert "cells/b/seed-1/transfer-a/round-03.json" in keys
    assert not any("/a/seed-0/transfer-a" in key for key in keys)


def test_transfer_needs_a_second_data_set(tmp_path):
    assert tiny.comparison(tmp_path, methods=("transfer",)).cells() == []


@pytest.mark.parametrize("name", recipes.COMPARISONS)
def test_every_recipe_has_all_its_levels_and_survives_the_way_through_json(name, tmp_path):
    config = recipes.comparison(name)
    assert config.recipe == name
    assert CompareConfig.from_dict(config.to_dict()) == config
    if name == "paper-cpu":  # its dense start is given, not learned
        with pytest.raises(BadInput, match="--start-from"):
            Comparison(config, {"a": "curves"}, tmp_path).cells()
        config = replace(config, learn=replace(config.learn, outer=replace(config.learn.outer, dense_steps=1)))
    cells = Comparison(config, {"a": "curves", "b": "curves:3"}, tmp_path).cells()
    assert {cell.level.round for cell in cells if cell.method.name == "meta-sparse"} == set(config.levels)
    assert {cell.plan.seed for cell in cells} == set(config.seeds)


def test_a_comparison_of_another_version_is_refused():
    data = tiny.CONFIG.to_dict()
    for damaged in ({**data, "surprise": 3}, {k: v for k, v in data.items() if k != "learn"}, {**data, "seeds": 3}):
        with pytest.raises(BadInput, match="not a comparison of this version"):
            CompareConfig.from_dict(damaged)


@pytest.mark.parametrize(
    ("name", "value"),
    [("methods", ()), ("methods", ("scratch", "scratch")), ("levels", (2, 2)), ("levels", (0,)), ("seeds", ()),
     ("seeds", (-1,)), ("seeds", (3, 3)), ("latents", (0,)), ("latents", (4, 4)), ("ablation_levels", (0,)),
     ("signals", 0), ("pictures", -1), ("latent_steps", 0)],
)  # fmt: skip
def test_a_comparison_that_makes_no_sense_is_refused(name, value):
    with pytest.raises(BadInput, match=name.split("_")[0].rstrip("s")):
        replace(tiny.CONFIG, **{name: value})


def test_data_is_labelled_by_its_kind_or_as_asked():
    assert parse_data(["curves", "faces=images:a=b"]) == {"curves": "curves", "faces": "images:a=b"}
    assert parse_data(["images:some/where=else"]) == {"images": "images:some/where=else"}


@pytest.mark.parametrize(
    ("specs", "match"),
    [([], "needs data"), (["curves", "curves:3"], "'curves' is given 2 times"), (["=curves"], "cannot name"),
     (["a/b=curves"], "cannot name"), (["../x=curves"], "cannot name"), (["-a=curves"], "cannot name")],
)  # fmt: skip
def test_a_label_that_cannot_name_a_folder_is_refused(specs, match):
    with pytest.raises(BadInput, match=match):
        parse_data(specs)


# A start given from outside


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """(dense start file, sparse start file)."""
    made = tiny.learned(tiny.comparison(tmp_path_factory.mktemp("given")))
    starts = made.root / "learning/curves/seed-0/magnitude/starts"
    return starts / "round-00.safetensors", starts / "round-03.safetensors"


def from_start(path, **changes):
    learn = replace(tiny.LEARN, outer=replace(tiny.LEARN.outer, start_from=str(path), dense_steps=0), **changes)
    return {"learn": learn}


def test_a_given_start_decides_field_and_grid(given, tmp_path):
    start = load_start(given[0])
    moved = replace(start, domain=replace(start.domain, extent=(0.0, 1.0), alignment="lower"))
    save_start(tmp_path / "moved.safetensors", moved)
    made = tiny.comparison(tmp_path / "x", **from_start(tmp_path / "moved.safetensors", field=FieldConfig(width=50)))
    plan = made.cells()[0].plan
    assert plan.field == start.field
    assert plan.domain == moved.domain


def test_a_given_start_brings_its_resolution_where_none_is_asked_for(given, tmp_path):
    made = tiny.comparison(tmp_path, **from_start(given[0], grid=GridConfig()))
    assert made.cells()[0].plan.dataset.shape == (13, 11)


def test_a_given_start_is_where_every_start_begins_and_modulations_too(given, tmp_path):
    methods = ("meta-sparse", "random-pruning", "maml-oneshot", "scratch", "dense-maml", "modulations",
               "ticket-oneshot")  # fmt: skip
    made = tiny.learned(tiny.comparison(tmp_path, methods=methods, **from_start(given[0])))
    start = load_start(given[0])
    for name in ("dense", "magnitude", "random"):
        assert (made.root / f"learning/curves/seed-0/{name}/done.json").is_file()
        first = load_start(made.root / f"learning/curves/seed-0/{name}/starts/round-00.safetensors")
        assert start_name(first) == start_name(start)
    assert (made.root / "learning/curves/seed-0/latents-003/done.json").is_file()


def test_a_given_start_must_be_dense(given, tmp_path):
    with pytest.raises(BadInput, match="19 of 54 weights"):
        tiny.comparison(tmp_path, **from_start(given[1])).cells()


def test_a_given_start_must_draw_the_channels_of_every_data_set(given, photos, tmp_path):
    made = tiny.comparison(tmp_path, {"curves": "curves", "photos": f"images:{photos}"}, **from_start(given[0]))
    with pytest.raises(BadInput, match="draws 1 channel but the signals of images:"):
        made.cells()


def test_narrow_fields_cannot_begin_from_a_given_start(given, tmp_path):
    with pytest.raises(BadInput, match="leave dense-narrow out"):
        stages_of(tiny.comparison(tmp_path, methods=("dense-narrow",), **from_start(given[0])).cells())


def test_a_chain_that_changes_its_score_on_the_way_ends_where_the_others_do(tmp_path):
    made = tiny.learned(tiny.comparison(tmp_path, methods=("meta-sparse", "late"), levels=(1, 2, 3)))
    starts = {cell.level.round: cell.needs[0].start(tmp_path) for cell in made.cells() if cell.method.name == "late"}
    assert {k: start.pattern.num_weights for k, start in starts.items()} == {2: 27, 3: 19}
    (magnitude,) = {
        artifact.stage for cell in made.cells() if cell.method.name == "late" for artifact in cell.needs[0].stage.needs
    }
    first = magnitude.at(1).start(tmp_path)
    assert not (starts[2].pattern.keep & ~first.pattern.keep).any()
    late = next(cell.needs[0].stage for cell in made.cells() if cell.method.name == "late")
    assert late.key.endswith("connected-after-01")
    assert late.spent(tmp_path, 2)["outer_steps"] == 2 * tiny.LEARN.outer.steps_per_round


@pytest.fixture(autouse=True)
def late():
    METHODS_KNOWN["late"] = Alternation("late", "late", "ours", "connected", after=1)
    yield
    del METHODS_KNOWN["late"]
