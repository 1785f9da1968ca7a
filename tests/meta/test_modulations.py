"""Modulations: their gradient against autograd and finite differences, learning that survives kill -9, fitting z.

Run as a script, by one of the tests: learns in a forked child that is killed, and again until it ends.
"""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from small_problems import Pattern, field_of, make_problem, random_pattern, relative_error

import sparsine.meta.keeper as keeper
import sparsine.meta.modulations as module
import sparsine.storage as storage
from sparsine.engines import DenseEngine, ReferenceEngine
from sparsine.errors import BadInput
from sparsine.fitting.fit import FitConfig, fit
from sparsine.folders import locked
from sparsine.meta.config import FieldConfig, GridConfig, LearnConfig, OuterConfig, WatchConfig
from sparsine.meta.learn_modulations import learn_modulations
from sparsine.meta.maml import InnerConfig, Samples, Tasks, adapt
from sparsine.meta.modulated_engine import ModulatedEngine
from sparsine.meta.modulations import (
    Modulations,
    hidden_biases,
    initial,
    load_modulations,
    modulation_gradient,
    save_modulations,
)
from sparsine.meta.outer import NotFinite
from sparsine.meta.run_folder import CHECKPOINT_FILE
from sparsine.signals.grid import Grid
from sparsine.signals.open import open_dataset
from sparsine.starts.start import Start, read_vectors, save_start, write_vectors
from sparsine.usage import Usage

FIELD = field_of(2, 7, 5, 3, omega_0=2.5, output_offset=0.5)
PATTERNS = {"full": Pattern.full(FIELD), "sparse": random_pattern(FIELD, 0.4)}
HIDDEN = 12
# Large enough that the second-order part of the gradient is not small beside the first-order part.
STEP_SIZE = 0.1


def modulations_of(latents, pattern=PATTERNS["full"]):
    theta = 2 * make_problem(pattern, signals=1, seed=4).theta[0]
    return initial(Start(pattern, theta, Grid(shape=(5, 3))), latents, seed=7)


def tasks_of(*, count=3, own_coords=False):
    """Support of 11 points, query of 7 others."""
    support = make_problem(PATTERNS["full"], signals=count, points=11, own_coords=own_coords, seed=5)
    query = make_problem(PATTERNS["full"], signals=count, points=7, own_coords=own_coords, seed=6)
    return Tasks(Samples(*support.samples), Samples(*query.samples))


def inner(num_steps):
    return InnerConfig(inner_steps=num_steps, inner_step_size=STEP_SIZE)


def double(engine, pattern=PATTERNS["full"]):
    return engine(pattern, dtype=torch.float64)


def own(samples, i):
    return samples.coords if samples.coords.ndim == 2 else samples.coords[i], samples.values[i]


def autograd(modulations, tasks, num_steps):
    """Loss and gradients by autograd through the whole inner loop; the shifts are put in place layer by layer."""
    engine = double(ReferenceEngine, modulations.base.pattern)
    base, mix = (t.clone().requires_grad_() for t in (modulations.base.theta, modulations.mix))
    weights = modulations.base.pattern.num_weights

    def mse(z, samples, i):
        first, second = z @ mix[:, :7], z @ mix[:, 7:]
        shifts = torch.cat([base.new_zeros(weights), first, second, base.new_zeros(3)])
        return engine.mse(base + shifts, *own(samples, i))

    losses = []
    for i in range(len(tasks)):
        z = torch.zeros_like(mix[:, 0]).requires_grad_()
        for _ in range(num_steps):
            z = z - STEP_SIZE * torch.autograd.grad(mse(z, tasks.support, i), z, create_graph=True)[0]
        losses.append(mse(z, tasks.query, i))
    loss = torch.stack(losses).mean()
    return loss.detach(), *torch.autograd.grad(loss, (base, mix))


