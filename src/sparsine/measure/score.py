"""The one place that measures: signals are read, fitted, drawn and scored, whoever fits them.

`measure` does so for whatever can be fitted in batches and drawn on the way: an experiment brings a function that fits
(`Fit`), and nothing else. `measure_start` does so for a start, whose signals may have several sizes, or be too large to
be held; `read_batches` gives the signals alone to what neither fits nor draws, as a codec does.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from sparsine.errors import UnreadableSignal
from sparsine.fitting.collection import FittedSignal, drawn_as_original, fit_collection, render
from sparsine.fitting.fit import FitConfig, Status
from sparsine.measure.records import Record, signal
from sparsine.psnr import psnr_db
from sparsine.signals.dataset import Dataset, SignalSet
from sparsine.signals.domain import Domain
from sparsine.signals.kind import Kind
from sparsine.signals.pictured import drawn_to_look_at, pictured
from sparsine.signals.pictures import save_picture
from sparsine.signals.values import load_values
from sparsine.signals.weights import weigh, weights_of
from sparsine.starts.start import Start
from sparsine.storage import write_atomically

DIGITS = {"psnr_db": 4}
"""Kept behind the point; five of others."""
DIVERGED = "the loss overflowed, or ended above where it began"
OnDrawn = Callable[[int, Tensor], None]
"""Told (step, values (signals, points, channels) as drawn then) at every step that is reported."""


@dataclass(frozen=True, eq=False)
class Original:
    """A signal that could be read, with its place in the collection."""

    index: int
    name: str
    values: Float[np.ndarray, "*axes channels"]
    coords: np.ndarray | None = None
    """(points, coords) of one whose samples lie scattered."""


@dataclass
class Scores:
    """What became of one signal, on its way into a record."""

    name: str
    status: str = "ok"
    reason: str = ""
    metrics: dict[str, list[float | None]] = field(default_factory=dict)
    """By name, a number for each step."""

    def to_dict(self, names: Sequence[str], num_steps: int) -> Record:
        """As it stands in a record: of each of `names` a number for each step, rounded."""
        unknown: list[float | None] = [None] * num_steps
        metrics = {name: _rounded(self.metrics.get(name, unknown), DIGITS.get(name, 5)) for name in names}
        return signal(self.name, self.status, metrics, self.reason)

    def add(self, scores: dict[str, float | None]) -> None:
        """Those of one more step."""
        for name, value in scores.items():
            self.metrics.setdefault(name, []).append(value)


@dataclass(frozen=True, eq=False)
class Batch:
    """Signals of one shape, as they are fitted together."""

    originals: Sequence[Original]
    coords: Float[Tensor, "*own points coords"]
    target: Float[Tensor, "signals points channels"]
    weights: Float[Tensor, "*each points"] | None
    """How much each sample counts; None: all alike."""

    @classmethod
    def of(cls, originals: Sequence[Original], domain: Domain, device: torch.device) -> "Batch":
        own = [original.coords for original in originals if original.coords is not None]
        coords = torch.from_numpy(np.stack(own)).to(device) if domain.own_coords else domain.coords(device=device)
        values = torch.stack([torch.from_numpy(original.values).flatten(0, -2) for original in originals])
        target, weights = weigh(values.to(device), domain.weights(device=device))
        return cls(originals, coords, target, weights)

    def psnr_db(self, drawn: Float[Tensor, "signals points channels"], peak: float) -> list[float]:
        """Of each signal."""
        squares = (drawn - self.target).square()
        weighed = squares if self.weights is None else self.weights[..., None] * squares
        return [psnr_db(mse, peak) for mse in weighed.mean((1, 2)).tolist()]


Fit = Callable[[Batch, OnDrawn], Sequence[Status]]
"""Fits a batch, draws it at every step that is reported, and says what became of each signal."""


def read_batches(
    signals: SignalSet, count: int, batch: int, kind: Kind, on_unreadable: Callable[[Scores], None]
) -> Iterator[list[Original]]:
    """The first `count` signals, at most `batch` of one shape together."""
    coming = (found for index in range(count) if (found := _read(signals, index, kind, on_unreadable)))
    for _, run in groupby(coming, key=lambda original: original.values.shape):
        together: list[Original] = []
        for original in run:
            together.append(original)
            if len(together) == batch:
                yield together
                together = []
        if together:
            yield together


def _read(signals: SignalSet, index: int, kind: Kind, on_unreadable: Callable[[Scores], None]) -> Original | None:
    name = signals.name(index)
    try:
        return Original(index, name, load_values(signals, index, kind), signals.coords_of(index))
    except UnreadableSignal as error:
        on_unreadable(Scores(name, "unreadable", str(error)))
        return None


def of_kind(kind: Kind, domain: Domain, original: np.ndarray, drawn: np.ndarray) -> dict[str, float | None]:
    """What the kind measures beside PSNR; both (*axes, channels)."""
    weights = weights_of(domain, original) if kind.metrics else None
    return {metric.name: metric.measure(original, drawn, weights) for metric in kind.metrics}


@dataclass(frozen=True)
class Measured:
    """A collection, measured."""

    signals: list[Scores]
    """In the order of the collection."""
    apart_seconds: float
    """Of reading, scoring and pictures, which are no part of a fit."""


def measure(
    fit: Fit, dataset: Dataset, domain: Domain, count: int, batch: int, device: torch.device, *,
    on_fitted: Callable[[int, Original, np.ndarray], None] = lambda step, original, drawn: None,
    on_progress: Callable[[float], None] = lambda fraction: None,
) -> Measured:  # fmt: skip
    """The first `count` test signals, PSNR and what their kind measures of them.

    Args:
        domain: where fields are asked for values.
        on_fitted: given (step, original, what is drawn of it) whenever something is drawn.
        on_progress: told the fraction that is done.
    """
    found: dict[int, Scores] = {}
    signals, kind = dataset.test, dataset.kind
    apart, began = 0.0, time.monotonic()
    bad: list[Scores] = []
    for originals in read_batches(signals, count, batch, kind, bad.append):
        together, rows = Batch.of(originals, domain, device), [Scores(original.name) for original in originals]

        def on_drawn(step: int, drawn: Tensor, together: Batch = together, rows: list[Scores] = rows) -> None:
            nonlocal apart
            scored_from = time.monotonic()
            psnr = together.psnr_db(drawn, kind.peak)
            for original, row, reached, values in zip(together.originals, rows, psnr, drawn.cpu().numpy(), strict=True):
                fitted = values.reshape(original.values.shape)
                row.add({"psnr_db": reached, **of_kind(kind, domain, original.values, fitted)})
                on_fitted(step, original, fitted)
            apart += time.monotonic() - scored_from

        apart += time.monotonic() - began
        for row, status in zip(rows, fit(together, on_drawn), strict=True):
            row.status, row.reason = status, DIVERGED if status == "diverged" else ""
        began = time.monotonic()
        found |= {original.index: row for original, row in zip(originals, rows, strict=True)}
        on_progress((originals[-1].index + 1) / count)
    left = iter(bad)
    return Measured([found.get(index) or next(left) for index in range(count)], apart + time.monotonic() - began)


def measure_start(
    start: Start, dataset: Dataset, count: int, config: FitConfig, *, engine: str = "auto", device: str = "cpu"
) -> Iterator[tuple[FittedSignal, Record]]:
    """The first `count` test signals fitted from a start, each with its record: PSNR after every step, and after the
    last one what the kind measures beside it."""
    for fitted in fit_collection(start, dataset.test, config, indices=range(count), engine=engine, device=device):
        ends: dict[str, float | None] = {}
        if dataset.kind.metrics and fitted.theta is not None and fitted.original is not None:
            drawn = drawn_as_original(start, fitted, engine=engine, device=device)
            ends = of_kind(dataset.kind, dataset.domain, fitted.original, drawn)
        before = [None] * (len(fitted.steps) - 1)
        metrics = {"psnr_db": fitted.psnr_db, **{name: [*before, value] for name, value in ends.items()}}
        seconds = {"seconds": [round(second, 6) for second in fitted.seconds]} if fitted.seconds else {}
        yield fitted, signal(fitted.name, fitted.status, metrics, fitted.reason, **seconds)


def draw_fit(
    folder: Path, names: tuple[str, str], start: Start, dataset: Dataset, fitted: FittedSignal, *,
    engine: str = "auto", device: str = "cpu",
) -> None:  # fmt: skip
    """A picture of the fit and one of the original, called `names`; and both to be played, where the kind can be."""
    kind, domain = dataset.kind, dataset.domain
    assert fitted.theta is not None
    assert fitted.original is not None
    (values,) = render(start, [fitted.theta], drawn_to_look_at(kind, domain), engine=engine, device=device)
    save_picture(folder / f"{names[0]}.png", kind.picture(values))
    save_picture(folder / f"{names[1]}.png", pictured(kind, domain, fitted.original, fitted.coords))
    for name, played in zip(names, (values, fitted.original), strict=True):
        if (media := kind.media(played)) is not None:
            write_atomically(folder / f"{name}{media.suffix or kind.suffix}", media.data)


def draw_signals(dataset: Dataset, original: Original, drawn: np.ndarray, places: tuple[Path, Path]) -> None:
    """A picture of the original and one of what is drawn of it where its samples lie, at `places`."""
    for place, values in zip(places, (original.values, drawn), strict=True):
        save_picture(place, pictured(dataset.kind, dataset.domain, values, original.coords))


def _rounded(values: Sequence[float | None], digits: int) -> list[float | None]:
    return [None if value is None else round(value, digits) for value in values]
