"""Frames to the bytes of a video file, one after the other: as many as there are, in little memory."""

import io
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from typing import Any

import numpy as np
from jaxtyping import UInt8

from sparsine.signals.video_files import MOST_RATE, library


@dataclass(frozen=True)
class Coding:
    """How frames are compressed."""

    container: str
    codec: str
    options: dict[str, str]


MP4 = Coding("mp4", "libx264", {"crf": "10", "preset": "medium", "mbtree": "0"})
"""For a file to keep: what is lost is less than rounding to 8 bits would show. Without x264's tree of macroblocks, with
which the same frames do not always give the same bytes."""
WEBM = Coding("webm", "libvpx-vp9", {"crf": "12", "b": "0", "deadline": "realtime", "cpu-used": "6"})
"""For a page: every browser plays it."""


def video_bytes(frames: Iterable[UInt8[np.ndarray, "rows columns 3"]], rate: float, coding: Coding) -> bytes:
    """A file of so many frames a second. Sizes that are not even keep all of their colours: the usual half of them
    wants even ones. Raises BadInput where PyAV is missing."""
    av, file = library(), io.BytesIO()
    frames = iter(frames)
    first = next(frames)
    with av.open(file, "w", format=coding.container) as container:
        stream = container.add_stream(coding.codec, rate=as_fraction(rate), options=dict(coding.options))
        stream.height, stream.width = first.shape[:2]
        stream.pix_fmt = "yuv444p" if first.shape[0] % 2 or first.shape[1] % 2 else "yuv420p"
        stream.thread_count = 1  # the same bytes however many cores there are
        for frame in chain([first], frames):
            _put(av, container, stream, frame)
        container.mux(stream.encode())
    return file.getvalue()


def as_fraction(rate: float) -> Fraction:
    """Of small numbers, as containers want it: 29.97003 is 30000/1001."""
    return max(Fraction(1, 1000), Fraction(min(rate, MOST_RATE)).limit_denominator(1001))


def _put(av: Any, container: Any, stream: Any, frame: np.ndarray) -> None:
    container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")))
