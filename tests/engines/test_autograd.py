"""The engine inside torch: what autograd, torch.compile and vmap make of it is what plain float64 says."""

import copy
import gc
import pickle
import re
import subprocess
import sys
import warnings

import pytest
import torch
from small_problems import field_of, make_problem, random_pattern, relative_error
from vjp_problems import FIELD, PATTERNS, TOLERANCE, close

from sparsine.engines import AutogradEngine, DenseEngine, SparseEngine, autograd
from sparsine.engines.living import living
from sparsine.engines.native import is_built
from sparsine.errors import BadInput, WorkFailed
from sparsine.fields.forward import forward_batch
from sparsine.meta.modulated_engine import ModulatedEngine
from sparsine.meta.modulations import initial
from sparsine.signals.grid import Grid
from sparsine.starts.start import Start

pytestmark = pytest.mark.skipif(not is_built(), reason="the extension was not built")
each_pattern = pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS)


def on_engine(pattern, instructions=None):
    return AutogradEngine(SparseEngine(pattern, instructions=instructions))


def leaves(*tensors, dtype=torch.float32):
    return [t.detach().to(dtype).requires_grad_() for t in tensors]


def plain(pattern):
    return lambda theta, coords: forward_batch(pattern.field, pattern.scatter(theta), coords)


def first_and_second(values, theta, coords, cotangents):
    """Gradients of what is computed, and gradients of a weighted sum of these."""
    firsts = torch.autograd.grad(values(theta, coords), (theta, coords), cotangents, create_graph=True)
    weighted = [(g * torch.linspace(-1, 2, g.numel(), dtype=g.dtype).view(g.shape)).sum() for g in firsts]
    return *firsts, *torch.autograd.grad(sum(weighted), (theta, coords, cotangents))


# ---- autograd ----


@each_pattern
@pytest.mark.parametrize("own_coords", [False, True])
@pytest.mark.parametrize("points", [1, 37])
def test_first_and_second_derivatives_of_values_are_those_of_plain_float64(pattern, own_coords, points):
    problem = make_problem(pattern, points=points, own_coords=own_coords)
    given = problem.theta, problem.coords, problem.values
    expected = first_and_second(plain(pattern), *leaves(*given, dtype=torch.float64))
    close(first_and_second(on_engine(pattern).values, *leaves(*given)), expected)


@each_pattern
def test_three_derivatives_of_the_loss_are_those_of_plain_float64(pattern):
    problem = make_problem(pattern, points=37)

    def derivatives(mse, theta):
        found, value = [], mse(theta).sum()
        for _ in range(3):
            (grad,) = torch.autograd.grad(value, theta, create_graph=True)
            found.append(grad.detach())
            value = (grad * torch.linspace(-1, 2, grad.numel(), dtype=grad.dtype).view(grad.shape)).sum()
        return found

    engine, single = on_engine(pattern), problem.to(torch.float32)
    expected = derivatives(
        lambda theta: (plain(pattern)(theta, problem.coords) - problem.values).square().mean(dim=(1, 2)),
        *leaves(problem.theta, dtype=torch.float64),
    )
    close(derivatives(lambda theta: engine.mse(theta, *single.samples), *leaves(problem.theta)), expected)


def test_the_plain_form_that_referees_is_that_of_finite_differences():
    problem = make_problem(random_pattern(field_of(2, 5, 4, 2), 0.6), signals=2, points=3, own_coords=True)
    given = leaves(problem.theta, problem.coords, dtype=torch.float64)
    assert torch.autograd.gradcheck(plain(problem.pattern), given)
    assert torch.autograd.gradgradcheck(plain(problem.pattern), given)


def test_second_derivatives_of_the_loss_are_the_engines_and_not_the_dense_fields(monkeypatch):
    problem = make_problem(PATTERNS["sparse"]).to(torch.float32)
    engine = on_engine(PATTERNS["sparse"])
    monkeypatch.setattr(autograd, "forward_batch", None)
    (theta,) = leaves(problem.theta)
    (grad,) = torch.autograd.grad(engine.mse(theta, *problem.samples).sum(), theta, create_graph=True)
    (product,) = torch.autograd.grad(grad, theta, problem.v)
    assert torch.equal(product, engine.engine.hvp(problem.theta, problem.v, *problem.samples))


