"""Codes by name: lists, drawings, values. Everything here runs in one thread, one request after another."""

import time
from collections.abc import Sequence
from math import fsum, prod
from typing import Any

import numpy as np
from jaxtyping import UInt8

from sparsine.errors import BadInput
from sparsine.psnr import psnr_db
from sparsine.signals.kind import Media, Picture
from sparsine.signals.pictures import error_picture
from sparsine.viewer import whole
from sparsine.viewer.bands import Bands
from sparsine.viewer.cached import Bounded
from sparsine.viewer.config import ViewerConfig
from sparsine.viewer.errors import NoPicture, NotFound
from sparsine.viewer.folder import CodeFile, CodeFolder, natural
from sparsine.viewer.notes import Note, read_notes
from sparsine.viewer.originals import Original, Originals
from sparsine.viewer.pixels import pixels_of, thumbnail_size, to_png
from sparsine.viewer.sampling import Window, rows_of, sample_width, value_at
from sparsine.viewer.starts import Opened, Starts

SORTS = ("name", "largest", "smallest", "best", "worst")
"""By name, by bytes, by PSNR."""
LIST_SECONDS = 2.0
"""A list that is older is made again: the encoder may be at work."""


class Catalogue:
    """A folder of codes with the starts that draw them."""

    def __init__(
        self, folder: CodeFolder, starts: Starts, originals: Originals | None = None, config: ViewerConfig | None = None
    ) -> None:
        self.folder, self.starts, self.originals = folder, starts, originals
        self.config = config or ViewerConfig()
        self._fields: Bounded[Opened] = Bounded(self.config.num_fields)
        self._thumbnails: Bounded[bytes] = Bounded(self.config.thumbnail_bytes, len)
        self._facts: Bounded[dict[str, Any]] = Bounded(1 << 16)
        self._codes: dict[str, dict[str, CodeFile]] = {}
        self._notes: dict[str, dict[str, Note]] = {}
        self._listed = -LIST_SECONDS

    def about(self) -> dict[str, Any]:
        """The folder, and what may be asked of it."""
        self._list()
        levels = sorted(self._folders(), key=natural)
        return {
            "folder": self.folder.name, "codes": len(self._codes), "levels": levels,
            "links": self.folder.num_links,
            "starts": len(self.starts.drawers), "originals": self.originals.spec if self.originals else None,
            "max_points": self.config.max_points, "max_edge": self.config.max_edge, "sorts": SORTS,
        }  # fmt: skip

    def page(self, search: str, sort: str, level: str | None, first: int, count: int) -> dict[str, Any]:
        """Some of the codes whose names contain `search`; of each its level `level`, or its last."""
        if not first:
            self._list()
        files = self._sorted([_at(files, level) for files in self._matching(search)], sort)
        return {"total": len(files), "first": first, "codes": [self.facts(f) for f in files[first : first + count]]}

    def code(self, name: str) -> dict[str, Any]:
        """One signal with all its levels."""
        levels = [{**self.facts(file), "no_original": self._missing(file)} for file in self._levels(name).values()]
        return {"name": name, "levels": levels}

    def facts(self, file: CodeFile) -> dict[str, Any]:
        """What is known of a code without drawing it; `error` where it cannot be drawn."""
        note = self._note(file)
        facts = self._facts.get(file, lambda: self._read_facts(file))
        return {**facts, "psnr_db": note.psnr_db if note else facts.get("psnr_db")}

    def listed(self, name: str, level: str | None) -> CodeFile | None:
        """A code of the list as it stands, without looking at the folder."""
        files = self._codes.get(name, {})
        return _at(files, level) if files and (level is None or level in files) else None

    def file(self, name: str, level: str | None) -> CodeFile:
        """Raises NotFound where there is none."""
        files = self._levels(name)
        if level is not None and level not in files:
            raise NotFound(f"{name} has no level {level!r}")
        return _at(files, level)

    def thumbnail(self, file: CodeFile, edge: int) -> bytes:
        """PNG of the whole signal within `edge` x `edge`."""
        return self._thumbnails.get((file, edge), lambda: self._draw_thumbnail(file, edge))

    def draw(self, file: CodeFile, window: Window) -> Bands:
        """A part of the picture."""
        opened = self._zoomed(file)
        return Bands(window.size, pixels_of(opened.field, opened.drawer.engine, window))

    def value(self, file: CodeFile, y: float, x: float) -> dict[str, Any]:
        """Coordinates and value at a place of the picture, and the original's sample there."""
        opened = self._zoomed(file)
        coords, values = value_at(opened.field, opened.drawer.engine, y, x)
        found: dict[str, Any] = {"coords": coords, "value": values, "original": None}
        try:
            original = self.original(file).values
        except BadInput:
            return found
        row, column = (min(int(at * n), n - 1) for at, n in zip((y, x), original.shape[:2], strict=True))
        return {**found, "original": original[row, column].tolist(), "sample": [row, column]}

    def original(self, file: CodeFile) -> Original:
        """What a code was made from. Raises NotFound where no originals were given."""
        if self.originals is None:
            raise NotFound("no originals were given; start the viewer with --originals to see them")
        note, shape = self._note(file), self.opened(file).field.shape
        if prod(shape) > self.config.max_points:
            raise BadInput(f"the original has {prod(shape):,} samples; up to {self.config.max_points:,} are shown here")
        return self.originals.find(file.name, note.input if note else None, shape)

    # An original is asked for again for every band: of those that nobody looks at any more none must be held.

    def draw_original(self, file: CodeFile) -> Bands:
        """The original as it is drawn everywhere, at its own samples."""
        kind = self._zoomed(file).drawer.start.kind
        window = _whole(self.original(file).values.shape)
        width = sample_width(window)
        return Bands(window.size, lambda first, last: kind.picture(self.original(file).values[first:last], width))

    def draw_error(self, file: CodeFile) -> Bands:
        """The absolute error at the samples of the original; told at the end: the PSNR in dB."""
        opened, shape = self._zoomed(file), self.original(file).values.shape
        values, squares = rows_of(opened.field, opened.drawer.engine, _whole(shape)), list[float]()

        def paint(first: int, last: int) -> UInt8[np.ndarray, "rows columns 3"]:
            given, drawn = self.original(file).values[first:last], values(first, last)
            squares.append(float(np.square(given - drawn, dtype=np.float64).sum()))
            return error_picture(given, drawn)

        return Bands(_whole(shape).size, paint, lambda: psnr_db(fsum(squares) / prod(shape)))

    def picture(self, file: CodeFile, side: str) -> bytes:
        """PNG of a whole signal: fitted, original or error. Raises NoPicture where its kind shows none."""
        return self._thumbnails.get((file, side), lambda: to_png(self._picture(file, side)))

    def media(self, file: CodeFile, side: str) -> Media | None:
        """What is played of a signal, fitted or original; None where that is nothing."""
        field = self.opened(file).field
        values = whole.drawn(field, self.config.max_points) if side == "fitted" else self.original(file).values
        return whole.played(field.start.kind, values)

    def measured(self, file: CodeFile) -> dict[str, Any]:
        """How good a whole signal is, beside its original."""
        return {"measures": whole.measured(self.opened(file).field, self.original(file))}

    def _picture(self, file: CodeFile, side: str) -> Picture:
        field = self.opened(file).field
        if side == "fitted":
            return whole.fitted_picture(field, self.config.max_points)
        draw = whole.original_picture if side == "original" else whole.error_picture
        return draw(field, self.original(file))

    def _zoomed(self, file: CodeFile) -> Opened:
        """Raises NoPicture unless a code is drawn part by part."""
        opened = self.opened(file)
        if not whole.is_zoomed(opened.drawer.start):
            raise NoPicture(f"signals of kind {opened.drawer.start.kind.name} are shown whole; ask for /picture")
        return opened

    def opened(self, file: CodeFile) -> Opened:
        """The field of a code. Raises BadInput: damaged, or of another start."""
        return self._fields.get(file, lambda: self.starts.open(self.folder.read(file.parts, self.starts.most_bytes)))

    def _missing(self, file: CodeFile) -> str | None:
        """Why there is no original; None where there is one."""
        facts, note = self.facts(file), self._note(file)
        if self.originals is None or "error" in facts:
            return "no originals were given; start the viewer with --originals to see them"
        return self.originals.missing(file.name, note.input if note else None, tuple(facts["shape"]))

    def _read_facts(self, file: CodeFile) -> dict[str, Any]:
        facts: dict[str, Any] = {"name": file.name, "level": file.level, "bytes": file.num_bytes}
        try:
            told, drawer = self.starts.facts(self.folder.read(file.parts, self.starts.most_bytes))
        except BadInput as error:
            return {**facts, "error": str(error)}
        start = drawer.start
        return {
            **facts, "shape": told.shape, "zoomed": whole.is_zoomed(start), "sample": start.kind.sample,
            "bits_per_sample": told.bits_per_sample, "version": f"{file.changed_ns:x}-{told.start_hash.hex()}",
            "psnr_db": told.psnr_db,
            "start": drawer.name, "value_kind": start.kind.name, "weights": start.pattern.num_weights,
            "density": start.pattern.density, "channels": start.field.out_features,
        }  # fmt: skip

    def _draw_thumbnail(self, file: CodeFile, edge: int) -> bytes:
        opened = self.opened(file)
        if not whole.is_zoomed(opened.drawer.start):
            return to_png(whole.within(self._picture(file, "fitted"), edge))
        window = _whole(thumbnail_size(opened.field.shape, edge))
        return to_png(pixels_of(opened.field, opened.drawer.engine, window)(0, window.size[0]))

    def _list(self) -> None:
        if time.monotonic() - self._listed < LIST_SECONDS:
            return
        self._codes = self.folder.codes()
        self._notes = {level: read_notes(self.folder, level) for level in self._folders()}
        self._listed = time.monotonic()

    def _folders(self) -> set[str]:
        return {file.level for files in self._codes.values() for file in files.values()}

    def _levels(self, name: str) -> dict[str, CodeFile]:
        if name not in self._codes:
            self._list()
        if name not in self._codes:
            raise NotFound("there is no code of that name in the folder")
        return self._codes[name]

    def _note(self, file: CodeFile) -> Note | None:
        return self._notes.get(file.level, {}).get(file.name)

    def _matching(self, search: str) -> list[dict[str, CodeFile]]:
        wanted = search.casefold()
        return [files for name, files in self._codes.items() if wanted in name.casefold()]

    def _sorted(self, files: list[CodeFile], sort: str) -> Sequence[CodeFile]:
        if sort == "name":
            return files
        if sort in ("largest", "smallest"):
            return sorted(files, key=lambda file: file.num_bytes, reverse=sort == "largest")
        noted = [(file, note.psnr_db) for file in files if (note := self._note(file)) and note.psnr_db is not None]
        known = sorted(noted, key=lambda pair: pair[1], reverse=sort == "best")
        first = {id(file) for file, _ in known}
        return [file for file, _ in known] + [file for file in files if id(file) not in first]


def _whole(shape: tuple[int, ...]) -> Window:
    return Window((0.0, 0.0, 1.0, 1.0), (shape[0], shape[1]))


def _at(files: dict[str, CodeFile], level: str | None) -> CodeFile:
    return files[level] if level is not None and level in files else list(files.values())[-1]
