"""One video file to frames, by PyAV. Every failure is an `UnreadableSignal` with a reason of one line.

| file                              | becomes                                                                      |
|-----------------------------------|------------------------------------------------------------------------------|
| any pixel format                  | RGB of 8 bits; grey where the file is                                        |
| turned by its metadata (phones)   | upright                                                                      |
| variable frame rate, other rates  | a constant rate: each frame is the one that was shown at its moment          |
| frames that cannot be decoded     | missing, with all that follow from them, up to the next keyframe             |
| several video streams             | the first that is no cover picture                                           |
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from jaxtyping import Int, UInt8

from sparsine.errors import BadInput, UnreadableSignal
from sparsine.extras import optional
from sparsine.storage import open_to_read

SAME_RATE = 1e-3
"""Part of a rate that two rates may differ by and still be one: 29.97 and 30000/1001 are."""
LATE = 0.25
"""Part of a frame that a time stamp may lie behind its moment: those of some formats are rounded to milliseconds."""
MOST_RATE = 10_000.0
"""Frames a second; what claims more has no time stamps to be relied on."""


@dataclass(frozen=True)
class Facts:
    """What a file holds, from its packets: no frame but the first was decoded."""

    rate: float
    """Frames a second; of a variable rate, that of most frames."""
    times: np.ndarray
    """(frames,) seconds since the first, in the order in which they are shown."""
    stamps: np.ndarray | None
    """(frames,) time stamps as the file has them; None where it has none."""
    size: tuple[int, int]
    """(rows, columns), upright."""
    channels: int
    is_variable: bool
    lost: int = 0
    """Frames that the header promises and that are not there: the file was cut short."""


def library() -> ModuleType:
    """PyAV. Raises BadInput where it is missing."""
    return optional("av", "video", "video is read by PyAV")


def facts_of(path: Path) -> Facts:
    """Raises UnreadableSignal: no file, none that can be read, or without video."""
    with opened(path) as (container, stream):
        promised, average = stream.frames, stream.average_rate
        packets = [p for p in container.demux(stream) if p.size and not p.is_discard]
        stamps = np.sort(np.array([p.pts for p in packets if p.pts is not None], dtype=np.int64))
        seconds = (stamps - stamps[:1]) * float(stream.time_base or 1)
        usual = float(average) if average else 0.0
        grey = (stream.codec_context.pix_fmt or "").startswith("gray")
    if not packets:
        raise UnreadableSignal(f"{path}: it holds no frame")
    has_stamps = len(stamps) == len(packets) and bool((np.diff(stamps) > 0).all())
    rate, is_variable = _rate(seconds, usual) if has_stamps else (usual or 25.0, False)
    if not has_stamps or not 0 < rate <= MOST_RATE:
        seconds, has_stamps, rate = np.arange(len(packets)) / (usual or 25.0), False, usual or 25.0
    return Facts(
        rate=rate, times=seconds, stamps=stamps if has_stamps else None, size=_size(path), channels=1 if grey else 3,
        is_variable=is_variable, lost=max(0, promised - len(packets)),
    )  # fmt: skip


def shown_at(facts: Facts, rate: float) -> Int[np.ndarray, " frames"]:
    """Which frame of the file each frame at `rate` is: at the file's own constant rate all of them, one after the
    other; else the last one that had begun."""
    if not facts.is_variable and is_rate(facts.rate, rate):
        return np.arange(len(facts.times))
    seconds = float(facts.times[-1]) + 1 / facts.rate
    moments = np.arange(max(1, int(seconds * rate + LATE))) / rate
    return np.searchsorted(facts.times, moments + LATE / rate, side="right") - 1


def is_rate(one: float, other: float) -> bool:
    return abs(one - other) <= SAME_RATE * other


def decoded(path: Path, facts: Facts) -> Iterator[tuple[int, UInt8[np.ndarray, "rows columns channels"]]]:
    """(number, frame) of all frames that can be decoded, one at a time. After one that cannot, those up to the next
    keyframe are left out, since they are made from it.

    Raises:
        UnreadableSignal: the file cannot be opened (any more).
    """
    av = library()
    place = None if facts.stamps is None else {int(stamp): i for i, stamp in enumerate(facts.stamps)}
    with opened(path) as (container, stream):
        stream.codec_context.options = {"err_detect": "explode"}  # else a decoder makes frames up
        is_broken, damaged, count = False, set[int](), 0
        for packet in _packets(container, stream, av.FFmpegError):
            is_broken = is_broken and not packet.is_keyframe
            try:
                frames = packet.decode()
            except av.FFmpegError:
                frames, is_broken = [], True
                count += place is None  # its place stays empty
            if is_broken and packet.pts is not None:
                damaged.add(packet.pts)
            for frame in frames:
                number = count if place is None else place.get(frame.pts, -1)
                count += 1
                is_broken = is_broken or frame.is_corrupt
                fine = not is_broken if place is None else frame.pts not in damaged and not frame.is_corrupt
                if fine and 0 <= number < len(facts.times):
                    yield number, _values(frame, facts.channels)


@contextmanager
def opened(path: Path) -> Iterator[tuple[Any, Any]]:
    """(container, its video stream)."""
    av = library()
    try:
        open_to_read(path).close()  # a pipe would be waited for, a device read for ever
        with av.open(str(path)) as container:
            yield container, _video_of(path, container)
    except (MemoryError, BadInput):
        raise
    except av.FFmpegError as error:
        raise UnreadableSignal(f"{path}: {_reason(error)}") from error
    except OSError as error:
        raise UnreadableSignal(f"{path}: {error.strerror or error}") from error


def _video_of(path: Path, container: Any) -> Any:
    streams = [s for s in container.streams.video if not s.disposition & type(s.disposition).attached_pic]
    if not streams:
        others = ", ".join(sorted({stream.type for stream in container.streams})) or "nothing"
        raise UnreadableSignal(f"{path}: it holds no video, but {others}")
    if streams[0].codec_context is None:
        raise UnreadableSignal(f"{path}: its video is of a kind that PyAV cannot decode")
    return streams[0]


def _packets(container: Any, stream: Any, failure: type[Exception]) -> Iterator[Any]:
    """Up to where the file is broken off."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, failure):
            return
        if not packet.is_discard:
            yield packet


