"""A folder of codes becomes a folder of pictures: decoded and read ahead, drawn by the engine, written behind.

A bad code is reported and the others go on; the same call keeps the pictures that are there.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from sparsine.addresses import Place, as_place
from sparsine.codec.coder import Coder
from sparsine.codec.files.draw_work import DrawnFile, DrawWork
from sparsine.codec.files.drawn import CodeReader, DrawnCode
from sparsine.codec.files.journal import Journal, entry_of, opened
from sparsine.codec.files.pipeline import in_threads
from sparsine.counted import in_words
from sparsine.engines.choose import drawing_engine
from sparsine.errors import BadInput
from sparsine.fitting.view import View
from sparsine.signals.kind import Kind
from sparsine.spread.contract import Executor, Here
from sparsine.starts.start import Start

KIND, RECORD_VERSION = "sparsine-drawings", 1
WRITERS = 2


def decode_collection(
    start: Start,
    codes: Mapping[str, Place | str],
    folder: Place | str,
    view: View | None = None,
    *,
    overwrite: bool = False,
    suffix: str | None = None,
    engine: str = "auto",
    device: str = "cpu",
    half: bool = False,
    written_as: Kind | None = None,
    executor: Executor | None = None,
) -> Iterator[DrawnCode]:
    """Drawings of codes (name: file) in `folder`, as files of the start's kind (PNG, WAV, ...); yields what became of
    each, in order, once its file is there. One that is there already is kept if it is that of the same code, start and
    view. Codes and the folder may lie elsewhere, by addresses (addresses.py).

    Args:
        suffix: of the files, one of the kind's `formats`; None is its usual one.
        half: draw in half precision, as `FittedField.render` does.
        executor: who draws; None is this process. Another yields in the order in which drawings are done.

    Raises:
        BadInput: a format that the kind does not write; half precision where there is none; a folder of another
            request, or held by another process; a size that such signals cannot have.
        WorkFailed: a file cannot be written.
    """
    view, coder, kind = view or View(), Coder(start), written_as or start.kind
    suffix, executor = check_suffix(kind, suffix), executor or Here()
    if view.size is not None:
        view.shape(start.domain.drawn_shape)  # a size for other axes is one for none of the codes
    drawing_engine(start.pattern, engine, device=device, half=half)  # refuses now, and not for each code
    with (
        opened(
            folder,
            _request(coder, view, kind, suffix, half) | ({"written_as": kind.name} if written_as else {}),
            suffix=suffix,
            overwrite=overwrite,
            left_out=start.kind.all_suffixes,
        ) as journal,  # fmt: skip
        ThreadPoolExecutor(executor.num_readers) as readers,
        ThreadPoolExecutor(WRITERS) as writers,
    ):
        reader = CodeReader(coder, {name: as_place(code) for name, code in codes.items()}, journal, overwrite)
        read = in_threads(readers, reader.read, codes, 4 * executor.num_readers)
        drawn = executor.map(DrawWork(start, view, kind, suffix, engine, device, half), read)
        yield from in_threads(writers, partial(_write, journal), drawn, WRITERS + 1)


def check_suffix(kind: Kind, suffix: str | None) -> str:
    """The suffix of files of drawings. Raises BadInput: of a format that such signals are not written in."""
    formats = kind.formats or (kind.suffix,)
    if suffix is not None and suffix not in formats:
        known = in_words((form.removeprefix(".") for form in formats), "or")
        raise BadInput(f"drawings of {kind.name} are written as {known}, not as {suffix.removeprefix('.')}")
    return suffix or kind.suffix


def _write(journal: Journal, drawn: DrawnFile | DrawnCode) -> DrawnCode:
    if isinstance(drawn, DrawnCode):
        return drawn
    code, shape, data = drawn
    journal.add([(entry_of(code.name, code.digest, code.file, data) | {"shape": list(shape)}, data)])
    return DrawnCode(input=code.name, status="ok", picture=code.file, shape=shape)


def _request(coder: Coder, view: View, kind: Kind, suffix: str, half: bool) -> dict[str, Any]:
    return {
        "kind": KIND, "record_version": RECORD_VERSION, "start": coder.hash.hex(), "value_kind": coder.start.kind.name,
        "size": list(view.size) if view.size else None, "scale": view.scale,
        "region": list(view.region) if view.region else None,
        **({} if suffix == kind.suffix else {"suffix": suffix}), **({"half": True} if half else {}),
    }  # fmt: skip
