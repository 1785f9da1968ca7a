"""The page of a record; templates/rate_distortion.html.j2 says what stands where."""

from pathlib import Path
from typing import Any

from sparsine.counted import counted
from sparsine.report import html
from sparsine.report.figure import Figure
from sparsine.report.html import Card
from sparsine.report.rate_distortion.figures import QUALITIES, Counting, quality_figure
from sparsine.report.rate_distortion.points import MANY, Record, at_same_bytes, names_of, ours_at, point, start_label
from sparsine.report.rate_distortion.published import published_for, published_note
from sparsine.report.rate_distortion.tables import default_quality, tables_of
from sparsine.report.wording import DASH, count, db

NAME = "rate-distortion.html"
RECORDS = ("rate-distortion.json",)
HEADINGS = {
    "same-bytes": "Beside other codecs", "bjontegaard": "Whole curves", "rounding": "What rounding costs",
    "starts": "With the start counted", "spent": "What the bits are spent on", "published": "Beside published codecs",
    "seconds": "How long it takes",
}  # fmt: skip


def write_page(folder: Path, record: Record, command: str = "") -> Path:
    """Write `folder`/rate-distortion.html, which `command` made. Raises WorkFailed when the system refuses."""
    path = folder / NAME
    html.write_page(path, "rate_distortion.html.j2", page_context(record),
                     commands={"This page, and what it is made from": command}, records=RECORDS)  # fmt: skip
    return path


def page_context(record: Record) -> dict[str, Any]:
    """Everything that the template asks for."""
    signals = counted(len(record["signals"]), "signal")
    countings = {"apart": "the start counted apart", "shared": f"shared out over these {signals}",
                 "many": f"shared out over {counted(MANY, 'signal')}"}  # fmt: skip
    tables = [(heading, found) for kind, heading in HEADINGS.items() if (found := tables_of(record, [kind]))]
    return {
        "label": record["data"]["label"], "description": record["data"]["description"], "sentence": _sentence(record),
        "cards": _cards(record), "figures": _figures(record), "qualities": QUALITIES, "countings": countings,
        "tables": tables, "published": published_for(record), "published_note": published_note(record),
        "unreadable": record["unreadable"], "origin": _origin(record),
    }  # fmt: skip


def _figures(record: Record) -> dict[str, Figure]:
    countings: tuple[Counting, ...] = ("apart", "shared", "many")
    made = {f"{quality.partition('_')[0]}-{counting}": quality_figure(record, quality, counting)
            for quality in QUALITIES for counting in countings}  # fmt: skip
    return {name: figure for name, figure in made.items() if figure}


def _sentence(record: Record) -> str:
    return (f"Real files of {counted(len(record['signals']), 'picture')}: bytes, PSNR and SSIM of what a decoder "
            "gives, as 8-bit pictures, and seconds for both ways.")  # fmt: skip


def _cards(record: Record) -> list[Card]:
    """Each start at the default quality."""
    quality, cards = default_quality(record), []
    for number in range(len(record["starts"])):
        ours = point(record, ours_at(record, number, quality), "")
        if ours is None:
            continue
        details = [f"{count(round(ours.num_bytes))} bytes, {ours.bits_per_pixel:.2f} bits per pixel",
                   *([f"mean of {ours.num_signals} of {ours.num_asked} signals"] if ours.lacks else []),
                   *(_beside(record, codec, number, quality) for codec in names_of(record))]  # fmt: skip
        cards.append(Card(f"{start_label(record, number)}, quality {quality}", db(ours.psnr_db), "dB", tuple(details)))
    return cards


def _beside(record: Record, codec: str, start: int, quality: int) -> str:
    found, lacks = at_same_bytes(record, codec, start, quality)
    return f"{names_of(record)[codec]} with as many: {db(found.psnr_db) + ' dB' if found else DASH + lacks}"


def _origin(record: Record) -> dict[str, dict[str, str]]:
    """Groups of settings."""
    config = dict(record["config"])
    fit = config.pop("fit")
    groups = {
        "origin": {"measured": record["created"], "commit": record["commit"], "source": record["data"]["spec"],
                   "signals": len(record["signals"])},
        "versions": record["versions"], "hardware": record["hardware"],
        "fit": {name: value for name, value in fit.items() if name != "report"}, "codecs": config,
    }  # fmt: skip
    groups |= {start_label(record, i): {"file bytes": start["file_bytes"], "weights": start["weights"],
                                        "biases": start["biases"], "learned on": start["learned_on"],
                                        "digest": start["digest"][:16]}
               for i, start in enumerate(record["starts"])}  # fmt: skip
    return groups
