"""A folder of codes becomes a folder of pictures: decoded and read ahead, drawn by the engine, written behind.

A bad code is reported and the others go on; the same call keeps the pictures that are there.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

from sparsine.checks import check_memory
from sparsine.codec.coder import Coder
from sparsine.codec.files.drawn import CodeReader, Decoded, DrawnCode
from sparsine.codec.files.journal import Journal, entry_of, opened
from sparsine.codec.files.pipeline import in_threads
from sparsine.counted import in_words
from sparsine.engines.choose import make_engine
from sparsine.errors import BadInput
from sparsine.fitting.view import View, drawing_of
from sparsine.memory import is_out_of_memory
from sparsine.signals.kind import Kind
from sparsine.starts.start import Start

KIND, RECORD_VERSION = "sparsine-drawings", 1
READERS, WRITERS = 2, 2
BYTES_PER_VALUE, BYTES_PER_POINT = 4, 8
"""Memory for a drawing on its way to a file: values; colours of a sample and its share of the file. Measured."""
VALUES_WAITING = 1 << 24
"""Of all drawings that are being written, unless it is one alone."""
NOT_ENOUGH = "there was not enough memory to draw it; draw it smaller, or a region of it"


def decode_collection(
    start: Start,
    codes: Mapping[str, Path | str],
    folder: Path | str,
    view: View | None = None,
    *,
    overwrite: bool = False,
    suffix: str | None = None,
    engine: str = "auto",
    device: str = "cpu",
    written_as: Kind | None = None,
) -> Iterator[DrawnCode]:
    """Drawings of codes (name: file) in `folder`, as files of the start's kind (PNG, WAV, ...); yields what became of
    each, in order, once its file is there. One that is there already is kept if it is that of the same code, start and
    view.

    Args:
        suffix: of the files, one of the kind's `formats`; None is its usual one.

    Raises:
        BadInput: a format that the kind does not write; a folder of another request, or held by another process; a
            size that such signals cannot have.
        WorkFailed: a file cannot be written.
    """
    view, coder, kind = view or View(), Coder(start), written_as or start.kind
    suffix = check_suffix(kind, suffix)
    if view.size is not None:
        view.shape(start.domain.drawn_shape)  # a size for other axes is one for none of the codes
    make_engine(start.pattern, engine, device=device)  # refuses now what it cannot do, and not once for each code
    with (
        opened(
            Path(folder),
            _request(coder, view, kind, suffix) | ({"written_as": kind.name} if written_as else {}),
            suffix=suffix,
            overwrite=overwrite,
            left_out=start.kind.all_suffixes,
        ) as journal,  # fmt: skip
        ThreadPoolExecutor(READERS) as readers,
        ThreadPoolExecutor(WRITERS) as writers,
    ):
        reader = CodeReader(coder, {name: Path(path) for name, path in codes.items()}, journal, overwrite)

        def draw(code: Decoded | DrawnCode) -> Drawn | DrawnCode:
            if isinstance(code, DrawnCode):
                return code
            draw_it = _draw_in_slabs if kind.in_slabs else _draw
            return draw_it(code, view, kind, suffix, engine, device)

        def write(drawn: Drawn | DrawnCode) -> DrawnCode:
            return drawn if isinstance(drawn, DrawnCode) else _write(journal, drawn)

        read = in_threads(readers, reader.read, codes, 4 * READERS)
        yield from in_threads(writers, write, read, WRITERS + 1, first=draw, weigh=partial(_num_values, view),
                              room=VALUES_WAITING)  # fmt: skip


class Drawn(NamedTuple):
    """A code, and how its drawing becomes the bytes of a file."""

    code: Decoded
    shape: tuple[int, ...]
    to_bytes: Callable[[], bytes]


def _num_values(view: View, code: Decoded | DrawnCode) -> int:
    """Of its drawing, as far as it is held."""
    if isinstance(code, DrawnCode) or code.field.start.kind.in_slabs:
        return 0
    with suppress(BadInput):  # is reported when it is drawn
        return prod(view.shape(code.field.domain.drawn_shape)) * code.field.start.field.out_features
    return 0


def _draw(code: Decoded, view: View, kind: Kind, suffix: str, engine: str, device: str) -> Drawn | DrawnCode:
    """All of it; what becomes of that is written by another thread."""
    try:
        shape = view.shape(code.field.domain.drawn_shape)
        num_bytes = BYTES_PER_VALUE * _num_values(view, code) + BYTES_PER_POINT * prod(shape)
        check_memory("the drawing", num_bytes, "draw it smaller, or a region of it")
        values = code.field.render(shape, view.region, engine=engine, device=device)
        drawing = drawing_of(code.field, view, suffix)
        return Drawn(code, shape, lambda: kind.write_drawing([values], drawing))
    except BadInput as error:
        return DrawnCode(input=code.name, status="bad", reason=str(error))
    except Exception as error:
        return _without_memory(code, error)


def _draw_in_slabs(code: Decoded, view: View, kind: Kind, suffix: str, engine: str, device: str) -> Drawn | DrawnCode:
    """Written as it is drawn: a slab at a time is in memory."""
    try:
        shape = view.shape(code.field.domain.drawn_shape)
        slabs = code.field.slabs(shape, view.region, engine=engine, device=device)
        data = kind.write_drawing(slabs, drawing_of(code.field, view, suffix))
        return Drawn(code, shape, lambda: data)
    except BadInput as error:
        return DrawnCode(input=code.name, status="bad", reason=str(error))
    except Exception as error:
        return _without_memory(code, error)


def check_suffix(kind: Kind, suffix: str | None) -> str:
    """The suffix of files of drawings. Raises BadInput: of a format that such signals are not written in."""
    formats = kind.formats or (kind.suffix,)
    if suffix is not None and suffix not in formats:
        known = in_words((form.removeprefix(".") for form in formats), "or")
        raise BadInput(f"drawings of {kind.name} are written as {known}, not as {suffix.removeprefix('.')}")
    return suffix or kind.suffix


def _without_memory(code: Decoded, error: Exception) -> DrawnCode:
    """What became of a code whose drawing was refused memory. Any other error is none of its own."""
    if not is_out_of_memory(error):
        raise error
    return DrawnCode(input=code.name, status="bad", reason=NOT_ENOUGH)


def _write(journal: Journal, drawn: Drawn) -> DrawnCode:
    code, shape = drawn.code, drawn.shape
    try:
        data = drawn.to_bytes()
    except BadInput as error:
        return DrawnCode(input=code.name, status="bad", reason=str(error))
    except Exception as error:
        return _without_memory(code, error)
    journal.add([(entry_of(code.name, code.digest, code.file, data) | {"shape": list(shape)}, data)])
    return DrawnCode(input=code.name, status="ok", picture=code.file, shape=shape)


def _request(coder: Coder, view: View, kind: Kind, suffix: str) -> dict[str, Any]:
    return {
        "kind": KIND, "record_version": RECORD_VERSION, "start": coder.hash.hex(), "value_kind": coder.start.kind.name,
        "size": list(view.size) if view.size else None, "scale": view.scale,
        "region": list(view.region) if view.region else None,
        **({} if suffix == kind.suffix else {"suffix": suffix}),
    }  # fmt: skip
