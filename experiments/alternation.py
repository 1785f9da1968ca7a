"""What experiments on the paper's loop share: its rounds without a folder, and fits of validation signals."""

from collections.abc import Iterator
from dataclasses import replace

import torch

from sparsine.engines import make_engine
from sparsine.fitting import FitConfig, FitResult, fit
from sparsine.meta.config import LearnConfig
from sparsine.meta.learner import StartLearner
from sparsine.meta.outer import LearnState, meta_train
from sparsine.meta.sparse import next_round
from sparsine.meta.tasks import TaskSampler
from sparsine.optim import AdamState
from sparsine.signals.dataset import Dataset
from sparsine.starts.start import Start


def alternation(config: LearnConfig, start: Start, dataset: Dataset, num_rounds: int) -> Iterator[tuple[int, Start]]:
    """(round, start after it), from a dense start on."""
    theta = start.theta.to(config.device)
    sampler = TaskSampler(dataset.train, start.domain, config.inner, tasks_per_step=config.outer.tasks_per_step, seed=0,
                          device=theta.device)  # fmt: skip
    state = LearnState(start.pattern, theta, AdamState.zeros_like(theta))
    survivors = config.pruning.survivors(start.pattern.num_weights, start.pattern.num_weights)
    for k in range(1, num_rounds + 1):
        state = next_round(config, state, survivors[k - 1], sampler)
        engine = make_engine(state.pattern, config.engine, device=config.device)
        learner = StartLearner(engine, config.inner, state.theta)
        state = meta_train(learner, state, sampler, config, config.outer.steps_per_round, lambda *_: None)
        yield k, replace(start, pattern=state.pattern, theta=state.theta)


def validation_fits(start: Start, dataset: Dataset, count: int) -> FitResult:
    """The first `count` validation signals, fitted with the paper's 100 steps of Adam where the start's numbers are."""
    theta = start.theta
    values = torch.stack([torch.tensor(dataset.val.load(i)) for i in range(count)]).flatten(1, -2).to(theta.device)
    engine = make_engine(start.pattern, device=str(theta.device))
    return fit(engine, theta, start.domain.coords(device=theta.device), values, FitConfig(batch=count))
