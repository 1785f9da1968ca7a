"""A tiny start, plain and with made-up coding tables, and vectors near it."""

from dataclasses import replace

import torch
from small_problems import field_of, random_pattern

from sparsine.codec.format.default_tables import laplace_survival
from sparsine.signals.dataset import SignalSet
from sparsine.signals.grid import Grid
from sparsine.signals.kinds import Grey, Rgb
from sparsine.starts.coding import CodingTables
from sparsine.starts.start import Start

GRID = Grid(shape=(9, 4), extent=((-1.0, 2.0), (0.5, 0.75)), alignment="centers", axis_order="reversed")


def generator(seed):
    return torch.Generator().manual_seed(seed)


def make_start(seed=0, omega_0=6.5, sizes=(2, 9, 7, 3)):
    field = field_of(*sizes, omega_0=omega_0, output_offset=0.5)
    pattern = random_pattern(field, 0.6, seed)
    kind = Rgb() if sizes[-1] == 3 else Grey()
    return Start(pattern, pattern.gather(field.initial_theta(seed)[None])[0], GRID, kind=kind)


def calibrated(seed=0):
    """Steps and scales that differ from parameter to parameter, without any measurement."""
    start = make_start(seed)
    spread = torch.randint(-40, 40, start.theta.shape, generator=generator(seed))
    wide = torch.randint(-30, 90, start.theta.shape, generator=generator(seed + 1))
    step = (-208 + spread).short()
    tables = CodingTables(start.theta + 0.0005, step, (step + wide).short(), laplace_survival())
    return replace(start, coding=tables)


def moved(start, seed=5, far=0.002):
    return start.theta + far * torch.randn(start.theta.shape, generator=generator(seed))


class Named(SignalSet):
    """Arrays by name; an exception in the place of one is raised."""

    def __init__(self, signals):
        self.names, self.values = list(signals), list(signals.values())

    def __len__(self):
        return len(self.names)

    def name(self, index):
        return self.names[index]

    def load(self, index):
        if isinstance(self.values[index], Exception):
            raise self.values[index]
        return self.values[index].copy()
