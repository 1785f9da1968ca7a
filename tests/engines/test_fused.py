"""The Triton engine, its kernels interpreted on the CPU, against the reference engine; that it compiles.

A GPU has run none of this. The interpreter does the kernels' arithmetic with NumPy, one program after the other: it
sees wrong indices, masks and sums, and no warps that do not wait for each other. `conftest.py` asks for it.
"""

import os
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from kinds_of_fields import unlike_zero
from small_problems import Pattern, field_of, make_problem, random_keep, relative_error

from sparsine.engines import DenseEngine, ReferenceEngine, choose, make_engine
from sparsine.engines.choose import engine_kind
from sparsine.engines.fused import MOST_ITEMS, POINTS, TritonEngine, _items, is_interpreted
from sparsine.engines.sliced import ROWS, Sliced, with_zero
from sparsine.errors import BadInput
from sparsine.fields import MLP
from sparsine.fields.activations import Finer, Gauss, Relu, Sine
from sparsine.fields.encodings import FourierFeatures
from sparsine.fields.narrow import Narrow

# float32 against the same float32 numbers in float64; what is between them are a handful of roundings of 6e-8 and
# arguments of sines that are small here. 4e-7 was the worst of all these.
TOLERANCE = 1e-5

CUDA = torch.device("cuda")
pytest.importorskip("triton", reason="the engine is compiled by triton: install sparsine[gpu]")


interpreted = pytest.mark.skipif(not is_interpreted(), reason="kernels are not interpreted: this machine has CUDA")


def problem_of(field, density, *, seed=0, **question):
    problem = make_problem(Pattern(field, random_keep(field, density, seed)), seed=seed, **question)
    return replace(problem, theta=unlike_zero(problem)).to(torch.float32)


def assert_agrees(problem, weights=None):
    engine = TritonEngine(problem.pattern, device="cpu")
    referee, exact = ReferenceEngine(problem.pattern, dtype=torch.float64), problem.to(torch.float64)
    loss, grad = engine.loss_and_grad(problem.theta, *problem.samples, weights)
    its_loss, its_grad = referee.loss_and_grad(
        exact.theta, *exact.samples, None if weights is None else weights.double()
    )
    assert relative_error(loss, its_loss) < TOLERANCE
    assert relative_error(grad, its_grad) < TOLERANCE
    found = engine.predict(problem.theta, problem.coords)
    assert relative_error(found, referee.predict(exact.theta, exact.coords)) < TOLERANCE
    return grad


