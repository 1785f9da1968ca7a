"""What fits on a GPU rest on, as far as it can be seen without one: batches, memory, the clock, and that signals fitted
together are fitted as each alone."""

import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from small_problems import MadeUpSignals, field_of, random_pattern

from sparsine import checks, memory
from sparsine.codec import EncodeConfig
from sparsine.codec.encode import encode_batch
from sparsine.codec.files.pipeline import batch_size
from sparsine.engines import DenseEngine
from sparsine.errors import BadInput
from sparsine.fitting import FitConfig, collection, fit, fit_collection, room
from sparsine.fitting.fit import Clock
from sparsine.memory import Room
from sparsine.signals.grid import Grid
from sparsine.starts.start import Start

PATTERN = random_pattern(field_of(2, 23, 19, 2), 0.3)
START = Start(PATTERN, PATTERN.gather(PATTERN.field.initial_theta(0)[None])[0], Grid(shape=(13, 11)))
LATTICE = FitConfig(steps=60, lr=5e-3, decay="cosine", share=0.25, report=(0, 10))
# Products of several signals may be taken by another routine than those of one, which rounds in another order: 6e-8 in
# a step, which sixty steps of Adam enlarge where a gradient is small. PSNR is what counts; here there was none.
DECIBEL = 1e-3


def made_up(count):
    signals = MadeUpSignals(count, shape=(13, 11))
    return torch.from_numpy(np.stack([signals.load(i) for i in range(count)])).reshape(count, -1, 2)


@pytest.mark.parametrize("block_elements", [None, 700, 10_000])
@pytest.mark.parametrize("config", [LATTICE, replace(LATTICE, share=None, steps=30)], ids=["lattice", "all samples"])
def test_many_signals_in_one_launch_are_fitted_as_one_by_one(config, block_elements):
    engine = DenseEngine(PATTERN, block_elements=block_elements)
    coords, values = START.domain.coords(), made_up(7)
    together = fit(engine, START.theta, coords, values, config, shape=(13, 11))
    assert together.status == ["ok"] * 7
    assert together.psnr_db[0][-1] > together.psnr_db[0][0] + 3
    for row in range(7):
        alone = fit(engine, START.theta, coords, values[row : row + 1], config, shape=(13, 11))
        assert together.psnr_db[row] == pytest.approx(alone.psnr_db[0], abs=DECIBEL)


def test_many_signals_are_one_product_of_many(monkeypatch):
    """The products of a step are those of all signals that a block holds, and not a product for each."""
    asked = []
    monkeypatch.setattr(torch, "baddbmm", lambda *args, real=torch.baddbmm: asked.append(args[2].shape) or real(*args))
    engine = DenseEngine(PATTERN, block_elements=10**6)
    fit(engine, START.theta, START.domain.coords(), made_up(7), replace(LATTICE, steps=1, report=()), shape=(13, 11))
    assert {shape[0] for shape in asked} == {7}


def test_signals_with_many_points_are_taken_one_by_one_where_products_of_many_are_slower(monkeypatch):
    engine = DenseEngine(PATTERN, block_elements=10**6)
    coords, values = START.domain.coords(), made_up(3)
    theta = START.theta.expand(3, -1) * torch.tensor([[1.0], [0.9], [1.1]])
    expected = engine.loss_and_grad(theta, coords, values)[1]
    engine.alone_from = 13 * 11
    monkeypatch.setattr(torch, "baddbmm", None)
    torch.testing.assert_close(engine.loss_and_grad(theta, coords, values)[1], expected)


def test_codes_of_a_batch_by_the_dense_engine_draw_what_single_ones_draw():
    config, values = EncodeConfig(fit=replace(LATTICE, report=())), list(made_up(5).numpy().reshape(5, 13, 11, 2))
    together = encode_batch(START, values, config, engine="dense")
    for value, of_batch in zip(values, together, strict=True):
        (alone,) = encode_batch(START, [value], config, engine="dense")
        assert (of_batch.status, alone.status) == ("ok", "ok")
        assert of_batch.psnr_db == pytest.approx(alone.psnr_db, abs=0.05)  # a number may be rounded to the next step