def assert_same(found, expected, tolerance=1e-9):
    assert float(found[0]) == pytest.approx(float(expected[0]), rel=tolerance)
    for a, b in zip(found[1:], expected[1:], strict=True):
        # against the largest entry: a small one is the difference of larger terms
        assert (a - b).abs().max() < tolerance * b.abs().max()


@pytest.mark.parametrize("own_coords", [False, True])
@pytest.mark.parametrize("num_steps", [1, 2, 3])
@pytest.mark.parametrize("latents", [1, 4, 17])
def test_the_gradient_is_autograd_through_the_whole_inner_loop(latents, num_steps, own_coords):
    modulations, tasks = modulations_of(latents), tasks_of(own_coords=own_coords)
    expected = autograd(modulations, tasks, num_steps)
    for engine in (double(DenseEngine), double(ReferenceEngine)):
        assert_same(modulation_gradient(engine, modulations, tasks, inner(num_steps)), expected)


@pytest.mark.parametrize("num_steps", [2, 9])
def test_the_gradient_is_exact_for_a_sparse_base_and_for_many_steps(num_steps):
    modulations, tasks = modulations_of(4, PATTERNS["sparse"]), tasks_of()
    found = modulation_gradient(double(DenseEngine, PATTERNS["sparse"]), modulations, tasks, inner(num_steps))
    assert_same(found, autograd(modulations, tasks, num_steps))


def test_these_problems_tell_exact_from_first_order(monkeypatch):
    modulations, tasks, engine = modulations_of(4), tasks_of(), double(DenseEngine)
    exact = modulation_gradient(engine, modulations, tasks, inner(2))
    monkeypatch.setattr(engine, "_hvp", lambda theta, v, coords, values: torch.zeros_like(theta))
    without = modulation_gradient(engine, modulations, tasks, inner(2))
    for a, b in zip(exact[1:], without[1:], strict=True):
        assert (a - b).norm() > 0.05 * a.norm()


@pytest.mark.parametrize("num_steps", [1, 3])
def test_the_gradient_is_the_slope_of_the_outer_loss(num_steps):
    modulations, tasks, engine, step = modulations_of(4), tasks_of(), double(DenseEngine), 1e-6
    loss, *grads = modulation_gradient(engine, modulations, tasks, inner(num_steps))

    def outer(changed):
        modulated = ModulatedEngine(engine, changed)
        z = adapt(modulated, torch.zeros(3, 4, dtype=torch.float64), tasks.support, num_steps, STEP_SIZE)
        return float(modulated.loss(z, tasks.query.coords, tasks.query.values).mean())

    def moved(base, mix):
        return outer(Modulations(replace(modulations.base, theta=base), mix))

    base, mix = modulations.base.theta, modulations.mix
    assert float(loss) == pytest.approx(moved(base, mix), rel=1e-13)
    rng = np.random.default_rng(8)
    for _ in range(8):
        along = [torch.from_numpy(rng.standard_normal(t.shape)) for t in (base, mix)]
        there, back = (moved(base + s * along[0], mix + s * along[1]) for s in (step, -step))
        slope = sum(float((g * a).sum()) for g, a in zip(grads, along, strict=True))
        # central differences: step**2 * third derivative / 6, and rounding 1e-16 / step
        assert (there - back) / (2 * step) == pytest.approx(slope, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("own_coords", [False, True])
@pytest.mark.parametrize("tasks_in_group", [1, 2, 3])
def test_groups_of_tasks_change_nothing_and_are_never_empty(monkeypatch, tasks_in_group, own_coords):
    modulations, tasks, engine = modulations_of(4), tasks_of(count=5, own_coords=own_coords), double(DenseEngine)
    together = modulation_gradient(engine, modulations, tasks, inner(3))
    sizes, plain = [], engine._hvp
    monkeypatch.setattr(engine, "_hvp", lambda theta, *rest: sizes.append(len(theta)) or plain(theta, *rest))
    monkeypatch.setattr(module, "GROUP_ELEMENTS", {"cpu": tasks_in_group * modulations.base.theta.numel() + 1})
    assert_same(modulation_gradient(engine, modulations, tasks, inner(3)), together, 1e-12)
    assert max(sizes) == tasks_in_group
    monkeypatch.setattr(module, "GROUP_ELEMENTS", {"cpu": 1})
    assert_same(modulation_gradient(engine, modulations, tasks, inner(3)), together, 1e-12)


def test_modulations_are_left_as_they_were():
    modulations, tasks, engine = modulations_of(4), tasks_of(), double(DenseEngine)
    base, mix = modulations.base.theta.clone(), modulations.mix.clone()
    first = modulation_gradient(engine, modulations, tasks, inner(3))
    assert torch.equal(modulations.base.theta, base)
    assert torch.equal(modulations.mix, mix)
    again = modulation_gradient(engine, modulations, tasks, inner(3))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))


