"""What the sparse engine promises beyond the contract: the same bits however it is asked, and few surprises."""

import multiprocessing
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from math import cos, sin

import numpy as np
import pytest
import torch
from small_problems import Pattern, answers, field_of, make_problem, random_keep, random_pattern

import sparsine.engines
from sparsine.engines import SparseEngine, make_engine
from sparsine.engines.native import VARIABLE, instruction_sets, is_built
from sparsine.errors import BadInput

FIELD = field_of(2, 23, 19, 3, omega_0=20.0, output_offset=0.5)


def with_constants():
    """Some neurons of every hidden level have no inputs, some lead nowhere."""
    keep = random_keep(FIELD, 0.3)
    first, second, last = Pattern(FIELD, keep).layer_keeps()
    first[:5] = False
    second[:4] = False
    second[0, :3] = True
    last[:, 15:] = False
    return Pattern(FIELD, keep)


PATTERN = with_constants()
each_set = pytest.mark.parametrize("instructions", instruction_sets())


def problem_of(pattern=PATTERN, **wanted):
    return make_problem(pattern, **{"points": 1300, **wanted}).to(torch.float32)


def same_bits(found, expected):
    assert found.keys() == expected.keys()
    return all(torch.equal(found[name], expected[name]) for name in expected)


@contextmanager
def threads(count):
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


# ---- the same bits ----


@each_set
@pytest.mark.parametrize("pattern", [PATTERN, Pattern.full(FIELD)], ids=["constants", "full"])
def test_any_number_of_threads_gives_the_same_bits_every_time(instructions, pattern):
    problem = problem_of(pattern, points=2600)  # five full segments and a short one for each of three signals
    expected = answers(SparseEngine(pattern, instructions=instructions), problem)
    engine = SparseEngine(pattern, instructions=instructions)
    for count in (1, 2, 3, 7):
        with threads(count):
            for _ in range(5):
                assert same_bits(answers(engine, problem), expected), count


@each_set
@pytest.mark.parametrize("own_coords", [False, True])
def test_a_batch_split_in_any_way_gives_the_same_bits(instructions, own_coords):
    problem = problem_of(signals=5, own_coords=own_coords, points=517)
    engine = SparseEngine(PATTERN, instructions=instructions)
    expected = answers(engine, problem)
    for split in ([1, 4], [2, 3], [3, 1, 1], [1, 1, 1, 1, 1]):
        parts = [
            replace(problem, theta=theta, v=v, coords=coords, values=values)
            for theta, v, coords, values in zip(
                problem.theta.split(split),
                problem.v.split(split),
                problem.coords.split(split) if own_coords else [problem.coords] * len(split),
                problem.values.split(split),
                strict=True,
            )
        ]
        found = [answers(engine, part) for part in parts]
        assert same_bits({name: torch.cat([f[name] for f in found]) for name in expected}, expected), split


@each_set
def test_a_vector_expanded_to_all_signals_is_as_good_as_a_repeated_one(instructions):
    problem = problem_of()
    engine = SparseEngine(PATTERN, instructions=instructions)
    one_theta = replace(problem, theta=problem.theta[1].expand(3, -1))
    one_v = replace(problem, v=problem.v[2].expand(3, -1))
    for expanded in (one_theta, one_v, replace(one_theta, v=one_v.v)):
        repeated = replace(expanded, theta=expanded.theta.clone(), v=expanded.v.clone())
        assert repeated.theta.is_contiguous()
        assert same_bits(answers(engine, expanded), answers(engine, repeated))


@each_set
def test_own_coords_that_are_all_alike_are_as_good_as_shared_ones(instructions):
    problem = problem_of()
    engine = SparseEngine(PATTERN, instructions=instructions)
    expected = answers(engine, problem)
    alike = problem.coords.expand(3, -1, -1)
    for own in (alike, alike.clone()):
        assert same_bits(answers(engine, replace(problem, coords=own)), expected)


def test_tensors_that_are_not_contiguous_are_understood():
    problem = problem_of(own_coords=True, points=67)
    engine = SparseEngine(PATTERN)
    expected = answers(engine, problem)

    def transposed(t):
        return t.mT.contiguous().mT

    def every_second(t):
        return torch.stack([t, torch.full_like(t, torch.nan)], dim=-1)[..., 0]

    def inside_a_larger_one(t):
        larger = torch.full([n + 3 for n in t.shape], torch.nan)
        inside = larger[tuple(slice(2, n + 2) for n in t.shape)]
        return inside.copy_(t)

    for change in (transposed, every_second, inside_a_larger_one):
        names = ("theta", "v", "coords", "values")
        changed = replace(problem, **{name: change(getattr(problem, name)) for name in names})
        assert not any(getattr(changed, name).is_contiguous() for name in names)
        assert same_bits(answers(engine, changed), expected), change.__name__


