"""`audio:FILE_OR_DIR`: sound files as clips of one length, one rate and one number of channels.

Clips: a file is cut into clips of N samples, one after the other. What is left at its end is filled up with silence if
it is at least half a clip, or if the file has no other; else it is left out. N is `resolution`; without, one second, or
the longest file where all are shorter. Rate and channels are those that most files have: others are resampled (a
polyphase filter), one channel is doubled, two are averaged. Splits are by file; of one file, by time.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from sparsine.counted import counted
from sparsine.errors import BadInput, UnreadableSignal
from sparsine.signals.cache import Cached
from sparsine.signals.clips import MOST_SAMPLES, Clip, Clips, WholeFiles, clips_of, samples_at
from sparsine.signals.dataset import SPLITS, Dataset, SignalSet
from sparsine.signals.kinds.audio import Audio
from sparsine.signals.listing import Listing, list_files
from sparsine.signals.named_files import named_files
from sparsine.signals.paths import expanded
from sparsine.signals.sound_files import MOST_CHANNELS, Facts, Form, facts_of, library
from sparsine.signals.source import SOURCES, Source
from sparsine.signals.split_folder import split_files
from sparsine.signals.splits import in_time

KNOWN = ", ".join(sorted(Audio.suffixes))


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
        names, how, notes = split_files(folder, _list, "sound file", KNOWN, seed)
    found = {name: facts_of(folder / name) for split in names.values() for name in split}
    known = _usable(place, found)
    form = _form(place, known, resolution)
    clips = {split: [c for name in listed for c in clips_of(folder / name, name, found[name], form)]
             for split, listed in names.items()}  # fmt: skip
    if place.is_file():
        clips, how = _split_in_time(clips["train"])
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
    named, notes = named_files(paths, _list, "sound", KNOWN)
    if shape is None:
        return WholeFiles(named, rate, num_channels, notes)
    form = Form(rate, _length(shape), num_channels)
    return Clips(
        [clip for name, path in named.items() for clip in clips_of(path, name, facts_of(path), form)], form, notes
    )


def _list(folder: Path, skip: Sequence[str] = ()) -> Listing:
    return list_files(folder, Audio.suffixes, "sound file", skip)


def _usable(place: Path, found: Mapping[str, Facts | None]) -> list[Facts]:
    """Of the files that have a readable header and one channel or two. Raises BadInput where there is none."""
    known = [facts for facts in found.values() if facts is not None]
    usable = [facts for facts in known if facts.channels <= MOST_CHANNELS]
    if not known and place.is_file():
        raise BadInput(f"{place} cannot be read as sound")
    if not known:
        raise BadInput(f"not one of the {counted(len(found), 'sound file')} of {place} can be read")
    if not usable:
        least = min(facts.channels for facts in known)
        raise BadInput(
            f"the sound files of {place} have {least} channels or more, and one or two can be used; mix them down"
        )
    return usable


def _form(place: Path, known: Sequence[Facts], resolution: tuple[int, ...] | None) -> Form:
    (rate, _), *_ = Counter(facts.rate for facts in known).most_common(1)
    (channels, _), *_ = Counter(facts.channels for facts in known).most_common(1)
    longest = max(samples_at(facts, rate) for facts in known)
    if longest < 2:
        raise BadInput(f"the longest sound file of {place} has {counted(longest, 'sample')}; a clip needs two or more")
    return Form(rate, _length(resolution) if resolution is not None else max(2, min(longest, rate)), channels)


def _check_sound(place: Path, clips: Clips) -> None:
    """Raises BadInput where every clip that can be read is silent; one that is not ends the search."""
    silent = 0
    for index in range(len(clips)):
        with suppress(UnreadableSignal):  # reported when it is learned from
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


def _split_in_time(clips: list[Clip]) -> tuple[dict[str, list[Clip]], str]:
    if (parts := in_time(clips)) is None:
        return dict.fromkeys(SPLITS, clips), f"too few clips to hold any out: all {len(clips)} are in every split"
    return parts, "the last tenth tests, the one before it validates"


def _told(known: Sequence[Facts], form: Form) -> list[str]:
    """What was not as the rest."""
    rates, channels = (sum(getattr(f, name) != getattr(form, name) for f in known) for name in ("rate", "channels"))
    notes = [f"{counted(rates, 'file')} of another rate resampled to {form.rate} Hz"] * bool(rates)
    return notes + [f"{counted(channels, 'file')} brought to {counted(form.channels, 'channel')}"] * bool(channels)


SOURCES["audio"] = Source(
    "audio:FILE_OR_DIR, sound files (WAV, FLAC, Ogg, MP3, AIFF) as clips of one length, one second if nobody says "
    "otherwise; its train/, val/ and test/ if present",
    open_audio,
    num_axes=1,
)