def _rate(seconds: np.ndarray, usual: float) -> tuple[float, bool]:
    """(frames a second, whether they are not evenly spaced)."""
    if len(seconds) < 2:
        return usual or 25.0, False
    steady = (len(seconds) - 1) / float(seconds[-1])
    rate = usual if usual and is_rate(usual, steady) else steady
    if np.abs(seconds - np.arange(len(seconds)) / rate).max() <= 0.5 / rate:
        return rate, False
    return 1 / float(np.median(np.diff(seconds))), True


def _size(path: Path) -> tuple[int, int]:
    """(rows, columns) of the first frame, upright; of the header where that cannot be decoded."""
    av = library()
    with opened(path) as (container, stream):
        try:
            frame = next(container.decode(stream))
        except (StopIteration, av.FFmpegError):
            return stream.codec_context.height, stream.codec_context.width
        turned = _quarters(frame) % 2
        return (frame.width, frame.height) if turned else (frame.height, frame.width)


def _values(frame: Any, channels: int) -> UInt8[np.ndarray, "rows columns channels"]:
    values: np.ndarray = frame.to_ndarray(format="gray" if channels == 1 else "rgb24")
    return np.rot90(values.reshape(*values.shape[:2], channels), _quarters(frame))


def _quarters(frame: Any) -> int:
    """Turns to the left that make a frame upright."""
    return round(float(frame.rotation) / 90) % 4


def _reason(error: Exception) -> str:
    """Of one line, without the path and the number."""
    reason = getattr(error, "strerror", "") or str(error) or type(error).__name__
    return str(reason).splitlines()[0].removesuffix(".")
