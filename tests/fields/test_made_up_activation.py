"""An activation and an encoding that this package has never heard of, registered here, go all the way."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from kinds_of_fields import Quadratic, Radius, registered

from sparsine import FitConfig, decode, encode, fit_collection, load_start, render
from sparsine.codec.config import EncodeConfig
from sparsine.engines import ENGINES, Engine, make_engine
from sparsine.errors import BadInput
from sparsine.fields import MLP, Pattern
from sparsine.meta.config import FieldConfig, GridConfig, LearnConfig, OuterConfig, WatchConfig
from sparsine.meta.run import open_run
from sparsine.meta.run_folder import starts_of
from sparsine.meta.sparse import learn_sparse_start
from sparsine.pruning.prune import PruningConfig
from sparsine.psnr import psnr_db
from sparsine.signals.grid import Grid
from sparsine.signals.open import open_dataset
from sparsine.starts.start import Start

SHAPE = (9, 7)
ENGINES_TRIED = ("auto", "dense", "reference")


@pytest.fixture(autouse=True)
def known():
    with registered(Quadratic, Radius):
        yield


@pytest.fixture
def config():
    """What `--activation quadratic` makes."""
    return LearnConfig(
        field=FieldConfig(width=12, hidden_layers=2, activation="quadratic"),
        grid=GridConfig(resolution=SHAPE),
        outer=OuterConfig(outer_step_size=3e-3, dense_steps=40, steps_per_round=8),
        pruning=PruningConfig(rounds=2, fraction=0.3),
        watch=WatchConfig(checkpoint_seconds=1e6, val_signals=2, val_every=20),
    )


def learn(config, folder, *, resume=False, stop_at=None):
    dataset = open_dataset(config.data, resolution=SHAPE)

    def stop(state, loss):
        if state.step == stop_at:
            raise KeyboardInterrupt

    with open_run(config, folder, dataset, resume=resume, on_step=stop) as run:
        return learn_sparse_start(config, run)


@pytest.mark.parametrize("engine", ENGINES_TRIED)
def test_it_is_learned_resumed_fitted_coded_and_drawn(config, engine, tmp_path):
    config = replace(config, engine=engine)
    start = learn(config, tmp_path / "run")
    assert start.field == MLP(sizes=(2, 12, 12, 1), activation=Quadratic())
    with pytest.raises(KeyboardInterrupt):
        learn(config, tmp_path / "stopped", stop_at=45)
    assert torch.equal(learn(config, tmp_path / "stopped", resume=True).theta, start.theta)

    again = load_start(starts_of(tmp_path / "run")[-1])
    assert (again.field, again.digest) == (start.field, start.digest)
    test, fit = open_dataset(config.data, resolution=SHAPE).test, FitConfig(steps=30, lr=3e-3)
    fitted = list(fit_collection(again, test, fit, indices=range(2), engine=engine))
    assert all(one.status == "ok" and one.psnr_db[-1] > one.psnr_db[0] + 1 for one in fitted)
    (finer,) = render(again, [fitted[0].theta], (18, 14), engine=engine)
    assert finer.shape == (18, 14, 1)

    signal = test.load(0)
    data = encode(again, signal, EncodeConfig(fit=replace(fit, report=()), quality=100))
    drawn = decode(again, data).render(engine=engine)
    assert psnr_db(float(np.mean((drawn - signal) ** 2))) == pytest.approx(fitted[0].psnr_db[-1], abs=0.1)


def test_all_engines_that_draw_it_draw_the_same(config):
    field = replace(config.field, encoding="radius").field(2, 3)
    start = Start(Pattern.full(field), field.initial_theta(3), Grid(shape=SHAPE))
    first, *others = (next(render(start, [start.theta], SHAPE, engine=engine)) for engine in ENGINES_TRIED)
    assert first.std() > 0.01
    for other in others:
        np.testing.assert_allclose(other, first, atol=1e-5)


def test_the_sparse_engine_refuses_it_and_says_why(config, tmp_path):
    with pytest.raises(BadInput, match=r"engine 'sparse' computes .*, but this field is MLP 2-12-12-1, quadratic"):
        learn(replace(config, engine="sparse"), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_start_of_it_names_what_is_missing_where_it_is_not_registered(config, tmp_path):
    from sparsine.fields import ACTIVATIONS

    learn(config, tmp_path / "run")
    kept = ACTIVATIONS.pop("quadratic")
    try:
        with pytest.raises(BadInput, match=r"unknown activation 'quadratic'; known are sine, .*--load FILE"):
            load_start(starts_of(tmp_path / "run")[-1])
        with pytest.raises(BadInput, match="unknown activation 'quadratic'"):
            FieldConfig(activation="quadratic")
    finally:
        ACTIVATIONS["quadratic"] = kept


# registered engines that compute something else


class _Borrowing(Engine):
    """Computes a field of its own making with the dense engine."""

    def __init__(self, pattern, *, device="cpu", dtype=torch.float32):
        super().__init__(pattern, device=device, dtype=dtype)
        other = Pattern(replace(pattern.field, activation=Quadratic()), pattern.keep)
        self.inner = make_engine(other, "dense", device=str(device), dtype=dtype)

    def _predict(self, theta, coords):
        return self.inner.predict(theta, coords)

    def _loss_and_grad(self, theta, coords, values):
        return self.inner.loss_and_grad(theta, coords, values)

    def _hvp(self, theta, v, coords, values):
        return self.inner.hvp(theta, v, coords, values)


class Silent(_Borrowing):
    """Says nothing of what it computes."""

    name = "silent"


class Boasting(_Borrowing):
    """Says that it computes everything."""

    name = "boasting"

    @classmethod
    def supports(cls, field, device, dtype):
        return None


class Honest(_Borrowing):
    """Says what it computes."""

    name = "honest"

    @classmethod
    def supports(cls, field, device, dtype):
        return None if type(field.activation) is Quadratic else "engine 'honest' computes quadratic fields"


@pytest.fixture(params=[Silent, Boasting, Honest])
def engine(request, monkeypatch):
    monkeypatch.setitem(ENGINES, request.param.name, request.param)
    return request.param


SINE = FieldConfig(width=12, hidden_layers=2, omega_0=20.0)


def test_a_registered_engine_never_learns_a_field_that_others_would_draw_as_something_else(config, engine, tmp_path):
    with pytest.raises(BadInput, match=f"engine '{engine.name}' (does not compute|computes)"):
        learn(replace(config, field=SINE, engine=engine.name), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_registered_engine_with_an_activation_of_its_own_learns_it_where_it_says_so(config, engine, tmp_path):
    config = replace(config, engine=engine.name)
    if engine is Silent:
        with pytest.raises(
            BadInput, match="engine 'silent' computes SIRENs, but this field is MLP 2-12-12-1, quadratic"
        ):
            learn(config, tmp_path / "run")
        return
    start = learn(config, tmp_path / "run")
    by_itself, by_dense = (next(render(start, [start.theta], SHAPE, engine=name)) for name in (engine.name, "dense"))
    np.testing.assert_allclose(by_itself, by_dense, atol=1e-6)
