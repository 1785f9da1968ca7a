"""The folder of a run: what is in it, and what is kept when the loss overflows."""

import json
from dataclasses import replace
from itertools import pairwise

import pytest
import torch

import sparsine.meta.outer as outer
from sparsine.errors import BadInput
from sparsine.meta.checkpoint import load_checkpoint
from sparsine.meta.config import FieldConfig, GridConfig, LearnConfig, OuterConfig, WatchConfig
from sparsine.meta.outer import LearnState, NotFinite
from sparsine.meta.run import open_run, read_config, read_metrics, starts_of
from sparsine.meta.sparse import learn_sparse_start, next_round
from sparsine.meta.start import load_start, save_start
from sparsine.optim import AdamState
from sparsine.pruning.prune import PruningConfig
from sparsine.signals.open import open_dataset

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
    assert starts[0].grid == CONFIG.grid.grid((7, 5))
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
    calls, real = iter(range(1, 99)), outer.meta_gradient

    def overflowing(*args):
        loss, grad = real(*args)
        return (loss, grad * torch.inf) if next(calls) == 9 else (loss, grad)

    monkeypatch.setattr(outer, "meta_gradient", overflowing)
    with pytest.raises(NotFinite, match="outer step 8"):
        learn(tmp_path / "run")
    checkpoint = load_checkpoint(tmp_path / "run" / "checkpoint.safetensors", "cpu")
    assert checkpoint.state.step == 8
    assert torch.isfinite(checkpoint.state.theta).all()
    monkeypatch.setattr(outer, "meta_gradient", real)
    assert torch.equal(learn(tmp_path / "run", resume=True).theta, whole.theta)


@pytest.mark.parametrize("moments", ["keep", "reset"])
def test_moments_of_survivors_are_kept_or_reset_as_asked(moments):
    from sparsine.fields.pattern import Pattern

    config = replace(CONFIG, outer=replace(CONFIG.outer, moments=moments))
    pattern = Pattern.full(CONFIG.field.field(2, 1))
    theta = pattern.field.initial_theta(3)
    adam = AdamState(theta * 2, theta.square(), 17)
    after = next_round(config, LearnState(pattern, theta, adam, 0, 6, 6), 81)
    assert after.pattern.num_weights == 81
    assert (after.round, after.round_step, after.step) == (1, 0, 6)
    if moments == "keep":
        assert torch.equal(after.adam.mean, after.theta * 2)
        assert after.adam.num_steps == 17
    else:
        assert after.adam.mean.abs().sum() == 0
        assert after.adam.num_steps == 0


def test_a_run_can_begin_from_a_start_and_keeps_its_convention(tmp_path):
    given = learn(tmp_path / "first")
    save_start(tmp_path / "given.safetensors", given)
    config = replace(CONFIG, outer=replace(CONFIG.outer, dense_steps=0, start_from=str(tmp_path / "given.safetensors")),
                     grid=GridConfig(resolution=(7, 5)), pruning=PruningConfig(target_sparsity=0.75))  # fmt: skip
    learn(tmp_path / "second", config)
    starts = [load_start(p) for p in starts_of(tmp_path / "second")]
    assert torch.equal(starts[0].theta, given.theta)
    assert starts[0].grid == given.grid
    assert starts[-1].pattern.num_weights == 108 - 81  # a quarter of the dense field's, not of the start's


def test_the_data_set_must_be_the_one_that_the_configuration_names(tmp_path):
    with pytest.raises(BadInput, match="names curves"), open_run(CONFIG, tmp_path, open_dataset("curves:5")):
        pass


def test_a_configuration_survives_the_way_through_json():
    assert LearnConfig.from_dict(json.loads(json.dumps(CONFIG.to_dict()))) == CONFIG
