from dataclasses import replace

import jaxtyping
import pytest
import torch
from small_problems import field_of, make_problem, random_pattern

from sparsine.engines import ENGINES, DenseEngine, ReferenceEngine, SparseEngine, make_engine
from sparsine.errors import BadInput

PATTERN = random_pattern(field_of(2, 7, 5, 3), 0.6)
NUM_PARAMS = PATTERN.num_params


@pytest.fixture(autouse=True)
def unchecked(monkeypatch):
    """As for a user: without the checker of annotations, which would refuse some of this first."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


def meta(tensor):
    return torch.empty(tensor.shape, dtype=tensor.dtype, device="meta")


def other_float(tensor):
    return tensor.float() if tensor.dtype == torch.float64 else tensor.double()


def change(name, function):
    return lambda problem: replace(problem, **{name: function(getattr(problem, name))})


# {own}: the dtype of the engine, {other}: the other float
WRONG = {
    "theta of another length": (
        change("theta", lambda t: t[:, 1:]),
        [f"theta must be (signals, {NUM_PARAMS})", f"(3, {NUM_PARAMS - 1})", PATTERN.counts],
    ),
    "a single vector": (
        change("theta", lambda t: t[0]),
        [f"theta must be (signals, {NUM_PARAMS})", f"({NUM_PARAMS},)"],
    ),
    "coords of three dimensions": (
        change("coords", lambda t: torch.cat([t, t[:, :1]], dim=1)),
        ["coords must be (points, 2) or (signals, points, 2)", "(11, 3)"],
    ),
    "one flat coordinate": (change("coords", lambda t: t[0]), ["coords must be", "(2,)"]),
    "no points": (change("coords", lambda t: t[:0]), ["at least one point", "(0, 2)"]),
    "coords of other signals": (
        change("coords", lambda t: t.expand(4, -1, -1)),
        ["coords hold 4 signals but theta holds 3"],
    ),
    "theta of another dtype": (
        change("theta", other_float),
        ["made for {own}", "theta is {other} on cpu", "convert it"],
    ),
    "coords of another dtype": (change("coords", other_float), ["coords is {other} on cpu"]),
    "coords elsewhere": (change("coords", meta), ["on cpu", "coords is {own} on meta"]),
    "theta elsewhere": (change("theta", meta), ["theta is {own} on meta"]),
}
WRONG_VALUES = {
    "values of another signal count": (
        change("values", lambda t: t[:2]),
        ["values must be (signals, points, channels) = (3, 11, 3)", "(2, 11, 3)"],
    ),
    "values of another point count": (change("values", lambda t: t[:, :10]), ["(3, 11, 3)", "(3, 10, 3)"]),
    "values of one channel": (change("values", lambda t: t[..., :1]), ["(3, 11, 3)", "(3, 11, 1)"]),
    "values without channels": (change("values", lambda t: t[..., 0]), ["(3, 11, 3)", "(3, 11)"]),
    "values of bytes": (change("values", lambda t: t.to(torch.uint8)), ["values is torch.uint8 on cpu"]),
    "values elsewhere": (change("values", meta), ["values is {own} on meta"]),
}
WRONG_V = {
    "v of another length": (change("v", lambda t: t[:, 1:]), [f"(3, {NUM_PARAMS})", f"(3, {NUM_PARAMS - 1})"]),
    "v of one signal": (change("v", lambda t: t[:1]), [f"(3, {NUM_PARAMS})", f"(1, {NUM_PARAMS})"]),
    "v of another dtype": (change("v", other_float), ["v is {other} on cpu"]),
    "v elsewhere": (change("v", meta), ["v is {own} on meta"]),
}
QUESTIONS = {
    "predict": (lambda e, p: e.predict(p.theta, p.coords), WRONG),
    "loss": (lambda e, p: e.loss(p.theta, p.coords, p.values), WRONG | WRONG_VALUES),
    "loss_and_grad": (lambda e, p: e.loss_and_grad(p.theta, p.coords, p.values), WRONG | WRONG_VALUES),
    "hvp": (lambda e, p: e.hvp(p.theta, p.v, p.coords, p.values), WRONG | WRONG_VALUES | WRONG_V),
}
CASES = [(question, wrong) for question, (_, wrongs) in QUESTIONS.items() for wrong in wrongs]


@pytest.mark.parametrize(
    ("engine_of", "own", "other"),
    [
        (DenseEngine, torch.float64, torch.float32),
        (ReferenceEngine, torch.float64, torch.float32),
        (SparseEngine, torch.float32, torch.float64),
    ],
    ids=["dense", "reference", "sparse"],
)
@pytest.mark.parametrize(("question", "wrong"), CASES, ids=lambda case: case.replace(" ", "-"))
def test_a_mistaken_argument_is_refused_and_named(engine_of, own, other, question, wrong):
    ask, wrongs = QUESTIONS[question]
    spoil, words = wrongs[wrong]
    engine = engine_of(PATTERN, dtype=own)
    problem = make_problem(PATTERN).to(own)
    ask(engine, problem)
    with pytest.raises(BadInput) as error:
        ask(engine, spoil(problem))
    assert "\n" not in str(error.value)
    for word in words:
        assert word.format(own=own, other=other) in str(error.value)


def test_a_message_names_the_engine_that_was_asked():
    problem = make_problem(PATTERN)
    for name, engine_of in ENGINES.items():
        if name == "triton" and engine_of.supports(PATTERN.field, torch.device("cpu"), torch.float32):
            continue  # neither a GPU nor the interpreter is here
        with pytest.raises(BadInput, match=f"engine '{name}' was made for torch.float32 on cpu"):
            engine_of(PATTERN, device="cpu").predict(problem.theta, problem.coords)


@pytest.mark.parametrize(
    ("name", "kind"), [("auto", DenseEngine), ("dense", DenseEngine), ("reference", ReferenceEngine)]
)
def test_make_engine_gives_the_engine_that_is_named(name, kind):
    engine = make_engine(PATTERN, name, dtype=torch.float64)
    assert type(engine) is kind
    assert (engine.pattern, engine.field, engine.dtype) == (PATTERN, PATTERN.field, torch.float64)
    assert engine.device == torch.device("cpu")


def test_engines_are_float32_on_the_cpu_unless_asked():
    engine = make_engine(PATTERN)
    assert (engine.dtype, engine.device.type) == (torch.float32, "cpu")


def test_an_unknown_engine_is_refused_with_the_known_ones():
    with pytest.raises(BadInput, match=r"unknown engine 'steam'; known are auto, reference, dense, sparse"):
        make_engine(PATTERN, "steam")


# hpu: PyTorch knows the name, but fails to import what would serve it; meta: it is there, but computes nothing
@pytest.mark.parametrize("device", ["nonsense", "", "cpu:x", "hpu", "meta", "cuda:99"])
def test_a_device_that_cannot_be_used_is_refused(device):
    with pytest.raises(BadInput) as error:
        make_engine(PATTERN, device=device)
    assert f"device {device!r} cannot be used here" in str(error.value)
    assert "use cpu" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has CUDA")
def test_cuda_on_a_machine_without_it_is_refused():
    with pytest.raises(BadInput, match="device 'cuda' cannot be used here"):
        make_engine(PATTERN, "dense", device="cuda")
