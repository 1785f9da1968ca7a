"""Records as tables: in Markdown for documents, and as plain cells for the page."""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from sparsine.counted import counted, in_words
from sparsine.fitting.config import PAPER_STEPS, USUAL_BATCH
from sparsine.psnr import averaged_db, psnr_difference_db, psnr_of
from sparsine.report.rate_distortion.bjontegaard_delta import bd_psnr, bd_rate, front
from sparsine.report.rate_distortion.points import (
    MANY,
    RateCurve,
    RatePoint,
    Record,
    at_same_bytes,
    bytes_for,
    curves,
    names_of,
    ours_at,
    point,
    start_label,
)
from sparsine.report.rate_distortion.published import published_for, published_note
from sparsine.report.table import Table
from sparsine.report.wording import DASH, count, db, percent, protocol


def tables_of(record: Record, kinds: Sequence[str] | None = None) -> list[Table]:
    """Every table that the record allows, or those of some `kinds` (see `KINDS`)."""
    return [table for kind in kinds or KINDS for table in KINDS[kind](record) if table.rows]


def tables_markdown(record: Record, kinds: Sequence[str] | None = None) -> str:
    """The same in Markdown, each under its title."""
    return "\n".join(table.markdown() for table in tables_of(record, kinds))


def same_bytes(record: Record) -> list[Table]:
    """Ours beside other codecs: as good as they get with as many bytes, and how few bytes they need to be as good."""
    by_key, names = {curve.key: curve for curve in curves(record)}, names_of(record)
    rows = []
    for number, quality in ours_of(record):
        ours = point(record, ours_at(record, number, quality), "")
        if ours is None:
            continue
        theirs = [_beside(record, codec, number, quality) for codec in names]
        # their curves are over all signals
        needs = [None if ours.lacks else bytes_for(by_key.get(codec), ours.psnr_db) for codec in names]
        rows.append((start_label(record, number), str(quality), *_size(ours), db(ours.psnr_db) + ours.lacks,
                     *(text for text, _ in theirs), _three(ours.ssim), *(text for _, text in theirs),
                     *(DASH if need is None else f"{ours.num_bytes / need:.2f}" for need in needs)))  # fmt: skip
    head = ("code", "quality", "bytes", "bits per pixel", "PSNR", *(f"PSNR, {n}" for n in names.values()), "SSIM",
            *(f"SSIM, {n}" for n in names.values()), *(f"times the bytes of {n}" for n in names.values()))  # fmt: skip
    return [
        Table("same-bytes", f"{_label(record)}: at the same bytes", head, tuple(rows), note=_same_bytes_note(record))
    ]


def bjontegaard(record: Record) -> list[Table]:
    """Whole curves beside whole curves."""
    found, names = curves(record), names_of(record)
    by_key = {curve.key: curve for curve in found}
    ours = [curve for curve in found if curve.codec == "sparsine"]
    best = [front(ours, "the best of all starts")] if len(ours) > 1 else []
    rows = [
        (curve.label, *(_signed(bd_psnr(by_key.get(name), curve), "dB") for name in names),
         *(_signed(bd_rate(by_key.get(name), curve), "%") for name in names))
        for curve in (*best, *ours)
    ]  # fmt: skip
    head = ("codes", *(f"PSNR beside {label}" for label in names.values()),
            *(f"bytes beside {label}" for label in names.values()))  # fmt: skip
    note = ("Bjøntegaard deltas of the mean curves (bits per pixel, PSNR), Akima interpolation: decibels above (+) or "
            "below (-) another codec at the same bytes, and bytes more (+) or fewer (-) for the same PSNR, over the "
            "part that both curves cover; a dash where that is less than a third of ours.")  # fmt: skip
    return [Table("bjontegaard", f"{_label(record)}: whole curves", head, tuple(rows), note=note)]


