"""Which start of a family codes signals best at a wanted size or PSNR: few fine numbers, or many coarse ones."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from sparsine.codec.coder import Coder
from sparsine.codec.config import EncodeConfig
from sparsine.codec.encode import Encoded, encode_batch
from sparsine.errors import BadInput
from sparsine.fields.liveness import live_params
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

    place: int
    """Of the start among those that were given."""
    psnr_db: float | None
    """Mean, as drawn."""
    num_bytes: float
    """Mean."""
    reached: bool
    """Whether every signal met the target."""


Try = Callable[[int], Trial]
Given = tuple[np.ndarray, np.ndarray | None]


def choose_start(
    starts: Sequence[Start], signals: Sequence[Given], config: EncodeConfig, *, engine: str = "auto",
    device: str = "cpu", on_trial: Callable[[Trial], None] = lambda trial: None,
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
    numbers = [int(live_params(start.pattern).sum()) for start in starts]

    def trial(place: int) -> Trial:
        start, coder = starts[place], Coder(starts[place])
        made = [
            encode_batch(start, [values], config, engine=engine, device=device, coder=coder,
                         coords=None if own is None else [own])[0]
            for values, own in signals
        ]  # fmt: skip
        on_trial(one := _summary(place, [encoded for encoded in made if encoded.data]))
        return one

    by_size = sorted(range(len(starts)), key=lambda place: numbers[place])
    if config.target_bytes is None:
        trials = _at_psnr(by_size, trial)
    else:
        trials = [trial(place) for place in _sensible(by_size, numbers, config.target_bytes)]
    fine = [one for one in trials if one.psnr_db is not None]
    if not fine:
        raise BadInput("no start could be fitted to these signals; choose one by its name")
    return _best(fine, config)


def _summary(place: int, made: Sequence[Encoded]) -> Trial:
    mean = averaged_db([encoded.psnr_db for encoded in made])
    size = float(np.mean([len(encoded.data) for encoded in made])) if made else np.inf
    return Trial(place, mean, size, bool(made) and all(encoded.status == "ok" for encoded in made))


def _sensible(by_size: Sequence[int], numbers: Sequence[int], target: int) -> list[int]:
    """Those whose numbers would have a sensible number of bits each, or the one that comes nearest to that."""
    bits = {place: 8 * max(target - HEADER_BYTES, 1) / numbers[place] for place in by_size}
    sensible = [place for place in by_size if FEWEST_BITS <= bits[place] <= MOST_BITS]
    return sensible or [min(by_size, key=lambda place: abs(np.log2(bits[place] / BEST_BITS)))]


def _at_psnr(by_size: Sequence[int], trial: Try) -> list[Trial]:
    """From the smallest up, until one reached the target and larger ones take more bytes."""
    trials: list[Trial] = []
    least, worse = np.inf, 0
    for place in by_size:
        trials.append(one := trial(place))
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
