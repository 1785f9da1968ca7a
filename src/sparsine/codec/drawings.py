"""A folder of codes becomes a folder of pictures: decoded and read ahead, drawn by the engine, written behind.

A bad code is reported and the others go on; the same call keeps the pictures that are there.
"""

import io
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from sparsine.checks import check_memory
from sparsine.codec.coder import Coder
from sparsine.codec.drawn import CodeReader, Decoded, DrawnCode
from sparsine.codec.ledger import Ledger, line_of, opened
from sparsine.codec.threads import in_threads
from sparsine.codec.view import View
from sparsine.counted import counted
from sparsine.engines.choose import make_engine
from sparsine.errors import BadInput
from sparsine.meta.start import Start
from sparsine.signals.pictures import to_picture

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
    """PNG drawings of codes (name: file) in `folder`; yields what became of each, in order, once its picture is there.
    One that is there already is kept if it is that of the same code, start and view.

    Raises:
        BadInput: a start that does not draw pictures; a folder of another request, or held by another process.
        WorkFailed: a file cannot be written.
    """
    view, coder = view or View(), Coder(start)
    _check_draws_pictures(start)
    make_engine(start.pattern, engine, device=device)  # refuses now what it cannot do, and not once for each code
    with (
        opened(folder, _request(coder, view), suffix=".png", overwrite=overwrite) as ledger,
        ThreadPoolExecutor(READERS) as readers,
        ThreadPoolExecutor(WRITERS) as writers,
    ):
        reader = CodeReader(coder, codes, ledger, overwrite)
        drawing = _drawn(in_threads(readers, reader.read, codes, 4 * READERS), view, engine, device)

        def write(drawn: tuple[Decoded, np.ndarray] | DrawnCode) -> DrawnCode:
            return drawn if isinstance(drawn, DrawnCode) else _write(ledger, *drawn, start.value_kind, view)

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


def _write(ledger: Ledger, code: Decoded, values: np.ndarray, value_kind: str, view: View) -> DrawnCode:
    shape = values.shape[:-1]
    picture, png = to_picture(values, value_kind, sample_width=view.sample_width(shape)), io.BytesIO()
    Image.fromarray(picture).save(png, format="PNG")
    data = png.getvalue()
    ledger.add([(line_of(code.name, code.digest, code.file, data) | {"shape": list(shape)}, data)])
    return DrawnCode(input=code.name, status="ok", picture=code.file, shape=shape)


def _request(coder: Coder, view: View) -> dict[str, Any]:
    return {
        "kind": KIND, "record_version": RECORD_VERSION, "start": coder.hash.hex(), "value_kind": coder.start.value_kind,
        "size": list(view.size) if view.size else None, "scale": view.scale,
        "region": list(view.region) if view.region else None,
    }  # fmt: skip


def _check_draws_pictures(start: Start) -> None:
    if start.grid.num_dims != 2:
        axes = counted(start.grid.num_dims, "axis", "axes")
        raise BadInput(f"codes of this start have {axes}, and only pictures can be written")
    to_picture(np.zeros((1, 1, start.field.out_features), np.float32), start.value_kind)