@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS.keys())
def test_a_latent_shifts_the_biases_of_hidden_layers_and_nothing_else(pattern):
    modulations = modulations_of(2, pattern)
    z = torch.tensor([[0.0, 0.0], [2.0, -3.0]], dtype=torch.float64)
    shift = modulations.theta(z) - modulations.base.theta
    assert not shift[0].any()
    assert not shift[1, : pattern.num_weights].any()
    assert not shift[1, -3:].any()
    torch.testing.assert_close(shift[1, pattern.num_weights : -3], 2 * modulations.mix[0] - 3 * modulations.mix[1])
    assert modulations.base.theta[hidden_biases(FIELD)].shape == (HIDDEN,)


@pytest.mark.parametrize("latents", [3, 50])
def test_an_inner_step_of_a_fresh_mix_moves_the_biases_about_as_far_as_one_of_maml(latents):
    pattern = Pattern.full(field_of(2, 40, 41, 1))
    start = Start(pattern, pattern.field.initial_theta(0).double(), Grid(shape=(5, 3)))
    seeds = [initial(start, latents, seed).mix for seed in range(200)]
    mean = torch.stack([mix.T @ mix for mix in seeds]).mean(dim=0) / module.MIX_SCALE**2
    # entries of the mean of 200 spread by about 1 / sqrt(200 latents), times sqrt 2 on the diagonal
    assert (mean - torch.eye(81)).abs().max() < 7 / (200 * latents) ** 0.5
    assert torch.equal(initial(start, latents, 3).mix, seeds[3])
    assert not torch.equal(seeds[3], seeds[4])


# --- the engine whose vectors are latents ---


@pytest.mark.parametrize("own_coords", [False, True])
def test_a_modulated_engine_gives_values_and_derivatives_with_respect_to_the_latents(own_coords):
    modulations, problem = modulations_of(4), make_problem(PATTERNS["full"], own_coords=own_coords)
    inside = double(ReferenceEngine)
    z, v = (torch.from_numpy(np.random.default_rng(seed).standard_normal((3, 4))) for seed in (1, 2))
    engine = ModulatedEngine(double(DenseEngine), modulations)
    grads, products = [], []
    for i in range(3):
        leaf = z[i].clone().requires_grad_()
        shifts = torch.zeros_like(modulations.base.theta).index_add(0, torch.arange(64, 76), leaf @ modulations.mix)
        assert shifts.shape[0] == 64 + HIDDEN + 3
        mse = inside.mse(modulations.base.theta + shifts, *own(Samples(*problem.samples), i))
        grads.append(torch.autograd.grad(mse, leaf, create_graph=True)[0])
        products.append(torch.autograd.grad(grads[-1], leaf, v[i])[0])
    loss, grad = engine.loss_and_grad(z, *problem.samples)
    torch.testing.assert_close(engine.predict(z, problem.coords), inside.predict(modulations.theta(z), problem.coords))
    torch.testing.assert_close(loss, inside.loss(modulations.theta(z), *problem.samples))
    torch.testing.assert_close(engine.loss(z, *problem.samples), loss)
    assert relative_error(grad, torch.stack(grads).detach()) < 1e-12
    assert relative_error(engine.hvp(z, v, *problem.samples), torch.stack(products)) < 1e-12


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_fit_works_on_latents_and_lowers_every_loss(optimizer):
    modulations, problem = modulations_of(4), make_problem(PATTERNS["full"], signals=5)
    engine, zero = ModulatedEngine(double(DenseEngine), modulations), torch.zeros(4, dtype=torch.float64)
    config = FitConfig(optimizer=optimizer, steps=30, lr=0.03, report=(0, 15))
    fitted = fit(engine, zero, *problem.samples, config)
    assert fitted.theta.shape == (5, 4)
    assert fitted.status == ["ok"] * 5
    assert all(curve[0] < curve[1] < curve[2] for curve in fitted.psnr_db)
    alone = fit(engine, zero, problem.coords, problem.values[3:4], config)
    torch.testing.assert_close(alone.theta[0], fitted.theta[3], rtol=1e-9, atol=1e-12)


