"""A whole collection fitted from one start, batch after batch; a bad signal is reported and the others go on."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import nan
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sparsine.checks import check_memory
from sparsine.counted import counted
from sparsine.engines.choose import make_engine
from sparsine.engines.contract import Engine
from sparsine.errors import BadInput, UnreadableSignal
from sparsine.fitting.fit import FitConfig, Status, fit
from sparsine.meta.start import Start
from sparsine.signals.dataset import SignalSet


@dataclass(frozen=True)
class FittedSignal:
    """What became of one signal. Arrays are None when it could not be read."""

    name: str
    status: Status
    reason: str
    steps: tuple[int, ...]
    psnr_db: tuple[float, ...]
    original: np.ndarray | None
    """(*shape, channels) float32."""
    theta: Tensor | None
    """(params,) the fitted vector."""

    def to_dict(self) -> dict[str, Any]:
        """The record of one signal."""
        record = {"input": self.name, "status": self.status, "steps": list(self.steps), "psnr_db": list(self.psnr_db)}
        return record | ({"reason": self.reason} if self.reason else {})


def fit_collection(
    start: Start,
    signals: SignalSet,
    config: FitConfig,
    *,
    indices: Sequence[int] | None = None,
    engine: str = "auto",
    device: str = "cpu",
) -> Iterator[FittedSignal]:
    """Fit the signals (all, or those at `indices`) in order, `config.batch` at a time.

    Raises:
        BadInput: signals whose channels or axes are not the start's.
    """
    indices = range(len(signals)) if indices is None else indices
    check_memory(
        "fitting",
        4 * min(config.batch, len(indices)) * (8 * start.pattern.num_params + 3 * start.grid.num_points),
        "lower --batch",
    )
    computer = make_engine(start.pattern, engine, device=device)
    theta = start.theta.to(device)
    with ThreadPoolExecutor(1) as reader:
        batches = [indices[i : i + config.batch] for i in range(0, len(indices), config.batch)]
        coming = reader.submit(_read, signals, batches[0]) if batches else None
        for number in range(len(batches)):
            assert coming is not None
            read = coming.result()
            coming = reader.submit(_read, signals, batches[number + 1]) if number + 1 < len(batches) else None
            yield from _fit_batch(start, computer, theta, read, config)


def render(
    start: Start, thetas: Sequence[Tensor], shape: tuple[int, ...], *, engine: str = "auto", device: str = "cpu"
) -> Iterator[np.ndarray]:
    """Draw fitted vectors, one by one, as (*shape, channels) over the start's extent, at any size."""
    computer = make_engine(start.pattern, engine, device=device)
    coords = start.grid.resized(shape).coords(device=device)
    for theta in thetas:
        values = computer.predict(theta.to(device)[None], coords)[0]
        yield values.reshape(*shape, -1).cpu().numpy()


def _read(signals: SignalSet, indices: Sequence[int]) -> list[tuple[str, np.ndarray | None, str]]:
    read: list[tuple[str, np.ndarray | None, str]] = []
    for index in indices:
        name = signals.name(index)
        try:
            read.append((name, signals.load(index), ""))
        except UnreadableSignal as error:
            read.append((name, None, str(error)))
    return read


def _fit_batch(
    start: Start, engine: Engine, theta: Tensor, read: list[tuple[str, np.ndarray | None, str]], config: FitConfig
) -> Iterator[FittedSignal]:
    arrays = [signal for _, signal, _ in read if signal is not None]
    if arrays:
        _check_shapes(start, arrays)
        coords = start.grid.resized(arrays[0].shape[:-1]).coords(device=engine.device)
        values = torch.stack([torch.tensor(a).reshape(-1, a.shape[-1]) for a in arrays]).to(engine.device)
        result = fit(engine, theta, coords, values, config)
    row = 0
    for name, signal, reason in read:
        if signal is None:
            unknown = (nan,) * len(config.report_steps)
            yield FittedSignal(name, "unreadable", reason, config.report_steps, unknown, None, None)
            continue
        status = result.status[row]
        why = "the loss overflowed, or ended above where it began; lower --lr" if status == "diverged" else ""
        yield FittedSignal(name, status, why, result.steps, tuple(result.psnr_db[row]), signal, result.theta[row].cpu())
        row += 1


def _check_shapes(start: Start, arrays: list[np.ndarray]) -> None:
    if arrays[0].shape[-1] != start.field.out_features:
        raise BadInput(
            f"the start draws {counted(start.field.out_features, 'channel')} but the signals have "
            f"{arrays[0].shape[-1]}; use a start that was learned on such signals"
        )
    if arrays[0].ndim - 1 != start.grid.num_axes:
        raise BadInput(f"the start draws signals of {start.grid.num_axes} axes but these have {arrays[0].ndim - 1}")
