"""Another idea of what to learn, made up here: the outer loop and its keeper serve it as they serve starts."""

import json
from dataclasses import replace
from functools import cache
from typing import NamedTuple

import pytest
import torch
from small_problems import Pattern, field_of

from sparsine.engines import DenseEngine
from sparsine.errors import BadInput
from sparsine.folders import locked
from sparsine.meta.config import GridConfig, LearnConfig, OuterConfig, WatchConfig
from sparsine.meta.keeper import Keeper
from sparsine.meta.learner import START, Form, Learner, StartLearner
from sparsine.meta.learning import learn_in
from sparsine.meta.maml import InnerConfig
from sparsine.meta.outer import NotFinite
from sparsine.meta.run_folder import CHECKPOINT_FILE
from sparsine.meta.tasks import sampler_of
from sparsine.signals.open import open_dataset

PATTERN = Pattern.full(field_of(2, 3, 1))
CONFIG = LearnConfig(
    grid=GridConfig(resolution=(7, 5)),
    inner=InnerConfig(points=11),
    outer=OuterConfig(outer_step_size=0.03, dense_steps=9, tasks_per_step=3),
    watch=WatchConfig(checkpoint_seconds=1e6, log_every=2),
)


class Line(NamedTuple):
    """values = slope . coords + level, for all signals: two tensors of other shapes than any vector of a field."""

    slope: torch.Tensor
    level: torch.Tensor


class Lines:
    """Learns the line that fits all signals best."""

    form = Form("lines-checkpoint", "line", " of lines")

    def initial(self):
        return Line(torch.tensor([[0.5], [-0.25]]), torch.tensor([1.5]))

    def to_vector(self, learned):
        return torch.cat([learned.slope.flatten(), learned.level])

    def from_vector(self, vector):
        return Line(vector[:2].view(2, 1), vector[2:])

    def gradient(self, learned, tasks):
        samples = tasks.query
        wrong = samples.coords @ learned.slope + learned.level - samples.values
        slope = 2 * (samples.coords.mT @ wrong).mean(0) / wrong.shape[1]
        return wrong.square().mean(), torch.cat([slope.flatten(), 2 * wrong.mean((0, 1))])


@cache
def curves():
    return open_dataset(CONFIG.data, resolution=CONFIG.grid.resolution)


def learned(folder, config=CONFIG, learner=None, on_step=None):
    sampler = sampler_of(config, curves(), config.grid.domain(curves().domain))
    keeper = Keeper(folder, config.watch, sampler, (learner or Lines()).form)
    with locked(folder):
        return learn_in(keeper, learner or Lines(), PATTERN, config, on_step), keeper


def stopping_at(last):
    def on_step(step, loss):
        if step == last:
            raise KeyboardInterrupt

    return on_step


def test_a_learner_of_somebody_else_learns_in_the_same_loop(tmp_path):
    seen = []
    state, _ = learned(tmp_path, replace(CONFIG, outer=replace(CONFIG.outer, dense_steps=200)),
                       on_step=lambda step, loss: seen.append(loss))  # fmt: skip
    assert isinstance(Lines(), Learner)
    assert (state.step, len(seen)) == (200, 200)
    assert sum(seen[-20:]) < 0.4 * sum(seen[:20])
    assert Lines().from_vector(state.theta).level.shape == (1,)


def test_its_gradient_is_what_autograd_says():
    tasks = next(sampler_of(CONFIG, curves(), CONFIG.grid.domain(curves().domain)).steps(0, 1))[1]
    lines = Lines()
    vector = lines.to_vector(lines.initial()).requires_grad_()
    loss, _ = lines.gradient(lines.from_vector(vector), tasks)
    (expected,) = torch.autograd.grad(loss, vector)
    assert torch.allclose(lines.gradient(lines.from_vector(vector.detach()), tasks)[1], expected, atol=1e-6)


@pytest.mark.parametrize("stopped_at", [1, 4, 8])
def test_it_goes_on_from_its_checkpoint_to_the_same_bits(tmp_path, stopped_at):
    whole, _ = learned(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        learned(tmp_path / "stopped", on_step=stopping_at(stopped_at))
    steps = []
    again, _ = learned(tmp_path / "stopped", on_step=lambda step, loss: steps.append(step))
    assert steps == list(range(stopped_at + 1, 10))
    assert torch.equal(again.theta, whole.theta)
    assert torch.equal(again.adam.square, whole.adam.square)
    assert not torch.equal(whole.theta, Lines().to_vector(Lines().initial()))


def test_it_has_logs_and_costs_as_every_run_has(tmp_path):
    _, keeper = learned(tmp_path)
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 4, 6, 8]
    assert all(line["loss"] > 0 for line in lines)
    assert keeper.usage.seconds > 0


def test_an_overflow_names_what_is_learned_and_goes_back_to_the_last_good_state(tmp_path):
    calls = []

    class Overflowing(Lines):
        def gradient(self, learned, tasks):
            calls.append(1)
            loss, grad = super().gradient(learned, tasks)
            return (loss * torch.nan if len(calls) == 5 else loss), grad

    with pytest.raises(NotFinite, match=r"outer loss of lines is nan at outer step 4 .*outer step 3, the last good"):
        learned(tmp_path / "a", learner=Overflowing())
    assert torch.equal(learned(tmp_path / "a")[0].theta, learned(tmp_path / "b")[0].theta)


def test_a_checkpoint_of_another_learner_is_refused(tmp_path):
    learned(tmp_path)
    theta = PATTERN.field.initial_theta(0)
    with pytest.raises(BadInput, match=r"is not a sparsine-checkpoint file; found 'lines-checkpoint'"):
        learned(tmp_path, learner=StartLearner(DenseEngine(PATTERN), CONFIG.inner, theta))
    assert START.format == "sparsine-checkpoint"
    assert (tmp_path / CHECKPOINT_FILE).exists()
