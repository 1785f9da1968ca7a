"""What is compressed, a batch of one shape after another."""

from collections.abc import Iterator
from dataclasses import dataclass

from sparsine.counted import counted
from sparsine.errors import BadInput
from sparsine.measure import score
from sparsine.measure.rate_distortion.pictures import Picture, as_picture
from sparsine.signals.dataset import SignalSet
from sparsine.signals.kinds.image import Rgb


@dataclass(frozen=True)
class OriginalPicture:
    """A picture with its place in the collection."""

    index: int
    name: str
    picture: Picture


def read_batches(
    signals: SignalSet, count: int, batch: int, unreadable: dict[str, str]
) -> Iterator[list[OriginalPicture]]:
    """The first `count` signals, at most `batch` of one shape together; what cannot be read goes to `unreadable`."""

    def on_unreadable(found: score.Scores) -> None:
        unreadable[found.name] = found.reason

    for originals in score.read_batches(signals, count, batch, Rgb(), on_unreadable):
        yield [OriginalPicture(one.index, one.name, _picture(one)) for one in originals]


def _picture(original: score.Original) -> Picture:
    if original.values.shape[-1] != 3:
        given = counted(original.values.shape[-1], "channel")
        raise BadInput(f"{original.name} has {given}, but JPEG and WebP are for pictures of 3 (RGB)")
    return as_picture(original.values)
