"""Every table and figure of the documents that holds numbers, made from the records in `results/`.

    python scripts/make_tables.py          # rewrite them
    python scripts/make_tables.py --check  # fail if a table or a figure is not what the records say

A table stands between `<!-- table NAME -->` and `<!-- end -->`; NAME is a record, such as learning/faces-64, a kind of
table of a comparison, such as comparison/small:psnr, or of a rate-distortion record, such as
rate-distortion/faces:same-bytes, or one of MADE. The figures of DRAWN comparisons stand in docs/pictures/NAME, that of
all rate-distortion records in docs/pictures/rate-distortion.
"""

import argparse
import json
import re
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from math import log, prod
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from PIL import Image

from sparsine.measure.comparison.records import CELLS, read_cells
from sparsine.measure.rate_distortion import read_record
from sparsine.report.comparison.figures import write_figures
from sparsine.report.comparison.published import published_points
from sparsine.report.comparison.tables import tables_markdown
from sparsine.report.rate_distortion import figures as rate_figures
from sparsine.report.rate_distortion import tables as rate_tables
from sparsine.report.run.figures import save_summary_figure
from sparsine.report.run.tables import table_markdown

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "results"
PICTURES = ROOT / "docs" / "pictures"
PANELS = (("learning/faces-64", "faces (CelebA test split), 64 x 64"),
          ("learning/photos-64", "photos (Imagenette val split), 64 x 64"))  # fmt: skip
DRAWN = ("small", "paper-cpu", "tuned-protocol")
"""Comparisons whose figures stand in the documents; the others are variants of these."""
RATE = "rate-distortion"
TABLE = re.compile(r"(<!-- table (?P<name>\S+) -->\n).*?(<!-- end -->)", re.DOTALL)


def read(name: str) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text())
    return record


def table(name: str) -> str:
    """The table called `name`: made by a function of its own, or of a record by its kind."""
    if name in MADE:
        return MADE[name]()
    if ":" in name:
        record, _, kind = name.partition(":")
        if record.startswith(f"{RATE}/"):
            return rate_tables.tables_markdown(read_record(RESULTS / f"{record}.json"), [kind])
        return tables_markdown(cells(record), [kind])
    record = read(name)
    return benchmark_table(record) if record["kind"] == "benchmark" else table_markdown(record)


@cache
def cells(name: str) -> list[dict[str, Any]]:
    return read_cells(RESULTS / name)


def ablation_table() -> str:
    """What of the paper-cpu figures comes from where: variants of its learning, on the test faces that all fitted."""
    variants = [path.parent.name for path in sorted((RESULTS / "comparison").glob(f"paper-cpu*/{CELLS}"))]
    found = {(name, cell["round"]): cell for name in variants for cell in cells(f"comparison/{name}")
             if cell["method"] == "meta-sparse"}  # fmt: skip
    rounds = sorted({round for _, round in found})
    lines = ["| steps a round | points | drawn | outer step size | moments | coordinates | "
             + " | ".join(f"k = {round}" for round in rounds) + " |",
             "|---:|---:|---|---:|---|---|" + "---:|" * len(rounds)]  # fmt: skip
    for name in variants:
        first = next(cell for (variant, _), cell in found.items() if variant == name)
        learn, (low, high) = first["learn"], first["field"]["extent"][0]
        numbers = []
        for round in rounds:
            fitted = [{s["input"] for s in good(cell)} for (_, r), cell in found.items() if r == round]
            common = set.intersection(*fitted)
            psnr = [s["psnr_db"][-1] for s in good(found.get((name, round))) if s["input"] in common]
            numbers.append(f"{sum(psnr) / len(psnr):.2f}" if psnr else "")
        drawn = learn.get("sampling", "random")
        lines.append(f"| {learn['steps_per_round']} | {learn['points']:,} | {drawn} | {learn['outer_step_size']:g} | "
                     f"{learn['moments']} | {low:g} to {high:g} | " + " | ".join(numbers) + " |")  # fmt: skip
    return "\n".join(lines)


