"""What others published on the Kodak pictures, and whether it may stand beside what was measured here.

The points are `report/published/kodak.json`. They share axes with ours only where the pictures are Kodak's, at
their own size.
"""

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from sparsine.fitting.config import PAPER_STEPS
from sparsine.report.wording import count

KODAK = re.compile(r"kodim(0[1-9]|1\d|2[0-4])\.png", re.IGNORECASE)
KODAK_SHAPES = ([512, 768], [768, 512])
NUM_KODAK = 24


@dataclass(frozen=True)
class Published:
    """One codec's published points."""

    name: str
    citation: str
    arxiv: str
    source: str
    bits_per_pixel: tuple[float, ...]
    psnr_db: tuple[float, ...]


@cache
def kodak() -> tuple[Published, ...]:
    """Every codec of the file."""
    text = files("sparsine.report").joinpath("published/kodak.json").read_text(encoding="utf-8")
    return tuple(
        Published(entry["name"], entry["citation"], entry["arxiv"], entry["source"],
                  tuple(p[0] for p in entry["points"]), tuple(p[1] for p in entry["points"]))
        for entry in json.loads(text)["codecs"]
    )  # fmt: skip


def published_for(record: dict[str, Any]) -> tuple[Published, ...]:
    """The codecs whose points may stand on the axes of this record."""
    signals = record["signals"]
    same = all(KODAK.fullmatch(s["input"]) and s["shape"] in KODAK_SHAPES for s in signals)
    return kodak() if signals and same else ()


def published_note(record: dict[str, Any]) -> str:
    """What differs still; empty where no point is shown."""
    if not published_for(record):
        return ""
    told = ", ".join(f"{p.name} (arXiv {p.arxiv})" for p in kodak())
    fewer = len(record["signals"])
    some = "" if fewer == NUM_KODAK else f" Ours are means over {count(fewer)} of the {NUM_KODAK} pictures."
    return (
        f"Published means over the {NUM_KODAK} Kodak pictures: {told}. COIN's code takes 10,000 steps a picture; ours "
        f"were fitted in {count(_steps(record))}.{some}"
    )


def _steps(record: dict[str, Any]) -> int:
    fit = record["config"]["fit"]
    return int(fit["steps"] or PAPER_STEPS[fit["optimizer"]])