def test_a_loss_has_gradients_in_coordinates_and_values_too():
    problem = make_problem(PATTERNS["sparse"], own_coords=True)
    expected = torch.autograd.grad(
        (plain(problem.pattern)(*(d := leaves(problem.theta, problem.coords, problem.values, dtype=torch.float64))[:2])
         - d[2]).square().mean(dim=(1, 2)).sum(), d,
    )  # fmt: skip
    given = leaves(problem.theta, problem.coords, problem.values)
    close(torch.autograd.grad(on_engine(problem.pattern).mse(*given).sum(), given), expected)


@pytest.mark.parametrize("wanted", ["theta", "coords"])
def test_only_what_is_asked_for_has_a_gradient(wanted):
    problem = make_problem(PATTERNS["sparse"]).to(torch.float32)
    given = {"theta": problem.theta.clone(), "coords": problem.coords.clone()}
    given[wanted].requires_grad_()
    on_engine(PATTERNS["sparse"]).values(**given).sum().backward()
    assert [name for name, tensor in given.items() if tensor.grad is not None] == [wanted]


def test_arrays_that_do_not_lie_in_a_row_give_the_same():
    problem = make_problem(PATTERNS["sparse"], points=9).to(torch.float32)
    engine = on_engine(PATTERNS["sparse"])
    theta, coords = problem.theta.T.contiguous().T, problem.coords.T.contiguous().T
    assert not theta.is_contiguous()
    assert not coords.is_contiguous()
    given = leaves(problem.theta, problem.coords)
    expected = torch.autograd.grad(engine.values(*given), given, problem.values)
    loose = [theta.requires_grad_(), coords.requires_grad_()]
    found = torch.autograd.grad(
        engine.values(*loose), loose, problem.values.transpose(0, 2).contiguous().transpose(0, 2)
    )
    for a, b in zip(found, expected, strict=True):
        assert torch.equal(a, b)


# ---- operators ----


@pytest.mark.parametrize("own_coords", [False, True])
@pytest.mark.parametrize("gradients", [False, True])
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:Converting a tensor")
def test_torch_finds_nothing_wrong_with_the_operators(own_coords, gradients):
    pattern = random_pattern(field_of(2, 7, 6, 3), 0.6)
    p = make_problem(pattern, points=5, own_coords=own_coords).to(torch.float32)
    engine = on_engine(pattern)
    theta = p.theta.requires_grad_(gradients)
    coords = p.coords.requires_grad_(gradients)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of anomaly mode, which opcheck turns on
        torch.library.opcheck(autograd._values, (theta, coords, engine.name))
        torch.library.opcheck(autograd._vjp, (theta, coords, p.values, True, engine.name))
        torch.library.opcheck(autograd._vjp, (theta, coords, p.values, False, engine.name))
        torch.library.opcheck(autograd._mse, (theta, coords.detach(), p.values, engine.name))
        torch.library.opcheck(autograd._hvp, (theta, p.v, coords.detach(), p.values, engine.name))
        torch.library.opcheck(autograd._positions, (p.values, engine.name))


