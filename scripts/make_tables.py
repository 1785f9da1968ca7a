"""Every table and figure of the documents that holds numbers, made from the records in `results/`.

    python scripts/make_tables.py          # rewrite them
    python scripts/make_tables.py --check  # fail if a table or a figure is not what the records say

A table stands between `<!-- table NAME -->` and `<!-- end -->`; `sparsine.report.tables` says what NAME may be, and
describes each. The figures of DRAWN comparisons stand in docs/pictures/NAME, that of all rate-distortion records in
docs/pictures/rate-distortion.
"""

import argparse
import re
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from sparsine.report.comparison.figures import write_figures
from sparsine.report.rate_distortion import figures as rate_figures
from sparsine.report.run.figures import save_summary_figure
from sparsine.report.tables import written
from sparsine.report.tables.results import RATE, Results

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "results"
PICTURES = ROOT / "docs" / "pictures"
PANELS = (("learning/faces-64", "faces (CelebA test split), 64 x 64"),
          ("learning/photos-64", "photos (Imagenette val split), 64 x 64"))  # fmt: skip
DRAWN = ("small", "paper-cpu", "tuned-protocol")
"""Comparisons whose figures stand in the documents; the others are variants of these."""
TABLE = re.compile(r"(<!-- table (?P<name>\S+) -->\n).*?(<!-- end -->)", re.DOTALL)


def with_tables(text: str, results: Results) -> str:
    """`text` with every marked table made anew."""
    return TABLE.sub(lambda found: f"{found[1]}{written(results, found['name']).strip()}\n{found[3]}", text)


def write_all_figures(where: Path, results: Results) -> list[Path]:
    """Every figure that is made from records, in a folder laid out as docs/pictures."""
    made = [where / "psnr.png"]
    save_summary_figure([(title, results.read(name)) for name, title in PANELS], made[0])
    for name in DRAWN:
        made += write_figures(RESULTS / "comparison" / name, results.cells(f"comparison/{name}"), where / name)
    return made + rate_figures.write_figures(results.rates(), where / RATE)


def differing_figures(results: Results) -> list[str]:
    """Figures that are missing or are not what the records say. Pictures are compared by their pixels: how they are
    packed into a PNG is the library's business."""
    differing = []
    with tempfile.TemporaryDirectory() as folder:
        for made in write_all_figures(Path(folder), results):
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
    stale, results = [], Results(RESULTS)
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        text = page.read_text()
        made = with_tables(text, results)
        if made != text:
            stale.append(page.name)
            if not check:
                page.write_text(made)
    if not check:
        write_all_figures(PICTURES, results)
        return 0
    stale += differing_figures(results)
    if stale:
        print(f"error: {', '.join(stale)}: not what the records say; run: make tables", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
