"""`video:FILE_OR_DIR`: video files as clips of one number of frames, one size, one rate and one number of channels.

Clips: a file is cut into clips of so many frames, one after the other; what is left at its end is left out. Of a file
that is shorter than a clip the last frame is held. `resolution` is frames x rows x columns; without, clips have 16
frames, small as they are or brought to 128 pixels along the longer side. Frames are resized to cover the size and
cropped around the middle, as pictures are. Size, rate and channels are those that most files have; others are brought
to them, as is a variable frame rate. Splits are by the folder's own train/, val/ and test/, or by file; where there are
fewer than ten files, and of one alone, by time: the last tenth of each tests, the one before it validates.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from math import sqrt
from pathlib import Path
from typing import Any

from sparsine.counted import counted
from sparsine.errors import BadInput
from sparsine.signals.dataset import MAX_SAMPLES_PER_AXIS, SPLITS, Dataset, SignalSet
from sparsine.signals.decoded_video import FrameForm
from sparsine.signals.domain import MAX_POINTS
from sparsine.signals.grid import Grid
from sparsine.signals.kinds.video import Video
from sparsine.signals.listing import Listing, list_files
from sparsine.signals.named_files import named_files
from sparsine.signals.paths import expanded
from sparsine.signals.source import SOURCES, Source
from sparsine.signals.split_folder import split_files
from sparsine.signals.splits import in_time, split_folders
from sparsine.signals.video_clips import VideoClip, VideoClips, clips_of, read_facts
from sparsine.signals.video_files import Facts, is_rate, library

KNOWN = ", ".join(sorted(Video.suffixes))
FRAMES, EDGE = 16, 128
"""Of a clip, where nobody says otherwise: two thirds of a second at 25 frames a second, and at most 150,000 samples,
four times a picture of 178 x 178. A start is then a matter of minutes on a processor, and a fit one of seconds."""
MANY = 10
"""Files from which on some of them are held out as a whole."""
LARGE = 1 << 28
"""Bytes of temporary files that are worth a note."""


def open_video(spec: str, path: str, resolution: tuple[int, ...] | None, seed: int) -> Dataset:
    """Video files below a folder, or one.

    Raises:
        BadInput: no video file, none that can be read, a size that makes no sense, or no PyAV.
    """
    library()
    place = expanded(path)
    folder, names, how, notes = _listed(place, seed)
    found = {name: read_facts(folder / name) for listed in names.values() for name in listed}
    known = _usable(place, found)
    shape, form = _form(known, resolution)
    clips = {split: [clips_of(folder / name, name, found[name], form, shape[0]) for name in listed]
             for split, listed in names.items()}  # fmt: skip
    if "test" not in names:
        parts, how = _split_in_time(clips["train"])
    else:
        parts = {split: [clip for of_file in clips[split] for clip in of_file] for split in SPLITS}
    train, val, test = (VideoClips(parts[split]) for split in SPLITS)
    return Dataset(
        spec=spec, source="video", kind=Video(rate=form.rate), shape=shape, num_channels=form.channels,
        domain=space_and_time(shape), description=_description(place, shape, form, how),
        notes=(*notes, *_told(known, form), *_temporary([clip for of in parts.values() for clip in of])),
        train=train, val=val, test=test,
    )  # fmt: skip


def open_video_files(
    paths: Sequence[str | Path], rate: float, shape: tuple[int, ...] | None, num_channels: int
) -> SignalSet:
    """Named files and folders of them: clips of `shape`, or without one each file whole and at its own size.

    Raises:
        BadInput: nothing was given, a folder without a video file, or no PyAV.
    """
    library()
    named, notes = named_files(paths, _list, "video", KNOWN)
    clips = []
    for name, path in named.items():
        facts = read_facts(path)
        own = (1, 1) if isinstance(facts, str) else facts.size
        form = FrameForm(own if shape is None else _checked(shape)[1:], num_channels, rate)
        clips += clips_of(path, name, facts, form, None if shape is None else shape[0])
    return VideoClips(clips, (*notes, *_temporary(clips)))


def space_and_time(shape: tuple[int, int, int]) -> Grid:
    """Rows and columns from -1 to 1, time within less: neighbouring frames are more alike than neighbouring pixels are
    when both are as far apart, and less than when frames lie as densely as pixels. Between the two, at the geometric
    mean, 8 frames of 48 x 64 are fitted 0.8 dB better than over the whole interval; 16 of them as well as there."""
    frames, rows, columns = shape
    reach = min(1.0, sqrt(frames / sqrt(rows * columns)))
    return Grid(shape=shape, extent=((-reach, reach), (-1.0, 1.0), (-1.0, 1.0)))


def _listed(place: Path, seed: int) -> tuple[Path, dict[str, list[str]], str, tuple[str, ...]]:
    """(folder, names per split, how they were split, notes); everything in "train" alone where time splits."""
    if place.is_file():
        return place.parent, {"train": [place.name]}, "", ()
    if place.is_dir() and not split_folders(place):
        listing = _list(place)
        if 0 < len(listing.names) < MANY:
            return place, {"train": listing.names}, "", listing.notes
    return (place, *split_files(place, _list, "video file", KNOWN, seed))


def _list(folder: Path, skip: Sequence[str] = ()) -> Listing:
    return list_files(folder, Video.suffixes, "video file", skip)


def _usable(place: Path, found: Mapping[str, Facts | str]) -> list[Facts]:
    """Raises BadInput where there is none of two frames or more."""
    known = [facts for facts in found.values() if not isinstance(facts, str)]
    if not known:
        first = next(reason for reason in found.values() if isinstance(reason, str))
        if place.is_file():
            raise BadInput(first)
        raise BadInput(
            f"not one of the {counted(len(found), 'video file')} of {place} can be read; the first says: {first}"
        )
    usable = [facts for facts in known if len(facts.times) > 1]
    if not usable:
        raise BadInput(
            f"the longest video of {place} has one frame; a clip needs two or more; open pictures by images:DIR"
        )
    return usable


def _form(known: Sequence[Facts], resolution: tuple[int, ...] | None) -> tuple[tuple[int, int, int], FrameForm]:
    rate = _most([facts.rate for facts in known])
    channels = _most([facts.channels for facts in known])
    if resolution is None:
        rows, columns = _most([facts.size for facts in known])
        smaller = min(1.0, EDGE / max(rows, columns))
        longest = max(round(len(facts.times) * rate / facts.rate) for facts in known)
        shape = min(FRAMES, max(2, longest)), max(2, round(rows * smaller)), max(2, round(columns * smaller))
    else:
        shape = _checked(resolution)
    return shape, FrameForm(shape[1:], channels, rate)


def _most(found: Sequence[Any]) -> Any:
    return Counter(found).most_common(1)[0][0]


def _checked(resolution: Sequence[int]) -> tuple[int, int, int]:
    asked = tuple(resolution) * 3 if len(resolution) == 1 else tuple(resolution)
    fine = len(asked) == 3 and all(2 <= n <= MAX_SAMPLES_PER_AXIS for n in asked)
    if not fine or asked[0] * asked[1] * asked[2] > MAX_POINTS:
        raise BadInput(
            f"the size of clips is {'x'.join(map(str, resolution))}; give frames x rows x columns, three whole numbers "
            f"from 2 to {MAX_SAMPLES_PER_AXIS} such as {FRAMES}x72x128, at most {MAX_POINTS:,} samples in all"
        )
    return int(asked[0]), int(asked[1]), int(asked[2])


def _split_in_time(files: Sequence[list[VideoClip]]) -> tuple[dict[str, list[VideoClip]], str]:
    split = [in_time(clips) for clips in files]
    every: list[VideoClip] = [clip for clips in files for clip in clips]
    if not any(split):
        return dict.fromkeys(SPLITS, every), f"too few clips to hold any out: all {len(every)} are in every split"
    parts = [found or {"train": clips, "val": [], "test": []} for found, clips in zip(split, files, strict=True)]
    whose = " of each file" * (len(files) > 1)
    how = f"the last tenth{whose} tests, the one before it validates"
    return {name: _in_turns([part[name] for part in parts]) for name in SPLITS}, how


def _in_turns(files: Sequence[list[VideoClip]]) -> list[VideoClip]:
    """One of each file after the other, so that the first few are of all of them."""
    return [clip for together in zip_longest(*files) for clip in together if clip is not None]


def _description(place: Path, shape: tuple[int, ...], form: FrameForm, how: str) -> str:
    size = " x ".join(map(str, shape))
    return (
        f"Video of {place.name} in clips of {size} (frames x rows x columns) at {form.rate:.6g} frames a second, "
        f"{counted(form.channels, 'channel')}, resized to cover and cropped around the middle; {how}."
    )


def _told(known: Sequence[Facts], form: FrameForm) -> list[str]:
    """What was not as the rest."""
    variable = sum(facts.is_variable for facts in known)
    others = sum(not facts.is_variable and not is_rate(facts.rate, form.rate) for facts in known)
    channels = sum(facts.channels != form.channels for facts in known)
    lost = [facts.lost for facts in known if facts.lost]
    to = f"brought to {form.rate:.6g} frames a second by time stamps"
    possible = {
        f"{counted(variable, 'file')} of variable frame rate {to}": variable,
        f"{counted(others, 'file')} of another rate {to}": others,
        f"{counted(channels, 'file')} brought to {counted(form.channels, 'channel')}": channels,
        f"{counted(len(lost), 'file')} cut short: {counted(sum(lost), 'frame')} missing at the end": len(lost),
    }
    return [note for note, is_so in possible.items() if is_so]


def _temporary(clips: Sequence[VideoClip]) -> list[str]:
    """How large temporary files will be, where that matters."""
    videos = {id(clip.video): clip.video for clip in clips if clip.video is not None}
    total = sum(video.num_bytes for video in videos.values())
    if total < LARGE:
        return []
    return [f"decoded frames take up to {total / 2**20:,.0f} MiB of temporary files while they are used"]


SOURCES["video"] = Source(
    "video:FILE_OR_DIR, video files (MP4, MKV, WebM, MOV, AVI) as clips of frames x rows x columns, 16 frames of at "
    "most 128 pixels if nobody says otherwise; its train/, val/ and test/ if present",
    open_video,
    num_axes=3,
)