def test_a_modulated_engine_refuses_what_does_not_fit_together(monkeypatch):
    monkeypatch.setattr("jaxtyping.config.jaxtyping_disable", True)  # which would refuse wrong shapes first
    modulations, problem = modulations_of(4), make_problem(PATTERNS["full"])
    engine, z = ModulatedEngine(double(DenseEngine), modulations), torch.zeros(3, 4, dtype=torch.float64)
    with pytest.raises(BadInput, match=r"latents must be \(signals, 4\).*but are \(3, 5\)"):
        engine.loss(torch.zeros(3, 5, dtype=torch.float64), *problem.samples)
    with pytest.raises(BadInput, match="values must be"):
        engine.loss(z, problem.coords, problem.values[:, :1])
    with pytest.raises(BadInput, match=r"made for torch\.float64"):
        engine.predict(z.float(), problem.coords)
    with pytest.raises(BadInput, match=r"made for torch\.float32.*base is torch\.float64"):
        ModulatedEngine(DenseEngine(PATTERNS["full"]), modulations)
    with pytest.raises(BadInput, match=r"make it with modulations\.base\.pattern"):
        ModulatedEngine(double(DenseEngine, PATTERNS["sparse"]), modulations)


# --- files ---


def test_saved_modulations_are_read_back_whole(tmp_path):
    written = modulations_of(4, PATTERNS["sparse"])
    written = Modulations(replace(written.base, info={"steps": 3, "value_kind": "grey"}), written.mix)
    save_modulations(tmp_path / "m.safetensors", written)
    read = load_modulations(tmp_path / "m.safetensors")
    assert torch.equal(read.base.theta, written.base.theta)
    assert torch.equal(read.mix, written.mix)
    assert torch.equal(read.base.pattern.keep, written.base.pattern.keep)
    assert (read.base.domain, read.info, read.latents) == (written.base.domain, {"steps": 3, "value_kind": "grey"}, 4)


def test_a_file_that_is_damaged_or_of_another_kind_is_refused(tmp_path):
    path, modulations = tmp_path / "m.safetensors", modulations_of(4)
    save_modulations(path, modulations)
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)
    with pytest.raises(BadInput, match="checksum does not match"):
        load_modulations(path)
    save_start(path, modulations.base)
    with pytest.raises(BadInput, match="is not a sparsine-modulations file; found 'sparsine-start'"):
        load_modulations(path)
    save_modulations(path, Modulations(modulations.base, torch.full_like(modulations.mix, torch.nan)))
    with pytest.raises(BadInput, match="not finite"):
        load_modulations(path)


@pytest.mark.parametrize("shape", [(4, 11), (0, 12), (12,)])
def test_a_mix_of_another_shape_is_refused(monkeypatch, shape):
    monkeypatch.setattr("jaxtyping.config.jaxtyping_disable", True)  # which would refuse the number of axes first
    with pytest.raises(BadInput, match=r"mix must be \(latents, 12\)"):
        Modulations(modulations_of(4).base, torch.zeros(shape, dtype=torch.float64))


