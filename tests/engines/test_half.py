"""Drawing in half precision beside drawing in float32. Where the processor cannot, one line says so."""

import numpy as np
import pytest
import torch
from small_problems import Pattern, field_of, make_problem, random_pattern
from vjp_problems import PATTERNS

from sparsine import Grid, Start
from sparsine.engines import SparseEngine, make_engine
from sparsine.engines.native import instruction_sets, is_built
from sparsine.errors import BadInput
from sparsine.fields import MLP
from sparsine.fields.activations import Gauss
from sparsine.fitting.fitted_field import FittedField

pytestmark = pytest.mark.skipif(not is_built(), reason="the extension was not built")
FIELD = field_of(2, 23, 19, 3, omega_0=5.0, output_offset=0.5)
WIDE = field_of(2, 130, 131, 129, 3, omega_0=20.0)
SHAPES = {
    **PATTERNS,
    "blocks of four and three more rows": Pattern.full(field_of(2, 9, 7, 7, 1)),
    "wide, half of it": random_pattern(WIDE, 0.5),
    "wide, all of it": Pattern.full(WIDE),
    "bells": random_pattern(MLP(sizes=(2, 17, 9, 3), activation=Gauss(sigma=0.3)), 0.6),
}
TOLERANCE = 2e-3
"""Of what an output could be: neurons are not above 1, so it is the sum of its weights' sizes. Measured: 1.5e-3."""


def draws_half():
    return is_built() and SparseEngine(PATTERNS["sparse"]).why_not_half() is None


here = pytest.mark.skipif(not draws_half(), reason="this processor or build does not draw in half precision")


def at_most(pattern, theta):
    """(signals,): how far the outputs of a field can be from their biases."""
    *_, last, outputs = pattern.field.sizes
    dense = pattern.scatter(theta)[:, : pattern.field.num_weights]
    return dense[:, -outputs * last :].reshape(-1, outputs, last).abs().sum(dim=2).amax(dim=1)


def drawn(pattern, theta, coords, **options):
    return SparseEngine(pattern).predict(theta, coords, **options)


@here
@pytest.mark.parametrize("pattern", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("own_coords", [False, True])
@pytest.mark.parametrize("points", [1, 63, 65, 1100])
def test_values_are_those_of_float32_but_for_the_rounding(pattern, own_coords, points):
    problem = make_problem(pattern, points=points, own_coords=own_coords).to(torch.float32)
    expected = drawn(pattern, problem.theta, problem.coords)
    found = drawn(pattern, problem.theta, problem.coords, half=True)
    assert found.dtype == torch.float32
    assert found.shape == expected.shape
    assert bool(((found - expected).abs().amax(dim=(1, 2)) <= TOLERANCE * at_most(pattern, problem.theta)).all())


@here
def test_it_is_half_precision():
    problem = make_problem(SHAPES["wide, half of it"], points=100).to(torch.float32)
    found = drawn(problem.pattern, problem.theta, problem.coords, half=True)
    assert not torch.equal(found, drawn(problem.pattern, problem.theta, problem.coords))


@here
def test_values_have_the_same_bits_for_any_number_of_threads_and_any_split():
    pattern = SHAPES["wide, half of it"]
    problem, before = make_problem(pattern, signals=5, points=1300).to(torch.float32), torch.get_num_threads()
    expected = drawn(pattern, problem.theta, problem.coords, half=True)
    try:
        torch.set_num_threads(3)
        assert torch.equal(drawn(pattern, problem.theta, problem.coords, half=True), expected)
    finally:
        torch.set_num_threads(before)
    for first, last in ((0, 1), (1, 130), (130, 771), (771, 1300)):
        part = drawn(pattern, problem.theta[2:3], problem.coords[first:last], half=True)
        assert torch.equal(part[0], expected[2, first:last])


@here
def test_one_engine_draws_both_ways_in_turns():
    pattern = SHAPES["wide, half of it"]
    problem, engine = make_problem(pattern, points=700).to(torch.float32), SparseEngine(pattern)
    ways = [(i, half) for i in (0, 1, 0, 2) for half in (True, False, True)]
    for i, half in ways:
        theta = problem.theta[i : i + 1]
        assert torch.equal(engine.predict(theta, problem.coords, half=half),
                           drawn(pattern, theta, problem.coords, half=half))  # fmt: skip
    gradient = engine.loss_and_grad(problem.theta, *problem.samples)[1]
    assert torch.equal(gradient, SparseEngine(pattern).loss_and_grad(problem.theta, *problem.samples)[1])


@here
def test_what_is_no_number_stays_none():
    problem = make_problem(SHAPES["wide, half of it"], points=70).to(torch.float32)
    problem.coords[7, 0] = torch.nan
    found = drawn(problem.pattern, problem.theta, problem.coords, half=True)
    assert bool(found[:, 7].isnan().all())
    assert int(found.isnan().any(dim=2).sum()) == len(found)


@here
def test_a_drawing_is_put_together_of_what_the_engine_draws():
    pattern = SHAPES["sparse"]
    start = Start(pattern, make_problem(pattern).theta[0].float(), Grid(shape=(9, 11)))
    field = FittedField(start, start.theta, (9, 11))
    expected = drawn(pattern, start.theta[None], start.domain.coords(), half=True)[0].reshape(9, 11, 3).numpy()
    assert np.array_equal(field.render(half=True), expected)
    assert np.array_equal(np.concatenate(list(field.slabs(half=True))), expected)
    assert not np.array_equal(field.render(), expected)


@pytest.mark.parametrize("name", ["dense", "reference"])
def test_engines_that_cannot_name_the_one_that_can(name):
    problem = make_problem(PATTERNS["sparse"]).to(torch.float32)
    with pytest.raises(BadInput, match=f"^engine '{name}' does not draw in half precision; .*'sparse'$"):
        make_engine(problem.pattern, name).predict(problem.theta, problem.coords, half=True)


@pytest.mark.parametrize("instructions", [one for one in instruction_sets() if one != "avx512"])
def test_other_instruction_sets_say_what_it_takes(instructions, monkeypatch):
    problem = make_problem(PATTERNS["sparse"]).to(torch.float32)
    said = rf"^drawing in half .* takes .*AVX512-FP16.*; here engine 'sparse' runs on {instructions}; draw without"
    with pytest.raises(BadInput, match=said):
        SparseEngine(problem.pattern, instructions=instructions).predict(problem.theta, problem.coords, half=True)
    monkeypatch.setenv("SPARSINE_INSTRUCTIONS", instructions)
    start = Start(problem.pattern, problem.theta[0], Grid(shape=(9, 11)))
    with pytest.raises(BadInput, match=said):
        FittedField(start, start.theta, (9, 11)).render(half=True)
