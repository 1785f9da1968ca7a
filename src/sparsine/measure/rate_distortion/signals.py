"""What is compressed, a batch of one shape after another."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from sparsine.counted import counted
from sparsine.errors import BadInput, UnreadableSignal
from sparsine.measure.rate_distortion.pictures import Picture, as_picture
from sparsine.signals.dataset import SignalSet
from sparsine.signals.kinds.image import Rgb
from sparsine.signals.values import load_values


@dataclass(frozen=True)
class Original:
    """A picture with its place in the collection."""

    index: int
    name: str
    picture: Picture


def read_batches(signals: SignalSet, count: int, batch: int, unreadable: dict[str, str]) -> Iterator[list[Original]]:
    """The first `count` signals, at most `batch` of one shape together; what cannot be read goes to `unreadable`."""
    coming = (found for i in range(count) if (found := _read(signals, i, unreadable)))
    for _, run in groupby(coming, key=lambda original: original.picture.shape):
        together: list[Original] = []
        for original in run:
            together.append(original)
            if len(together) == batch:
                yield together
                together = []
        if together:
            yield together


def _read(signals: SignalSet, index: int, unreadable: dict[str, str]) -> Original | None:
    name = signals.name(index)
    try:
        values = load_values(signals, index, Rgb())
    except UnreadableSignal as error:
        unreadable[name] = str(error)
        return None
    if values.shape[-1] != 3:
        given = counted(values.shape[-1], "channel")
        raise BadInput(f"{name} has {given}, but JPEG and WebP are for pictures of 3 (RGB)")
    return Original(index, name, as_picture(values))