def starts(record: Record) -> list[Table]:
    """What the start adds, counted apart and shared out."""
    signals, pixels = len(record["signals"]), _mean_pixels(record)
    rows = []
    for number, quality in ours_of(record):
        ours = point(record, ours_at(record, number, quality), "")
        if ours is None or quality != default_quality(record):
            continue
        size = record["starts"][number]["file_bytes"]
        shared = [8 * (ours.num_bytes + size / n) / pixels for n in (signals, MANY)]
        rows.append((start_label(record, number) + ours.lacks, count(size), *_size(ours),
                     *(f"{bits:.2f}" for bits in shared)))  # fmt: skip
    head = ("code", "bytes of the start", "bytes of a code", "bits per pixel, start apart",
            f"start shared out over these {count(signals)}", f"over {count(MANY)}")  # fmt: skip
    note = ("Pattern, start and coding tables are needed once for a collection. The start is counted as its file is, "
            "uncompressed.")  # fmt: skip
    return [Table("starts", f"{_label(record)}: with the start counted, at quality {default_quality(record)}", head,
                  tuple(rows), note=note)]  # fmt: skip


def rounding(record: Record) -> list[Table]:
    """What coding costs beside the fit, by quality."""
    rows = []
    for number, quality in ours_of(record):
        row = ours_at(record, number, quality)
        pairs = zip(map(psnr_of, row["fitted_psnr_db"]), map(psnr_of, row["psnr_db"]), strict=True)
        lost = [psnr_difference_db(before, after) for before, after in pairs
                if after is not None and before is not None]  # fmt: skip
        ours = point(record, row, "")
        if ours and lost:
            numbers = record["starts"][number]["weights"] + record["starts"][number]["biases"]
            rows.append((start_label(record, number), str(quality), count(round(ours.num_bytes)),
                         f"{8 * ours.num_bytes / numbers:.2f}", db(ours.psnr_db) + ours.lacks,
                         _three(averaged_db(lost)), f"{max(lost):.3f}"))  # fmt: skip
    head = ("code", "quality", "bytes", "bits for a number", "PSNR", "lost to rounding (dB), mean", "most")
    return [Table("rounding", f"{_label(record)}: what rounding costs", head, tuple(rows))]


def spent(record: Record) -> list[Table]:
    """By layer, a table for each start."""
    return [_spent(record, number) for number in range(len(record["starts"]))]


def seconds(record: Record) -> list[Table]:
    """Encoding and decoding times."""
    rows = [(curve.label + _fewest(curve), *_seconds_row(curve)) for curve in curves(record)]
    head = ("codec", "encode, seconds", "decode, seconds")
    hardware = record["hardware"]
    note = (
        f"Means for one signal over all settings of a codec, wall time on {hardware['processor']}, "
        f"{counted(hardware['threads'], 'thread')}, {_fit(record)} for ours, in batches of "
        f"{record['config']['fit']['batch'] or USUAL_BATCH['cpu']}. Reading files and making engines and tables of a "
        f"start is left out; "
        f"{in_words(names_of(record).values())} use one thread."
    )
    return [Table("seconds", f"{_label(record)}: how long it takes", head, tuple(rows), note=note)]


def published_beside(record: Record) -> list[Table]:
    """What others published on the same pictures."""
    rows = [(codec.name, f"{bits:.3f}", db(psnr)) for codec in published_for(record)
            for bits, psnr in zip(codec.bits_per_pixel, codec.psnr_db, strict=True)]  # fmt: skip
    rows += [(start_label(record, n), f"{ours.bits_per_pixel:.3f}", db(ours.psnr_db) + ours.lacks)
             for n, q in ours_of(record) if rows and (ours := point(record, ours_at(record, n, q), ""))]  # fmt: skip
    head = ("codec", "bits per pixel", "PSNR")
    return [Table("published", f"{_label(record)}: published and ours", head, tuple(rows), note=published_note(record))]


KINDS: dict[str, Callable[[Record], list[Table]]] = {
    "same-bytes": same_bytes, "bjontegaard": bjontegaard, "starts": starts, "rounding": rounding, "spent": spent,
    "published": published_beside, "seconds": seconds,
}  # fmt: skip


def ours_of(record: Record) -> list[tuple[int, int]]:
    """(start, quality), dense starts first."""
    found = [(row["start"], row["quality"]) for row in record["rows"] if row["codec"] == "sparsine"]
    return sorted(found, key=lambda at: (-record["starts"][at[0]]["weights"], at[0], at[1]))