COMPILED = """
import torch
from sparsine import Pattern, Siren
from sparsine.codec import FittedField
from sparsine.engines import AutogradEngine, SparseEngine
from sparsine.errors import BadInput
from sparsine.signals.grid import Grid
from sparsine.starts.start import Start

torch.manual_seed(0)
field = Siren(sizes=(2, 9, 7, 3), omega_0=5.0)
engines = [AutogradEngine(SparseEngine(Pattern(field, torch.rand(field.num_weights) < 0.6))) for _ in range(2)]

def loss(engine):
    def loss(theta, coords, values):
        return engine.values(theta, coords).sin().sum() + engine.mse(theta, coords.detach(), values).sum()
    return loss

def same(function, compiled, *given):
    given = [t.requires_grad_() for t in given]
    grads = [torch.autograd.grad(way(*given), given) for way in (compiled, function)]
    for found, expected in zip(*grads):
        assert torch.allclose(found, expected, rtol=1e-5, atol=1e-6), (found, expected)

for backend in ("aot_eager", "inductor"):
    torch._dynamo.reset()
    for engine in engines[: 2 if backend == "aot_eager" else 1]:
        function, params = loss(engine), engine.engine.pattern.num_params
        compiled = torch.compile(function, fullgraph=True, backend=backend)
        for signals, points in ((3, 5), (2, 11)):
            values = torch.rand(signals, points, 3)
            same(lambda *given: function(*given, values), lambda *given: compiled(*given, values),
                 torch.randn(signals, params), torch.rand(points, 2))
    pattern = engines[0].engine.pattern
    start = Start(pattern, torch.randn(pattern.num_params), Grid(shape=(4, 3)))
    module = FittedField(start, start.theta, (4, 3)).as_module()
    compiled = torch.compile(module, fullgraph=True, backend=backend)
    same(*[lambda coords, way=way: way(coords).square().sum() for way in (module, compiled)], torch.rand(2, 3, 2))
try:
    torch.func.grad(lambda coords: module(coords).sum())(torch.rand(3, 2))
except BadInput as error:
    print(error)
"""


def test_compiled_as_one_graph_the_answers_are_the_same_and_torch_func_is_refused_in_one_line():
    """In a process of its own: checks of shapes cannot be compiled."""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", COMPILED], capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"torch\.func cannot differentiate .* use torch\.autograd\.grad .*\n", done.stdout)


def test_vmap_makes_signals_of_what_it_maps_over():
    p = make_problem(PATTERNS["sparse"], signals=6, points=7).to(torch.float32)
    engine = on_engine(PATTERNS["sparse"])
    two_by_three = leaves(p.theta.reshape(2, 3, -1), p.coords)
    mapped = torch.vmap(engine.values, in_dims=(0, None))(*two_by_three)
    given = leaves(p.theta, p.coords)
    expected = engine.values(*given)
    assert torch.equal(mapped.flatten(0, 1), expected)
    for found, wanted in zip(torch.autograd.grad(mapped.square().sum(), two_by_three),
                             torch.autograd.grad(expected.square().sum(), given), strict=True):  # fmt: skip
        assert torch.allclose(found.reshape(wanted.shape), wanted, rtol=1e-5, atol=1e-6)
    theta = two_by_three[0].detach().transpose(0, 1).requires_grad_()
    losses = torch.vmap(engine.mse, in_dims=(1, None, 0))(theta, p.coords, p.values.reshape(2, 3, 7, 3))
    assert torch.equal(losses.flatten(), engine.mse(p.theta, *p.samples))
    (grad,) = torch.autograd.grad(losses.sum(), theta, create_graph=True)
    (product,) = torch.autograd.grad((grad.transpose(0, 1).flatten(0, 1) * p.v).sum(), theta)
    assert torch.equal(product.transpose(0, 1).flatten(0, 1), engine.engine.hvp(p.theta, p.v, *p.samples))


def test_a_jacobian_is_made_in_one_call_of_many_rows():
    p = make_problem(PATTERNS["sparse"], points=4).to(torch.float32)
    engine, (coords,) = on_engine(PATTERNS["sparse"]), leaves(p.coords)
    drawn = engine.values(p.theta[:1], coords)
    rows = torch.eye(12).reshape(12, 1, 4, 3)
    (found,) = torch.autograd.grad(drawn, coords, rows, is_grads_batched=True, retain_graph=True)
    expected = torch.stack([torch.autograd.grad(drawn, coords, row, retain_graph=True)[0] for row in rows])
    assert torch.allclose(found, expected, rtol=1e-5, atol=1e-6)


# ---- engines that come and go ----


def test_an_engine_lives_as_long_as_a_graph_needs_it():
    p = make_problem(PATTERNS["sparse"]).to(torch.float32)
    given = leaves(p.theta, p.coords)
    values = on_engine(PATTERNS["sparse"]).values(*given)
    gc.collect()
    values.sum().backward()
    assert given[0].grad is not None


def test_an_engine_that_nobody_holds_any_more_is_told_of():
    engine = on_engine(random_pattern(FIELD, 0.11, seed=5))
    name = engine.name
    assert living(name) is engine.engine
    del engine
    gc.collect()
    with pytest.raises(WorkFailed, match="is gone: keep"):
        living(name)