def test_tensors_that_want_a_gradient_are_taken_and_none_is_kept():
    problem = problem_of(points=67)
    engine = SparseEngine(PATTERN)
    expected = answers(engine, problem)
    wanting = replace(
        problem, **{name: getattr(problem, name).clone().requires_grad_() for name in ("theta", "v", "coords")}
    )
    found = answers(engine, wanting)
    assert same_bits(found, expected)
    assert not any(answer.requires_grad for answer in found.values())


def test_torchs_default_dtype_changes_nothing():
    problem = problem_of(points=67)
    engine = SparseEngine(problem.pattern)
    expected = answers(engine, problem)
    torch.set_default_dtype(torch.float64)
    try:
        assert same_bits(answers(engine, problem), expected)
    finally:
        torch.set_default_dtype(torch.float32)


def test_a_tensor_whose_sign_is_only_noted_is_read_with_it():
    problem = problem_of(points=67)
    noted = torch._neg_view(-problem.theta)  # as imag of a conjugate is, but contiguous
    assert noted.is_neg()
    assert noted.is_contiguous()
    assert same_bits(answers(SparseEngine(problem.pattern), replace(problem, theta=noted)),
              answers(SparseEngine(problem.pattern), problem))  # fmt: skip


def test_a_pattern_may_be_stored_with_strides():
    keep = torch.stack([PATTERN.keep, ~PATTERN.keep], dim=1)[:, 0]
    assert not keep.is_contiguous()
    problem = problem_of(points=67)
    assert same_bits(
        answers(SparseEngine(Pattern(PATTERN.field, keep)), problem), answers(SparseEngine(PATTERN), problem)
    )


def test_the_last_question_leaves_nothing_behind():
    for signals in (1, 3):
        first, second = problem_of(seed=1, signals=signals), problem_of(seed=2, signals=signals, points=99)
        engine = SparseEngine(PATTERN)
        answers(engine, first)
        assert same_bits(answers(engine, second), answers(SparseEngine(PATTERN), second))


def test_several_threads_may_ask_one_engine_at_once():
    # short questions, many of them: the callers meet at the pool of threads again and again
    engine = SparseEngine(PATTERN)
    problems = [problem_of(seed=seed, signals=2, points=530) for seed in range(4)]
    expected = [answers(engine, problem) for problem in problems]

    def ask_often(i):
        torch.set_num_threads(3)  # counts for the Python thread that says so
        theta, v, coords, values = (getattr(problems[i], name) for name in ("theta", "v", "coords", "values"))
        for _ in range(150):
            assert torch.equal(engine.hvp(theta, v, coords, values), expected[i]["hvp"])
            assert torch.equal(engine.loss_and_grad(theta, coords, values)[1], expected[i]["gradient"])
            assert torch.equal(engine.predict(theta, coords), expected[i]["predict"])
        return True

    with threads(3), ThreadPoolExecutor(len(problems)) as executor:
        assert all(executor.map(ask_often, range(len(problems))))


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # Python 3.12 on warns of threads that are lost
@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system has no fork")
def test_a_forked_child_can_compute():
    problem, engine = problem_of(), SparseEngine(PATTERN)
    with threads(3):
        expected = answers(engine, problem)  # the parent has threads at work now, the child will have none of them

        def child(pipe):
            found = [answers(engine, problem) for _ in range(3)]
            pipe.send([same_bits(f, expected) for f in found])

        context = multiprocessing.get_context("fork")
        here, there = context.Pipe()
        process = context.Process(target=child, args=(there,), daemon=True)
        process.start()
        there.close()
        assert here.poll(60), "the child does not answer"
        assert here.recv() == [True, True, True]
        process.join(60)
        assert process.exitcode == 0
        assert same_bits(answers(engine, problem), expected)


# ---- odd questions ----


@each_set
def test_a_signal_that_is_not_finite_stays_alone(instructions):
    problem = problem_of(own_coords=True)
    engine = SparseEngine(PATTERN, instructions=instructions)
    expected = answers(engine, problem)
    for name in ("theta", "coords", "values"):
        spoilt = getattr(problem, name).clone()
        spoilt[1] = torch.nan
        for count in (1, 2):
            with threads(count):
                found = answers(engine, replace(problem, **{name: spoilt}))
            assert found["loss"].isnan().tolist() == [False, True, False]
            assert found["gradient"][1].isnan().any()
            for question, answer in expected.items():
                assert torch.equal(found[question][[0, 2]], answer[[0, 2]]), question


