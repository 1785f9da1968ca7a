"""A start told in other conventions draws the same, and learns otherwise."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from kinds_of_fields import KINDS, field_like
from small_problems import Pattern, field_of, random_pattern

from sparsine.cli.main import main
from sparsine.engines import DenseEngine
from sparsine.errors import BadInput
from sparsine.signals.grid import Grid
from sparsine.starts.conventions import reparametrised
from sparsine.starts.start import Start, load_start

FIELD = field_of(2, 7, 5, 3, omega_0=4.0, output_offset=0.5)
PATTERNS = {"full": Pattern.full(FIELD), "pruned": random_pattern(FIELD, 0.5, seed=2)}
LEARNIT = Grid(shape=(7, 5), extent=(0.0, 1.0), alignment="lower")
PAPER = Grid(shape=(7, 5))
GRIDS = {
    "paper's": PAPER,
    "Learnit's": LEARNIT,
    "middles of cells": Grid(shape=(7, 5), alignment="centers"),
    "an extent of its own on each axis": Grid(shape=(7, 5), extent=((-0.3, 2.0), (1.0, 1.7))),
}


def start_of(pattern, grid):
    theta = pattern.gather(FIELD.initial_theta(6)[None])[0]
    return Start(pattern, theta, grid, {"data": "somewhere"})


def drawn(start):
    return DenseEngine(start.pattern).predict(start.theta[None], start.domain.coords())[0]


@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=list(PATTERNS))
@pytest.mark.parametrize("axis_order", ["array", "reversed"])
@pytest.mark.parametrize("old", GRIDS)
@pytest.mark.parametrize("new", GRIDS)
def test_a_reparametrised_start_draws_the_same(pattern, axis_order, old, new):
    start = start_of(pattern, replace(GRIDS[old], axis_order=axis_order))
    theta = start.theta.clone()
    told = reparametrised(start, replace(GRIDS[new], axis_order=axis_order))
    torch.testing.assert_close(drawn(told), drawn(start), rtol=0, atol=1e-5)
    assert torch.equal(told.pattern.keep, pattern.keep)
    assert told.domain == replace(GRIDS[new], axis_order=axis_order)
    assert told.field == replace(FIELD, output_offset=0.0)
    assert told.info == start.info
    assert torch.equal(start.theta, theta)


def test_axes_are_told_apart():
    # every coordinate has a scale of its own: mixed up, the drawing would be another one
    start = start_of(PATTERNS["full"], GRIDS["an extent of its own on each axis"])
    first = reparametrised(start, PAPER).theta[:14].view(7, 2) / start.theta[:14].view(7, 2)
    torch.testing.assert_close(first, torch.tensor([[2.3 / 2, 0.7 / 2]]).expand(7, 2), rtol=1e-5, atol=0)


@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=list(PATTERNS))
def test_the_offset_is_folded_into_the_last_biases_and_only_the_first_layer_is_scaled(pattern):
    start = start_of(pattern, LEARNIT)
    old, new = (s.pattern.scatter(s.theta[None])[0] for s in (start, reparametrised(start, PAPER)))
    weights = FIELD.num_weights
    # arange(n) / n of [0, 1) as linspace(-1, 1, n): half the extent, and not quite all of it
    scale = torch.tensor([6 / 7 / 2, 4 / 5 / 2])
    torch.testing.assert_close(new[:14].view(7, 2), old[:14].view(7, 2) * scale, rtol=1e-6, atol=0)
    assert torch.equal(new[14:weights], old[14:weights])
    torch.testing.assert_close(new[-3:], old[-3:] + 0.5)
    assert torch.equal(new[weights + 7 : -3], old[weights + 7 : -3])
    assert not torch.equal(new[weights : weights + 7], old[weights : weights + 7])


def test_gradients_of_the_first_layer_differ_by_the_scale_of_the_coordinates():
    start = start_of(PATTERNS["full"], Grid(shape=(7, 5), extent=(-3.0, 3.0)))
    told = reparametrised(start, PAPER)
    values = torch.from_numpy(np.random.default_rng(4).random((1, 35, 3), dtype=np.float32))
    old, new = (
        DenseEngine(s.pattern).loss_and_grad(s.theta[None], s.domain.coords(), values)[1][0] for s in (start, told)
    )
    torch.testing.assert_close(old[:14], 3 * new[:14], rtol=1e-3, atol=1e-6)
    torch.testing.assert_close(old[14:], new[14:], rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize(
    "grid",
    [Grid(shape=(5, 7)), Grid(shape=(7, 6)), Grid(shape=(7, 5), axis_order="reversed")],
    ids=["axes swapped", "one more column", "another order"],
)
def test_other_samples_are_refused(grid):
    with pytest.raises(BadInput, match="cannot be reparametrised for"):
        reparametrised(start_of(PATTERNS["full"], PAPER), grid)


def test_a_single_sample_on_an_axis_has_no_scale_and_is_refused():
    with pytest.raises(BadInput, match="two at least on each axis"):
        reparametrised(start_of(PATTERNS["full"], Grid(shape=(7, 1))), Grid(shape=(7, 1)))


# sparsine import-learnit --conventions


@pytest.fixture
def published(tmp_path):
    rng, sizes = np.random.default_rng(3), (2, 5, 4, 3)
    arrays = {}
    for i, (n_in, n_out) in enumerate(pairwise(sizes)):
        arrays[f"layers.{i}.weight"] = rng.uniform(-1, 1, (n_out, n_in)).astype(np.float32)
        arrays[f"layers.{i}.bias"] = rng.uniform(-1, 1, n_out).astype(np.float32)
    np.savez(tmp_path / "published.npz", **arrays)
    return tmp_path / "published.npz"


def test_a_published_start_is_imported_in_either_convention_and_draws_the_same(published, tmp_path):
    starts = {}
    for name in ("learnit", "paper"):
        out = tmp_path / f"{name}.safetensors"
        args = ["import-learnit", str(published), "--out", str(out), "--omega-0", "3", "--conventions", name]
        assert main(args) == 0
        starts[name] = load_start(out)
    learnit, paper = starts.values()
    assert (learnit.field.output_offset, paper.field.output_offset) == (0.5, 0.0)
    assert (learnit.domain.alignment, paper.domain) == ("lower", Grid(shape=(178, 178)))
    torch.testing.assert_close(drawn(paper), drawn(learnit), rtol=0, atol=1e-5)


def test_a_convention_that_does_not_exist_is_refused_and_nothing_written(published, tmp_path, capsys):
    args = ["import-learnit", str(published), "--out", str(tmp_path / "x.safetensors"), "--conventions", "papers"]
    assert main(args) == 2
    assert "learnit, paper" in capsys.readouterr().err
    assert not (tmp_path / "x.safetensors").exists()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.endswith(", none")])
def test_a_field_of_any_activation_is_reparametrised(kind):
    field = field_like(kind, (2, 7, 5, 3), output_offset=0.5)
    start = Start(Pattern.full(field), field.initial_theta(6), LEARNIT)
    told = reparametrised(start, PAPER)
    assert told.field == replace(field, output_offset=0.0)
    torch.testing.assert_close(drawn(told), drawn(start), rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", ["relu, fourier", "gauss, radius"])
def test_a_field_that_encodes_its_coordinates_cannot_be_reparametrised(kind):
    field = field_like(kind, (2, 7, 5, 3))
    start = Start(Pattern.full(field), field.initial_theta(6), LEARNIT)
    with pytest.raises(BadInput, match=r"a field with (fourier|radius) .* cannot be written in another way"):
        reparametrised(start, PAPER)
