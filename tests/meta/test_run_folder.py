"""The folder of a run: what is in it, and what is kept when the loss overflows."""

import json
import math
import time
from dataclasses import replace
from itertools import pairwise

import pytest
import torch

import sparsine.meta.learner as learner
import sparsine.meta.outer as outer
import sparsine.meta.sparse as sparse
from sparsine.errors import BadInput
from sparsine.fields.pattern import Pattern
from sparsine.meta.checkpoint import load_checkpoint
from sparsine.meta.config import FieldConfig, GridConfig, LearnConfig, OuterConfig, WatchConfig
from sparsine.meta.metrics import read_metrics
from sparsine.meta.outer import LearnState, NotFinite
from sparsine.meta.run import open_run
from sparsine.meta.run_folder import read_config, start_name, starts_of
from sparsine.meta.sparse import learn_sparse_start, next_round
from sparsine.optim import AdamState
from sparsine.pruning.prune import PruningConfig
from sparsine.signals.open import open_dataset
from sparsine.starts.start import Start, load_start, save_start, write_vectors
from sparsine.usage import Usage

CONFIG = LearnConfig(
    field=FieldConfig(width=9, hidden_layers=2, omega_0=20.0),
    grid=GridConfig(resolution=(7, 5), alignment="centers", low=0.0, axis_order="reversed"),
    outer=OuterConfig(outer_step_size=1e-3, dense_steps=6, steps_per_round=4),
    pruning=PruningConfig(rounds=3, fraction=0.25),
    watch=WatchConfig(checkpoint_seconds=1e6, log_every=2, val_every=3, val_signals=3),
)


def learn(folder, config=CONFIG, resume=False):
    dataset = open_dataset(config.data, resolution=config.grid.resolution)
    with open_run(config, folder, dataset, resume=resume) as run:
        return learn_sparse_start(config, run)


def test_a_run_keeps_its_configuration_its_metrics_and_every_start(tmp_path):
    last = learn(tmp_path / "run")
    assert read_config(tmp_path / "run") == CONFIG
    starts = [load_start(p) for p in starts_of(tmp_path / "run")]
    assert [s.pattern.num_weights for s in starts] == [108, 81, 61, 46]
    assert [s.info["round"] for s in starts] == [0, 1, 2, 3]
    assert torch.equal(starts[-1].theta, last.theta)
    assert starts[0].domain == CONFIG.grid.grid((7, 5))
    metrics = read_metrics(tmp_path / "run")
    assert {m["step"] for m in metrics if "loss" in m} >= {2, 4, 6, 8, 10, 12, 14, 16, 18}
    assert [m["step"] for m in metrics if "val_psnr_db" in m] == [3, 6, 9, 10, 12, 14, 15, 18]
    assert all(len(m["val_psnr_db"]) == 3 for m in metrics if "val_psnr_db" in m)
    assert list((tmp_path / "run" / "tensorboard").glob("events*"))


def test_the_same_seed_gives_the_same_bits_and_another_seed_others(tmp_path):
    a, b = learn(tmp_path / "a"), learn(tmp_path / "b")
    other = learn(tmp_path / "c", replace(CONFIG, seed=7))
    assert torch.equal(a.theta, b.theta)
    assert not torch.equal(a.theta, other.theta)


def test_what_is_watched_changes_no_bit(tmp_path):
    watched = replace(CONFIG, watch=WatchConfig(val_signals=0, log_every=1, checkpoint_seconds=0.0))
    assert torch.equal(learn(tmp_path / "a").theta, learn(tmp_path / "b", watched).theta)


def test_survivors_of_later_rounds_were_survivors_before(tmp_path):
    learn(tmp_path / "run")
    keeps = [load_start(p).pattern.keep for p in starts_of(tmp_path / "run")]
    assert all(bool((small <= large).all()) for large, small in pairwise(keeps))