@pytest.mark.parametrize("config", [LATTICE, FitConfig(optimizer="sgd", lr=1e3, steps=60)], ids=["fine", "overflows"])
def test_nothing_changes_where_nobody_asks_in_every_step_whether_a_signal_overflowed(config, monkeypatch):
    """As on a GPU, where the answer would be waited for."""
    arguments = DenseEngine(PATTERN), START.theta, START.domain.coords(), made_up(3), config
    asked = fit(*arguments, shape=(13, 11))
    module = sys.modules["sparsine.fitting.fit"]  # the package's own name is that of the function
    monkeypatch.setattr(module, "_held", lambda moments, alive: torch.where(alive[:, None], moments, 0.0))
    unasked = fit(*arguments, shape=(13, 11))
    assert asked.status == unasked.status == [("ok" if config is LATTICE else "diverged")] * 3
    assert torch.equal(asked.theta, unasked.theta)


def test_a_gpu_is_given_more_signals_at_a_time_than_a_cpu_unless_asked():
    assert (FitConfig().together("cpu"), FitConfig().together("cuda"), FitConfig().together("cuda:1")) == (8, 128, 128)
    assert FitConfig(batch=3).together("cuda") == FitConfig(batch=3).together("cpu") == 3
    assert batch_size((178, 178), 128, "cuda") == 128
    assert batch_size((178, 178), 128) == 16
    with pytest.raises(BadInput, match="batch is 0"):
        FitConfig(batch=0)


class Card:
    """A GPU with so much memory, as far as torch tells."""

    def __init__(self, free, reserved=0, allocated=0):
        self.mem_get_info = lambda device: (free, 80 << 30)
        self.memory_reserved = lambda device: reserved
        self.memory_allocated = lambda device: allocated


def test_the_memory_of_a_gpu_is_what_is_free_there_and_what_torch_does_not_need(monkeypatch):
    monkeypatch.setattr(torch, "cuda", Card(free=1000, reserved=500, allocated=200))
    assert memory.free_on("cuda:1") == Room(1300, "cuda:1 has free")
    assert memory.free_on("cpu").whose != "cuda has free"


def test_too_little_memory_of_a_gpu_is_one_line_with_what_is_needed(monkeypatch):
    monkeypatch.setattr(torch, "cuda", Card(free=3 << 29))
    with pytest.raises(BadInput) as error:
        checks.check_memory("fitting 9 signals together", 2 << 30, "lower --batch", "cuda")
    assert str(error.value) == (
        "fitting 9 signals together would need about 2.0 GiB of memory, but cuda has free 1.5; lower --batch"
    )


@pytest.fixture
def as_if_on_a_gpu(monkeypatch):
    """`--device cuda` where the CPU computes all the same: everything but the name is as there."""
    real = collection.make_engine
    monkeypatch.setattr(collection, "make_engine", lambda pattern, name, device: real(pattern, "dense"))
    to = torch.Tensor.to
    monkeypatch.setattr(
        torch.Tensor, "to", lambda own, *args, **how: own if args == ("cuda",) else to(own, *args, **how)
    )


def test_a_fit_on_a_gpu_takes_as_many_signals_as_its_memory_holds(as_if_on_a_gpu, monkeypatch):
    each, batches = room._num_bytes(START, (13, 11)), []
    real = collection.fit

    def noted(engine, theta, coords, values, *args, **kwargs):
        batches.append(len(values))
        return real(engine, theta, coords, values, *args, **kwargs)

    monkeypatch.setattr(collection, "fit", noted)
    for module in (room, checks):
        monkeypatch.setattr(module, "free_on", lambda device: Room(5 * each + 1, f"{device} has free"))
    config = FitConfig(steps=1, lr=1e-3, report=())
    signals = MadeUpSignals(11, shape=(13, 11))
    assert len(list(fit_collection(START, signals, config, engine="dense", device="cuda"))) == 11
    assert batches == [5, 5, 1]
    with pytest.raises(BadInput, match=r"fitting 11 signals together would need about .* but cuda has free .*; lower"):
        list(fit_collection(START, signals, replace(config, batch=50), engine="dense", device="cuda"))


def test_the_clock_waits_for_what_a_gpu_still_has_to_do(monkeypatch):
    waited = []
    monkeypatch.setattr(torch, "cuda", SimpleNamespace(synchronize=waited.append))
    clock = Clock(torch.device("cuda"))
    with clock:
        pass
    assert (clock.seconds() > 0, waited) == (True, [torch.device("cuda")])
    assert Clock(torch.device("cpu")).seconds() == 0
    assert len(waited) == 1