def test_no_signals_have_no_answers():
    none = problem_of(points=7)
    none = replace(none, theta=none.theta[:0], v=none.v[:0], values=none.values[:0])
    for coords in (none.coords, none.coords.expand(0, -1, -1)):
        found = answers(SparseEngine(PATTERN), replace(none, coords=coords))
        assert found["predict"].shape == (0, 7, 3)
        assert found["loss"].shape == (0,)
        assert found["gradient"].shape == found["hvp"].shape == (0, PATTERN.num_params)


@each_set
@pytest.mark.parametrize("points", [1, 17, 513])
def test_nothing_is_written_beside_the_answers(instructions, points):
    pattern = random_pattern(field_of(3, 9, 5, 3), 0.5)
    problem, engine = problem_of(pattern, points=points), SparseEngine(pattern, instructions=instructions)
    expected = answers(engine, problem)

    def framed(*shape, dtype=np.float32):
        size = int(np.prod(shape))
        frame = np.full(size + 64, 7, dtype)
        return frame, frame[32 : size + 32].reshape(shape)

    (predictions, a), (loss, b) = framed(3, points, 3), framed(3, dtype=np.float64)
    (grad, c), (product, d) = framed(3, pattern.num_params), framed(3, pattern.num_params)
    coords = problem.coords[None]
    engine._native.predict(problem.theta, coords, a, 1)
    engine._native.loss_and_grad(problem.theta, coords, problem.values, b, c, 1)
    engine._native.hvp(problem.theta, problem.v, coords, problem.values, d, 1)
    assert torch.equal(torch.from_numpy(a), expected["predict"])
    assert torch.equal(torch.from_numpy(b).float(), expected["loss"])
    assert torch.equal(torch.from_numpy(c), expected["gradient"])
    assert torch.equal(torch.from_numpy(d), expected["hvp"])
    for frame in (predictions, loss, grad, product):
        assert (frame[:32] == 7).all()
        assert (frame[-32:] == 7).all()


# ---- alive, constant and dead neurons ----


def test_neurons_that_no_coordinate_reaches_or_that_reach_no_output_cost_nothing():
    #   x0 - a0 - b0 - y0      a1 has no input and b1 only that: constant
    #   x1   a1 - b1 /         a2 leads nowhere, nor does b2 where a0 leads too: dead
    #     \  a2   b2   y1      y1 is led to by nothing, but is asked for
    field = field_of(2, 3, 3, 2)
    keep = torch.zeros(field.num_weights, dtype=torch.bool)
    pattern = Pattern(field, keep)
    first, second, last = pattern.layer_keeps()
    first[0, 0] = first[2, 1] = True
    second[0, 0] = second[0, 1] = second[1, 1] = second[2, 0] = True
    last[0, 0] = last[0, 1] = True
    engine = SparseEngine(pattern)
    assert engine.alive == [2, 1, 1, 2]
    assert SparseEngine(Pattern.full(field)).alive == [2, 3, 3, 2]
    assert SparseEngine(Pattern(field, torch.zeros_like(keep))).alive == [2, 0, 0, 2]

    # theta: a0x0 a2x1 | b0a0 b0a1 b1a1 b2a0 | y0b0 y0b1 | a0 a1 a2 | b0 b1 b2 | y0 y1
    problem = problem_of(pattern, points=21)
    dead = torch.zeros(16, dtype=torch.bool)
    dead[[1, 5, 10, 13]] = True
    found = answers(engine, problem)
    for name in ("gradient", "hvp"):
        assert (found[name][:, dead] == 0).all()
        assert (found[name][:, ~dead] != 0).all()


