"""What choices of the codec are worth, and codes beside those of other codecs."""

from math import prod
from statistics import fmean

from sparsine.report.table import Table
from sparsine.report.tables.layout import listed
from sparsine.report.tables.results import Results


def choices(results: Results) -> Table:
    """What each choice of calibration saves: bytes at one and the same loss."""
    rows = results.read("benchmarks/codec_choices")["choices"]
    whole = rows[0]["mean_bytes"]
    return listed(rows, {
        "tables of the start": lambda row: row["choice"], "bytes a signal": lambda row: f"{row['mean_bytes']:,.0f}",
        "more": lambda row: f"{row['mean_bytes'] / whole - 1:.1%}" if row["mean_bytes"] != whole else "",
        "mean loss, dB": lambda row: f"{row['mean_loss_db']:.3f}",
    })  # fmt: skip


def qualities(results: Results) -> Table:
    """Bytes and loss by quality."""
    record = results.read("benchmarks/codec_choices")
    samples = record["shape"][0] * record["shape"][1]
    return listed(record["qualities"], {
        "quality": lambda row: str(row["quality"]), "bytes a signal": lambda row: f"{row['mean_bytes']:,.0f}",
        "bits a pixel": lambda row: f"{8 * row['mean_bytes'] / samples:.2f}",
        "mean loss, dB": lambda row: f"{row['mean_loss_db']:.3f}",
    }, left=0)  # fmt: skip


def rounded_steps(results: Results) -> Table:
    """Mean bytes and PSNR without and with steps that see the rounded vector."""
    rows = results.rows("benchmarks/rounded_steps")
    pairs = [{"without": one, "with": other} for one in rows for other in rows
             if one["rounded_steps"] == 0 != other["rounded_steps"]
             and all(one[name] == other[name] for name in ("start", "quality"))]  # fmt: skip
    pairs.sort(key=lambda pair: (pair["without"]["weights"], -pair["without"]["quality"]))
    return listed(pairs, {
        "start": lambda pair: pair["without"]["start"], "quality": lambda pair: str(pair["without"]["quality"]),
        "bytes": lambda pair: f"{fmean(pair['without']['bytes']):,.0f}",
        "dB": lambda pair: f"{fmean(pair['without']['psnr_db']):.2f}",
        "bytes with them": lambda pair: f"{fmean(pair['with']['bytes']):,.0f}",
        "dB with them": lambda pair: f"{fmean(pair['with']['psnr_db']):.2f}",
        "dB of the fit": lambda pair: f"{fmean(pair['without']['fitted_psnr_db']):.2f}",
    })  # fmt: skip


def video_codecs(results: Results) -> Table:
    """Codes of clips beside H.264 and H.265."""
    record = results.read("comparison/video-codecs")
    samples = prod(record["shape"])
    return listed(record["rows"], {
        "": lambda row: row["codec"],
        "setting": lambda row: f"{row['weights']:,} weights" if "weights" in row else row["setting"],
        "bytes": lambda row: f"{row['mean']['bytes']:,.0f}",
        "bits a pixel": lambda row: f"{8 * row['mean']['bytes'] / samples:.2f}",
        "PSNR (dB)": lambda row: f"{row['mean']['psnr_db']:.2f}", "SSIM": lambda row: f"{row['mean']['ssim']:.3f}",
    }, left=2)  # fmt: skip
