"""Draws the film of a zoom: the photograph of the README's first picture, from all of it to far beyond its pixels.

    python scripts/make_film.py KODIM23.png docs/pictures/zoom.webp

Left the field, drawn anew for every frame from the bytes of its code; right JPEG with as many bytes, enlarged. The
first frame is written beside it as a PNG, for who wants no movement. Prints what the caption says.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

from make_first_picture import START, as_picture, coded, jpeg_of
from PIL import Image, ImageDraw, ImageFont

from sparsine.fitting.fitted_field import FittedField

PLACE = (0.325, 0.665)
"""What is zoomed into, down and across: an eye."""
ZOOM, SIZE = 24.0, (240, 360)
"""The last magnification; rows and columns of either half."""
STEPS, HOLD, MS = 48, 12, 90
"""Frames of the way, frames of its last picture, milliseconds of each."""
GAP, HEAD, QUALITY = 8, 24, 62


@dataclass(frozen=True)
class Look:
    """A part of the picture, as fractions: top, left, bottom, right."""

    zoom: float

    @property
    def region(self) -> tuple[float, float, float, float]:
        """Of the whole at first; what is zoomed into comes to the middle on the way."""
        span, way = 1 / self.zoom, (1 - 1 / self.zoom) / (1 - 1 / ZOOM)
        middles = [0.5 + way * (place - 0.5) for place in PLACE]
        top, left = (min(max(middle - span / 2, 0.0), 1 - span) for middle in middles)
        return top, left, top + span, left + span


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photograph", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--effort", default="best")
    options = parser.parse_args()
    picture, code, field = coded(options.photograph, options.effort)
    jpeg, jpeg_bytes, _ = jpeg_of(picture, len(code.data))
    titles = f"a field of {len(code.data):,} bytes", f"JPEG of {jpeg_bytes:,} bytes, bicubic"
    frames = [frame(Look(ZOOM ** ease(step / (STEPS - 1))), field, jpeg, titles) for step in range(STEPS)]
    frames += [frames[-1]] * HOLD
    frames[0].save(options.out.with_suffix(".png"), optimize=True)
    frames[0].save(
        options.out,
        save_all=True,
        append_images=frames[1:],
        duration=[900, *[MS] * (len(frames) - 1)],
        loop=0,
        quality=QUALITY,
        kmin=0,
        kmax=1,
    )  # whole frames: of parts the seams stay
    print(START, options.effort, titles, f"to {ZOOM:g} times, {options.out.stat().st_size:,} bytes")
    return 0


def ease(part: float) -> float:
    """Slow at both ends."""
    return part * part * (3 - 2 * part)


def frame(look: Look, field: FittedField, jpeg: Image.Image, titles: tuple[str, str]) -> Image.Image:
    """Both halves, what they are, and how long some pixels of the photograph are."""
    top, left, bottom, right = look.region
    box = left * jpeg.width, top * jpeg.height, right * jpeg.width, bottom * jpeg.height
    halves = [as_picture(field.render(SIZE, region=look.region)),
              jpeg.resize(SIZE[::-1], Image.Resampling.BICUBIC, box=box)]  # fmt: skip
    drawn = Image.new("RGB", (2 * SIZE[1] + 3 * GAP, SIZE[0] + HEAD + GAP), "white")
    draw, font = ImageDraw.Draw(drawn), ImageFont.load_default(14)
    for column, (title, half) in enumerate(zip(titles, halves, strict=True)):
        x = GAP + column * (SIZE[1] + GAP)
        draw.text((x, 4), title, fill="black", font=font)
        drawn.paste(half, (x, HEAD))
    _bar(draw, SIZE[1] * look.zoom / jpeg.width, font)
    return drawn


def _bar(draw: ImageDraw.ImageDraw, scale: float, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> None:
    """`scale`: pixels of the film for one of the photograph."""
    number = max(n for n in (1, 2, 5, 10, 20, 50, 100) if n * scale <= 100 or n == 1)
    x, y, length = GAP + 10, HEAD + SIZE[0] - 14, number * scale
    words = f"{number} pixel{'s' if number > 1 else ''}"
    for width, colour in ((4, "black"), (2, "white")):
        draw.line([(x, y - 6), (x, y), (x + length, y), (x + length, y - 6)], fill=colour, width=width)
    draw.text((x, y - 24), words, fill="white", font=font, stroke_width=2, stroke_fill="black")


if __name__ == "__main__":
    sys.exit(main())