def default_quality(record: Record) -> int:
    """The measured quality that is nearest to the default of encoding."""
    return min((quality for _, quality in ours_of(record)), key=lambda quality: abs(quality - 80))


def _label(record: Record) -> str:
    return str(record["data"]["label"])


def _fit(record: Record) -> str:
    """100 Adam steps."""
    fit = record["config"]["fit"]
    points = fit.get("points", record["config"].get("points"))
    optimizer = fit["optimizer"] or "adam"
    return protocol(fit["steps"] or PAPER_STEPS[optimizer], optimizer) + (
        f" on {counted(points, 'point')} each" if points else ""
    )


def _mean_pixels(record: Record) -> float:
    sizes = [prod(signal["shape"]) for signal in record["signals"]]
    return float(sum(sizes) / len(sizes))


def _beside(record: Record, codec: str, start: int, quality: int) -> tuple[str, str]:
    """PSNR and SSIM of another codec with as many bytes."""
    found, lacks = at_same_bytes(record, codec, start, quality)
    return (DASH + lacks, DASH) if found is None else (db(found.psnr_db), _three(found.ssim))


def _same_bytes_note(record: Record) -> str:
    return (
        f"Means over {counted(len(record['signals']), 'signal')}. Ours: {_fit(record)}, the start not counted. "
        f"{in_words(names_of(record).values())}: for each signal the highest quality whose whole file has no more "
        "bytes than our code; a dash where their smallest file is larger for some. Last columns: our bytes over theirs "
        "at the same mean PSNR; a dash beyond the qualities that were measured."
    )


def _spent(record: Record, number: int) -> Table:
    told = record["starts"][number].get("spending") or {"rows": (), "quality": 0, "signals": 0}
    rows = told["rows"]
    bits, error = (sum(row[name] for row in rows) or 1.0 for name in ("bits", "error"))
    lines = [(row["group"], count(row["numbers"]) if row["numbers"] else DASH, count(round(row["bits"])),
              percent(row["bits"] / bits), *_each(row), percent(row["error"] / error) if row["numbers"] else DASH)
             for row in rows if row["bits"] or row["numbers"]]  # fmt: skip
    if lines:
        lines.append(("all", count(sum(row["numbers"] for row in rows)), count(round(bits)), "100 %", "", "", "100 %"))
    head = ("group", "numbers", "bits", "of all bits", "bits for a number", "entropy of a number",
            "share of the error")  # fmt: skip
    note = (
        f"Means over {counted(told['signals'], 'signal')} at quality {told['quality']}. Entropy: of how often each "
        "whole number occurs in the group, without knowing that its parameters spread differently. Share of the "
        "error: the squared change of the drawing when only this group is rounded."
    )
    title = f"{_label(record)}, {start_label(record, number)}: what the bits are spent on"
    return Table("spent", title, head, tuple(lines), note=note)


def _size(point: RatePoint) -> tuple[str, str]:
    """Bytes, and bits per pixel."""
    return count(round(point.num_bytes)), f"{point.bits_per_pixel:.2f}"


def _each(row: dict[str, Any]) -> tuple[str, str]:
    if not row["numbers"]:
        return DASH, DASH
    return f"{row['bits'] / row['numbers']:.2f}", f"{row['entropy_bits'] / row['numbers']:.2f}"


def _fewest(curve: RateCurve) -> str:
    """The fewest signals that a setting of a codec was timed on, where those are not all."""
    return min(curve.points, key=lambda p: p.num_signals).lacks


def _seconds_row(curve: RateCurve) -> tuple[str, str]:
    def mean(of: Callable[[RatePoint], float]) -> str:
        return f"{sum(of(p) for p in curve.points) / len(curve.points):.3g}"

    return mean(lambda p: p.encode_seconds), mean(lambda p: p.decode_seconds)


def _signed(value: float | None, unit: str) -> str:
    return DASH if value is None else f"{value:+.{1 if unit == 'dB' else 0}f} {unit}"


def _three(value: float | None) -> str:
    return DASH if value is None else f"{value:.3f}"
