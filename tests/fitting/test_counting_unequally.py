"""Signals whose samples count unequally, through learning, fitting, calibration and coding: what is missing is nowhere
seen, and every PSNR is that of the weighted mean."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest
import torch
from small_problems import field_of, random_pattern

from sparsine.codec import CalibrationConfig, EncodeConfig, FittedField, calibrate, decode
from sparsine.codec.coding_tables import fisher_diagonal
from sparsine.codec.encode import encode_batch
from sparsine.engines import DenseEngine, ReferenceEngine
from sparsine.fitting.collection import fit_collection
from sparsine.fitting.fit import FitConfig
from sparsine.meta.maml import InnerConfig, meta_gradient
from sparsine.meta.modulated_engine import ModulatedEngine
from sparsine.meta.modulations import initial, modulation_gradient
from sparsine.meta.tasks import TaskSampler
from sparsine.psnr import psnr_db
from sparsine.signals import Dataset, Grid, Kind, Sphere
from sparsine.starts.start import Start


@dataclass(frozen=True, kw_only=True)
class Patchy(Kind):
    name: ClassVar[str] = "patchy"

    @property
    def missing(self):
        return True


SHAPE = (13, 9)
rng = np.random.default_rng(7)
HOLES = rng.random((3, *SHAPE)) < 0.3
WHOLE = rng.random((3, *SHAPE, 1), dtype=np.float32)
HOLED = np.where(HOLES[..., None], np.float32(np.nan), WHOLE)
DOMAINS = {"grid": Grid(shape=SHAPE), "sphere": Sphere(shape=SHAPE, latitudes=(90, -50))}
each_domain = pytest.mark.parametrize("domain", DOMAINS.values(), ids=DOMAINS.keys())


def start_on(domain):
    field = field_of(domain.num_coords, 16, 16, 1, omega_0=6.0, output_offset=0.5)
    pattern = random_pattern(field, 0.7)
    return Start(pattern, pattern.gather(field.initial_theta(0)[None])[0], domain, kind=Patchy())


def weighted_db(start, theta, number):
    """PSNR by hand: present samples alone, each by its area."""
    drawn = FittedField(start, theta, SHAPE).render()[..., 0].astype(np.float64)
    area = np.ones(SHAPE) if isinstance(start.domain, Grid) else start.domain.weights().reshape(SHAPE).numpy()
    present = ~HOLES[number]
    return psnr_db(float(np.average(np.square(drawn - WHOLE[number, ..., 0])[present], weights=area[present])))


DATA = Dataset.from_arrays(list(HOLED), Patchy(), val=list(HOLED), test=list(HOLED))


def sampler_on(domain, config):
    cpu = torch.device("cpu")
    return TaskSampler(DATA.train, domain, config, tasks_per_step=3, seed=0, device=cpu, kind=Patchy())


@each_domain
@pytest.mark.parametrize("options", [{}, {"points": 31, "lr": 1e-3}, {"share": 0.3, "sampling": "random"}])
def test_a_fit_reports_the_psnr_of_what_is_there(domain, options):
    start = start_on(domain)
    for number, fitted in enumerate(fit_collection(start, DATA.test, FitConfig(steps=30, **options))):
        assert fitted.status == "ok"
        assert fitted.psnr_db[-1] == pytest.approx(weighted_db(start, fitted.theta, number), abs=1e-3)
        assert np.array_equal(fitted.original, HOLED[number], equal_nan=True)


@each_domain
@pytest.mark.parametrize("options", [{"points": 31}, {"share": 0.3}, {}])
def test_what_stands_in_for_a_missing_value_changes_nothing(domain, options, monkeypatch):
    found = []
    for filled in (0.5, 0.9):
        monkeypatch.setattr("sparsine.signals.weights.FILLED", filled)
        fits = fit_collection(start_on(domain), DATA.test, FitConfig(steps=9, lr=1e-3, **options))
        found.append(torch.stack([fit.theta for fit in fits]))
    assert torch.equal(*found)


@each_domain
def test_signals_that_miss_different_samples_are_fitted_as_each_would_be_alone(domain):
    start, fit = start_on(domain), FitConfig(steps=7)
    together = list(fit_collection(start, DATA.test, fit))
    for number in range(3):
        (alone,) = fit_collection(start, DATA.test, fit, indices=[number])
        assert torch.equal(alone.theta, together[number].theta)


@each_domain
def test_the_meta_gradient_is_that_of_the_weighted_loss(domain):
    start = start_on(domain)
    config = InnerConfig(inner_steps=2, inner_step_size=1e-2)
    sampler = TaskSampler(
        DATA.train, domain, config, tasks_per_step=3, seed=0, device=torch.device("cpu"), kind=Patchy()
    )
    tasks = sampler.draw(0)
    assert torch.isfinite(tasks.query.values).all()
    engine = ReferenceEngine(start.pattern, dtype=torch.float64)
    theta, coords = start.theta.double(), domain.coords(torch.float64)
    leaf, losses = theta.clone().requires_grad_(), []
    order = [next(n for n in range(3) if torch.equal(v == 0.5, torch.from_numpy(HOLES[n].reshape(-1, 1))))
             for v in tasks.query.values]  # fmt: skip
    for number in order:
        present = torch.from_numpy(~HOLES[number].reshape(-1))
        area = torch.ones(len(coords)) if isinstance(domain, Grid) else domain.weights()
        w = torch.where(present, area.double(), 0.0)
        w, target = w / w.sum(), torch.from_numpy(WHOLE[number].reshape(-1, 1)).double()

        def loss(vector, w=w, target=target):
            return (w[:, None] * (engine.forward(vector, coords) - target).square()).sum()

        moved = leaf
        for _ in range(2):
            (grad,) = torch.autograd.grad(loss(moved), moved, create_graph=True)
            moved = moved - 1e-2 * grad
        losses.append(loss(moved))
    expected_loss = torch.stack(losses).mean()
    (expected,) = torch.autograd.grad(expected_loss, leaf)
    found_loss, found = meta_gradient(DenseEngine(start.pattern), start.theta, tasks, config)
    assert found_loss.item() == pytest.approx(expected_loss.item(), rel=1e-5)
    assert (found - expected).abs().max() < 1e-4 * expected.abs().max()


@each_domain
@pytest.mark.parametrize("points", [None, 40])
def test_the_samples_of_a_task_have_weights_of_mean_one_and_none_where_missing(domain, points):
    config = InnerConfig(points=points)
    sampler = TaskSampler(
        DATA.train, domain, config, tasks_per_step=3, seed=0, device=torch.device("cpu"), kind=Patchy()
    )
    tasks = sampler.draw(2)
    weights = torch.cat([tasks.support.weights, tasks.query.weights], 1)
    assert torch.allclose(weights.mean(1), torch.ones(3), atol=1e-5)
    assert torch.equal(tasks.query.weights == 0, tasks.query.values[..., 0] == 0.5)
    assert torch.equal(tasks.part(slice(1, 2)).query.weights, tasks.query.weights[1:2])


@each_domain
def test_latents_are_learned_with_the_weighted_loss(domain):
    start = start_on(domain)
    config = InnerConfig(inner_steps=2)
    sampler = TaskSampler(
        DATA.train, domain, config, tasks_per_step=3, seed=0, device=torch.device("cpu"), kind=Patchy()
    )
    tasks, engine = sampler.draw(0), DenseEngine(start.pattern)
    modulations = initial(start, 4, 0)
    loss, *_ = modulation_gradient(engine, modulations, tasks, config)
    spoilt = torch.where((tasks.query.weights == 0)[..., None], 9.0, tasks.query.values)
    other = replace(tasks, support=replace(tasks.support, values=spoilt), query=replace(tasks.query, values=spoilt))
    assert modulation_gradient(engine, modulations, other, config)[0] == loss
    z = torch.zeros(3, 4)
    own = ModulatedEngine(engine, modulations).loss_and_grad(z, tasks.query.coords, spoilt, tasks.query.weights)[0]
    assert torch.allclose(own, engine.loss(modulations.theta(z), tasks.query.coords, spoilt, tasks.query.weights))


def test_sensitivities_are_those_of_the_weighted_mean():
    start = start_on(DOMAINS["sphere"])
    coords, weights = start.domain.coords(torch.float64), start.domain.weights(torch.float64)
    weights = torch.where(torch.from_numpy(HOLES[0].reshape(-1)), 0.0, weights)
    engine, theta = ReferenceEngine(start.pattern, dtype=torch.float64), start.theta.double()
    slopes = torch.func.jacrev(lambda vector: engine.forward(vector, coords)[:, 0])(theta)
    expected = (weights[:, None] * slopes.square()).mean(0)
    found = fisher_diagonal(engine, theta[None], coords, 4000, 0, weights)[0]
    assert ((found - expected).abs() < 0.15 * expected + 1e-9).all()  # the standard error is 2.2 %


@each_domain
def test_a_code_of_what_is_there_is_calibrated_written_and_measured(domain):
    start, fit = start_on(domain), FitConfig(steps=40, lr=3e-3)
    calibrated = calibrate(start, DATA.test, CalibrationConfig(fit=fit, signals=3))
    for config in (EncodeConfig(fit=fit), EncodeConfig(fit=fit, rounded_steps=9)):
        for number, encoded in enumerate(encode_batch(calibrated, list(HOLED), config)):
            assert encoded.status == "ok"
            theta = decode(calibrated, encoded.data).theta
            assert encoded.psnr_db == pytest.approx(weighted_db(calibrated, theta, number), abs=1e-3)
            assert encoded.fitted_psnr_db - encoded.psnr_db < 1
