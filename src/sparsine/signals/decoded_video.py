"""The frames of one video file, decoded once into a file of their own and mapped from there: a compressed video cannot
be read at random places, and a long one does not fit into memory.

The file lies in the folder for temporary files (TMPDIR), has no name any more as soon as it is open, and is gone with
the process, however that ends.
"""

import os
import shutil
import tempfile
from dataclasses import dataclass
from math import prod
from pathlib import Path
from threading import Lock
from typing import IO, Any
from weakref import finalize

import numpy as np
from jaxtyping import Bool, UInt8
from PIL import Image

from sparsine.errors import UnreadableSignal
from sparsine.signals.resize import cover_crop
from sparsine.signals.video_files import Facts, decoded, shown_at

MOST_TOLD = 5


@dataclass(frozen=True)
class FrameForm:
    """What all frames are brought to."""

    size: tuple[int, int]
    """(rows, columns)."""
    channels: int
    rate: float
    """Frames a second."""

    @property
    def frame_bytes(self) -> int:
        return prod(self.size) * self.channels


class DecodedVideo:
    """A file as frames uint8 (frames, rows, columns, channels) of one form. Nothing is decoded before it is asked for.

    May be used from several threads. Pickles and copies decode for themselves.
    """

    _file: IO[bytes] | None
    _is_there: Bool[np.ndarray, " frames"]

    def __init__(self, path: Path, facts: Facts, form: FrameForm) -> None:
        self.path, self.facts, self.form = path, facts, form
        self.source = shown_at(facts, form.rate)
        """(frames,) which frame of the file each is."""
        self._begin()

    def __len__(self) -> int:
        return len(self.source)

    @property
    def num_bytes(self) -> int:
        """Of the temporary file."""
        return len(self) * self.form.frame_bytes

    def part(self, first: int, count: int) -> UInt8[np.ndarray, "frames rows columns channels"]:
        """`count` frames, mapped.

        Raises:
            UnreadableSignal: the file cannot be read, one of these frames cannot be decoded, or the disk is too small.
        """
        with self._lock:
            if self._file is None:
                self._file, self._is_there = self._decode()
                finalize(self, self._file.close)
        missing = np.flatnonzero(~self._is_there[first : first + count]) + first
        if len(missing):
            shown = ", ".join(map(str, missing[:MOST_TOLD])) + ", ..." * (len(missing) > MOST_TOLD)
            raise UnreadableSignal(f"{self.path}: frame {shown} (counted from 0) cannot be decoded")
        shape = (count, *self.form.size, self.form.channels)
        return np.memmap(self._file, np.uint8, "r", first * self.form.frame_bytes, shape)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if not name.startswith("_")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._begin()

    def _begin(self) -> None:
        self._lock = Lock()
        self._file, self._is_there = None, np.zeros(0, dtype=bool)

    def _decode(self) -> tuple[IO[bytes], Bool[np.ndarray, " frames"]]:
        folder = tempfile.gettempdir()
        self._check_room(folder)
        is_there = np.zeros(len(self), dtype=bool)
        file = tempfile.TemporaryFile(dir=folder, prefix="sparsine.")  # noqa: SIM115 (kept)
        try:
            file.truncate(max(1, self.num_bytes))
            for number, frame in decoded(self.path, self.facts):
                data = self._brought_to_form(frame).tobytes()
                for place in range(*np.searchsorted(self.source, [number, number + 1])):
                    os.pwrite(file.fileno(), data, place * self.form.frame_bytes)  # never through a map: a full disk
                    is_there[place] = True  # would end the process
        except OSError as error:
            file.close()
            raise UnreadableSignal(f"{self.path}: its decoded frames cannot be kept in {folder} ({error})") from error
        except BaseException:
            file.close()
            raise
        return file, is_there

    def _check_room(self, folder: str) -> None:
        free = shutil.disk_usage(folder).free
        if self.num_bytes > free:
            raise UnreadableSignal(
                f"{self.path}: its decoded frames take {self.num_bytes / 2**20:,.0f} MiB for as long as they are used, "
                f"but {folder} has {free / 2**20:,.0f} free; choose a smaller --resolution, or another folder by TMPDIR"
            )

    def _brought_to_form(self, frame: np.ndarray) -> np.ndarray:
        image = Image.fromarray(np.ascontiguousarray(frame[:, :, 0] if frame.shape[2] == 1 else frame))
        return np.asarray(cover_crop(image.convert("L" if self.form.channels == 1 else "RGB"), self.form.size))