def test_a_loss_that_is_not_finite_keeps_the_last_good_state_and_can_be_resumed(tmp_path, monkeypatch):
    whole = learn(tmp_path / "whole")
    calls, real = iter(range(1, 99)), learner.meta_gradient

    def overflowing(*args):
        loss, grad = real(*args)
        return (loss, grad * torch.inf) if next(calls) == 9 else (loss, grad)

    monkeypatch.setattr(learner, "meta_gradient", overflowing)
    with pytest.raises(NotFinite, match="outer step 8"):
        learn(tmp_path / "run")
    checkpoint = load_checkpoint(tmp_path / "run" / "checkpoint.safetensors", "cpu")
    assert checkpoint.state.step == 8
    assert torch.isfinite(checkpoint.state.theta).all()
    monkeypatch.setattr(learner, "meta_gradient", real)
    assert torch.equal(learn(tmp_path / "run", resume=True).theta, whole.theta)


def test_saliency_prunes_by_fits_of_the_runs_own_signals(tmp_path):
    pruning = replace(CONFIG.pruning, score="saliency", score_options={"signals": 2, "steps": 5})
    config = replace(CONFIG, pruning=pruning)
    a, b, magnitude = learn(tmp_path / "a", config), learn(tmp_path / "b", config), learn(tmp_path / "c")
    assert torch.equal(a.theta, b.theta)
    assert a.pattern.num_weights == magnitude.pattern.num_weights == 46
    assert not torch.equal(a.pattern.keep, magnitude.pattern.keep)
    more = learn(tmp_path / "d", replace(config, pruning=replace(pruning, score_options={"signals": 2, "steps": 40})))
    assert not torch.equal(more.pattern.keep, a.pattern.keep)


def test_what_a_pruning_takes_is_part_of_what_learning_took(tmp_path, monkeypatch):
    real = sparse.prune

    def slow(*args, **options):
        time.sleep(0.2)
        return real(*args, **options)

    monkeypatch.setattr(sparse, "prune", slow)
    learn(tmp_path / "run")
    spent = [load_start(path).info["usage"]["seconds"] for path in starts_of(tmp_path / "run")]
    assert all(later - earlier >= 0.2 for earlier, later in pairwise(spent))


def test_more_fits_than_memory_holds_are_refused_before_anything_is_written(tmp_path):
    wide = replace(CONFIG, field=replace(CONFIG.field, width=2048))
    pruning = replace(CONFIG.pruning, score="saliency", score_options={"signals": 10_000})
    with pytest.raises(BadInput, match=r"pruning by saliency would need about .* lower .*--score\.signals"):
        learn(tmp_path / "run", replace(wide, pruning=pruning))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("moments", ["keep", "reset"])
def test_moments_of_survivors_are_kept_or_reset_as_asked(tmp_path, moments):
    config = replace(CONFIG, outer=replace(CONFIG.outer, moments=moments))
    pattern = Pattern.full(CONFIG.field.field(2, 1))
    theta = pattern.field.initial_theta(3)
    adam = AdamState(theta * 2, theta.square(), 17)
    with open_run(config, tmp_path / "run", open_dataset(config.data, resolution=config.grid.resolution)) as run:
        after = next_round(config, LearnState(pattern, theta, adam, 0, 6, 6), 81, run.sampler)
    assert after.pattern.num_weights == 81
    assert (after.round, after.round_step, after.step) == (1, 0, 6)
    if moments == "keep":
        assert torch.equal(after.adam.mean, after.theta * 2)
        assert after.adam.num_steps == 17
    else:
        assert after.adam.mean.abs().sum() == 0
        assert after.adam.num_steps == 0


def test_a_decaying_step_size_falls_within_each_round_and_begins_anew_with_the_next(tmp_path, monkeypatch):
    taken = []
    real = outer.adam_step
    monkeypatch.setattr(outer, "adam_step", lambda *args: (taken.append(args[3]), real(*args))[1])
    learn(tmp_path / "run", replace(CONFIG, outer=replace(CONFIG.outer, decay="cosine")))
    steps = CONFIG.outer.steps_per_round
    first_round = taken[CONFIG.outer.dense_steps : CONFIG.outer.dense_steps + steps]
    full = CONFIG.outer.outer_step_size
    assert first_round == pytest.approx([full * (1 + math.cos(math.pi * i / steps)) / 2 for i in range(steps)])
    assert taken[0] == first_round[0] == taken[CONFIG.outer.dense_steps + steps] == full


