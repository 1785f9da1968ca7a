"""What is done to a code that becomes a file of its drawing, wherever it is done."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from math import prod
from typing import NamedTuple

from sparsine.checks import check_memory
from sparsine.codec.files.drawn import Decoded, DrawnCode
from sparsine.codec.files.pipeline import in_threads
from sparsine.engines.choose import drawing_engine
from sparsine.errors import BadInput
from sparsine.fitting.fitted_field import FittedField
from sparsine.fitting.view import View, drawing_of
from sparsine.memory import is_out_of_memory
from sparsine.signals.kind import Kind
from sparsine.spread.contract import Work
from sparsine.starts.start import Start

PACKERS = 2
"""Threads that make files of drawings beside the next drawing."""
BYTES_PER_VALUE, BYTES_PER_POINT = 4, 8
"""Memory for a drawing on its way to a file: values; colours of a sample and its share of the file. Measured."""
VALUES_WAITING = 1 << 24
"""Of all drawings that become files, unless it is one alone."""
NOT_ENOUGH = "there was not enough memory to draw it; draw it smaller, or a region of it"


class DrawnFile(NamedTuple):
    """The bytes of a file, and the shape of what is in it."""

    code: Decoded
    shape: tuple[int, ...]
    data: bytes


class _Drawing(NamedTuple):
    """A code, and how its drawing becomes the bytes of a file."""

    code: Decoded
    shape: tuple[int, ...]
    to_bytes: Callable[[], bytes]


@dataclass(frozen=True)
class DrawWork(Work[Decoded | DrawnCode, DrawnFile | DrawnCode]):
    """A code that cannot be drawn is a result like any other."""

    start: Start
    view: View
    kind: Kind
    """How it is written."""
    suffix: str
    engine: str
    device: str
    half: bool = False

    def set_up(self) -> None:
        drawing_engine(self.start.pattern, self.engine, device=self.device, half=self.half)

    def __call__(self, item: Decoded | DrawnCode) -> DrawnFile | DrawnCode:
        return _packed(self._drawn(item))

    def at_once(self, item: Decoded | DrawnCode) -> DrawnFile | DrawnCode | None:
        return item if isinstance(item, DrawnCode) else None

    def give_up(self, item: Decoded | DrawnCode, why: str) -> DrawnCode:
        return _bad(item, why) if isinstance(item, Decoded) else item

    def here(self, items: Iterable[Decoded | DrawnCode]) -> Iterator[DrawnFile | DrawnCode]:
        """Drawn by this thread, with all that the engine has; made files by others."""
        with ThreadPoolExecutor(PACKERS) as packers:
            yield from in_threads(packers, _packed, items, PACKERS + 1, first=self._drawn, weigh=self._num_values,
                                  room=VALUES_WAITING)  # fmt: skip

    def _drawn(self, item: Decoded | DrawnCode) -> _Drawing | DrawnCode:
        if isinstance(item, DrawnCode):
            return item
        try:
            return (self._in_slabs if self.kind.in_slabs else self._whole)(item, item.field(self.start))
        except BadInput as error:
            return _bad(item, str(error))
        except Exception as error:
            return _without_memory(item, error)

    def _whole(self, code: Decoded, field: FittedField) -> _Drawing:
        shape = self.view.shape(field.domain.drawn_shape)
        num_bytes = (BYTES_PER_VALUE * self.start.field.out_features + BYTES_PER_POINT) * prod(shape)
        check_memory("the drawing", num_bytes, "draw it smaller, or a region of it")
        values = field.render(shape, self.view.region, engine=self.engine, device=self.device, half=self.half)
        drawing = drawing_of(field, self.view, self.suffix)
        return _Drawing(code, shape, lambda: self.kind.write_drawing([values], drawing))

    def _in_slabs(self, code: Decoded, field: FittedField) -> _Drawing:
        """Written as it is drawn: a slab at a time is in memory."""
        shape = self.view.shape(field.domain.drawn_shape)
        slabs = field.slabs(shape, self.view.region, engine=self.engine, device=self.device, half=self.half)
        data = self.kind.write_drawing(slabs, drawing_of(field, self.view, self.suffix))
        return _Drawing(code, shape, lambda: data)

    def _num_values(self, code: Decoded | DrawnCode) -> int:
        """Of its drawing, as far as it is held."""
        if isinstance(code, DrawnCode) or self.kind.in_slabs:
            return 0
        with suppress(BadInput):  # is reported when it is drawn
            domain = code.field(self.start).domain
            return prod(self.view.shape(domain.drawn_shape)) * self.start.field.out_features
        return 0


def _packed(drawn: _Drawing | DrawnCode) -> DrawnFile | DrawnCode:
    if isinstance(drawn, DrawnCode):
        return drawn
    try:
        return DrawnFile(drawn.code, drawn.shape, drawn.to_bytes())
    except BadInput as error:
        return _bad(drawn.code, str(error))
    except Exception as error:
        return _without_memory(drawn.code, error)


def _bad(code: Decoded, why: str) -> DrawnCode:
    return DrawnCode(input=code.name, status="bad", reason=why)


def _without_memory(code: Decoded, error: Exception) -> DrawnCode:
    """What became of a code whose drawing was refused memory. Any other error is none of its own."""
    if not is_out_of_memory(error):
        raise error
    return _bad(code, NOT_ENOUGH)
