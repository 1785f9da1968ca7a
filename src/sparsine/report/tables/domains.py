"""Solids and fields on the globe: records of experiments/."""

from math import log
from statistics import fmean

from sparsine.report.table import Table
from sparsine.report.tables.layout import NOT_MEASURED, Row, crossed, listed
from sparsine.report.tables.results import Results
from sparsine.report.wording import count

FILES = ("code", "Draco")
SPHERE = {"pattern": "best", "narrow": "best", "pattern less the mean": "best", "narrow less the mean": "best",
          "cosines": "linear", "own cosines": "linear", "harmonics": "linear", "components": "linear"}  # fmt: skip
COLUMNS = (150, 400, 1_000, 2_000)
"""Numbers of a field on the globe; each method's own counts stand in its cells."""


def shapes(results: Results) -> list[Table]:
    """Solids: IoU of each test shape on a lattice that no fit saw, by numbers and by bytes."""
    record = results.read("comparison/shapes")
    names = " and ".join(name.partition(".")[0] for name in record["test"])
    found = {(row["method"], row["round"]): row for row in record["rows"] if row["method"] not in FILES}
    rounds = sorted({number for _, number in found if number is not None})
    lines = {method: {number: _shape(found[method, number]) for number in rounds if (method, number) in found}
             for method in ("pattern", "narrow", "cosines", "own cosines", "components")}  # fmt: skip
    files = sorted((row for row in record["rows"] if row["method"] in FILES),
                   key=lambda row: (row["method"] == "Draco", sum(row["bytes"])))  # fmt: skip
    return [
        crossed(lines, {number: count(found["pattern", number]["numbers"]) for number in rounds},
                title=f"IoU of {names} (mean PSNR in dB)"),
        listed(files, {
            "": _file, "bytes": lambda row: _each(row["bytes"], 1, ","),
            "IoU": lambda row: _each(row["metrics"]["iou"], 1, ".4f"),
            "Chamfer": lambda row: _each(row["metrics"]["chamfer"], 1_000, ".2f"),
        }, title=f"Files: bytes, IoU and Chamfer distance (thousandths of half extents) of {names}"),
    ]  # fmt: skip


def sphere(results: Results) -> Table:
    """RMSE on the globe, by area: one row a method, one column a size."""
    record = results.read("sphere/glosea4")
    lines: dict[str, dict[int, str]] = {}
    for method, effort in SPHERE.items():
        for row in (row for row in record["rows"] if row["method"] == method):
            column = min(COLUMNS, key=lambda at: abs(log(row["numbers"] / at)))
            lines.setdefault(method, {})[column] = f"{row['mean_rmse'][effort]:.2f} ({count(row['numbers'])})"
    heads = {numbers: f"about {count(numbers)}" for numbers in COLUMNS}
    return crossed(lines, heads, corner=f"RMSE in {record['unit']} (numbers)", missing=NOT_MEASURED)


def sphere_files(results: Results) -> Table:
    """RMSE on the globe against the bytes of files."""
    record = results.read("sphere/glosea4")
    rows = sorted((row for row in record["rows"] if "bytes" in row),
                  key=lambda row: (row["method"], fmean(row["bytes"])))  # fmt: skip
    return listed(rows, {
        "": lambda row: row["method"] + (f", {count(row['numbers'])} numbers" if "numbers" in row else ""),
        "bytes": lambda row: f"{fmean(row['bytes']):,.0f}",
        f"RMSE in {record['unit']}": lambda row: f"{next(iter(row['mean_rmse'].values())):.2f}",
    })  # fmt: skip


def _shape(row: Row) -> str:
    return f"{_each(row['metrics']['iou'], 1, '.4f')} ({fmean(row['psnr_db']):.2f})"


def _file(row: Row) -> str:
    if row["method"] == "Draco":
        return f"Draco, {count(row['triangles'])} triangles"
    return f"code, {count(row['numbers'])} weights, quality {row['quality']}"


def _each(values: list[float | None], times: float, form: str) -> str:
    return " / ".join("none" if value is None else format(value * times, form) for value in values)