def test_a_folder_from_before_an_option_was_there_can_be_gone_on_with(tmp_path):
    learn(tmp_path / "run")
    path = tmp_path / "run" / "config.json"
    saved = json.loads(path.read_text())
    del saved["outer"]["decay"], saved["inner"]["sampling"]
    path.write_text(json.dumps(saved))
    learn(tmp_path / "run", resume=True)
    with pytest.raises(BadInput, match="decay was 'none', now 'cosine'"):
        learn(tmp_path / "run", replace(CONFIG, outer=replace(CONFIG.outer, decay="cosine")), resume=True)


def test_a_run_can_begin_from_a_start_and_keeps_its_convention(tmp_path):
    given = learn(tmp_path / "first")
    save_start(tmp_path / "given.safetensors", given)
    config = replace(CONFIG, outer=replace(CONFIG.outer, dense_steps=0, start_from=str(tmp_path / "given.safetensors")),
                     grid=GridConfig(resolution=(7, 5)), pruning=PruningConfig(target_sparsity=0.75))  # fmt: skip
    learn(tmp_path / "second", config)
    starts = [load_start(p) for p in starts_of(tmp_path / "second")]
    assert torch.equal(starts[0].theta, given.theta)
    assert starts[0].domain == given.domain
    assert starts[-1].pattern.num_weights == 108 - 81  # a quarter of the dense field's, not of the start's


def test_the_data_set_must_be_the_one_that_the_configuration_names(tmp_path):
    with pytest.raises(BadInput, match="names curves"), open_run(CONFIG, tmp_path, open_dataset("curves:5")):
        pass


def test_a_configuration_survives_the_way_through_json():
    assert LearnConfig.from_dict(json.loads(json.dumps(CONFIG.to_dict()))) == CONFIG


# A start that is handed over


def from_start(start, **changes):
    outer = replace(CONFIG.outer, dense_steps=2, start_from=start_name(start))
    return replace(CONFIG, outer=outer, pruning=PruningConfig(rounds=0), **changes)


def learn_from(start, folder, config):
    dataset = open_dataset(config.data, resolution=config.grid.resolution)
    with open_run(config, folder, dataset, resume=True, given_start=start) as run:
        return learn_sparse_start(config, run)


def test_a_start_that_is_handed_over_is_where_the_run_begins_whatever_its_file(tmp_path):
    given = learn(tmp_path / "first")  # sparse
    save_start(tmp_path / "given.safetensors", given)
    begun = learn_from(given, tmp_path / "none", replace(from_start(given), outer=replace(
        CONFIG.outer, dense_steps=0, start_from=start_name(given))))  # fmt: skip
    assert torch.equal(begun.theta, given.theta)
    assert torch.equal(begun.pattern.keep, given.pattern.keep)
    assert begun.domain == given.domain
    # the same bits as from its file
    named = replace(from_start(given), outer=replace(CONFIG.outer, dense_steps=2,
                                                     start_from=str(tmp_path / "given.safetensors")))  # fmt: skip
    assert torch.equal(learn_from(given, tmp_path / "a", from_start(given)).theta, learn(tmp_path / "b", named).theta)


def test_a_start_is_named_by_its_numbers_and_its_pattern_alone(tmp_path):
    given = learn(tmp_path / "run")
    save_start(tmp_path / "copy.safetensors", replace(given, info={"data": "elsewhere"}))
    assert start_name(load_start(tmp_path / "copy.safetensors")) == start_name(given)
    assert start_name(given).startswith("sha256:")
    moved = given.theta.clone()
    moved[3] += 1e-7
    elsewhere = Pattern(given.field, given.pattern.keep.roll(1))  # the same numbers in other places
    others = {start_name(replace(given, theta=moved)), start_name(replace(given, pattern=elsewhere))}
    assert len(others - {start_name(given)}) == 2


@pytest.mark.parametrize("named", ["", "sha256:" + "0" * 64, "given.safetensors"])
def test_a_start_that_is_handed_over_must_be_the_one_that_the_configuration_names(tmp_path, named):
    given = learn(tmp_path / "first")
    config = replace(CONFIG, outer=replace(CONFIG.outer, start_from=named))
    with pytest.raises(BadInput, match=r"name it by start_name\(start\)"):
        learn_from(given, tmp_path / "run", config)
    assert not (tmp_path / "run").exists()


