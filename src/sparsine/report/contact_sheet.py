"""Pictures beside each other: a row for each signal, from the original on."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from sparsine.report.styles import INK, MISSING, QUIET, WHITE
from sparsine.report.wording import db
from sparsine.signals.kind import PLAYED
from sparsine.storage import write_atomically

CELL = 176
"""Width of a picture is at least this; pixels are enlarged by whole numbers."""
GAP = 12
LINE_HEIGHT = 21
FONT_SIZE = 16


@dataclass(frozen=True)
class Picture:
    """A picture that may be missing on disk, with what is said below it."""

    path: Path
    psnr_db: float | None
    """This signal's PSNR after the last step; None for the original, and where it is not known."""
    status: str

    @property
    def played(self) -> Path | None:
        """The same signal to be played, where its kind can be."""
        return next((path for suffix in PLAYED if (path := self.path.with_suffix(suffix)).is_file()), None)


@dataclass(frozen=True)
class PictureRow:
    """The pictures of one signal: the original, then one for each of the gallery's rows."""

    signal: str
    original: Picture
    fitted: tuple[Picture, ...]


def save_sheet(heads: Sequence[Sequence[str]], rows: Sequence[PictureRow], path: Path, strong: int = 1) -> None:
    """The sheet as a PNG. Raises WorkFailed when the file cannot be written."""
    buffer = io.BytesIO()
    contact_sheet(heads, rows, strong).save(buffer, format="PNG", optimize=True)
    write_atomically(path, buffer.getvalue())


def contact_sheet(heads: Sequence[Sequence[str]], rows: Sequence[PictureRow], strong: int = 1) -> Image.Image:
    """The pictures of `rows` beside each other below `heads`, one for each column, the original's among them; all
    heads have as many lines of words, of which the first `strong` stand out."""
    width, height = _size(rows)
    head = len(heads[0]) * LINE_HEIGHT + 6
    pitch = height + LINE_HEIGHT + GAP + 6
    size = (GAP + len(heads) * (width + GAP), GAP + head + len(rows) * pitch)
    canvas = Image.new("RGB", size, WHITE)
    for column, text in enumerate(heads):
        for number, words in enumerate(text):
            colour = INK if number < strong or column == 0 else QUIET
            _write(canvas, GAP + column * (width + GAP), GAP + number * LINE_HEIGHT, words, colour)
    for number, row in enumerate(rows):
        top = GAP + head + number * pitch
        for column, picture in enumerate((row.original, *row.fitted)):
            left = GAP + column * (width + GAP)
            canvas.paste(_enlarged(picture, (width, height)), (left, top))
            _write(canvas, left, top + height + 4, _caption(picture, column), QUIET)
    return canvas


def _caption(picture: Picture, column: int) -> str:
    if column == 0:
        return ""
    return f"{db(picture.psnr_db)} dB" + ("" if picture.status == "ok" else f" ({picture.status})")


def _write(canvas: Image.Image, left: int, top: int, words: str, colour: str) -> None:
    """Drawn four times too large first: Pillow places letters on whole pixels, which shows in small print."""
    if not words:
        return
    font = ImageFont.load_default(size=4 * FONT_SIZE)
    large = Image.new("L", (4 * (-(-int(font.getlength(words)) // 4) + 1), 4 * LINE_HEIGHT))
    ImageDraw.Draw(large).text((0, 0), words, fill=255, font=font)
    mask = large.resize((large.width // 4, LINE_HEIGHT), Image.Resampling.BOX)
    canvas.paste(colour, (left, top), mask)


def _size(rows: Sequence[PictureRow]) -> tuple[int, int]:
    """All pictures of a run have one size: that of the first one found, enlarged by a whole number."""
    path = next(p.path for row in rows for p in (row.original, *row.fitted) if p.path.is_file())
    with Image.open(path) as picture:
        width, height = picture.size
    scale = max(1, -(-CELL // width))
    return scale * width, scale * height


def _enlarged(picture: Picture, size: tuple[int, int]) -> Image.Image:
    if not picture.path.is_file():
        return Image.new("RGB", size, MISSING)
    with Image.open(picture.path) as small:
        return small.convert("RGB").resize(size, Image.Resampling.NEAREST)
