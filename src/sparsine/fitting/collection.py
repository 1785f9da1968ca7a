"""A whole collection fitted from one start, batch after batch; a bad signal is reported and the others go on."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from math import nan, prod
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from sparsine.checks import check_memory
from sparsine.counted import counted
from sparsine.engines.choose import make_engine
from sparsine.engines.contract import Engine
from sparsine.engines.replay import replayed
from sparsine.errors import BadInput
from sparsine.fitting.fit import FitConfig, FitResult, Status, fit
from sparsine.fitting.points import FromSet, Places, read_at
from sparsine.fitting.room import NOT_ENOUGH, check_room, most_together, with_less
from sparsine.memory import is_cpu
from sparsine.signals.dataset import SignalSet
from sparsine.signals.domain import Domain
from sparsine.signals.values import ANY, load_values
from sparsine.signals.weights import weigh
from sparsine.starts.start import Start

WHOLE = 1 << 22
"""Samples up to which a signal is held as a whole, and that PSNR is measured on where it is larger."""
BLOCK_POINTS = 1 << 20
"""Drawn at a time."""


@dataclass(frozen=True)
class FittedSignal:
    """What became of one signal. Arrays are None when it could not be read; `original` also when it is larger than what
    is held of it at a time."""

    name: str
    status: Status
    reason: str
    steps: tuple[int, ...]
    psnr_db: tuple[float, ...]
    original: np.ndarray | None
    """(*shape, channels) float32."""
    theta: Tensor | None
    """(params,) the fitted vector."""
    coords: np.ndarray | None = None
    """(points, coords) of a signal whose samples lie scattered."""
    seconds: tuple[float, ...] = ()
    """Of fitting until `steps`: this signal's share of those that were fitted together."""

    def to_dict(self) -> dict[str, Any]:
        """The record of one signal."""
        record = {"input": self.name, "status": self.status, "steps": list(self.steps), "psnr_db": list(self.psnr_db)}
        record |= {"seconds": [round(second, 6) for second in self.seconds]} if self.seconds else {}
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
    """Fit the signals (all, or those at `indices`) in order, by the start's own plan as far as `config` leaves it open,
    `config.together` at a time; fewer where shapes differ or memory does not hold so many. A signal with values of
    another kind than the start's, or too large to fit, is 'unreadable'. Where steps see part of a signal, one of
    a set that knows its size and is larger than WHOLE samples is read as far as its steps see it, and PSNR is that of
    WHOLE samples.

    Raises:
        BadInput: signals whose channels or axes are not the start's; a batch that memory cannot hold.
    """
    config = config.by(start.plans)
    indices = range(len(signals)) if indices is None else indices
    computer, shape = replayed(make_engine(start.pattern, engine, device=device)), _held(start, config)
    size = min(config.together(device), len(indices))
    if config.batch is None and not is_cpu(device):
        size = most_together(start, shape, size, device)
    check_room(start, shape, f"fitting {size} signals together", "lower --batch", signals=size, device=device)
    theta = start.theta.to(device)
    with ThreadPoolExecutor(1) as reader:
        batches = [indices[i : i + size] for i in range(0, len(indices), max(size, 1))]
        coming = reader.submit(_read, start, signals, batches[0], config) if batches else None
        for number in range(len(batches)):
            assert coming is not None
            read = coming.result()
            following = batches[number + 1] if number + 1 < len(batches) else None
            coming = reader.submit(_read, start, signals, following, config) if following else None
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
    domain = start.domain.drawn(shape)
    for theta in thetas:
        yield np.concatenate(list(_blocks(computer, theta.to(device)[None], domain))).reshape(*shape, -1)


def _held(start: Start, config: FitConfig) -> tuple[int, ...]:
    """Of a signal like those of the start, what is in memory while it is fitted."""
    points = _seen_of(start.domain.shape, config)
    return start.domain.shape if points is None else (WHOLE + points,)


def _seen_of(shape: tuple[int, ...], config: FitConfig) -> int | None:
    """Samples that a step sees of a signal that is too large to be held; None of one that is held as a whole."""
    return config.points_of(prod(shape)) if prod(shape) > WHOLE else None


def drawn_as_original(start: Start, fitted: FittedSignal, *, engine: str = "auto", device: str = "cpu") -> np.ndarray:
    """What a fit draws where its signal has samples, in the original's shape."""
    assert fitted.original is not None
    assert fitted.theta is not None
    if fitted.coords is None:
        return next(render(start, [fitted.theta], fitted.original.shape[:-1], engine=engine, device=device))
    computer = make_engine(start.pattern, engine, device=device)
    coords = torch.from_numpy(fitted.coords).to(device)
    return computer.predict(fitted.theta.to(device)[None], coords)[0].cpu().numpy().reshape(fitted.original.shape)


def _blocks(engine: Engine, theta: Tensor, domain: Domain) -> Iterator[np.ndarray]:
    for first in range(0, domain.num_points, BLOCK_POINTS):
        last = min(first + BLOCK_POINTS, domain.num_points)
        yield engine.predict(theta, domain.coords_between(first, last, device=engine.device))[0].cpu().numpy()


class _Read(NamedTuple):
    """A signal, or why it could not be read."""

    name: str
    values: np.ndarray | None
    reason: str = ""
    coords: np.ndarray | None = None
    """Of scattered samples."""
    parts: "_Parts | None" = None
    """Of a signal of which only some samples are held: then `values` are those that PSNR is measured on."""


@dataclass(frozen=True)
class _Parts:
    signals: SignalSet
    index: int
    shape: tuple[int, ...]
    places: np.ndarray


