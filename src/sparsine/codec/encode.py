"""Signals to codes and back."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from math import nan
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from sparsine.codec.coder import Coder
from sparsine.codec.config import EncodeConfig
from sparsine.codec.format.header import CodeHeader, check_fits_a_code
from sparsine.codec.rate_control import FittedBatch, choose_shifts
from sparsine.codec.straight_through import quantisation_aware
from sparsine.counted import counted
from sparsine.engines.choose import make_engine
from sparsine.engines.contract import Engine
from sparsine.errors import BadInput
from sparsine.fitting.fit import Fitting
from sparsine.fitting.fitted_field import FittedField
from sparsine.fitting.room import NOT_ENOUGH, check_room, most_together, with_less
from sparsine.signals.values import Given, as_values
from sparsine.signals.weights import weigh
from sparsine.starts.start import Start

CodeStatus = Literal["ok", "missed", "diverged", "failed"]


@dataclass(frozen=True)
class Encoded:
    """What became of one signal."""

    data: bytes
    """The code; empty where there is none ('diverged', 'failed')."""
    psnr_db: float
    """Of what a decoder draws from it."""
    fitted_psnr_db: float
    """Of the fitted vector before it was rounded."""
    status: CodeStatus
    """ok; missed: the code is the nearest to a target that cannot be reached; diverged: the fit failed; failed: the
    fitted vector cannot be coded in such steps, or memory was not enough."""
    reason: str = ""
    """Why, where it is not ok."""


def encode(
    start: Start, signal: Given, config: EncodeConfig | None = None, *, coords: np.ndarray | None = None
) -> bytes:
    """The code of one signal: fitted from `start`, rounded, packed.

    Args:
        signal: an array (*shape, channels) in the range of the start's kind of values: brightness from 0 to 1, for
            instance. Of images also arrays of uint8 or uint16, and PIL images, which are read as their files are.
        coords: (points, coords) of the samples, where the start draws scattered points.

    Raises:
        BadInput: a signal that does not belong to the start, whose values are of another range, or that a code
            or memory cannot hold; a target out of reach; a fit that diverges.

    Example:
        >>> from sparsine import FitConfig, Grid, Pattern, Siren
        >>> field = Siren(sizes=(2, 6, 1), omega_0=9.0)
        >>> start = Start(Pattern.full(field), field.initial_theta(seed=0), Grid(shape=(5, 7)))
        >>> data = encode(start, np.zeros((5, 7, 1), np.float32), EncodeConfig(fit=FitConfig(steps=3)))
        >>> decode(start, data).render().shape
        (5, 7, 1)
    """
    (encoded,) = encode_batch(start, [signal], config, coords=None if coords is None else [coords])
    if encoded.status != "ok":
        raise BadInput(f"the signal could not be encoded as asked: {encoded.reason}")
    return encoded.data


def encode_batch(
    start: Start,
    signals: Sequence[Given],
    config: EncodeConfig | None = None,
    *,
    engine: str = "auto",
    device: str = "cpu",
    coder: Coder | None = None,
    coords: Sequence[np.ndarray] | None = None,
    about: Sequence[dict[str, Any]] | None = None,
) -> list[Encoded]:
    """Fit signals of one shape together and code each. What happens to one does not touch the others.

    Args:
        signals: as `encode` takes them.
        coder: of this start, to be used again from batch to batch; None makes one.
        coords: of each signal, where the start draws scattered points.
        about: of each signal a few plain JSON values that its code keeps: see `SignalSet.about`.

    Raises:
        BadInput: signals of different shapes, or that the start cannot draw, or a code or memory not hold; or
            with values that are not finite or of another range.
    """
    config, coder = (config or EncodeConfig()).by(start.plans), coder or Coder(start)
    if not len(signals):
        return []
    arrays = _alike(start, signals)
    shape = arrays[0].shape[:-1]
    check_room(start, shape, "fitting it", device=device)
    computer = make_engine(start.pattern, engine, device=device)
    size = most_together(start, shape, len(arrays), device)
    placed = list(map(_Placed, arrays, _own_coords(start, arrays, coords), about or [{}] * len(arrays)))

    def give_up(_: _Placed) -> Encoded:
        return Encoded(b"", nan, nan, "failed", NOT_ENOUGH)

    parts = (placed[first : first + size] for first in range(0, len(placed), size))
    together = partial(_encoded_together, coder, computer, config)
    return [encoded for part in parts for encoded in with_less(together, part, give_up)]


class _Placed(NamedTuple):
    """Values, their own coordinates if they have any, and what their code keeps beside its numbers."""

    values: np.ndarray
    coords: np.ndarray | None
    about: dict[str, Any]


def _own_coords(
    start: Start, arrays: Sequence[np.ndarray], coords: Sequence[np.ndarray] | None
) -> Sequence[np.ndarray | None]:
    if not start.domain.own_coords:
        if coords is not None:
            raise BadInput("this start draws samples of a grid, which have no coordinates of their own; give none")
        return [None] * len(arrays)
    wanted = (arrays[0].shape[0], start.domain.num_coords)
    found = [np.asarray(own, dtype=np.float32) for own in coords or ()]
    if len(found) != len(arrays) or any(own.shape != wanted or not np.isfinite(own).all() for own in found):
        raise BadInput(f"this start draws scattered points: give finite coordinates of shape {wanted} for each signal")
    return found


def _encoded_together(coder: Coder, engine: Engine, config: EncodeConfig, placed: Sequence[_Placed]) -> list[Encoded]:
    arrays, own = [one.values for one in placed], [one.coords for one in placed if one.coords is not None]
    start, shape, device = coder.start, arrays[0].shape[:-1], engine.device
    domain = None if own else start.domain.resized(shape)
    coords = torch.from_numpy(np.stack(own)).to(device) if domain is None else domain.coords(device=device)
    given = torch.from_numpy(np.stack(arrays)).reshape(len(arrays), -1, arrays[0].shape[-1]).to(device)
    values, weights = weigh(given, None if domain is None else domain.weights(device=device))
    fitting = Fitting(start.theta.to(device), coords, values, config.fit, peak=start.kind.peak, shape=shape,
                      weights=weights)  # fmt: skip
    result = fitting.finish(engine)
    batch = FittedBatch(coder, engine, coords, values, shape, result.theta, weights, [one.about for one in placed])
    choices = choose_shifts(batch, config)
    quantised = quantisation_aware(batch, np.array([choice.shift for choice in choices]), config)
    codes = quantised.batch.codes(quantised.shifts)
    return [
        _outcome(data, float(drawn_db), float(fitted_db), status == "diverged", choice.missed)
        for data, drawn_db, fitted_db, status, choice in zip(
            codes, quantised.drawn_db, batch.fitted_db, result.status, choices, strict=True
        )
    ]


def _outcome(data: bytes | None, drawn_db: float, fitted_db: float, diverged: bool, missed: str) -> Encoded:
    if diverged:
        why = "the loss overflowed, or ended above where it began; fit with a smaller step size"
        return Encoded(b"", nan, fitted_db, "diverged", why)
    if data is None:
        return Encoded(
            b"", nan, fitted_db, "failed", "the fitted vector lies too far from the start for such fine steps"
        )
    return Encoded(data, drawn_db, fitted_db, "missed" if missed else "ok", missed)


def encode_vector(start: Start, theta: Float[Tensor, " params"], shape: tuple[int, ...], *, quality: int = 80) -> bytes:
    """The code of a vector that was fitted elsewhere. Many of them: keep a `Coder` and call its `write`.

    Raises:
        BadInput: a vector of another length, or not finite.
    """
    return Coder(start).write(theta, shape, step_shift=EncodeConfig(quality=quality).step_shift)


def decode_vector(start: Start, data: bytes) -> Float[Tensor, " params"]:
    """The vector that a code holds, float32. Raises BadInput as `decode` does."""
    coder = Coder(start)
    return coder.theta(coder.read(data))


def decode(start: Start, data: bytes, *, coder: Coder | None = None) -> FittedField:
    """The field that a code draws.

    Memory: 100 bytes for each parameter of the start and twice the length of `data`, whatever the code says.

    Raises:
        BadInput: not a code, damaged, cut short, of another version, or of another start.
    """
    coder = coder or Coder(start)
    code = coder.read(data)
    return FittedField(start, coder.theta(code), code.header.shape, _about(code.header))


def _about(header: CodeHeader) -> dict[str, Any]:
    """What the encoder noted; nothing where that is damaged, which no drawing needs."""
    with suppress(BadInput):
        return header.read_notes()
    return {}


def _alike(start: Start, signals: Sequence[Given]) -> list[np.ndarray]:
    """Their values: of one shape, and one that the start can draw and a code can hold."""
    arrays = [_values(start, signal, number if len(signals) > 1 else None) for number, signal in enumerate(signals)]
    if any(a.shape != arrays[0].shape for a in arrays):
        raise BadInput(f"signals of one batch must have one shape, but got {sorted({a.shape for a in arrays})}")
    shape, wanted = arrays[0].shape, (start.domain.num_axes, start.field.out_features)
    if len(shape) != wanted[0] + 1 or shape[-1] != wanted[1]:
        raise BadInput(
            f"this start draws signals with {counted(wanted[0], 'axis', 'axes')} and {counted(wanted[1], 'channel')}, "
            f"but got an array of shape {shape}; it must be (*samples, channels)"
        )
    check_fits_a_code(shape[:-1])
    return arrays


def _values(start: Start, signal: Given, number: int | None) -> np.ndarray:
    try:
        return as_values(signal, start.kind)
    except BadInput as error:
        raise BadInput(f"signal {number} of the batch: {error}") if number is not None else error from error
