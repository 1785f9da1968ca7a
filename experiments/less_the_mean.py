"""`less-mean:SPEC`: another data set with the mean of its training signals taken away, for `--load`.

Cosines and principal components are measured with that mean added back, for nothing; this asks what fields gain by it.

    sparsine learn "less-mean:sphere:FILE?..." --load experiments/less_the_mean.py --out runs/less-mean
"""

from dataclasses import replace

import numpy as np

from sparsine.signals import SOURCES, Dataset, SignalSet, Source
from sparsine.signals.open import open_dataset

MIDDLE = 0.5
"""Where a signal that is the mean lies, so that fields begin there."""


class LessTheMean(SignalSet):
    def __init__(self, inner: SignalSet, mean: np.ndarray) -> None:
        self.inner, self.mean = inner, mean

    def __len__(self) -> int:
        return len(self.inner)

    def name(self, index: int) -> str:
        return self.inner.name(index)

    def load(self, index: int) -> np.ndarray:
        return (self.inner.load(index) - self.mean + np.float32(MIDDLE)).astype(np.float32)


def mean_of(signals: SignalSet) -> np.ndarray:
    """Of all of them, float32."""
    return np.mean([signals.load(i) for i in range(len(signals))], axis=0, dtype=np.float64).astype(np.float32)


def open_less_the_mean(spec: str, path: str, resolution: tuple[int, ...] | None, seed: int) -> Dataset:
    whole = open_dataset(path, resolution=resolution, seed=seed)
    mean = mean_of(whole.train)
    train, val, test = (LessTheMean(each, mean) for each in (whole.train, whole.val, whole.test))
    return replace(whole, spec=spec, train=train, val=val, test=test,
                   description=f"{whole.description} Less the mean of the training signals.")  # fmt: skip


SOURCES["less-mean"] = Source("less-mean:SPEC, a data set less its mean", open_less_the_mean, has_files=False)
