"""Fits that see some samples in each step."""

import copy

import numpy as np
import torch
from small_problems import field_of

from sparsine.engines.choose import make_engine
from sparsine.fields.pattern import Pattern
from sparsine.fitting.fit import FitConfig, Fitting, fit
from sparsine.fitting.points import FEW, InMemory, Places
from sparsine.signals.grid import Grid

PATTERN = Pattern.full(field_of(2, 12, 1, omega_0=9.0))
GRID = Grid(shape=(9, 7))


def wave(*phases):
    rows, columns = GRID.coords().T
    return torch.stack([0.5 + 0.4 * torch.sin(3 * rows + phase * columns) for phase in phases])[:, :, None]


def fitted(values, coords=None, **options):
    config = FitConfig(steps=40, lr=5e-3, **options)
    start = PATTERN.field.initial_theta(0)
    return fit(make_engine(PATTERN, "dense"), start, GRID.coords() if coords is None else coords, values, config)


def test_each_step_sees_other_samples_and_each_with_its_value():
    coords = torch.arange(40.0)[:, None]
    draws = InMemory(coords, torch.stack([coords * 2, coords * 3]), Places((40,), 7, seed=5))
    seen = [draws.draw(step) for step in range(3)]
    for points, values, _ in seen:
        assert len(set(points[:, 0].tolist())) == 7
        assert torch.equal(values, torch.stack([points * 2, points * 3]))
    assert not torch.equal(seen[0][0], seen[1][0])
    assert torch.equal(draws.draw(1)[0], seen[1][0])  # whatever was asked before


def test_points_of_a_huge_signal_are_drawn_without_listing_it():
    drawn = Places((1 << 40,), 5, seed=0).draw(3)
    assert drawn.shape == (5,)
    assert FEW < drawn.max() < 1 << 40


def test_a_fit_on_some_samples_comes_near_to_one_on_all_and_is_measured_on_all():
    values = wave(2.0)
    everything, some = fitted(values), fitted(values, points=20)
    assert abs(some.psnr_db[0][0] - everything.psnr_db[0][0]) < 1e-5
    assert some.psnr_db[0][-1] > everything.psnr_db[0][0] + 3
    loss = make_engine(PATTERN, "dense").loss(some.theta, GRID.coords(), values)
    assert abs(some.psnr_db[0][-1] + 10 * np.log10(loss.item())) < 1e-4


def test_as_many_points_as_there_are_is_the_whole_signal():
    values = wave(1.0)
    assert torch.equal(fitted(values, points=63).theta, fitted(values).theta)


def test_what_a_signal_becomes_does_not_depend_on_those_beside_it():
    both, alone = fitted(wave(1.0, 2.0), points=11), fitted(wave(2.0), points=11)
    assert torch.allclose(both.theta[1], alone.theta[0], atol=1e-5)


def test_another_seed_sees_other_samples():
    a, b = (fitted(wave(1.0), points=11, points_seed=seed).theta for seed in (0, 1))
    assert not torch.equal(a, b)


def test_every_signal_may_have_coordinates_of_its_own():
    values = wave(1.0, 2.0)
    order = torch.randperm(63, generator=torch.Generator().manual_seed(1))
    coords = torch.stack([GRID.coords(), GRID.coords()[order]])
    shuffled = torch.stack([values[0], values[1][order]])
    for options in ({}, {"points": 30}):
        result = fitted(shuffled, coords, **options)
        assert abs(result.psnr_db[1][0] - fitted(values).psnr_db[1][0]) < 1e-4
        assert min(curve[-1] for curve in result.psnr_db) > 17


def test_a_fit_can_be_copied_on_its_way():
    engine, config = make_engine(PATTERN, "dense"), FitConfig(steps=10, lr=5e-3, points=9)
    fitting = Fitting(PATTERN.field.initial_theta(0), GRID.coords(), wave(1.0), config)
    fitting.advance(engine, 4)
    assert torch.equal(copy.deepcopy(fitting).finish(engine).theta, fitting.finish(engine).theta)