SHAPES = {
    "odd": ((2, 7, 5, 3), 0.5, 11), "two tiles": ((2, 5, 3), 0.7, POINTS + 5), "a whole tile": ((3, 4, 2), 0.8, POINTS),
    "one point": ((3, 5, 5, 2), 0.8, 1), "one neuron": ((1, 1, 1), 1.0, 5), "nothing pruned": ((2, 6, 3), 1.0, 9),
    "all pruned": ((2, 6, 4, 3), 0.0, 9), "several groups": ((2, ROWS + 3, 5, 2), 0.6, 7),
    "many slots": ((2, 4, 13, 2), 1.0, 5),
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
@interpreted
def test_all_shapes_agree_with_the_reference(shape):
    sizes, density, points = SHAPES[shape]
    assert_agrees(problem_of(field_of(*sizes, output_offset=0.5), density, points=points, signals=2))


@interpreted
@pytest.mark.parametrize("shape", ["odd", "several groups", "all pruned", "a whole tile"])
def test_what_its_memory_held_before_does_not_matter(shape, monkeypatch):
    """Rows that are filled up read a number, and multiply it by zero: it must be one."""
    new_empty = torch.Tensor.new_empty

    def spoiled(own, *size, **how):
        made = new_empty(own, *size, **how)
        return made.fill_(float("nan")) if made.is_floating_point() else made

    monkeypatch.setattr(torch.Tensor, "new_empty", spoiled)
    sizes, density, points = SHAPES[shape]
    assert_agrees(problem_of(field_of(*sizes), density, points=points, signals=2))


@interpreted
def test_dead_and_constant_neurons_have_the_reference_derivatives():
    field = field_of(2, 9, 8, 2)
    keep = random_keep(field, 0.25, 3)
    first, *_ = Pattern(field, keep).layer_keeps()  # views
    first[2] = False
    grad = assert_agrees(replace_pattern(field, keep, points=6))
    assert int((grad == 0).all(dim=0).sum()) > 3


def replace_pattern(field, keep, **question):
    problem = make_problem(Pattern(field, keep), **question)
    return replace(problem, theta=unlike_zero(problem)).to(torch.float32)


ACTIVATIONS = [Sine(omega_0=4.0, omega_first=7.0), Gauss(sigma=0.4), Relu(), Finer(omega_0=3.0)]


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("encoding", [None, FourierFeatures(num_frequencies=3, frequency_scale=0.4)])
@interpreted
def test_all_its_activations_agree_with_the_reference(activation, encoding):
    field = MLP(sizes=(2, 6, 5, 2), activation=activation, **({"encoding": encoding} if encoding else {}))
    assert_agrees(problem_of(field, 0.6, points=9, signals=2))


@pytest.mark.parametrize("own_coords", [False, True])
@pytest.mark.parametrize("rows", [None, 3])
@interpreted
def test_samples_may_count_unequally(own_coords, rows):
    problem = problem_of(field_of(2, 5, 4, 2), 0.7, points=7, own_coords=own_coords)
    drawn = torch.rand((7,) if rows is None else (rows, 7), generator=torch.Generator().manual_seed(1))
    drawn[..., 2] = 0
    assert_agrees(problem, drawn / drawn.mean(-1, keepdim=True))


@interpreted
def test_a_signal_has_the_same_bits_alone_and_in_any_batch(monkeypatch):
    problem = problem_of(field_of(2, 5, 4, 2), 0.7, points=POINTS + 3)
    engine = TritonEngine(problem.pattern, device="cpu")
    together = engine.loss_and_grad(problem.theta, *problem.samples)
    monkeypatch.setattr("sparsine.engines.fused.PARTIAL_BYTES", 1)  # each by itself
    apart = engine.loss_and_grad(problem.theta, *problem.samples)
    row = problem.row(1)
    alone = engine.loss_and_grad(row.theta, *row.samples)
    for whole, part, one in zip(together, apart, alone, strict=True):
        assert torch.equal(whole, part)
        assert torch.equal(whole[1:2], one)


@interpreted
def test_items_of_several_tiles_add_up(monkeypatch):
    monkeypatch.setattr("sparsine.engines.fused.MOST_ITEMS", 2)  # five tiles: three and two, and one beyond the end
    assert _items(3, 4 * POINTS + 1) == (6, 2, 3)
    assert_agrees(problem_of(field_of(2, 4, 2), 0.8, points=4 * POINTS + 1, signals=2))


def test_items_depend_on_the_points_alone_and_are_bounded():
    assert _items(1, 1) == (1, 1, 1)
    assert _items(7, 178 * 178) == (7 * 248, 248, 4)
    count, per_signal, tiles = _items(1, 10**7)
    assert (count, per_signal * tiles * POINTS >= 10**7) == (per_signal, True)
    assert per_signal <= MOST_ITEMS


@interpreted
def test_hessian_products_and_slopes_are_those_of_the_dense_engine():
    problem = problem_of(field_of(2, 5, 4, 2), 0.7, points=7)
    engine, dense = TritonEngine(problem.pattern, device="cpu"), DenseEngine(problem.pattern)
    product = engine.hvp(problem.theta, problem.v, *problem.samples)
    assert torch.equal(product, dense.hvp(problem.theta, problem.v, *problem.samples))
    slopes = engine.vjp(problem.theta, problem.coords, problem.values)
    assert all(torch.equal(*pair) for pair in zip(slopes, dense.vjp(problem.theta, problem.coords, problem.values),
                                                  strict=True))  # fmt: skip


@interpreted
def test_no_signals_are_no_answers():
    engine = TritonEngine(Pattern.full(field_of(2, 4, 3)), device="cpu")
    theta, coords, values = torch.empty(0, engine.pattern.num_params), torch.rand(5, 2), torch.empty(0, 5, 3)
    assert engine.predict(theta, coords).shape == (0, 5, 3)
    assert [answer.shape for answer in engine.loss_and_grad(theta, coords, values)] == [(0,), theta.shape]


# the layout


@pytest.mark.parametrize("density", [0.0, 0.1, 0.4, 1.0])
def test_slices_hold_each_live_weight_once_each_way(density):
    pattern = Pattern(field_of(2, 21, 18, 3), random_keep(field_of(2, 21, 18, 3), density, 5))
    narrow = Narrow(pattern)
    sliced, theta = Sliced(pattern, narrow, torch.device("cpu")), torch.rand(1, pattern.num_params) + 1
    whole = torch.zeros(sliced.num_neurons, sliced.num_neurons)
    for before, after, (weight, _) in zip(sliced.first, sliced.first[1:], narrow.layers(narrow.scatter(theta)),
                                          strict=False):  # fmt: skip
        rows, columns = weight.shape[1:]
        whole[after : after + rows, before : before + columns] = weight[0]
    assert torch.equal(matrix_of(sliced.forward, theta, sliced.num_neurons), whole)
    assert torch.equal(matrix_of(sliced.backward, theta, sliced.num_neurons).T, whole)
    biases = torch.cat([bias[0] for _, bias in narrow.layers(narrow.scatter(theta))])
    assert torch.equal(with_zero(theta)[0, sliced.bias_entries], torch.cat([torch.zeros(narrow.widths[0]), biases]))


def matrix_of(slices, theta, size):
    found, weights = torch.zeros(size, size), with_zero(theta)[0, slices.entries].view(-1, ROWS)
    for group, neurons in enumerate(slices.neurons.tolist()):
        for slot in range(*slices.starts[group : group + 2].tolist()):
            for row, neuron in enumerate(neurons):
                if weights[slot, row] != 0:
                    assert found[neuron, slices.others.view(-1, ROWS)[slot, row]] == 0
                    found[neuron, slices.others.view(-1, ROWS)[slot, row]] = weights[slot, row]
    return found


def test_few_slots_are_filled_up_where_neurons_are_sorted():
    field = field_of(2, 64, 64, 3)
    pattern = Pattern(field, random_keep(field, 0.1, 2))
    slices = Sliced(pattern, Narrow(pattern), torch.device("cpu")).forward
    assert slices.num_slots < 1.5 * pattern.num_weights


# what it refuses, and who is chosen


class Card:
    """A GPU, as far as torch tells."""

    def __init__(self, capability):
        self.get_device_capability = lambda device: capability
        self.get_device_name = lambda device: "An Old Card"


SMALL = field_of(2, 7, 5, 3)


@pytest.mark.parametrize(
    ("field", "device", "dtype", "words"),
    [
        (SMALL, "cpu", torch.float32, "computes torch.float32 on cuda, but was asked for torch.float32 on cpu"),
        (SMALL, "cuda", torch.float64, "computes torch.float32 on cuda, but was asked for torch.float64 on cuda"),
        (MLP(sizes=(2, 3, 1), activation=Gauss()), "cpu", torch.float32, "computes torch.float32 on cuda"),
    ],
)
def test_what_it_cannot_do_is_one_line_that_names_who_can(field, device, dtype, words, monkeypatch):
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    reason = TritonEngine.supports(field, torch.device(device), dtype)
    assert reason.startswith(f"engine 'triton' {words}")
    assert reason.endswith("engine 'dense' can do that")


def test_an_activation_of_ones_own_is_refused(monkeypatch):
    class Wider(Gauss):
        pass

    reason = TritonEngine.supports(MLP(sizes=(2, 3, 1), activation=Wider()), CUDA, torch.float32)
    assert reason.startswith("engine 'triton' computes sine, gauss, relu, finer, but this field is MLP 2-3-1, gauss")


def test_a_card_that_is_too_old_is_named(monkeypatch):
    monkeypatch.setattr(torch, "cuda", Card((7, 0)))
    assert TritonEngine.supports(SMALL, CUDA, torch.float32) == (
        "engine 'triton' needs a GPU of compute capability 8.0 or later, but An Old Card has 7.0; engine 'dense' can "
        "do that"
    )
    monkeypatch.setattr(torch, "cuda", Card((9, 0)))
    assert TritonEngine.supports(SMALL, CUDA, torch.float32) is None


def test_without_triton_it_says_which_extra_has_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "triton", None)
    reason = TritonEngine.supports(SMALL, CUDA, torch.float32)
    assert reason.startswith("engine 'triton' is compiled by triton (")
    assert reason.endswith("pip install 'sparsine[gpu]', or use engine 'dense'")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has CUDA")