# --- learning ---

CONFIG = LearnConfig(
    field=FieldConfig(width=11, hidden_layers=2, omega_0=10.0),
    grid=GridConfig(resolution=(12, 10), alignment="centers"),
    inner=InnerConfig(points=67, inner_steps=3),
    outer=OuterConfig(outer_step_size=5e-3, dense_steps=9, tasks_per_step=3),
    watch=WatchConfig(checkpoint_seconds=1e6),
    engine="dense",
)
START_FIELD = CONFIG.field.field(2, 1)
LATENTS = 6


@cache
def curves():
    return open_dataset(CONFIG.data, resolution=CONFIG.grid.resolution)


def start_of(seed=3, field=START_FIELD):
    return Start(Pattern.full(field), field.initial_theta(seed), CONFIG.grid.grid((7, 9)), {"usage": {"seconds": 2}})


def learn(folder, config=CONFIG, latents=LATENTS, **other):
    return learn_modulations(config, folder, curves(), other.pop("start", start_of()), latents, **other)


def same(a, b):
    return torch.equal(a.base.theta, b.base.theta) and torch.equal(a.mix, b.mix)


def test_learning_gives_the_same_bits_again_and_keeps_what_it_cost(tmp_path):
    seen = []
    a = learn(tmp_path / "a", on_step=lambda step, loss: seen.append((step, loss)))
    b = learn(tmp_path / "b", replace(CONFIG, watch=WatchConfig(checkpoint_seconds=0.0)))
    assert same(a, b)
    assert not same(a, learn(tmp_path / "c", replace(CONFIG, seed=7)))
    assert [step for step, _ in seen] == list(range(1, 10))
    assert all(0 < loss < 10 for _, loss in seen)
    assert a.info["steps"] == 9
    assert set(a.info["usage"]) == {"seconds", "cpu_seconds", "peak_bytes"}
    assert all(number > 0 for number in a.info["usage"].values())
    assert a.info["start_info"] == {"usage": {"seconds": 2}}
    assert a.base.domain == CONFIG.grid.grid((12, 10))
    assert a.latents == LATENTS
    assert not same(a, initial(start_of(), LATENTS, CONFIG.seed))


def test_a_finished_folder_is_read_and_not_learned_again(tmp_path, monkeypatch):
    learned = learn(tmp_path)
    monkeypatch.setattr(module, "modulation_gradient", None)
    again = learn(tmp_path, replace(CONFIG, watch=WatchConfig(log_every=7)))
    assert same(again, learned)
    assert again.info == json.loads(json.dumps(learned.info))


def test_no_steps_at_all_are_the_initial_modulations(tmp_path):
    learned = learn(tmp_path, replace(CONFIG, outer=replace(CONFIG.outer, dense_steps=0)))
    assert same(learned, initial(start_of(), LATENTS, CONFIG.seed))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (lambda: dict(latents=7), "latents was 6, now 7"),
        (lambda: dict(start=start_of(seed=4)), "outer.start_from was 'sha256:"),
        (lambda: dict(config=replace(CONFIG, seed=8)), "seed was 0, now 8"),
        (lambda: dict(config=replace(CONFIG, inner=replace(CONFIG.inner, inner_steps=2))), "inner_steps was 3, now 2"),
    ],
)
def test_a_folder_of_another_configuration_is_refused(tmp_path, changes, message):
    learn(tmp_path)
    with pytest.raises(BadInput, match=f"another configuration.*{message}"):
        learn(tmp_path, **changes())


