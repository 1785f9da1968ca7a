"""`audio:FILE_OR_DIR`: sound files as clips of one length, one rate and one number of channels.

Clips: a file is cut into clips of N samples, one after the other. What is left at its end is filled up with silence if
it is at least half a clip, or if the file has no other; else it is left out. N is `resolution`; without, one second, or
the longest file where all are shorter. Rate and channels are those that most files have: others are resampled (a
polyphase filter), one channel is doubled, two are averaged. Splits are by file; of one file, by time.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import gcd
from pathlib import Path
from types import ModuleType
from typing import Any, final

import numpy as np
from jaxtyping import Float

from sparsine.counted import counted
from sparsine.errors import BadInput, UnreadableSignal
from sparsine.signals.cache import Cached
from sparsine.signals.dataset import SPLITS, Dataset, SignalSet, check_index
from sparsine.signals.fingerprint import fingerprint_bytes, fingerprint_file
from sparsine.signals.kinds.audio import Audio
from sparsine.signals.listing import Listing, list_files
from sparsine.signals.named_files import named_files
from sparsine.signals.paths import expanded
from sparsine.signals.source import SOURCES, Source
from sparsine.signals.split_folder import split_files
from sparsine.signals.splits import tenth
from sparsine.storage import open_to_read

SUFFIXES = frozenset({".wav", ".flac", ".ogg", ".opus", ".mp3", ".aif", ".aiff", ".au", ".caf"})
MOST_SAMPLES = 1 << 28
MOST_CHANNELS = 2
MOST_PAGE_BYTES = 65_307
"""Of an Ogg page."""


@dataclass(frozen=True)
class Clip:
    """A part of a file, in samples at the file's own rate."""

    name: str
    path: Path
    first: int
    """Sample of the file, at the data set's rate, that it begins with."""


@dataclass(frozen=True)
class Form:
    """What all clips are brought to."""

    rate: int
    samples: int
    channels: int


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
        values = _read(clip.path, form, clip.first, form.samples)
        return np.pad(values, ((0, form.samples - len(values)), (0, 0)))

    def fingerprint(self, index: int) -> str:
        clip = self._clips[index]
        told = f"{fingerprint_file(clip.path)} {clip.first} {self._form}"
        return fingerprint_bytes(told.encode())


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
        return _read(self._paths[index], Form(self._rate, MOST_SAMPLES, self._channels), 0, MOST_SAMPLES)

    def fingerprint(self, index: int) -> str:
        return fingerprint_bytes(f"{fingerprint_file(self._paths[index])} {self._rate} {self._channels}".encode())


def open_audio(spec: str, path: str, resolution: tuple[int, ...] | None, seed: int) -> Dataset:
    """Sound files below a folder, or one.

    Raises:
        BadInput: no sound file, none that can be read, a clip length that makes no sense, or no soundfile library.
    """
    library()
    place = expanded(path)
    if place.is_file():
        folder, names, how = place.parent, {"train": [place.name]}, ""
        notes: tuple[str, ...] = ()
    else:
        folder = place
        names, how, notes = split_files(folder, _list, "sound file", ", ".join(sorted(SUFFIXES)), seed)
    found = {name: _facts(folder / name) for split in names.values() for name in split}
    known = _usable(place, found)
    form = _form(place, known, resolution)
    clips = {split: [c for name in listed for c in _clips(folder / name, name, found[name], form)]
             for split, listed in names.items()}  # fmt: skip
    if place.is_file():
        clips, how = _split_in_time(clips["train"], place)
    _check_sound(place, Clips(clips["train"], form))
    kind = Audio(rate=form.rate)
    train, val, test = (Cached(Clips(clips[split], form)) for split in SPLITS)
    return Dataset(
        spec=spec, source="audio", kind=kind, shape=(form.samples,), num_channels=form.channels,
        description=f"Sound of {place.name} in clips of {form.samples} samples at {form.rate} Hz, "
        f"{counted(form.channels, 'channel')}; {how}.",
        notes=(*notes, *_told(known, form)), train=train, val=val, test=test,
    )  # fmt: skip


def open_audio_files(
    paths: Sequence[str | Path], rate: int, shape: tuple[int, ...] | None, num_channels: int
) -> SignalSet:
    """Named files and folders of them: clips of `shape`, or without one each file whole.

    Raises:
        BadInput: nothing was given, a folder without a sound file, or no soundfile library.
    """
    library()
    named, notes = named_files(paths, _list, "sound", ", ".join(sorted(SUFFIXES)))
    if shape is None:
        return WholeFiles(named, rate, num_channels, notes)
    form = Form(rate, _length(shape), num_channels)
    return Clips([clip for name, path in named.items() for clip in _clips(path, name, _facts(path), form)], form, notes)


def library() -> ModuleType:
    """soundfile. Raises BadInput where it is missing."""
    try:
        import soundfile
    except (ImportError, OSError) as error:  # OSError: its own C library is missing
        raise BadInput(f"sound is read by soundfile ({error}); pip install 'sparsine[audio]'") from error
    module: ModuleType = soundfile
    return module


