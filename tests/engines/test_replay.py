"""Replayed steps, as far as they can be seen without a GPU: who is replayed, what is recorded, and what if not."""

import pytest
import torch
from small_problems import field_of, make_problem, random_pattern, relative_error

from sparsine.engines import DenseEngine, replay
from sparsine.engines.replay import VARIABLE, NotReplayed, ReplayedEngine, replayed

PROBLEM = make_problem(random_pattern(field_of(2, 7, 5, 3), 0.6)).to(torch.float32)
ENGINE = DenseEngine(PROBLEM.pattern)
WEIGHTS = torch.tensor([2.0] * 5 + [0.0] * 5 + [1.0])


class Recording:
    """In the place of a graph: computes what it was given when it was made."""

    made = 0

    def __init__(self, engine, given):
        self.engine, self.count = engine, len(given)
        Recording.made += 1

    def __call__(self, given):
        assert len(given) == self.count
        return self.engine.loss_and_grad(*given)


def test_nothing_is_replayed_unless_asked(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    assert replayed(ENGINE) is ENGINE


def test_on_the_cpu_it_says_that_graphs_are_recorded_on_cuda(monkeypatch):
    monkeypatch.setenv(VARIABLE, "1")
    with pytest.warns(
        NotReplayed, match="SPARSINE_CUDA_GRAPHS: engine 'dense' computes on cpu, and graphs are recorded"
    ):
        assert replayed(ENGINE) is ENGINE


def test_a_step_is_recorded_once_for_each_set_of_shapes(monkeypatch):
    monkeypatch.setattr(replay, "_Graph", Recording)
    Recording.made, engine = 0, ReplayedEngine(ENGINE)
    for problem in (PROBLEM, PROBLEM.row(1), PROBLEM):
        for weights in ((), (WEIGHTS,)):
            found = engine.loss_and_grad(problem.theta, *problem.samples, *weights)
            expected = ENGINE.loss_and_grad(problem.theta, *problem.samples, *weights)
            assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))
    assert Recording.made == 4
    assert torch.equal(engine.predict(PROBLEM.theta, PROBLEM.coords), ENGINE.predict(PROBLEM.theta, PROBLEM.coords))
    product = engine.hvp(PROBLEM.theta, PROBLEM.v, *PROBLEM.samples)
    assert relative_error(product, ENGINE.hvp(PROBLEM.theta, PROBLEM.v, *PROBLEM.samples)) == 0


def test_where_a_step_cannot_be_recorded_it_is_told_once_and_computed(monkeypatch):
    def fails(engine, given):
        raise RuntimeError("operation not permitted when stream is capturing\nand more")

    monkeypatch.setattr(replay, "_Graph", fails)
    engine = ReplayedEngine(ENGINE)
    with pytest.warns(
        NotReplayed, match=r"could not record a step \(operation not permitted .* capturing\); steps are"
    ):
        found = engine.loss_and_grad(PROBLEM.theta, *PROBLEM.samples)
    again = engine.loss_and_grad(PROBLEM.theta, *PROBLEM.samples)  # a second warning would be an error here
    expected = ENGINE.loss_and_grad(PROBLEM.theta, *PROBLEM.samples)
    assert torch.equal(found[1], expected[1])
    assert torch.equal(again[1], expected[1])
