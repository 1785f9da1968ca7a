"""Learning from signals larger than memory, and from lattices whose axes cover different lengths."""

from dataclasses import replace

import numpy as np
import pytest

import sparsine.checks as checks
from sparsine.errors import BadInput
from sparsine.memory import Room
from sparsine.meta.config import FieldConfig, GridConfig, LearnConfig, OuterConfig, WatchConfig
from sparsine.meta.maml import InnerConfig
from sparsine.meta.run import open_run
from sparsine.meta.sparse import learn_sparse_start
from sparsine.pruning.prune import PruningConfig
from sparsine.recipes import best, detailed_axes, for_size
from sparsine.signals.dataset import Dataset, SignalSet
from sparsine.signals.grid import Grid
from sparsine.signals.kinds import Grey
from sparsine.signals.sphere import Sphere

SHAPE = (16_000, 12_000)
CONFIG = LearnConfig(
    data="planes",
    field=FieldConfig(width=7, hidden_layers=2, omega_0=20.0),
    inner=InnerConfig(points=50),
    outer=OuterConfig(dense_steps=2, steps_per_round=1, tasks_per_step=2),
    pruning=PruningConfig(rounds=1, fraction=0.3),
    watch=WatchConfig(val_signals=1),
)


class Planes(SignalSet):
    """Each sample is made where it is looked at; none of them is ever there as a whole."""

    recipe = "planes"

    def __len__(self):
        return 2

    def name(self, index):
        return f"plane-{index}"

    def shape_of(self, index):
        return SHAPE

    def load(self, index):
        raise AssertionError("the whole of it was asked for")

    def values_at(self, index, places):
        row, column = np.unravel_index(places, SHAPE)
        return ((row / SHAPE[0] + column / SHAPE[1]) / 2).astype(np.float32)[:, None]


def learn(folder, config):
    planes = Planes()
    dataset = Dataset(spec="planes", source="made", kind=Grey(), shape=SHAPE, num_channels=1, description="",
                      train=planes, val=planes, test=planes)  # fmt: skip
    with open_run(config, folder, dataset) as run:
        return learn_sparse_start(config, run)


def test_what_a_run_holds_of_huge_signals_is_what_it_looks_at(tmp_path, monkeypatch):
    # all of two signals would be 4.3 GiB
    monkeypatch.setattr(checks, "free_memory", lambda: Room(200 << 20, "this test leaves"))
    assert learn(tmp_path / "run", CONFIG).domain.shape == SHAPE
    with pytest.raises(BadInput, match=r"this run would need about 4\.3 GiB of memory"):
        learn(tmp_path / "all", replace(CONFIG, inner=InnerConfig()))


@pytest.mark.parametrize(
    ("own", "config", "wanted"),
    [
        ((-1.0, 1.0), GridConfig(), ((-1, 1), (-1, 1), (-1, 1))),
        (((-0.5, 0.25), (-1.0, 1.0), (-1.0, 1.0)), GridConfig(), ((-0.5, 0.25), (-1, 1), (-1, 1))),
        (((-0.5, 0.25), (-1.0, 1.0), (-1.0, 1.0)), GridConfig(low=0.0, high=4.0), ((1, 2.5), (0, 4), (0, 4))),
        ((-1.0, 1.0), GridConfig(low=0.1, high=0.7), ((0.1, 0.7),) * 3),
    ],
)
def test_an_axis_that_covers_a_part_of_a_lattice_covers_that_part_of_the_configured_one(own, config, wanted):
    assert config.domain(Grid(shape=(5, 6, 7), extent=own)).axis_extents == wanted


def test_omega_0_follows_the_axes_that_cover_the_whole():
    video = Grid(shape=(4, 64, 64), extent=((-0.3, 0.3), (-1.0, 1.0), (-1.0, 1.0)))
    assert detailed_axes(video) == (64, 64)
    assert detailed_axes(Grid(shape=(4, 64, 64))) == (4, 64, 64)
    assert for_size(best(), detailed_axes(video)) == for_size(best(), (64, 64))


def test_omega_0_of_a_sphere_follows_the_samples_on_an_arc():
    """Half a circle from pole to pole is 1.57 times as long as an axis of a lattice, the equator 3.14 times."""
    globe = Sphere(shape=(145, 192), latitudes=(90, -90), longitudes=(0, 360))
    assert detailed_axes(globe) == pytest.approx((145 / 1.5708, 192 / 3.1416), rel=1e-4)
    assert 26 < for_size(best(), detailed_axes(globe)).field.omega_0 < 30
    assert detailed_axes(Sphere(shape=(1, 9), latitudes=(5, 5), longitudes=(0, 57.29578))) == pytest.approx((1, 18))
