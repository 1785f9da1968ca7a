"""Every way at its own best settings, beside what one would use instead of a field: records of experiments/."""

from collections.abc import Callable
from math import log
from pathlib import PurePosixPath
from statistics import fmean

from sparsine.report.table import Table
from sparsine.report.tables.layout import NOT_MEASURED, Row, crossed, listed
from sparsine.report.tables.results import Results
from sparsine.report.wording import count, shape

WAYS = (("pattern", "balanced"), ("pattern", "instant"), ("narrow", "balanced"), ("narrow", "instant"),
        ("cosines", "linear"), ("own cosines", "linear"), ("components", "linear"))  # fmt: skip
BY_KIND = {
    "photographs, 178 x 178": "tuned-fits/photos-178", "faces, 178 x 178": "tuned-fits/faces-178",
    "faces, 64 x 64": "tuned-fits/faces-64", "curves, 64 x 64": "tuned-fits/curves-64",
    "spoken digits, 4,096 samples": "tuned-digits", "video, 8 x 48 x 64": "tuned-video",
    "brain, 32 x 32 x 32": "tuned-volume",
}  # fmt: skip
ABOUT = 2_000
"""Weights, of the column that stands for a kind."""
EXACT_DB = 200
Also = Callable[[dict[str, list[float]]], str]
"""What is said of the metrics beside PSNR."""


def fits(results: Results) -> list[Table]:
    """Sparse patterns, narrow networks and cosines: mean PSNR, and seconds of a fit; a table for each data set."""
    tables = []
    for name in results.names("comparison/tuned-fits"):
        record = results.read(name)
        what = f"{PurePosixPath(name).name}, {shape(record['shape'])}, {record['signals']} test signals"
        tables.append(_by_numbers(record, title=f"{what} (dB; seconds a signal)"))
    return tables


def video(results: Results) -> Table:
    """Clips of video: PSNR and SSIM, the mean over frames."""
    return _by_numbers(results.read("comparison/tuned-video"), lambda metrics: f"{fmean(metrics['ssim']):.3f}")


def digits(results: Results) -> Table:
    """Spoken digits: PSNR and SNR."""
    return _by_numbers(results.read("comparison/tuned-digits"),
                       lambda metrics: f"{fmean(v for v in metrics['snr_db'] if v):.1f}")  # fmt: skip


def volume(results: Results) -> Table:
    """Boxes of a volume: PSNR and the largest error, the mean over boxes."""
    return _by_numbers(results.read("comparison/tuned-volume"), lambda metrics: f"{fmean(metrics['max_error']):.0f}")


def recipes(results: Results) -> Table:
    """Recipe best beside what a race chose, on test signals."""
    rows = []
    for name in results.names("comparison/tuned-recipes"):
        record = results.read(name)
        tune, axes = record["race"]["request"]["tune"], shape(record["race"]["data"]["shape"])
        rows += [{"what": f"{PurePosixPath(name).name}, {axes}, {len(row['signals'])} test signals", "recipe": recipe,
                  "effort": tune["effort"], **row} for recipe, row in record["rows"].items()]  # fmt: skip
    return listed(rows, {
        "signals": lambda row: row["what"], "weights, effort": lambda row: f"{count(row['weights'])}, {row['effort']}",
        "recipe": lambda row: "`best`" if row["recipe"] == "untuned" else f"chosen: {row['candidate']['family']}",
        "biases": lambda row: count(row["biases"]), "omega_0": lambda row: f"{row['candidate']['omega_0']:g}",
        "offset": lambda row: f"{row['candidate']['output_offset']:g}",
        "layers x width": lambda row: f"{row['candidate']['hidden_layers']} x {row['candidate']['width']}",
        "PSNR (dB)": lambda row: f"{row['mean_psnr_db']:.2f}",
    }, left=3)  # fmt: skip


def by_kind(results: Results) -> Table:
    """What tells a signal best with about as many weights."""
    rows = []
    for label, name in BY_KIND.items():
        measured = results.rows(f"comparison/{name}")
        both = {row["round"] for row in measured if row["method"] == "narrow"}
        pattern = min((row for row in measured if row["method"] == "pattern" and row["round"] in both),
                      key=lambda row: abs(log(row["numbers"] / ABOUT)))  # fmt: skip
        means = {row["method"]: row["mean"] for row in measured if row["round"] == pattern["round"]}
        rows.append({"label": label, "numbers": pattern["numbers"], "means": means})

    def mean(method: str, effort: str) -> Callable[[Row], str]:
        return lambda row: "exact" if (db := row["means"][method][effort]) > EXACT_DB else f"{db:.1f}"

    return listed(rows, {
        "signals": lambda row: row["label"], "weights": lambda row: count(row["numbers"]),
        "pattern": mean("pattern", "balanced"), "narrow network": mean("narrow", "balanced"),
        "fixed cosines": mean("cosines", "linear"), "its own cosines": mean("own cosines", "linear"),
    })  # fmt: skip


def starved(results: Results) -> Table:
    """PSNR of narrow networks from random numbers, by width, frequency and step size."""
    rows = results.rows("comparison/starved")
    psnr = {(row["width"], row["omega_0"], row["lr"]): row["mean_psnr_db"] for row in rows}
    networks = {(row["width"], row["omega_0"]): row for row in rows}

    def reached(lr: float) -> Callable[[Row], str]:
        return lambda row: "" if (db := psnr.get((row["width"], row["omega_0"], lr))) is None else f"{db:.2f}"

    return listed(networks.values(), {
        "weights (width)": lambda row: f"{count(row['weights'])} ({row['width']})",
        "omega_0": lambda row: f"{row['omega_0']:g}",
        **{f"Adam at {lr:g}": reached(lr) for lr in sorted({row["lr"] for row in rows})},
    }, left=0)  # fmt: skip


def _by_numbers(record: Row, also: Also | None = None, title: str = "") -> Table:
    """A line for each way, a column for each number of weights."""
    found = {(row["method"], row["round"]): row for row in record["rows"]}
    rounds = sorted({row["round"] for row in record["rows"]})
    lines = {method if effort == "linear" else f"{method}, {effort}": {
        number: _cell(found[method, number], effort, also) if (method, number) in found else NOT_MEASURED
        for number in rounds
    } for method, effort in WAYS}  # fmt: skip
    return crossed(lines, {number: count(found["pattern", number]["numbers"]) for number in rounds}, title=title)


def _cell(row: Row, effort: str, also: Also | None) -> str:
    taken = f" ({row['seconds'][effort]:.2g})" if "seconds" in row else ""
    more = f", {also(row['metrics'][effort])}" if also else ""
    return f"{row['mean'][effort]:.2f}{more}{taken}"
