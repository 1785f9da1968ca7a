"""The dense engine without dead neurons: answers, zeros where a number counts for nothing, one device."""

from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from kinds_of_fields import KINDS, field_like, unlike_zero
from small_problems import Pattern, answers, field_of, make_problem, random_keep, relative_error

from sparsine import checks
from sparsine.engines import DenseEngine, ReferenceEngine, choose, make_engine
from sparsine.errors import BadInput
from sparsine.fields.liveness import live_params
from sparsine.memory import Room

SIZES = (3, 23, 19, 21, 2)
# Both compute the same formulas in another order; arguments of sines are small here.
FLOAT64 = 1e-12


def wounded(field, seed=0):
    """Few weights: neurons that lead nowhere, that nothing leads to, and an input that nothing reads."""
    keep = random_keep(field, 0.06, seed)
    first, second, *_ = Pattern(field, keep).layer_keeps()  # views
    first[:, 0] = False
    second[3] = False
    second[3, 4] = first[4, -1] = True
    return Pattern(field, keep)


def problem_of(field, seed=0, **question):
    problem = make_problem(wounded(field, seed), **question)
    return replace(problem, theta=unlike_zero(problem))


def weights_for(points):
    drawn = torch.rand(3, points, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return drawn / drawn.mean(-1, keepdim=True)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("own_coords", [False, True])
def test_all_answers_are_those_of_the_whole_field(seed, own_coords):
    problem = problem_of(field_of(*SIZES), seed, own_coords=own_coords)
    engine, referee = (of(problem.pattern, dtype=torch.float64) for of in (DenseEngine, ReferenceEngine))
    found, expected = answers(engine, problem), answers(referee, problem)
    for question, answer in expected.items():
        assert relative_error(found[question], answer) < FLOAT64, question
    weights = weights_for(11)
    for ask in (
        lambda e: e.loss(problem.theta, *problem.samples, weights),
        lambda e: e.loss_and_grad(problem.theta, *problem.samples, weights)[1],
        lambda e: e.hvp(problem.theta, problem.v, *problem.samples, weights),
        lambda e: e.vjp(problem.theta, problem.coords, problem.values)[0],
        lambda e: e.vjp(problem.theta, problem.coords, problem.values)[1],
        lambda e: e.plain_values(problem.theta, problem.coords),
    ):
        assert relative_error(ask(engine), ask(referee)) < FLOAT64


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_field_is_cut_alike(kind):
    problem = problem_of(field_like(kind, SIZES, output_offset=0.5), own_coords=True)
    engine, referee = (of(problem.pattern, dtype=torch.float64) for of in (DenseEngine, ReferenceEngine))
    found, expected = answers(engine, problem), answers(referee, problem)
    for question, answer in expected.items():
        assert relative_error(found[question], answer) < FLOAT64, question
    of_theta, of_coords = engine.vjp(problem.theta, problem.coords, problem.values)
    its_theta, its_coords = referee.vjp(problem.theta, problem.coords, problem.values)
    assert relative_error(of_theta, its_theta) < FLOAT64
    assert relative_error(of_coords, its_coords) < FLOAT64


def test_numbers_that_count_for_nothing_have_the_derivative_zero_and_constants_have_theirs():
    problem = problem_of(field_of(*SIZES))
    dead = ~live_params(problem.pattern)
    engine = DenseEngine(problem.pattern, dtype=torch.float64)
    _, grad = engine.loss_and_grad(problem.theta, *problem.samples)
    product = engine.hvp(problem.theta, problem.v, *problem.samples)
    assert 20 < int(dead.sum()) < len(dead)
    assert not grad[:, dead].any()
    assert not product[:, dead].any()
    assert (grad[:, ~dead] != 0).all()


def test_the_layers_that_are_computed_are_as_narrow_as_what_leads_to_an_output():
    problem = problem_of(field_of(*SIZES))
    widths = DenseEngine(problem.pattern)._narrow.widths
    assert max(widths) < 15 < 19
    assert sum(a * b for a, b in pairwise(widths)) < problem.pattern.field.num_weights / 3


def test_a_dead_number_may_be_anything():
    problem = problem_of(field_of(*SIZES))
    dead = ~live_params(problem.pattern)
    engine = DenseEngine(problem.pattern, dtype=torch.float64)
    changed = torch.where(dead, torch.tensor(1e300, dtype=torch.float64), problem.theta)
    expected, found = answers(engine, problem), answers(engine, replace(problem, theta=changed))
    assert all(torch.equal(found[question], answer) for question, answer in expected.items())


@pytest.mark.parametrize("own_coords", [False, True])
def test_nothing_that_is_computed_on_a_device_lies_elsewhere(own_coords):
    """Without a device at hand: on "meta", where tensors say no more than where they are, and what others they meet."""
    problem = problem_of(field_of(*SIZES), own_coords=own_coords).to(torch.float32)
    engine, there = DenseEngine(problem.pattern, device="meta"), moved(problem, "meta")
    assert {answer.device.type for answer in answers(engine, there).values()} == {"meta"}
    held = [value for part in (engine, engine._narrow) for value in vars(part).values()]
    tensors = [value for value in held if isinstance(value, torch.Tensor)]
    assert len(tensors) == 4  # three of places, one of scales
    assert {tensor.device.type for tensor in tensors} == {"meta"}


def test_a_device_with_too_little_memory_for_an_engine_is_refused_with_what_it_needs(monkeypatch):
    monkeypatch.setattr(choose, "check_device", lambda device: None)
    monkeypatch.setattr(checks, "free_on", lambda device: Room(1 << 20, f"{device} has free"))
    with pytest.raises(BadInput) as error:
        make_engine(wounded(field_of(*SIZES)), "dense", device="meta")
    assert str(error.value) == (
        "engine 'dense' would need about 0.0 GiB of memory, but meta has free 0.0; use another device, or cpu"
    )
    monkeypatch.setattr(checks, "free_on", lambda device: Room(1 << 30, f"{device} has free"))
    assert make_engine(wounded(field_of(*SIZES)), "dense", device="meta").workspace_bytes == 4 * 9 * 2**18


def moved(problem, device):
    return replace(problem, **{name: getattr(problem, name).to(device) for name in ("theta", "v", "coords", "values")})
