import pytest

from sparsine.benchmarks import roofline


@pytest.fixture(autouse=True)
def _a_small_roofline(monkeypatch):
    monkeypatch.setattr(roofline, "NUM_ROWS", 64)
    monkeypatch.setattr(roofline, "TRIALS", 3)
