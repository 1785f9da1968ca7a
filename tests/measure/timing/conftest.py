import pytest

from sparsine.measure.timing import roofline
from sparsine.measure.timing import timed as measure


@pytest.fixture(autouse=True)
def _a_small_roofline(monkeypatch):
    monkeypatch.setattr(roofline, "NUM_ROWS", 64)
    monkeypatch.setattr(roofline, "TRIALS", 3)


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch):
    monkeypatch.setattr(measure, "PAUSE_SECONDS", 0.0)
