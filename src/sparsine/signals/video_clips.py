"""Video files as signals: cut into clips of so many frames, or each whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
from jaxtyping import Float, Int

from sparsine.errors import UnreadableSignal
from sparsine.signals.dataset import SignalSet, check_index
from sparsine.signals.decoded_video import DecodedVideo, FrameForm
from sparsine.signals.fingerprint import fingerprint_bytes, fingerprint_file
from sparsine.signals.video_files import Facts, facts_of


@dataclass(frozen=True)
class VideoClip:
    """A part of a file."""

    name: str
    path: Path
    first: int = 0
    """The frame that it begins with."""
    frames: int = 0
    video: DecodedVideo | None = None
    reason: str = ""
    """Why it cannot be read, where there is no video."""


@final
class VideoClips(SignalSet):
    """float32 (frames, rows, columns, channels) in [0, 1]. Of a file that is shorter than a clip the last frame is
    held."""

    fingerprint_loads = False

    def __init__(self, clips: Sequence[VideoClip], notes: Sequence[str] = ()) -> None:
        self._clips, self.notes = list(clips), tuple(notes)

    def __len__(self) -> int:
        return len(self._clips)

    def name(self, index: int) -> str:
        check_index(index, len(self))
        return self._clips[index].name

    def shape_of(self, index: int) -> tuple[int, ...] | None:
        check_index(index, len(self))
        clip = self._clips[index]
        return None if clip.video is None else (clip.frames, *clip.video.form.size)

    def load(self, index: int) -> Float[np.ndarray, "frames rows columns channels"]:
        return _in_range(self._frames(index))

    def values_at(self, index: int, places: Int[np.ndarray, " points"]) -> Float[np.ndarray, "points channels"]:
        frames = self._frames(index)
        return _in_range(frames.reshape(-1, frames.shape[-1])[places])

    def fingerprint(self, index: int) -> str:
        check_index(index, len(self))
        clip = self._clips[index]
        form = None if clip.video is None else clip.video.form
        return fingerprint_bytes(f"{fingerprint_file(clip.path)} {clip.first} {clip.frames} {form}".encode())

    def _frames(self, index: int) -> np.ndarray:
        check_index(index, len(self))
        clip = self._clips[index]
        if clip.video is None:
            raise UnreadableSignal(clip.reason)
        there = min(clip.frames, len(clip.video) - clip.first)
        frames = clip.video.part(clip.first, there)
        if there == clip.frames:
            return frames
        return np.concatenate([frames, np.repeat(frames[-1:], clip.frames - there, axis=0)])


def _in_range(values: np.ndarray) -> Float[np.ndarray, "*shape channels"]:
    return values.astype(np.float32) / np.float32(255.0)


def read_facts(path: Path) -> Facts | str:
    """What a file holds, or why it cannot be read."""
    try:
        return facts_of(path)
    except UnreadableSignal as error:
        return str(error)


def clips_of(path: Path, name: str, facts: Facts | str, form: FrameForm, frames: int | None) -> list[VideoClip]:
    """Clips of `frames` frames one after the other, without what is left at the end; without a number all of a file.
    One for a file that cannot be read, so that it is reported."""
    if isinstance(facts, str):
        return [VideoClip(name, path, reason=facts)]
    video = DecodedVideo(path, facts, form)
    if len(video) < 2:
        return [VideoClip(name, path, reason=f"{path}: it has one frame; a clip needs two or more")]
    count = 1 if frames is None else max(1, len(video) // frames)
    if count == 1:
        return [VideoClip(name, path, 0, frames or len(video), video)]
    digits = len(str(count - 1))
    assert frames is not None
    return [VideoClip(f"{name}@{number:0{digits}}", path, number * frames, frames, video) for number in range(count)]