def test_a_folder_in_use_and_a_folder_of_other_files_are_refused(tmp_path):
    with locked(tmp_path / "used"), pytest.raises(BadInput, match="another process is writing"):
        learn(tmp_path / "used")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter.txt").write_text("dear")
    with pytest.raises(BadInput, match="files that are not of a run"):
        learn(tmp_path / "other")
    assert [p.name for p in (tmp_path / "other").iterdir()] == ["letter.txt"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (lambda: dict(latents=0), "latents is 0"),
        (lambda: dict(latents=module.MAX_LATENTS + 1), "latents is 65537"),
        (lambda: dict(config=replace(CONFIG, data="curves:5")), "the configuration names curves:5"),
        (lambda: dict(config=replace(CONFIG, inner=InnerConfig(algorithm="fomaml"))), "algorithm is 'fomaml'"),
        (lambda: dict(config=replace(CONFIG, outer=OuterConfig(start_from="a.safetensors"))), "leave start_from empty"),
        (lambda: dict(start=start_of(field=field_of(2, 7, 3))), "draws 3 channels"),
        (lambda: dict(config=replace(CONFIG, engine="fast")), "unknown engine"),
    ],
)
def test_nonsense_is_refused_before_anything_is_written(tmp_path, given, message):
    with pytest.raises(BadInput, match=message):
        learn(tmp_path / "new", **given())
    assert not (tmp_path / "new").exists()


def test_an_overflow_stops_learning_and_keeps_the_last_good_checkpoint(tmp_path, monkeypatch):
    plain, calls = modulation_gradient, []

    def overflowing(*args):
        calls.append(1)
        loss, *grads = plain(*args)
        return (loss * torch.nan if len(calls) == 5 else loss, *grads)

    monkeypatch.setattr(module, "modulation_gradient", overflowing)
    with pytest.raises(NotFinite, match=r"nan at outer step 4 .*--inner-step-size \(now 0.01\).*step 3, the last good"):
        learn(tmp_path / "a")
    assert read_vectors(tmp_path / "a" / CHECKPOINT_FILE, module.CHECKPOINT.format)[2]["step"] == 3  # 4 has that loss
    assert not (tmp_path / "a" / module.FILE).exists()
    monkeypatch.setattr(module, "modulation_gradient", plain)
    assert same(learn(tmp_path / "a"), learn(tmp_path / "b"))


def test_a_checkpoint_from_before_the_one_loop_is_gone_on_with_to_the_same_bits(tmp_path):
    """It said how many latents there are, and nothing of rounds, losses or metrics.jsonl."""

    def stop(step, loss):
        if step == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        learn(tmp_path / "old", on_step=stop)
    path = tmp_path / "old" / CHECKPOINT_FILE
    vectors, pattern, about = read_vectors(path, "sparsine-modulations-checkpoint")
    assert set(vectors) == {"vector", "adam_mean", "adam_square"}
    known = ("step", "adam_steps", "seconds", "cpu_seconds", "peak_bytes", "unreadable")
    old = {"latents": LATENTS, **{name: about[name] for name in known}}
    write_vectors(path, vectors, pattern, old, "sparsine-modulations-checkpoint")
    (tmp_path / "old" / "metrics.jsonl").unlink()
    steps = []
    again = learn(tmp_path / "old", on_step=lambda step, loss: steps.append(step))
    assert steps == [5, 6, 7, 8, 9]
    assert same(again, learn(tmp_path / "whole"))


def test_costs_add_up_over_interruptions_and_pauses_cost_nothing(tmp_path, monkeypatch):
    now = [0.0]

    class Clock:
        def __init__(self):
            self.began = now[0]

        def usage(self):
            return Usage(now[0] - self.began, (now[0] - self.began) / 2, 1000)

    def step_of(last):
        def work(step, loss):
            now[0] += 1
            if step == last:
                raise KeyboardInterrupt

        return work

    monkeypatch.setattr(keeper, "Stopwatch", Clock)
    with pytest.raises(KeyboardInterrupt):
        learn(tmp_path, on_step=step_of(4))
    now[0] += 100
    info = learn(tmp_path, on_step=step_of(None)).info
    assert info["usage"] == {"seconds": 9.0, "cpu_seconds": 4.5, "peak_bytes": 1000}