def test_names_are_of_what_is_computed():
    names = [on_engine(pattern).name for pattern in PATTERNS.values()]
    assert len(set(names)) == len(PATTERNS)
    assert on_engine(PATTERNS["sparse"]).name == names[0]
    assert AutogradEngine(DenseEngine(PATTERNS["sparse"])).name != names[0]


@pytest.mark.parametrize("again", [copy.deepcopy, lambda engine: pickle.loads(pickle.dumps(engine))])
def test_copies_have_engines_of_their_own(again):
    p = make_problem(PATTERNS["sparse"]).to(torch.float32)
    engine = on_engine(PATTERNS["sparse"])
    copied = again(engine)
    expected = engine.values(p.theta, p.coords)
    del engine
    gc.collect()
    assert torch.equal(copied.values(p.theta, p.coords), expected)


# ---- engines without products of their own; bad input ----


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_other_engines_are_differentiated_in_plain_operations(dtype):
    p = make_problem(PATTERNS["sparse"])
    given = [t.to(dtype).requires_grad_() for t in (p.theta, p.coords, p.values)]
    expected = first_and_second(plain(p.pattern), *leaves(p.theta, p.coords, p.values, dtype=torch.float64))
    engine = AutogradEngine(DenseEngine(p.pattern, dtype=dtype))
    close(first_and_second(engine.values, *given), expected)
    assert torch.allclose(engine.mse(*given), engine.engine.loss(*[t.detach() for t in given]), rtol=1e-4)


def test_latents_are_differentiated_too():
    pattern = random_pattern(FIELD, 0.5)
    start = Start(pattern, pattern.gather(FIELD.initial_theta(0)[None])[0], Grid(shape=(5, 3)))
    engine = ModulatedEngine(SparseEngine(pattern), initial(start, latents=4, seed=0))
    z, coords = leaves(torch.randn(2, 4, generator=torch.Generator().manual_seed(1)), start.domain.coords())
    values = torch.rand(2, 15, 3, generator=torch.Generator().manual_seed(2))
    (grad,) = torch.autograd.grad(AutogradEngine(engine).mse(z, coords, values).sum(), z)
    assert relative_error(grad, engine.loss_and_grad(z.detach(), coords.detach(), values)[1]) < TOLERANCE


BAD = {
    "theta must be": lambda p: (p.theta[:, 1:], p.coords),
    "coords must be": lambda p: (p.theta, p.coords[:, :1]),
    "coords hold 2 signals": lambda p: (p.theta, p.coords.expand(2, -1, -1)),
    "theta is torch.float64": lambda p: (p.theta.double(), p.coords),
    "coords is torch.float64": lambda p: (p.theta, p.coords.double()),
    "theta is torch.float32 on meta": lambda p: (p.theta.to("meta"), p.coords),
    "at least one point": lambda p: (p.theta, p.coords[:0]),
}


@pytest.mark.parametrize("says", BAD)
@pytest.mark.parametrize("engine", [SparseEngine, DenseEngine])
def test_what_cannot_be_computed_is_refused_in_one_line(says, engine):
    problem = make_problem(PATTERNS["sparse"]).to(torch.float32)
    with pytest.raises(BadInput, match=says) as refused:
        AutogradEngine(engine(PATTERNS["sparse"])).values(*BAD[says](problem))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("wrong", [lambda g: g[..., 1:], lambda g: g.double()])
def test_cotangents_of_another_shape_or_type_are_refused(wrong):
    p = make_problem(PATTERNS["sparse"]).to(torch.float32)
    with pytest.raises(BadInput, match="cotangents"):
        SparseEngine(PATTERNS["sparse"]).vjp(p.theta, p.coords, wrong(p.values))


def test_no_signals_have_no_gradient():
    p = make_problem(PATTERNS["sparse"]).to(torch.float32)
    given = leaves(p.theta[:0], p.coords)
    found = torch.autograd.grad(on_engine(PATTERNS["sparse"]).values(*given).sum(), given)
    assert found[0].shape == (0, PATTERNS["sparse"].num_params)
    assert torch.equal(found[1], torch.zeros_like(p.coords))