def _list(folder: Path, skip: Sequence[str] = ()) -> Listing:
    return list_files(folder, SUFFIXES, "sound file", skip)


@dataclass(frozen=True)
class _Facts:
    rate: int
    samples: int
    channels: int


def _facts(path: Path) -> _Facts | None:
    """From the header; None where it cannot be read, which is told when the signal is."""
    try:
        open_to_read(path).close()  # a pipe would be waited for
        info = library().info(str(path))
        return _Facts(info.samplerate, info.frames, info.channels) if info.frames > 0 else None
    except Exception:  # whatever a decoder makes of a broken file
        return None


def _usable(place: Path, found: Mapping[str, _Facts | None]) -> list[_Facts]:
    """Of the files that have a readable header and one channel or two. Raises BadInput where there is none."""
    known = [facts for facts in found.values() if facts is not None]
    usable = [facts for facts in known if facts.channels <= MOST_CHANNELS]
    if not known:
        raise BadInput(f"not one of the {counted(len(found), 'sound file')} of {place} can be read")
    if not usable:
        least = min(facts.channels for facts in known)
        raise BadInput(
            f"the sound files of {place} have {least} channels or more, and one or two can be used; mix them down"
        )
    return usable


def _form(place: Path, known: Sequence[_Facts], resolution: tuple[int, ...] | None) -> Form:
    (rate, _), *_ = Counter(facts.rate for facts in known).most_common(1)
    (channels, _), *_ = Counter(facts.channels for facts in known).most_common(1)
    longest = max(_at(facts, rate) for facts in known)
    if longest < 2:
        raise BadInput(f"the longest sound file of {place} has {counted(longest, 'sample')}; a clip needs two or more")
    return Form(rate, _length(resolution) if resolution is not None else max(2, min(longest, rate)), channels)


def _check_sound(place: Path, clips: Clips) -> None:
    """Raises BadInput where every clip that can be read is silent; one that is not ends the search."""
    silent = 0
    for index in range(len(clips)):
        with suppress(UnreadableSignal):  # told when it is learned from
            if clips.load(index).any():
                return
            silent += 1
    if silent:
        raise BadInput(
            f"{place} holds nothing but silence in {counted(silent, 'training clip')}; give recordings with sound"
        )


def _length(resolution: tuple[int, ...]) -> int:
    if len(resolution) != 1 or not 2 <= resolution[0] <= MOST_SAMPLES:
        asked = "x".join(map(str, resolution))
        raise BadInput(f"the length of clips is {asked}; give one whole number of samples, from 2 to {MOST_SAMPLES}")
    return int(resolution[0])


def _at(facts: _Facts, rate: int) -> int:
    """Samples of a file at another rate."""
    return -(-facts.samples * rate // facts.rate)


def _clips(path: Path, name: str, facts: _Facts | None, form: Form) -> list[Clip]:
    """All of a file; one for a file that cannot be read, so that it is reported."""
    if facts is None:
        return [Clip(name, path, 0)]
    total = _at(facts, form.rate)
    whole, rest = divmod(total, form.samples)
    count = max(1, whole + (2 * rest >= form.samples))
    if count == 1:
        return [Clip(name, path, 0)]
    digits = len(str(count - 1))
    return [Clip(f"{name}@{number:0{digits}}", path, number * form.samples) for number in range(count)]


def _split_in_time(clips: list[Clip], place: Path) -> tuple[dict[str, list[Clip]], str]:
    if len(clips) < len(SPLITS):
        return dict.fromkeys(SPLITS, clips), f"too few clips to hold any out: all {len(clips)} are in every split"
    held = tenth(len(clips))
    rest = clips[: -2 * held] or clips[:1]
    parts = {"train": rest, "val": clips[-2 * held : -held], "test": clips[-held:]}
    return parts, "the last tenth tests, the one before it validates"


def _told(known: Sequence[_Facts], form: Form) -> list[str]:
    """What was not as the rest."""
    rates, channels = (sum(getattr(f, name) != getattr(form, name) for f in known) for name in ("rate", "channels"))
    notes = [f"{counted(rates, 'file')} of another rate resampled to {form.rate} Hz"] * bool(rates)
    return notes + [f"{counted(channels, 'file')} brought to {counted(form.channels, 'channel')}"] * bool(channels)


def _read(path: Path, form: Form, first: int, samples: int) -> Float[np.ndarray, "samples channels"]:
    """At most `samples` from `first` on, both at the wanted rate."""
    try:
        open_to_read(path).close()
        with library().SoundFile(str(path)) as file:
            values = _resampled(file, form.rate, first, samples)
    except UnreadableSignal:
        raise
    except OSError as error:
        raise UnreadableSignal(f"{path}: {error.strerror or error}") from error
    except MemoryError:
        raise
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UnreadableSignal(f"{path}: {reason}") from error
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


SOURCES["audio"] = Source(
    "audio:FILE_OR_DIR, sound files (WAV, FLAC, Ogg, MP3, AIFF) as clips of one length, one second if nobody says "
    "otherwise; its train/, val/ and test/ if present",
    open_audio,
    num_axes=1,
)
