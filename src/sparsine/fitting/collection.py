"""A whole collection fitted from one start, batch after batch; a bad signal is reported and the others go on."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import nan, prod
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from sparsine.checks import check_memory
from sparsine.counted import counted
from sparsine.engines.choose import make_engine
from sparsine.engines.contract import Engine
from sparsine.errors import BadInput
from sparsine.fitting.fit import FitConfig, FitResult, Status, fit
from sparsine.fitting.room import NOT_ENOUGH, check_room, with_less
from sparsine.meta.start import Start
from sparsine.signals.dataset import SignalSet
from sparsine.signals.values import ANY, load_values


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
    """Fit the signals (all, or those at `indices`) in order, `config.batch` at a time; fewer where shapes differ or
    memory does not hold so many. A signal with values that are not of the start's kind, or too large to be fitted, is
    'unreadable'.

    Raises:
        BadInput: signals whose channels or axes are not the start's; a batch that memory cannot hold.
    """
    indices = range(len(signals)) if indices is None else indices
    size = min(config.batch, len(indices))
    check_room(start, start.grid.shape, f"fitting {size} signals together", "lower --batch", signals=size)
    computer = make_engine(start.pattern, engine, device=device)
    theta = start.theta.to(device)
    with ThreadPoolExecutor(1) as reader:
        batches = [indices[i : i + config.batch] for i in range(0, len(indices), config.batch)]
        coming = reader.submit(_read, start, signals, batches[0]) if batches else None
        for number in range(len(batches)):
            assert coming is not None
            read = coming.result()
            following = batches[number + 1] if number + 1 < len(batches) else None
            coming = reader.submit(_read, start, signals, following) if following else None
            yield from _fit_batch(start, computer, theta, read, config)


def render(
    start: Start, thetas: Sequence[Tensor], shape: tuple[int, ...], *, engine: str = "auto", device: str = "cpu"
) -> Iterator[np.ndarray]:
    """Draw fitted vectors, one by one, as (*shape, channels) over the start's extent, at any size.

    Raises:
        BadInput: a size that memory cannot hold.
    """
    numbers = start.field.in_features + 3 * start.field.out_features
    check_memory("the drawing", 4 * prod(shape) * numbers, "draw it smaller")
    computer = make_engine(start.pattern, engine, device=device)
    coords = start.grid.resized(shape).coords(device=device)
    for theta in thetas:
        values = computer.predict(theta.to(device)[None], coords)[0]
        yield values.reshape(*shape, -1).cpu().numpy()


class _Read(NamedTuple):
    """A signal, or why it could not be read."""

    name: str
    values: np.ndarray | None
    reason: str = ""


def _read(start: Start, signals: SignalSet, indices: Sequence[int]) -> list[_Read]:
    return [_read_one(start, signals, index) for index in indices]


def _read_one(start: Start, signals: SignalSet, index: int) -> _Read:
    name = signals.name(index)
    try:
        values = load_values(signals, index, start.kind)
        check_room(start, values.shape[:-1], f"{name}: fitting it")
        return _Read(name, values)
    except BadInput as error:
        return _Read(name, None, str(error))
    except MemoryError:
        return _Read(name, None, f"{name}: {NOT_ENOUGH}")


def _fit_batch(
    start: Start, engine: Engine, theta: Tensor, read: list[_Read], config: FitConfig
) -> Iterator[FittedSignal]:
    """All that could be read, those of one shape together; in the order of `read`."""
    of_shape: dict[tuple[int, ...], list[_Read]] = {}
    for one in read:
        if one.values is not None:
            of_shape.setdefault(one.values.shape, []).append(one)
    fitted: dict[int, FittedSignal] = {}
    for shape, together in of_shape.items():
        fits = _fit_together(start, engine, theta, shape, together, config)
        fitted |= {id(one): fit for one, fit in zip(together, fits, strict=True)}
    yield from (fitted.get(id(one)) or _unreadable(one, config, one.reason) for one in read)


def _fit_together(
    start: Start, engine: Engine, theta: Tensor, shape: tuple[int, ...], read: list[_Read], config: FitConfig
) -> list[FittedSignal]:
    _check_shape(start, shape)
    coords = start.grid.resized(shape[:-1]).coords(device=engine.device)

    def fitted(together: Sequence[_Read]) -> list[FittedSignal]:
        values = torch.stack([torch.tensor(one.values).reshape(-1, shape[-1]) for one in together]).to(engine.device)
        result = fit(engine, theta, coords, values, config, value_range=ANY)
        return [_fitted(one, result, row) for row, one in enumerate(together)]

    return with_less(fitted, read, lambda one: _unreadable(one, config, f"{one.name}: {NOT_ENOUGH}"))


def _fitted(read: _Read, result: FitResult, row: int) -> FittedSignal:
    status, curve = result.status[row], tuple(result.psnr_db[row])
    why = "the loss overflowed, or ended above where it began; lower --lr" if status == "diverged" else ""
    return FittedSignal(read.name, status, why, result.steps, curve, read.values, result.theta[row].cpu())


def _unreadable(read: _Read, config: FitConfig, reason: str) -> FittedSignal:
    unknown = (nan,) * len(config.report_steps)
    return FittedSignal(read.name, "unreadable", reason, config.report_steps, unknown, None, None)


def _check_shape(start: Start, shape: tuple[int, ...]) -> None:
    if shape[-1] != start.field.out_features:
        raise BadInput(
            f"the start draws {counted(start.field.out_features, 'channel')} but the signals have {shape[-1]}; "
            "use a start that was learned on such signals"
        )
    if len(shape) - 1 != start.grid.num_axes:
        raise BadInput(f"the start draws signals of {start.grid.num_axes} axes but these have {len(shape) - 1}")