@each_set
def test_a_constant_neurons_gradient_and_curvature_are_those_worked_out_by_hand(instructions):
    # 1 - 2 - 1, the second neuron without input: y = V0 sin(w0 (w x + b0)) + V1 sin(w0 b1) + c + 0.25
    w0, offset = 3.0, 0.25
    field = field_of(1, 2, 1, omega_0=w0, output_offset=offset)
    pattern = Pattern(field, torch.tensor([True, False, True, True]))
    w, v0, v1, b0, b1, c = theta = (0.7, -1.1, 0.9, 0.2, -0.35, 0.4)
    samples = [(0.3, 1.5), (-0.8, -0.2), (0.55, 0.1)]
    loss, grad, along_b1 = 0.0, np.zeros(6), np.zeros(6)
    for x, value in samples:
        s0, c0, s1, c1 = sin(w0 * (w * x + b0)), cos(w0 * (w * x + b0)), sin(w0 * b1), cos(w0 * b1)
        r = v0 * s0 + v1 * s1 + c + offset - value
        slopes = np.array([v0 * w0 * c0 * x, s0, s1, v0 * w0 * c0, v1 * w0 * c1, 1])
        bends = np.array([0, 0, w0 * c1, 0, -v1 * w0 * w0 * s1, 0])  # of y, in b1 and each number
        loss += r * r / 3
        grad += 2 * r * slopes / 3
        along_b1 += 2 * (slopes[4] * slopes + r * bends) / 3
    engine = SparseEngine(pattern, instructions=instructions)
    row = torch.tensor([theta])
    coords, values = (torch.tensor([[s[i]] for s in samples]) for i in (0, 1))
    found_loss, found_grad = engine.loss_and_grad(row, coords, values[None])
    assert engine.alive == [1, 1, 1]
    assert found_loss.item() == pytest.approx(loss, rel=2e-6)
    assert found_grad[0].tolist() == pytest.approx(grad.tolist(), rel=2e-6)
    b1_alone = torch.tensor([[0.0, 0, 0, 0, 1, 0]])
    assert engine.hvp(row, b1_alone, coords, values[None])[0].tolist() == pytest.approx(along_b1.tolist(), rel=2e-6)


# ---- which instruction set, and whether there is one ----


@each_set
def test_an_environment_variable_chooses_the_instruction_set(instructions, monkeypatch):
    monkeypatch.setenv(VARIABLE, instructions)
    engine = SparseEngine(PATTERN)
    assert (engine.instructions, engine._native.instructions) == (instructions, instructions)
    assert SparseEngine(PATTERN, instructions="portable").instructions == "portable"  # an argument goes first


@pytest.mark.parametrize("nothing", [None, ""])
def test_without_it_the_fastest_is_taken(nothing, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    if nothing is not None:
        monkeypatch.setenv(VARIABLE, nothing)
    assert SparseEngine(PATTERN).instructions == instruction_sets()[0]
    assert instruction_sets()[-1] == "portable"


def test_another_process_is_told_by_its_environment():
    program = (
        "from sparsine.engines import SparseEngine\n"
        "from sparsine.fields import Pattern, Siren\n"
        "print(SparseEngine(Pattern.full(Siren(sizes=(2, 3, 1)))).instructions)"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, VARIABLE: "portable"}, capture_output=True, text=True
    )
    assert (found.stdout.strip(), found.returncode) == ("portable", 0), found.stderr


def test_an_unknown_instruction_set_is_refused_with_those_that_exist(monkeypatch):
    known = ", ".join(instruction_sets())
    with pytest.raises(BadInput) as error:
        SparseEngine(PATTERN, instructions="mmx")
    assert str(error.value) == f"instruction set 'mmx' cannot be used here; this machine has {known}"
    monkeypatch.setenv(VARIABLE, "mmx")
    with pytest.raises(BadInput) as error:
        SparseEngine(PATTERN)
    assert str(error.value) == f"{VARIABLE}: instruction set 'mmx' cannot be used here; this machine has {known}"


# meta stands for any other device: CUDA is not everywhere
@pytest.mark.parametrize(
    ("device", "dtype"), [("cpu", torch.float64), ("cpu", torch.bfloat16), ("meta", torch.float32)]
)
def test_another_dtype_or_device_is_refused_and_sent_to_the_dense_engine(device, dtype):
    with pytest.raises(BadInput, match=rf"computes torch.float32 on cpu, but .*{dtype} on {device}.*'dense' can"):
        SparseEngine(PATTERN, device=device, dtype=dtype)


def test_an_installation_without_the_extension_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sparsine.engines._native", None)
    monkeypatch.delattr(sparsine.engines, "_native")
    assert not is_built()
    assert instruction_sets() == []
    with pytest.raises(BadInput) as error:
        SparseEngine(PATTERN)
    for word in ("engine 'sparse' is not part of this installation", "apt install g++", "use engine 'dense'"):
        assert word in str(error.value)
    with pytest.raises(BadInput, match="not part of this installation"):
        make_engine(PATTERN, "sparse")
    assert make_engine(PATTERN).predict(*[torch.zeros(1, n) for n in (PATTERN.num_params, 2)]).shape == (1, 1, 3)


def test_this_installation_has_the_extension():
    # where it is missing, what is tested for each instruction set would be tested for none
    assert is_built()
    assert "portable" in instruction_sets()
