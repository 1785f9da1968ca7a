"""A folder of codes becomes a folder of pictures: decoded and read ahead, drawn by the engine, written behind.

A bad code is reported and the others go on; the same call keeps the pictures that are there.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from sparsine.checks import check_memory
from sparsine.codec.coder import Coder
from sparsine.codec.drawn import CodeReader, Decoded, DrawnCode
from sparsine.codec.ledger import Ledger, line_of, opened
from sparsine.codec.threads import in_threads
from sparsine.codec.view import View
from sparsine.engines.choose import make_engine
from sparsine.errors import BadInput
from sparsine.meta.start import Start
from sparsine.signals.kind import Kind

KIND, RECORD_VERSION = "sparsine-drawings", 1
READERS, WRITERS = 2, 2
BYTES_PER_VALUE = 40
"""Memory for one value of a drawing on its way to a picture."""


def decode_collection(
    start: Start,
    codes: Mapping[str, Path],
    folder: Path,
    view: View | None = None,
    *,
    overwrite: bool = False,
    engine: str = "auto",
    device: str = "cpu",
) -> Iterator[DrawnCode]:
    """Drawings of codes (name: file) in `folder`, as files of the start's kind (PNG, WAV, ...); yields what became of
    each, in order, once its file is there. One that is there already is kept if it is that of the same code, start and
    view.

    Raises:
        BadInput: a folder of another request, or held by another process.
        WorkFailed: a file cannot be written.
    """
    view, coder = view or View(), Coder(start)
    make_engine(start.pattern, engine, device=device)  # refuses now what it cannot do, and not once for each code
    with (
        opened(folder, _request(coder, view), suffix=start.kind.suffix, overwrite=overwrite) as ledger,
        ThreadPoolExecutor(READERS) as readers,
        ThreadPoolExecutor(WRITERS) as writers,
    ):
        reader = CodeReader(coder, codes, ledger, overwrite)
        drawing = _drawn(in_threads(readers, reader.read, codes, 4 * READERS), view, engine, device)

        def write(drawn: tuple[Decoded, np.ndarray] | DrawnCode) -> DrawnCode:
            return drawn if isinstance(drawn, DrawnCode) else _write(ledger, *drawn, start.kind, view)

        yield from in_threads(writers, write, drawing, WRITERS + 1)


def _drawn(
    codes: Iterator[Decoded | DrawnCode], view: View, engine: str, device: str
) -> Iterator[tuple[Decoded, np.ndarray] | DrawnCode]:
    for code in codes:
        if isinstance(code, DrawnCode):
            yield code
            continue
        try:
            shape = view.shape(code.field.shape)
            num_bytes = BYTES_PER_VALUE * prod(shape) * code.field.start.field.out_features
            check_memory("the drawing", num_bytes, "draw it smaller, or a region of it")
            yield code, code.field.render(shape, view.region, engine=engine, device=device)
        except BadInput as error:
            yield DrawnCode(input=code.name, status="bad", reason=str(error))


def _write(ledger: Ledger, code: Decoded, values: np.ndarray, kind: Kind, view: View) -> DrawnCode:
    shape = values.shape[:-1]
    data = kind.write(values, view.sample_width(shape))
    ledger.add([(line_of(code.name, code.digest, code.file, data) | {"shape": list(shape)}, data)])
    return DrawnCode(input=code.name, status="ok", picture=code.file, shape=shape)


def _request(coder: Coder, view: View) -> dict[str, Any]:
    return {
        "kind": KIND, "record_version": RECORD_VERSION, "start": coder.hash.hex(), "value_kind": coder.start.kind.name,
        "size": list(view.size) if view.size else None, "scale": view.scale,
        "region": list(view.region) if view.region else None,
    }  # fmt: skip