def test_without_a_device_it_says_so(monkeypatch):
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    with pytest.raises(BadInput, match=r"device 'cuda' cannot be used here .*; use cpu"):
        make_engine(Pattern.full(SMALL), "triton", device="cuda")
    with pytest.raises(BadInput, match=r"engine 'triton' computes torch.float32 on cuda, but was asked for .* on cpu"):
        make_engine(Pattern.full(SMALL), "triton")


@pytest.mark.parametrize("capability", [(9, 0), (7, 5)])
def test_on_a_gpu_it_is_there_for_who_names_it_alone(monkeypatch, capability):
    """No card has run it yet."""
    monkeypatch.setattr(choose, "check_device", lambda device: None)
    monkeypatch.setattr(torch, "cuda", Card(capability))
    for pattern in (Pattern(SMALL, random_keep(SMALL, 0.1)), Pattern.full(SMALL)):
        assert engine_kind(pattern, device="cuda") is DenseEngine
        assert engine_kind(pattern, "triton", device="cuda") is TritonEngine
        assert engine_kind(pattern, device="cpu") is not TritonEngine


# compiling needs no device

COMPILE = """
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource, compile
import sparsine.engines.triton_kernels as kernels

NUMBERS = "groups neurons starts others back_groups back_neurons back_starts back_others".split()
FLOATS = "inputs weights biases scratch out back_weights targets counts partial losses".split()
TYPES = {name: "*i32" for name in NUMBERS} | {name: "*fp32" for name in FLOATS} | {"offset": "fp32", "scale": "fp32"}
COMMON = dict(NUM_HIDDEN=4, NUM_INPUTS=2, NUM_NEURONS=400, NUM_OUTPUTS=3, TILES=4, ACTIVATION="sine", CONSTANT=0.0,
              ROWS=16, POINTS=32)
ASKED = {"predict": COMMON, "loss_and_grad": COMMON | dict(WEIGHED=True, SLOTS=8), "add_up": dict(BLOCK=1024)}
for name, constants in ASKED.items():
    kernel = getattr(kernels, name)
    types = {arg: "constexpr" if arg in constants else TYPES.get(arg, "i32") for arg in kernel.arg_names}
    attrs = {(i,): [["tt.divisibility", 16]] for i, arg in enumerate(types) if types[arg].startswith("*")}
    places = {(kernel.arg_names.index(arg),): value for arg, value in constants.items()}
    made = compile(ASTSource(kernel, types, constexprs=places, attrs=attrs), target=GPUTarget("cuda", CAPABILITY, 32),
                   options={"num_warps": 4, "num_stages": 1})
    assert made.asm["cubin"]
    print(name, made.metadata.shared)
"""


@pytest.mark.parametrize("capability", [80, 90])
def test_the_kernels_compile_for_a_gpu_that_is_not_there(capability, tmp_path):
    environment = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    code = COMPILE.replace("CAPABILITY", str(capability))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                          env=environment | {"TRITON_CACHE_DIR": str(tmp_path)})  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    shared = {name: int(size) for name, size in map(str.split, done.stdout.splitlines())}
    assert list(shared) == ["predict", "loss_and_grad", "add_up"]
    assert max(shared.values()) < 48 << 10  # what every program may have of a multiprocessor