def _read(start: Start, signals: SignalSet, indices: Sequence[int], config: FitConfig) -> list[_Read]:
    return [_read_one(start, signals, index, config) for index in indices]


def _read_one(start: Start, signals: SignalSet, index: int, config: FitConfig) -> _Read:
    name = signals.name(index)
    try:
        shape = signals.shape_of(index)
        if shape is not None and _seen_of(shape, config) is not None:
            places = np.linspace(0, prod(shape) - 1, WHOLE).astype(np.int64)
            values = load_values(signals, index, start.kind, places)
            return _Read(name, values, "", signals.coords_of(index, places), _Parts(signals, index, shape, places))
        values = load_values(signals, index, start.kind)
        check_room(start, values.shape[:-1], f"{name}: fitting it")
        return _Read(name, values, "", signals.coords_of(index))
    except BadInput as error:
        return _Read(name, None, str(error))
    except MemoryError:
        return _Read(name, None, f"{name}: {NOT_ENOUGH}")


def _fit_batch(
    start: Start, engine: Engine, theta: Tensor, read: list[_Read], config: FitConfig
) -> Iterator[FittedSignal]:
    """All that could be read, those of one shape together; in the order of `read`."""
    of_shape: dict[tuple[int, ...], list[_Read]] = {}
    fitted: dict[int, FittedSignal] = {}
    for one in read:
        if one.parts is not None:
            fitted[id(one)] = _fit_parts(start, engine, theta, one, one.parts, config)
        elif one.values is not None:
            of_shape.setdefault(one.values.shape, []).append(one)
    for shape, together in of_shape.items():
        fits = _fit_together(start, engine, theta, shape, together, config)
        fitted |= {id(one): fit for one, fit in zip(together, fits, strict=True)}
    yield from (fitted.get(id(one)) or _unreadable(one, config, one.reason) for one in read)


def _fit_together(
    start: Start, engine: Engine, theta: Tensor, shape: tuple[int, ...], read: list[_Read], config: FitConfig
) -> list[FittedSignal]:
    _check_shape(start, shape)
    domain = None if start.domain.own_coords else start.domain.resized(shape[:-1])
    shared = None if domain is None else domain.coords(device=engine.device)
    area = None if domain is None else domain.weights(device=engine.device)

    def fitted(together: Sequence[_Read]) -> list[FittedSignal]:
        values = torch.stack([torch.tensor(one.values).reshape(-1, shape[-1]) for one in together]).to(engine.device)
        coords = _own_coords(start, together).to(engine.device) if shared is None else shared
        values, weights = weigh(values, area)
        result = fit(engine, theta, coords, values, config, value_range=ANY, peak=start.kind.peak, shape=shape[:-1],
                     weights=weights)  # fmt: skip
        return [_fitted(one, result, row) for row, one in enumerate(together)]

    return with_less(fitted, read, lambda one: _unreadable(one, config, f"{one.name}: {NOT_ENOUGH}"))


def _fit_parts(
    start: Start, engine: Engine, theta: Tensor, read: _Read, parts: _Parts, config: FitConfig
) -> FittedSignal:
    """A signal that is never held as a whole."""
    assert read.values is not None
    points = _seen_of(parts.shape, config)
    assert points is not None
    _check_shape(start, (*parts.shape, read.values.shape[-1]))
    domain = start.domain.resized(parts.shape)
    places = Places(parts.shape, points, config.points_seed, config.sampled)
    draws = FromSet(parts.signals, [parts.index], domain, places, engine.device)
    coords, values, weights = read_at(parts.signals, [parts.index], domain, parts.places, engine.device)
    result = fit(engine, theta, coords, values, config, value_range=ANY, peak=start.kind.peak, draws=draws,
                 weights=weights)  # fmt: skip
    return replace(_fitted(read, result, 0), original=None, coords=None)


def _own_coords(start: Start, together: Sequence[_Read]) -> Tensor:
    """(signals, points, coords) of scattered samples."""
    found = [one.coords for one in together if one.coords is not None]
    if len(found) < len(together) or any(own.shape[-1] != start.domain.num_coords for own in found):
        raise BadInput(
            f"signals of this start bring {start.domain.num_coords} coordinates for each sample; these do not"
        )
    return torch.from_numpy(np.stack(found))


def _fitted(read: _Read, result: FitResult, row: int) -> FittedSignal:
    status, curve = result.status[row], tuple(result.psnr_db[row])
    why = "the loss overflowed, or ended above where it began; lower --lr" if status == "diverged" else ""
    theta = result.theta[row].cpu()
    seconds = tuple(second / len(result.status) for second in result.seconds)
    return FittedSignal(read.name, status, why, result.steps, curve, read.values, theta, read.coords, seconds)


def _unreadable(read: _Read, config: FitConfig, reason: str) -> FittedSignal:
    unknown = (nan,) * len(config.report_steps)
    return FittedSignal(read.name, "unreadable", reason, config.report_steps, unknown, None, None)


def _check_shape(start: Start, shape: tuple[int, ...]) -> None:
    if shape[-1] != start.field.out_features:
        raise BadInput(
            f"the start draws {counted(start.field.out_features, 'channel')} but the signals have {shape[-1]}; "
            "use a start that was learned on such signals"
        )
    if len(shape) - 1 != start.domain.num_axes:
        own = counted(start.domain.num_axes, "axis", "axes")
        raise BadInput(f"the start draws signals of {own} but these have {len(shape) - 1}")
