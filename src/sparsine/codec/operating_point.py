"""Which start of a family codes signals best at a wanted size or PSNR: few fine numbers, or many coarse ones."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from sparsine.codec.coder import Coder
from sparsine.codec.config import EncodeConfig
from sparsine.codec.encode import Encoded, encode_batch
from sparsine.errors import BadInput
from sparsine.psnr import averaged_db
from sparsine.starts.start import Start

BEST_BITS = 5.5
"""Bits that a number of a code takes where no start with more or fewer of them is better, on photographs."""
FEWEST_BITS, MOST_BITS = 2.5, 11.0
"""Where a code would have fewer or more, another start is so sure to be better that it need not be tried."""
HEADER_BYTES = 24
"""About, and the checksum."""
WORSE_IN_A_ROW = 2
"""Larger starts that took more bytes, one after the other, until no further one is tried."""


@dataclass(frozen=True)
class Trial:
    """What came of one start."""

    start: Start
    psnr_db: float | None
    """Mean, as drawn."""
    num_bytes: float
    """Mean."""
    reached: bool
    """Whether every signal met the target."""


Told = Callable[[Trial], None]
Given = tuple[np.ndarray, np.ndarray | None]


def choose_start(
    starts: Sequence[Start], signals: Sequence[Given], config: EncodeConfig, *, engine: str = "auto",
    device: str = "cpu", told: Told | None = None,
) -> Trial:  # fmt: skip
    """The start that codes these signals best: nearest to them within `config.target_bytes`, or in the fewest bytes at
    `config.target_psnr_db`; measured by coding them. Where no start meets the target, the one that comes nearest.

    Args:
        starts: that can draw the signals; of one kind.
        signals: values (*shape, channels) of a few that stand for the rest, and their coordinates if they have any.

    Raises:
        BadInput: no target; or none of the signals can be fitted.
    """
    if config.target_bytes is None and config.target_psnr_db is None:
        raise BadInput("there is no target to choose a start by; give a size in bytes or a PSNR, or name one start")

    def trial(start: Start) -> Trial:
        made = [_coded(start, signal, config, engine, device) for signal in signals]
        one = _summary(start, [encoded for encoded in made if encoded.data])
        if told:
            told(one)
        return one

    by_size = sorted(starts, key=_numbers)
    trials = _at_size(by_size, config.target_bytes, trial) if config.target_bytes else _at_psnr(by_size, trial)
    fine = [one for one in trials if one.psnr_db is not None]
    if not fine:
        raise BadInput("no start could be fitted to these signals; choose one by its name")
    return _best(fine, config)


def _coded(start: Start, signal: Given, config: EncodeConfig, engine: str, device: str) -> Encoded:
    values, own = signal
    coords = None if own is None else [own]
    return encode_batch(start, [values], config, engine=engine, device=device, coords=coords)[0]


def _summary(start: Start, made: Sequence[Encoded]) -> Trial:
    mean = averaged_db([encoded.psnr_db for encoded in made])
    size = float(np.mean([len(encoded.data) for encoded in made])) if made else np.inf
    return Trial(start, mean, size, bool(made) and all(encoded.status == "ok" for encoded in made))


def _numbers(start: Start) -> int:
    return int(Coder(start).live.sum())


def _at_size(by_size: Sequence[Start], target: int, trial: Callable[[Start], Trial]) -> list[Trial]:
    bits = [8 * max(target - HEADER_BYTES, 1) / _numbers(start) for start in by_size]
    sensible = [start for start, each in zip(by_size, bits, strict=True) if FEWEST_BITS <= each <= MOST_BITS]
    nearest = min(range(len(bits)), key=lambda i: abs(np.log2(bits[i] / BEST_BITS)))
    return [trial(start) for start in sensible or [by_size[nearest]]]


def _at_psnr(by_size: Sequence[Start], trial: Callable[[Start], Trial]) -> list[Trial]:
    """From the smallest up, until one reached the target and larger ones take more bytes."""
    trials: list[Trial] = []
    least, worse = np.inf, 0
    for start in by_size:
        trials.append(one := trial(start))
        worse = worse + 1 if one.num_bytes >= least else 0
        least = min(least, one.num_bytes) if one.reached else least
        if worse == WORSE_IN_A_ROW:
            break
    return trials


def _best(trials: Sequence[Trial], config: EncodeConfig) -> Trial:
    reached = [one for one in trials if one.reached]
    if config.target_psnr_db is not None and reached:
        return min(reached, key=lambda one: one.num_bytes)
    if config.target_bytes is not None and not reached:
        return min(trials, key=lambda one: one.num_bytes)
    return max(reached or trials, key=lambda one: one.psnr_db if one.psnr_db is not None else -np.inf)
