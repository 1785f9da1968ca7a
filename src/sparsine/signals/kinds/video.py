"""Video: frames of brightness in [0, 1], in three colours or in one, so many a second."""

import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil, inf, sqrt
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np
from jaxtyping import UInt8

from sparsine.checks import check_range
from sparsine.psnr import averaged_db, psnr_db
from sparsine.signals.kind import KINDS, Kind, Media, Metric, Picture, Values, check_alike
from sparsine.signals.pictures import error_picture, png_bytes, side_by_side, to_bytes, with_not_finite
from sparsine.ssim import ssim

if TYPE_CHECKING:
    from sparsine.signals.dataset import SignalSet

MIME = "video/webm"
MOST_SHOWN = 6
"""Frames of a clip that its picture shows."""
PLAYED_EDGE = 256
"""Pixels along the longer side that small frames are enlarged to at least, to be played."""
SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ogv", ".wmv", ".flv", ".y4m", ".ts")


@dataclass(frozen=True, kw_only=True)
class Video(Kind):
    """Clips. PSNR is that of all values of a clip together, the paper's measure; that of its frames, each for itself,
    is beside it, as one bad frame is seen."""

    name: ClassVar[str] = "video"
    axes: ClassVar[tuple[str, ...]] = ("frames", "rows", "columns")
    num_channels: ClassVar[tuple[int, ...]] = (1, 3)
    suffix: ClassVar[str] = ".mp4"
    suffixes: ClassVar[tuple[str, ...]] = SUFFIXES
    own_size: ClassVar[bool] = False
    whole_numbers: ClassVar[bool] = True
    in_slabs: ClassVar[bool] = True

    rate: float = 25.0
    """Frames a second."""

    def __post_init__(self) -> None:
        check_range("the rate of video", self.rate, 1e-3, 10_000)

    @property
    def value_range(self) -> tuple[float, float]:
        return 0.0, 1.0

    @property
    def metrics(self) -> tuple[Metric, ...]:
        return (
            Metric("ssim", "SSIM, mean over frames", mean_ssim),
            Metric("frame_psnr_db", "PSNR of a frame, mean (dB)", mean_frame_psnr_db),
        )

    def picture(self, values: Values, spacing: float | None = None) -> Picture:
        """Some frames from the first to the last, line after line."""
        self.check(values.shape)
        return _sheet([frame_picture(values[i]) for i in shown_frames(len(values))])

    def error_picture(self, original: Values, fitted: Values) -> Picture:
        """Of the same frames that `picture` shows."""
        check_alike(original, fitted)
        return _sheet([error_picture(original[i], fitted[i], self.peak) for i in shown_frames(len(original))])

    def preview_shape(self, shape: tuple[int, ...], edge: int) -> tuple[int, ...]:
        """Few frames, each as large as a picture would be."""
        frames, *size = shape
        return (min(frames, MOST_SHOWN), *super().preview_shape(tuple(size), 4 * edge))

    def media(self, values: Values) -> Media:
        """A WebM; small frames are enlarged, each sample to a square."""
        from sparsine.signals.video_writing import WEBM, video_bytes

        times = max(1, ceil(PLAYED_EDGE / max(values.shape[1:3])))
        frames = (_even(frame_picture(frame).repeat(times, axis=0).repeat(times, axis=1)) for frame in values)
        return Media(video_bytes(frames, self.rate, WEBM), MIME)

    def write(self, values: Values, spacing: float | None = None, scale: float = 1.0) -> bytes:
        return self.write_slabs([values], spacing, scale)

    def write_slabs(self, slabs: Iterable[np.ndarray], spacing: float | None = None, scale: float = 1.0) -> bytes:
        """An MP4 (H.264), clamped to [0, 1]; drawn with twice the frames it has twice the rate."""
        from sparsine.signals.video_writing import MP4, video_bytes

        return video_bytes(_frames(slabs), self.rate * scale, MP4)

    def in_frames(self) -> "VideoFrames":
        return VideoFrames(rate=self.rate)

    def files(self, paths: Sequence[str | Path], shape: tuple[int, ...] | None, num_channels: int) -> "SignalSet":
        from sparsine.signals.sources.video import open_video_files

        return open_video_files(paths, self.rate, shape, num_channels)


@final
@dataclass(frozen=True, kw_only=True)
class VideoFrames(Video):
    """Video that is written frame by frame, nothing lost but the rounding to 8 bits."""

    name: ClassVar[str] = "video-frames"
    suffix: ClassVar[str] = ".zip"

    def write_slabs(self, slabs: Iterable[np.ndarray], spacing: float | None = None, scale: float = 1.0) -> bytes:
        """A ZIP of a PNG for each frame: 00000.png, 00001.png, ..."""
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            for number, frame in enumerate(_frames(slabs)):
                archive.writestr(zipfile.ZipInfo(f"{number:05}.png"), png_bytes(frame))  # of no date
        return file.getvalue()


def frame_picture(frame: Values) -> UInt8[np.ndarray, "rows columns 3"]:
    """One frame, clamped to [0, 1]."""
    return with_not_finite(frame, lambda finite: to_bytes(np.repeat(finite, 3 // finite.shape[-1], axis=2)))


def shown_frames(count: int) -> list[int]:
    """Numbers of the frames that a picture shows, from the first to the last."""
    return [round(float(i)) for i in np.linspace(0, count - 1, min(count, MOST_SHOWN))]


def mean_ssim(original: Values, fitted: Values) -> float | None:
    """None for frames that are smaller than one window."""
    found = [ssim(a, b, 1.0) for a, b in zip(original, fitted, strict=True)]
    known = [one for one in found if one is not None]
    return sum(known) / len(known) if len(known) == len(found) else None


def mean_frame_psnr_db(original: Values, fitted: Values) -> float | None:
    """Mean over frames of the PSNR of each; infinite where one frame is perfect, so those are left out while there are
    others."""
    found = [psnr_db(float(np.square(a - b, dtype=np.float64).mean())) for a, b in zip(original, fitted, strict=True)]
    return averaged_db([db for db in found if db < inf] or found)


def _frames(slabs: Iterable[np.ndarray]) -> Iterator[UInt8[np.ndarray, "rows columns 3"]]:
    return (frame_picture(frame) for slab in slabs for frame in slab)


def _sheet(frames: Sequence[Picture]) -> UInt8[np.ndarray, "sheet_rows sheet_columns 3"]:
    across = ceil(sqrt(len(frames)))
    lines = [side_by_side(frames[i : i + across], gap=2) for i in range(0, len(frames), across)]
    columns = max(line.shape[1] for line in lines)
    gap = np.full((2, columns, 3), 255, dtype=np.uint8)
    wide = [np.pad(line, ((0, 0), (0, columns - line.shape[1]), (0, 0)), constant_values=255) for line in lines]
    return np.concatenate([piece for line in wide for piece in (gap, line)][1:])


def _even(frame: Picture) -> UInt8[np.ndarray, "even_rows even_columns 3"]:
    rows, columns = frame.shape[:2]
    return np.pad(frame, ((0, rows % 2), (0, columns % 2), (0, 0)), mode="edge")


KINDS[Video.name] = Video
