"""Draws the README's first picture: a photograph as a field of a few kilobytes, beside JPEG with as many bytes.

    python scripts/make_first_picture.py KODIM23.png docs/pictures/parrots.png

The photograph is number 23 of the Kodak set, which may be shown; it is halved to 384 x 256. Prints what the caption
says.
"""

import argparse
import io
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from sparsine import EncodeConfig, decode, load_start
from sparsine.codec.encode import Encoded, encode_batch
from sparsine.fitting import FitConfig
from sparsine.fitting.fitted_field import FittedField

START, QUALITY, ZOOM = "photos-2k", 56, 8
REGION = (0.29, 0.62, 0.46, 0.79)
"""Top, left, bottom, right, as fractions: an eye."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photograph", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--effort", default="best")
    options = parser.parse_args()
    picture, code, field = coded(options.photograph, options.effort)
    values = np.asarray(picture, dtype=np.float32) / 255
    size = (
        round(values.shape[0] * (REGION[2] - REGION[0])) * ZOOM,
        round(values.shape[1] * (REGION[3] - REGION[1])) * ZOOM,
    )
    jpeg, jpeg_bytes, quality = jpeg_of(picture, len(code.data))
    titles = ["the photograph", f"a field of {len(code.data):,} bytes, {code.psnr_db:.1f} dB",
              f"JPEG of {jpeg_bytes:,} bytes, {psnr(np.asarray(jpeg) / 255, values):.1f} dB"]  # fmt: skip
    whole = [picture, as_picture(field.render(values.shape[:2])), jpeg]
    zoomed = [part(picture, size), as_picture(field.render(size, region=REGION)), part(jpeg, size)]
    sheet(titles, whole, zoomed).save(options.out, optimize=True)
    print(START, QUALITY, options.effort, titles, f"JPEG quality {quality}", size)
    return 0


def coded(photograph: Path, effort: str) -> tuple[Image.Image, Encoded, FittedField]:
    """The photograph at half its size, its code, and the field of that."""
    with Image.open(photograph) as opened:
        picture = opened.convert("RGB").resize((opened.width // 2, opened.height // 2), Image.Resampling.LANCZOS)
    start = load_start(START)
    how = EncodeConfig(fit=FitConfig(effort=effort, report=()), quality=QUALITY)
    (code,) = encode_batch(start, [np.asarray(picture, dtype=np.float32) / 255], how)
    return picture, code, decode(start, code.data)


def as_picture(values: np.ndarray) -> Image.Image:
    return Image.fromarray(np.rint(values.clip(0, 1) * 255).astype(np.uint8))


def part(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The region, its pixels as squares."""
    top, left, bottom, right = REGION
    box = (left * picture.width, top * picture.height, right * picture.width, bottom * picture.height)
    return picture.resize(size[::-1], Image.Resampling.NEAREST, box=box)


def jpeg_of(picture: Image.Image, most: int) -> tuple[Image.Image, int, int]:
    """The best JPEG of at most so many bytes, or the smallest there is: (as decoded, bytes, quality)."""
    best: tuple[Image.Image, int, int] | None = None
    for quality in range(1, 96):
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=quality, optimize=True, progressive=True)
        if best is None or file.tell() <= most:
            size = file.tell()
            best = Image.open(file).convert("RGB"), size, quality
    assert best is not None
    return best


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    return float(-10 * np.log10(np.square(one - other).mean()))


def sheet(titles: list[str], whole: list[Image.Image], zoomed: list[Image.Image]) -> Image.Image:
    """Three columns: a title, the whole, and a part of it."""
    width, height, gap, head = whole[0].width, whole[0].height, 12, 26
    below = [one.resize((width, round(one.height * width / one.width)), Image.Resampling.NEAREST) for one in zoomed]
    drawn = Image.new("RGB", (3 * width + 4 * gap, head + height + below[0].height + 3 * gap), "white")
    draw, font = ImageDraw.Draw(drawn), ImageFont.load_default(15)
    for column, (title, top, bottom) in enumerate(zip(titles, whole, below, strict=True)):
        x = gap + column * (width + gap)
        draw.text((x, gap / 2), title, fill="black", font=font)
        drawn.paste(top, (x, head))
        drawn.paste(bottom, (x, head + height + gap))
    return drawn


if __name__ == "__main__":
    sys.exit(main())