def test_a_start_that_is_named_but_not_handed_over_is_missed(tmp_path):
    given = learn(tmp_path / "first")
    with pytest.raises(BadInput, match="cannot read sha256:"):
        learn(tmp_path / "run", from_start(given))


def test_a_run_from_one_start_is_not_gone_on_with_from_another(tmp_path):
    given = learn(tmp_path / "first")
    learn_from(given, tmp_path / "run", from_start(given))
    other = replace(given, theta=given.theta * 1.01)
    with pytest.raises(BadInput, match=r"outer\.start_from was 'sha256:"):
        learn_from(other, tmp_path / "run", from_start(other))


def test_a_start_of_other_channels_is_refused_before_anything_is_written(tmp_path):
    field = CONFIG.field.field(2, 3)
    given = Start(Pattern.full(field), field.initial_theta(1), CONFIG.grid.grid((7, 5)))
    with pytest.raises(BadInput, match="draws 3 channels but the signals of curves have 1"):
        learn_from(given, tmp_path / "run", from_start(given))
    assert not (tmp_path / "run").exists()


# What a run costs


def test_every_start_says_what_it_cost_so_far_and_sittings_add_up(tmp_path, monkeypatch):
    calls, real = iter(range(1, 99)), learner.meta_gradient

    def slow(*args):
        time.sleep(0.01)
        loss, grad = real(*args)
        return (loss, grad * torch.inf) if next(calls) == 18 + 17 else (loss, grad)

    monkeypatch.setattr(learner, "meta_gradient", slow)
    began = time.monotonic()
    learn(tmp_path / "whole")
    elapsed = time.monotonic() - began
    usages = [load_start(p).info["usage"] for p in starts_of(tmp_path / "whole")]
    assert all(usage.keys() == {"seconds", "cpu_seconds", "peak_bytes"} for usage in usages)
    for earlier, later in pairwise(usages):
        assert all(0 < earlier[name] <= later[name] for name in earlier)
    assert 18 * 0.01 <= usages[-1]["seconds"] <= elapsed
    assert usages[-1]["cpu_seconds"] < usages[-1]["seconds"]  # most of it was sleep
    # stopped in the last round: what was spent before is in the end's account
    with pytest.raises(NotFinite):
        learn(tmp_path / "run")
    spent = load_checkpoint(tmp_path / "run" / "checkpoint.safetensors", "cpu").usage
    assert spent.seconds > 16 * 0.01
    last = learn(tmp_path / "run", resume=True).info["usage"]
    assert spent.seconds < last["seconds"] < spent.seconds + elapsed
    assert last["cpu_seconds"] > spent.cpu_seconds
    assert last["peak_bytes"] >= spent.peak_bytes


def test_a_checkpoint_from_before_costs_were_kept_can_be_gone_on_with(tmp_path):
    state = LearnState(Pattern.full(CONFIG.field.field(2, 1)), CONFIG.field.field(2, 1).initial_theta(3),
                       AdamState.zeros_like(CONFIG.field.field(2, 1).initial_theta(3)))  # fmt: skip
    about = {"adam_steps": 0, "round": 0, "round_step": 0, "step": 0, "seconds": 2.5, "metrics_bytes": 0}
    vectors = {"theta": state.theta, "adam_mean": state.adam.mean, "adam_square": state.adam.square}
    write_vectors(tmp_path / "old.safetensors", vectors, state.pattern, about, "sparsine-checkpoint")
    assert load_checkpoint(tmp_path / "old.safetensors", "cpu").usage == Usage(2.5, 0.0, 0)


def test_a_run_from_before_there_were_activations_is_resumed(tmp_path):
    whole = learn(tmp_path / "whole")
    learn(tmp_path / "run")
    path = tmp_path / "run" / "config.json"
    config = json.loads(path.read_text())
    config["field"] = {name: config["field"][name] for name in ("width", "hidden_layers", "omega_0")}
    path.write_text(json.dumps(config))
    for start in starts_of(tmp_path / "run")[2:]:
        start.unlink()
    assert torch.equal(learn(tmp_path / "run", resume=True).theta, whole.theta)
    with pytest.raises(BadInput, match=r"field\.activation was 'sine', now 'finer'"):
        learn(tmp_path / "run", replace(CONFIG, field=replace(CONFIG.field, activation="finer")), resume=True)