def good(cell: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The signals of a cell that were fitted."""
    return [s for s in cell["protocols"]["adam"]["signals"] if s["status"] == "ok"] if cell else []


def pattern_table() -> str:
    """PSNR by which weights survive and by how much is learned after each pruning."""
    rows = read("comparison/pattern-or-learning")["rows"]
    rounds = [each["round"] for each in rows[0]["rounds"]]
    lines = ["| score | steps a round | " + " | ".join(f"k = {k}" for k in rounds) + " | by layer at k = 8 |",
             "|---|---:|" + "---:|" * len(rounds) + "---|"]  # fmt: skip
    for row in sorted(rows, key=lambda row: (row["steps_per_round"], row["score"])):
        numbers = " | ".join(f"{np.mean([c[-1] for c in each['psnr_db']]):.2f}" for each in row["rounds"])
        layers = " ".join(f"{n:,}" for n in next(e["by_layer"] for e in row["rounds"] if e["round"] == 8))
        lines.append(f"| {row['score']} | {row['steps_per_round']} | {numbers} | {layers} |")
    return "\n".join(lines)


def starved_table() -> str:
    """PSNR of narrow networks from random numbers, by width, frequency and step size."""
    rows = read("comparison/starved")["rows"]
    psnr = {(row["width"], row["omega_0"], row["lr"]): row["mean_psnr_db"] for row in rows}
    weights = {row["width"]: row["weights"] for row in rows}
    sizes = sorted({row["lr"] for row in rows})
    lines = [f"| weights (width) | omega_0 | {' | '.join(f'Adam at {lr:g}' for lr in sizes)} |",
             "|---:|---:|" + "---:|" * len(sizes)]  # fmt: skip
    for width, omega_0 in dict.fromkeys((row["width"], row["omega_0"]) for row in rows):
        numbers = (psnr.get((width, omega_0, lr)) for lr in sizes)
        told = " | ".join("" if number is None else f"{number:.2f}" for number in numbers)
        lines.append(f"| {weights[width]:,} ({width}) | {omega_0:g} | {told} |")
    return "\n".join(lines)


TUNED = (("pattern", "balanced"), ("pattern", "instant"), ("narrow", "balanced"), ("narrow", "instant"),
         ("cosines", "linear"), ("own cosines", "linear"), ("components", "linear"))  # fmt: skip


def tuned_table() -> str:
    """Sparse patterns, narrow networks and cosines at their own best settings: mean PSNR, and seconds of a fit."""
    return "\n\n".join(_tuned(read(f"comparison/tuned-fits/{path.stem}"), path.stem)
                       for path in sorted((RESULTS / "comparison" / "tuned-fits").glob("*.json")))  # fmt: skip


def _tuned(record: dict[str, Any], name: str) -> str:
    rounds = sorted({row["round"] for row in record["rows"]})
    found = {(row["method"], row["round"]): row for row in record["rows"]}
    weights = [found["pattern", number]["numbers"] for number in rounds]
    label = f"{name}, {' x '.join(map(str, record['shape']))}, {record['signals']} test signals"
    lines = [f"**{label} (dB; seconds a signal)**", "", f"| | {' | '.join(f'{n:,}' for n in weights)} |",
             "| :--- |" + " ---: |" * len(weights)]  # fmt: skip
    for method, effort in TUNED:
        told = [_reached(found.get((method, number)), effort) for number in rounds]
        lines.append(f"| {method}{'' if effort == 'linear' else ', ' + effort} | {' | '.join(told)} |")
    return "\n".join(lines)


def _reached(row: dict[str, Any] | None, effort: str) -> str:
    if row is None:
        return "not measured"
    taken = f" ({row['seconds'][effort]:.2g})" if "seconds" in row else ""
    return f"{row['mean'][effort]:.2f}{taken}"


def tuned_recipes_table() -> str:
    """Recipe best beside what a race chose, on test signals."""
    lines = ["| signals | weights, effort | recipe | biases | omega_0 | offset | layers x width | PSNR (dB) |",
             "| :--- | :--- | :--- | ---: | ---: | ---: | ---: | ---: |"]  # fmt: skip
    for path in sorted((RESULTS / "comparison" / "tuned-recipes").glob("*.json")):
        record = read(f"comparison/tuned-recipes/{path.stem}")
        tune, shape = record["race"]["request"]["tune"], " x ".join(map(str, record["race"]["data"]["shape"]))
        for name, row in record["rows"].items():
            of = row["candidate"]
            what = "`best`" if name == "untuned" else f"chosen: {of['family']}"
            count = len(row["signals"])
            lines.append(
                f"| {path.stem}, {shape}, {count} test signals | {row['weights']:,}, {tune['effort']} | {what} | "
                f"{row['biases']:,} | {of['omega_0']:g} | {of['output_offset']:g} | "
                f"{of['hidden_layers']} x {of['width']} | {row['mean_psnr_db']:.2f} |"
            )
    return "\n".join(lines)


def video_table() -> str:
    """Clips of video: as `tuned_table`, with SSIM, the mean over frames."""
    return _tuned_and("comparison/tuned-video", lambda metrics: f"{fmean(metrics['ssim']):.3f}")


BY_KIND = {
    "photographs, 178 x 178": "tuned-fits/photos-178", "faces, 178 x 178": "tuned-fits/faces-178",
    "faces, 64 x 64": "tuned-fits/faces-64", "curves, 64 x 64": "tuned-fits/curves-64",
    "spoken digits, 4,096 samples": "tuned-digits", "video, 8 x 48 x 64": "tuned-video",
    "brain, 32 x 32 x 32": "tuned-volume",
}  # fmt: skip
ABOUT = 2_000
"""Weights, of the column that stands for a kind."""


def choosing_table() -> str:
    """What tells a signal best with about as many weights, by kind."""
    lines = ["| signals | weights | pattern | narrow network | fixed cosines | its own cosines |",
             "| :--- | ---: | ---: | ---: | ---: | ---: |"]  # fmt: skip
    for label, name in BY_KIND.items():
        rows = read(f"comparison/{name}")["rows"]
        both = {row["round"] for row in rows if row["method"] == "narrow"}
        pattern = min((row for row in rows if row["method"] == "pattern" and row["round"] in both),
                      key=lambda row: abs(log(row["numbers"] / ABOUT)))  # fmt: skip
        found = {row["method"]: row["mean"] for row in rows if row["round"] == pattern["round"]}
        told = [found["pattern"]["balanced"], found["narrow"]["balanced"], found["cosines"]["linear"],
                found["own cosines"]["linear"]]  # fmt: skip
        cells = " | ".join("exact" if value > 200 else f"{value:.1f}" for value in told)
        lines.append(f"| {label} | {pattern['numbers']:,} | {cells} |")
    return "\n".join(lines)


def digits_table() -> str:
    """Spoken digits: as `tuned_table`, with SNR."""
    return _tuned_and("comparison/tuned-digits", lambda metrics: f"{fmean(v for v in metrics['snr_db'] if v):.1f}")


def volume_table() -> str:
    """Boxes of a volume: as `tuned_table`, with the largest error, the mean over boxes."""
    return _tuned_and("comparison/tuned-volume", lambda metrics: f"{fmean(metrics['max_error']):.0f}")


def _tuned_and(name: str, shown: Callable[[dict[str, list[float]]], str]) -> str:
    """As `tuned_table`, of one record, with something that the kind measures."""
    record = read(name)
    rounds = sorted({row["round"] for row in record["rows"]})
    found = {(row["method"], row["round"]): row for row in record["rows"]}
    heads = [f"{found['pattern', number]['numbers']:,}" for number in rounds]
    lines = [f"| | {' | '.join(heads)} |", "| :--- |" + " ---: |" * len(heads)]
    for method, effort in TUNED:
        told = [_with(shown, found.get((method, number)), effort) for number in rounds]
        lines.append(f"| {method}{'' if effort == 'linear' else ', ' + effort} | {' | '.join(told)} |")
    return "\n".join(lines)


def _with(shown: Callable[[dict[str, list[float]]], str], row: dict[str, Any] | None, effort: str) -> str:
    if row is None:
        return "not measured"
    taken = f" ({row['seconds'][effort]:.2g})" if "seconds" in row else ""
    return f"{row['mean'][effort]:.2f}, {shown(row['metrics'][effort])}{taken}"


def video_codecs_table() -> str:
    """Codes of clips beside H.264 and H.265."""
    record = read("comparison/video-codecs")
    lines = ["| | setting | bytes | bits a pixel | PSNR (dB) | SSIM |", "| :--- | :--- | ---: | ---: | ---: | ---: |"]
    samples = prod(record["shape"])
    for row in record["rows"]:
        mean, setting = row["mean"], f"{row['weights']:,} weights" if "weights" in row else row["setting"]
        lines.append(f"| {row['codec']} | {setting} | {mean['bytes']:,.0f} | {8 * mean['bytes'] / samples:.2f} | "
                     f"{mean['psnr_db']:.2f} | {mean['ssim']:.3f} |")  # fmt: skip
    return "\n".join(lines)


def shapes_table() -> str:
    """Solids: IoU of each test shape on a lattice that no fit saw, by numbers and by bytes."""
    record = read("comparison/shapes")
    shapes = [name.partition(".")[0] for name in record["test"]]
    found = {(row["method"], row["round"]): row for row in record["rows"] if row["method"] not in ("code", "Draco")}
    rounds = sorted({number for _, number in found if number is not None})
    weights = [found["pattern", number]["numbers"] for number in rounds]
    lines = [f"**IoU of {' and '.join(shapes)} (mean PSNR in dB)**", "",
             f"| | {' | '.join(f'{n:,}' for n in weights)} |", "| :--- |" + " ---: |" * len(weights)]  # fmt: skip
    for method in ("pattern", "narrow", "cosines", "own cosines", "components"):
        lines.append(f"| {method} | {' | '.join(_shape_cell(found.get((method, number))) for number in rounds)} |")
    coded = [row for row in record["rows"] if row["method"] in ("code", "Draco")]
    head = f"**Files: bytes, IoU and Chamfer distance (thousandths of half extents) of {' and '.join(shapes)}**"
    lines += ["", head, "", "| | bytes | IoU | Chamfer |", "| :--- | ---: | ---: | ---: |"]  # fmt: skip
    lines += [f"| {_file_label(row)} | {_each(row['bytes'], 1, ',')} | {_each(row['metrics']['iou'], 1, '.4f')} | "
              f"{_each(row['metrics']['chamfer'], 1_000, '.2f')} |"
              for row in sorted(coded, key=lambda row: (row["method"] == "Draco", sum(row["bytes"])))]  # fmt: skip
    return "\n".join(lines)


def _shape_cell(row: dict[str, Any] | None) -> str:
    if row is None:
        return "not measured"
    return f"{_each(row['metrics']['iou'], 1, '.4f')} ({sum(row['psnr_db']) / len(row['psnr_db']):.2f})"


def _file_label(row: dict[str, Any]) -> str:
    if row["method"] == "Draco":
        return f"Draco, {row['triangles']:,} triangles"
    return f"code, {row['numbers']:,} weights, quality {row['quality']}"


def _each(values: list[float | None], times: float, form: str) -> str:
    return " / ".join("none" if value is None else format(value * times, form) for value in values)


SPHERE = {"pattern": "best", "narrow": "best", "pattern less the mean": "best", "narrow less the mean": "best",
          "cosines": "linear", "own cosines": "linear", "harmonics": "linear", "components": "linear"}  # fmt: skip
SPHERE_COLUMNS = (150, 400, 1_000, 2_000)
"""Numbers of a field; each method's own counts stand in its cells."""


def sphere_table() -> str:
    """RMSE on the globe, by area: one row a method, one column a size."""
    record = read("sphere/glosea4")
    heads = " | ".join(f"about {numbers:,}" for numbers in SPHERE_COLUMNS)
    lines = [f"| RMSE in {record['unit']} (numbers) | {heads} |",
             "| :--- |" + " ---: |" * len(SPHERE_COLUMNS)]  # fmt: skip
    measured = {row["method"] for row in record["rows"]}
    for method, effort in SPHERE.items():
        if method not in measured:
            continue
        told = dict.fromkeys(SPHERE_COLUMNS, "not measured")
        for row in (row for row in record["rows"] if row["method"] == method):
            column = min(SPHERE_COLUMNS, key=lambda at: abs(np.log(row["numbers"] / at)))
            told[column] = f"{row['mean_rmse'][effort]:.2f} ({row['numbers']:,})"
        lines.append(f"| {method} | {' | '.join(told.values())} |")
    return "\n".join(lines)


def sphere_bytes_table() -> str:
    """RMSE on the globe against the bytes of files."""
    record = read("sphere/glosea4")
    lines = [f"| | bytes | RMSE in {record['unit']} |", "| :--- | ---: | ---: |"]
    rows = [row for row in record["rows"] if "bytes" in row]
    for row in sorted(rows, key=lambda row: (row["method"], float(np.mean(row["bytes"])))):
        (reached,) = row["mean_rmse"].values()
        told = f"{row['method']}, {row['numbers']:,} numbers" if "numbers" in row else row["method"]
        lines.append(f"| {told} | {np.mean(row['bytes']):,.0f} | {reached:.2f} |")
    return "\n".join(lines)


def speed_table() -> str:
    """How many times as fast as plain PyTorch, by density and task; one signal in a call where a task has batches."""
    columns = {"loss and gradient": ["engines"], "exact meta-gradient": ["meta"], "draw": ["decode"],
               "fit of 16 signals": ["fit", "fit-full"]}  # fmt: skip
    cells: dict[float, dict[str, str]] = {}
    for column, names in columns.items():
        rows = [row for name in names for row in read(f"benchmarks/{name}")["rows"]]
        first = min(row["batch"] for row in rows)
        for row in rows:
            if row["batch"] == first:
                cells.setdefault(row["density"], {})[column] = (
                    f"**{row['ratio']:.3g} x** ({seconds(row['plain_seconds'])} to {seconds(row['ours_seconds'])})"
                )
    lines = [f"| hidden weights that survive | {' | '.join(columns)} |", "|---:|" + "---|" * len(columns)]
    for density, row in sorted(cells.items(), reverse=True):
        lines.append(f"| {density * 100:g} % | {' | '.join(row.get(column, '') for column in columns)} |")
    return "\n".join(lines)


def benchmark_table(record: dict[str, Any]) -> str:
    """Every row of a record of `sparsine bench`."""
    heads = ["density", "batch", "weights", "plain", "ours", "ratio", "plain peak, MiB", "ours, MiB", "GFLOP/s",
             "of peak"]  # fmt: skip
    lines = [f"| {' | '.join(heads)} |", "|" + "---:|" * len(heads)]
    for row in record["rows"]:
        rate = "" if row["gflops"] is None else f"{row['gflops']:.0f}"
        fraction = "" if row["roofline_fraction"] is None else f"{row['roofline_fraction']:.2f}"
        lines.append(
            f"| {row['density']:g} | {row['batch']} | {row['num_weights']:,} | {seconds(row['plain_seconds'])} "
            f"| {seconds(row['ours_seconds'])} | {row['ratio']:.3g} | {row['plain_peak_bytes'] / MIB:,.0f} "
            f"| {row['ours_peak_bytes'] / MIB:,.1f} | {rate} | {fraction} |"
        )
    return "\n".join(lines)


def inner_steps_table() -> str:
    lines = ["| inner steps | seconds (median) | peak memory, MiB |", "|---:|---:|---:|"]
    for row in read("benchmarks/many_inner_steps")["rows"]:
        lines.append(f"| {row['inner_steps']} | {row['seconds']:.2f} | {row['peak_bytes'] / MIB:,.1f} |")
    return "\n".join(lines)


def engine_choice_table() -> str:
    """The dense engine's seconds over those of the sparse one."""
    questions = ("predict", "loss_and_grad", "hvp")
    lines = [f"| width | density | auto | {' | '.join(f'`{q}`' for q in questions)} |", "|---:|---:|---|" + "---:|" * 3]
    for row in read("benchmarks/engine_choice")["rows"]:
        sparse = next(name for name in row["seconds"]["predict"] if name.startswith("sparse"))
        ratios = [row["seconds"][q]["dense"] / row["seconds"][q][sparse] for q in questions]
        lines.append(f"| {row['width']} | {row['density']:g} | {row['auto']} | "
                     + " | ".join(f"{ratio:.2f}" for ratio in ratios) + " |")  # fmt: skip
    return "\n".join(lines)


def module_table() -> str:
    """A field's module over the engine's own calls, and autograd of the dense field over the module."""
    asked = {"draw": "draw", "step": "step by `mse`", "loss": "step by a loss of your own",
             "hvp": "product with the Hessian"}  # fmt: skip
    lines = ["| network | density | | own calls | module | over the engine | dense autograd | over the module |",
             "|---|---:|---|---:|---:|---:|---:|---:|"]  # fmt: skip
    for row in read("benchmarks/module")["rows"]:
        network = f"4 x {row['width']} at {' x '.join(map(str, row['size']))}"
        lines.append(f"| {network} | {row['density']:g} | {asked[row['task']]} | {seconds(row['engine_seconds'])} | "
                     f"{seconds(row['module_seconds'])} | {row['over_engine']:.2f} | {seconds(row['dense_seconds'])} | "
                     f"{row['times_dense']:.3g} |")  # fmt: skip
    return "\n".join(lines)


def codec_choices_table() -> str:
    """What each choice of calibration saves: bytes at one and the same loss."""
    record = read("benchmarks/codec_choices")
    whole = record["choices"][0]["mean_bytes"]
    lines = ["| tables of the start | bytes a signal | more | mean loss, dB |", "|---|---:|---:|---:|"]
    for row in record["choices"]:
        more = f"{row['mean_bytes'] / whole - 1:.1%}" if row["mean_bytes"] != whole else ""
        lines.append(f"| {row['choice']} | {row['mean_bytes']:,.0f} | {more} | {row['mean_loss_db']:.3f} |")
    return "\n".join(lines)


def codec_qualities_table() -> str:
    lines = ["| quality | bytes a signal | bits a pixel | mean loss, dB |", "|---:|---:|---:|---:|"]
    record = read("benchmarks/codec_choices")
    for row in record["qualities"]:
        bits = 8 * row["mean_bytes"] / (record["shape"][0] * record["shape"][1])
        lines.append(f"| {row['quality']} | {row['mean_bytes']:,.0f} | {bits:.2f} | {row['mean_loss_db']:.3f} |")
    return "\n".join(lines)


def rounded_steps_table() -> str:
    """Mean bytes and PSNR without and with steps that see the rounded vector."""
    rows = read("benchmarks/rounded_steps")["rows"]
    lines = ["| start | quality | bytes | dB | bytes with them | dB with them | dB of the fit |",
             "|---|---:|---:|---:|---:|---:|---:|"]  # fmt: skip
    pairs = [(one, other) for one in rows for other in rows if one["rounded_steps"] == 0 != other["rounded_steps"]
             and all(one[name] == other[name] for name in ("start", "quality"))]  # fmt: skip
    for without, having in sorted(pairs, key=lambda pair: (pair[0]["weights"], -pair[0]["quality"])):
        told = " | ".join(f"{np.mean(row['bytes']):,.0f} | {np.mean(row['psnr_db']):.2f}" for row in (without, having))
        fitted = f"{np.mean(without['fitted_psnr_db']):.2f}"
        lines.append(f"| {without['start']} | {without['quality']} | {told} | {fitted} |")
    return "\n".join(lines)


def codec_speed_table() -> str:
    """Encoding and drawing beside plain PyTorch; coding alone."""
    encode, draw, code = read("benchmarks/codec")["rows"]
    size = " x ".join(map(str, draw["size"]))
    rows = [
        ("encode, array to bytes", f"{seconds(encode['plain_seconds'] / encode['signals'])} a signal",
         f"{seconds(encode['ours_seconds'] / encode['signals'])} a signal", f"{encode['ratio']:.3g} x",
         f"{encode['bar']:g} x"),
        ("lost to rounding at the default quality", "", f"{encode['mean_lost_db']:.3f} dB", "",
         f"{encode['lost_bar_db']:g} dB"),
        (f"draw {size} from a code", seconds(draw["plain_seconds"]), seconds(draw["ours_seconds"]),
         f"{draw['ratio']:.3g} x", f"{draw['bar']:g} x"),
        ("code, without fitting", "", f"{code['written_per_second']:.0f} a second", "", f"{code['bar']:g} a second"),
        ("decode, without drawing", "", f"{code['read_per_second']:.0f} a second", "", f"{code['bar']:g} a second"),
    ]  # fmt: skip
    lines = ["| | plain PyTorch | ours | times as fast | goal |", "|---|---:|---:|---:|---:|"]
    return "\n".join(lines + [f"| {' | '.join(row)} |" for row in rows])


def facts() -> str:
    """Why one would want the package, for the README: a sentence each, with a number of a record."""
    return "\n".join(f"- {fact}" for fact in (_fast(), _better(), _continuous()))


def _fast() -> str:
    fit = next(row for row in read("benchmarks/fit")["rows"] if row["density"] == 0.05)
    return (
        "**Pruned weights cost nothing.** A fused C++ engine works on the surviving ones alone: with "
        f"{100 * fit['density']:g} % of the hidden weights, 16 signals at 178 x 178 are fitted in "
        f"{seconds(fit['ours_seconds'])} on two cores, where plain PyTorch takes {seconds(fit['plain_seconds'])}: "
        f"{fit['ratio']:.3g} times as fast ([benchmarks](docs/benchmarks.md))."
    )


def _better() -> str:
    level, found = 14, cells("comparison/paper-cpu")
    published = next(p for p in published_points("celeba") if p.method == "meta-sparse" and p.round == level)
    ours = next(cell for cell in found if cell["method"] == "meta-sparse-saliency" and cell["round"] == level)
    reached = np.mean([signal["psnr_db"][-1] for signal in good(ours)])
    return (
        f"**Better choice of what stays.** Faces at 178 x 178 from {published.weights:,} weights, by the paper's field "
        f"and fit: {reached:.2f} dB when pruned by `saliency`, where the paper has {published.psnr_db:.2f} "
        "([comparisons](docs/comparisons.md))."
    )


def _continuous() -> str:
    encode, draw, _ = read("benchmarks/codec")["rows"]
    return (
        "**A file is a function.** A face becomes a code in "
        f"{seconds(encode['ours_seconds'] / encode['signals'])}; {' x '.join(map(str, draw['size']))} points of it, or "
        f"as many of any part, are drawn in {seconds(draw['ours_seconds'])}, {draw['ratio']:.3g} times as fast as by "
        "plain PyTorch; and it has exact gradients in the coordinates ([rate and distortion](docs/rate-distortion.md))."
    )


def seconds(value: float) -> str:
    """'12.3 ms', '4.56 s', '11.2 min'."""
    if value >= 120:
        return f"{value / 60:.3g} min"
    return f"{value:.3g} s" if value >= 1 else f"{value * 1e3:.3g} ms"


MIB = 2**20
MADE = {
    "facts": facts,
    "speed": speed_table,
    "benchmarks/many_inner_steps": inner_steps_table,
    "benchmarks/engine_choice": engine_choice_table,
    "benchmarks/codec": codec_speed_table,
    "benchmarks/module": module_table,
    "codec/choices": codec_choices_table,
    "codec/qualities": codec_qualities_table,
    "codec/rounded-steps": rounded_steps_table,
    "comparison/starved": starved_table,
    "comparison/tuned-fits": tuned_table,
    "comparison/tuned-recipes": tuned_recipes_table,
    "comparison/shapes": shapes_table,
    "comparison/tuned-video": video_table,
    "comparison/tuned-digits": digits_table,
    "comparison/by-kind": choosing_table,
    "comparison/tuned-volume": volume_table,
    "comparison/video-codecs": video_codecs_table,
    "comparison/ablation": ablation_table,
    "sphere/numbers": sphere_table,
    "sphere/bytes": sphere_bytes_table,
    "comparison/pattern": pattern_table,
}


def with_tables(text: str) -> str:
    """`text` with every marked table made anew."""
    return TABLE.sub(lambda found: f"{found[1]}{table(found['name']).strip()}\n{found[3]}", text)


def write_all_figures(where: Path) -> list[Path]:
    """Every figure that is made from records, in a folder laid out as docs/pictures."""
    written = [where / "psnr.png"]
    save_summary_figure([(title, read(name)) for name, title in PANELS], written[0])
    for name in DRAWN:
        written += write_figures(RESULTS / "comparison" / name, cells(f"comparison/{name}"), where / name)
    records = [read_record(path) for path in sorted((RESULTS / RATE).glob("*.json"))]
    written += rate_figures.write_figures(records, where / RATE)
    return written


def differing_figures() -> list[str]:
    """Figures that are missing or are not what the records say. Pictures are compared by their pixels: how they are
    packed into a PNG is the library's business."""
    differing = []
    with tempfile.TemporaryDirectory() as folder:
        for made in write_all_figures(Path(folder)):
            name = made.relative_to(folder)
            if not _same(made, PICTURES / name):
                differing.append(str(name))
    return differing


def _same(made: Path, kept: Path) -> bool:
    if not kept.is_file():
        return False
    if made.suffix == ".svg":
        return made.read_text() == kept.read_text()
    with Image.open(made) as a, Image.open(kept) as b:
        return a.size == b.size and bool(np.array_equal(np.asarray(a.convert("RGB")), np.asarray(b.convert("RGB"))))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    stale = []
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        text = page.read_text()
        made = with_tables(text)
        if made != text:
            stale.append(page.name)
            if not check:
                page.write_text(made)
    if not check:
        write_all_figures(PICTURES)
        return 0
    stale += differing_figures()
    if stale:
        print(f"error: {', '.join(stale)}: not what the records say; run: make tables", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
