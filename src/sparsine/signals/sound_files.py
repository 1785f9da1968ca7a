"""One sound file to values, by soundfile. Every failure is an `UnreadableSignal` with a reason of one line."""

from dataclasses import dataclass
from math import gcd
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from jaxtyping import Float

from sparsine.errors import BadInput, UnreadableSignal
from sparsine.extras import optional
from sparsine.storage import open_to_read

MOST_CHANNELS = 2
MOST_PAGE_BYTES = 65_307
"""Of an Ogg page."""


@dataclass(frozen=True)
class Form:
    """What all clips are brought to."""

    rate: int
    samples: int
    channels: int


@dataclass(frozen=True)
class Facts:
    """What a header says."""

    rate: int
    samples: int
    channels: int


def facts_of(path: Path) -> Facts | None:
    """From the header; None where it cannot be read, which is reported when the signal is read."""
    try:
        open_to_read(path).close()  # a pipe would be waited for, a device read for ever
        info = library().info(str(path))
        return Facts(info.samplerate, info.frames, info.channels) if info.frames > 0 else None
    except Exception:  # whatever a decoder makes of a broken file
        return None


def library() -> ModuleType:
    """soundfile. Raises BadInput where it is missing."""
    return optional("soundfile", "audio", "sound is read by soundfile")


def read_sound(path: Path, form: Form, first: int, samples: int) -> Float[np.ndarray, "samples channels"]:
    """At most `samples` from `first` on, both at the wanted rate. Raises UnreadableSignal."""
    values = _decoded(path, form.rate, first, samples)
    if not len(values):
        raise UnreadableSignal(f"{path}: it holds no sound")
    if _is_chained(path):
        raise UnreadableSignal(
            f"{path}: its stream begins anew further on, perhaps at another rate, and only its first part can be read; "
            "convert it to WAV"
        )
    if not np.isfinite(values).all():
        raise UnreadableSignal(f"{path}: it holds values that are not finite")
    if values.shape[1] > MOST_CHANNELS:
        raise UnreadableSignal(f"{path}: it has {values.shape[1]} channels, and one or two can be used")
    if values.shape[1] != form.channels:
        values = values.mean(axis=1, keepdims=True) if form.channels == 1 else np.repeat(values, 2, axis=1)
    return np.ascontiguousarray(values, dtype=np.float32)


def _decoded(path: Path, rate: int, first: int, samples: int) -> np.ndarray:
    try:
        open_to_read(path).close()  # says what soundfile calls a system error
        with library().SoundFile(str(path)) as file:
            return _resampled(file, rate, first, samples)
    except (MemoryError, BadInput):
        raise
    except OSError as error:
        raise UnreadableSignal(f"{path}: {error.strerror or error}") from error
    except Exception as error:  # whatever a decoder makes of a broken file
        raise UnreadableSignal(f"{path}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """Of one line, without the path, which soundfile puts in front."""
    reason = getattr(error, "error_string", "") or str(error) or type(error).__name__
    return str(reason).splitlines()[0].removesuffix(".")


def _is_chained(path: Path) -> bool:
    """Whether an Ogg file goes on with another stream, which libsndfile leaves out without a word: the first and the
    last page then have other serial numbers."""
    with open(path, "rb") as file:
        first = file.read(18)
        if first[:4] != b"OggS":
            return False
        file.seek(max(0, path.stat().st_size - 2 * MOST_PAGE_BYTES))
        end = file.read()
    last = end[end.rfind(b"OggS") :]
    return last[14:18] != first[14:18]


def _resampled(file: Any, rate: int, first: int, samples: int) -> np.ndarray:
    if file.samplerate == rate:
        file.seek(min(first, file.frames))
        part: np.ndarray = file.read(samples, dtype="float32", always_2d=True)
        return part
    from scipy.signal import resample_poly

    # the whole file: a filter wants what lies before and behind
    whole = file.read(dtype="float32", always_2d=True)
    common = gcd(rate, file.samplerate)
    moved: np.ndarray = resample_poly(whole, rate // common, file.samplerate // common, axis=0)
    return moved[first : first + samples].astype(np.float32)
