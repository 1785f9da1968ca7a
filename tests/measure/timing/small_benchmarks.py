"""Benchmarks that take no time."""

from sparsine.measure.timing.config import BenchmarkConfig

TINY = dict(width=8, depth=2, size=(7, 5), omega_0=20.0, densities=(1.0, 0.3), repeats=2, signals=3, steps=4, tasks=2)
TINY_OPTIONS = ["--width", "8", "--hidden-layers", "2", "--resolution", "7x5", "--omega-0", "20", "--densities",
                "1", "0.3", "--repeats", "2", "--limit", "3", "--steps", "4", "--tasks", "2"]  # fmt: skip


def tiny(what, **more):
    return BenchmarkConfig(what=what, **{**TINY, **more})