def test_learned_modulations_fit_unseen_signals_better_than_fresh_ones(tmp_path):
    config = replace(CONFIG, outer=replace(CONFIG.outer, dense_steps=50))
    dataset, learned = curves(), learn(tmp_path, config)
    values = torch.stack([torch.tensor(dataset.test.load(i)).reshape(-1, 1) for i in range(9)])
    coords, scores = learned.base.domain.coords(), []
    for modulations in (initial(start_of(), LATENTS, 0), learned):
        engine = ModulatedEngine(DenseEngine(modulations.base.pattern), modulations)
        fitted = fit(engine, torch.zeros(LATENTS), coords, values, FitConfig(optimizer="sgd", steps=3, lr=1e-2))
        scores.append([(curve[0], curve[-1]) for curve in fitted.psnr_db])
    (_, fresh), (before, after) = (np.mean(s, axis=0) for s in scores)
    assert after > fresh + 3
    assert after > before + 0.3  # and the latents have their part in it


# --- killed for real ---


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, __file__, str(tmp_path_factory.mktemp("killed"))]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_learning_that_was_really_killed_ends_in_the_same_bits(outcomes):
    assert len(outcomes) == 4
    assert [o["case"] for o in outcomes if o["killed_by"] != signal.SIGKILL] == []
    assert [o["case"] for o in outcomes if o["resumed"] != 0] == []
    assert [o["case"] for o in outcomes if not o["same"]] == []


def test_a_killed_run_goes_on_from_its_checkpoint(outcomes):
    assert [o["steps_again"] for o in outcomes if o["case"].startswith("in_gradient")] == [6, 1]


def _die(*_):
    os.kill(os.getpid(), signal.SIGKILL)


def _at_call(number, function):
    calls = iter(range(1, 10**6))
    return lambda *args, **kwargs: (_die if next(calls) == number else function)(*args, **kwargs)


def in_gradient(number):
    module.modulation_gradient = _at_call(number, module.modulation_gradient)


def while_writing(number):
    """The `number`-th file lies under its temporary name, cut to half, when the end comes."""

    def half(descriptor):
        os.ftruncate(descriptor, os.fstat(descriptor).st_size // 2)
        _die()

    calls, plain = iter(range(1, 10**6)), os.fsync
    storage.os.fsync = lambda descriptor: (half if next(calls) == number else plain)(descriptor)


def before_rename(number):
    storage.os.replace = _at_call(number, os.replace)


def _in_child(work):
    """The signal that ended the child; 0 when it ended by itself and well."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except BaseException as error:
            print(f"child failed: {error!r}", file=sys.stderr)
            os._exit(1)
    status = os.waitpid(child, 0)[1]
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else -os.WEXITSTATUS(status)


def _learn_and_count(folder, config):
    steps = []
    learn(folder, config, on_step=lambda step, loss: steps.append(step))
    (folder.parent / f"{folder.name}.steps").write_text(str(len(steps)))


def main(place):
    curves()
    config = replace(CONFIG, watch=WatchConfig(checkpoint_seconds=0.0))
    assert _in_child(lambda: learn(place / "whole", config)) == 0
    expected, outcomes = load_modulations(place / "whole" / module.FILE), []
    # files in order: config.json, nine checkpoints, the result
    for way, number in [(in_gradient, 4), (in_gradient, 9), (while_writing, 6), (before_rename, 11)]:
        folder = place / f"{way.__name__}-{number}"
        killed = _in_child(lambda way=way, number=number, folder=folder: (way(number), learn(folder, config)))
        resumed = _in_child(lambda folder=folder: _learn_and_count(folder, config))
        leftovers = list(folder.glob(".*.tmp"))
        alike = resumed == 0 and not leftovers and same(load_modulations(folder / module.FILE), expected)
        again = int((place / f"{folder.name}.steps").read_text()) if resumed == 0 else None
        outcomes.append({"case": folder.name, "killed_by": killed, "resumed": resumed, "same": alike,
                         "steps_again": again})  # fmt: skip
    print(json.dumps(outcomes))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]))
