"""Sound files as signals: cut into clips of one length, or each whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
from jaxtyping import Float

from sparsine.signals.dataset import SignalSet, check_index
from sparsine.signals.fingerprint import fingerprint_bytes, fingerprint_file
from sparsine.signals.sound_files import Facts, Form, read_sound

MOST_SAMPLES = 1 << 28


@dataclass(frozen=True)
class Clip:
    """A part of a file."""

    name: str
    path: Path
    first: int
    """The sample that it begins with, at the rate of all clips."""


@final
class Clips(SignalSet):
    """float32 (samples, channels) in [-1, 1]."""

    def __init__(self, clips: Sequence[Clip], form: Form, notes: Sequence[str] = ()) -> None:
        self._clips, self._form, self.notes = list(clips), form, tuple(notes)

    def __len__(self) -> int:
        return len(self._clips)

    def name(self, index: int) -> str:
        check_index(index, len(self))
        return self._clips[index].name

    def shape_of(self, index: int) -> tuple[int, ...]:
        check_index(index, len(self))
        return (self._form.samples,)

    def load(self, index: int) -> Float[np.ndarray, "samples channels"]:
        check_index(index, len(self))
        clip, form = self._clips[index], self._form
        values = read_sound(clip.path, form, clip.first, form.samples)
        return np.pad(values, ((0, form.samples - len(values)), (0, 0)))

    def fingerprint(self, index: int) -> str:
        clip = self._clips[index]
        identity = f"{fingerprint_file(clip.path)} {clip.first} {self._form}"
        return fingerprint_bytes(identity.encode())


@final
class WholeFiles(SignalSet):
    """Each file as one signal, however long."""

    def __init__(self, paths: dict[str, Path], rate: int, channels: int, notes: Sequence[str] = ()) -> None:
        self._names, self._paths = list(paths), list(paths.values())
        self._rate, self._channels, self.notes = rate, channels, tuple(notes)

    def __len__(self) -> int:
        return len(self._names)

    def name(self, index: int) -> str:
        check_index(index, len(self))
        return self._names[index]

    def load(self, index: int) -> Float[np.ndarray, "samples channels"]:
        check_index(index, len(self))
        return read_sound(self._paths[index], Form(self._rate, MOST_SAMPLES, self._channels), 0, MOST_SAMPLES)

    def fingerprint(self, index: int) -> str:
        return fingerprint_bytes(f"{fingerprint_file(self._paths[index])} {self._rate} {self._channels}".encode())


def clips_of(path: Path, name: str, facts: Facts | None, form: Form) -> list[Clip]:
    """All of a file; one for a file that cannot be read, so that it is reported."""
    if facts is None:
        return [Clip(name, path, 0)]
    total = samples_at(facts, form.rate)
    whole, rest = divmod(total, form.samples)
    count = max(1, whole + (2 * rest >= form.samples))
    if count == 1:
        return [Clip(name, path, 0)]
    digits = len(str(count - 1))
    return [Clip(f"{name}@{number:0{digits}}", path, number * form.samples) for number in range(count)]


def samples_at(facts: Facts, rate: int) -> int:
    """Samples of a file at another rate."""
    return -(-facts.samples * rate // facts.rate)
