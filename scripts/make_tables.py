"""Every table and figure of the documents that holds numbers, made from the records in `results/`.

    python scripts/make_tables.py          # rewrite them
    python scripts/make_tables.py --check  # fail if a table is not what the records say

A table stands between `<!-- table NAME -->` and `<!-- end -->`; NAME is a record, such as learning/faces-64.
"""

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

from sparsine.evaluation.figures import save_summary_figure
from sparsine.evaluation.tables import table_markdown

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "results"
PANELS = (("learning/faces-64", "faces (CelebA test split), 64 x 64"),
          ("learning/photos-64", "photos (Imagenette val split), 64 x 64"))  # fmt: skip
TABLE = re.compile(r"(<!-- table (?P<name>\S+) -->\n).*?(<!-- end -->)", re.DOTALL)


def read(name: str) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text())
    return record


def table(name: str) -> str:
    """The table that the record called `name` makes."""
    record = read(name)
    return meta_gradient_table(record) if record["kind"] == "benchmark" else table_markdown(record)


def meta_gradient_table(record: dict[str, Any]) -> str:
    mib = 2**20
    rows = [
        ("plain PyTorch, `create_graph=True`", record["plain_seconds"], record["plain_peak_bytes"] / mib),
        ("`sparsine`, reverse recursion", record["ours_seconds"], record["ours_peak_bytes"] / mib),
    ]
    lines = ["| exact meta-gradient, 3 tasks, 2 inner steps | seconds (median) | peak memory, MiB |", "|---|---|---|"]
    lines += [f"| {name} | {seconds:.2f} | {peak:,.0f} |" for name, seconds, peak in rows]
    size = f"{record['many_size']} x {record['many_size']}"
    lines.append(f"| `sparsine` at {size} | | {record['two_steps_peak_bytes'] / mib:,.0f} |")
    many = f"| `sparsine` at {size}, {record['many_steps']} inner steps"
    lines.append(f"{many} | {record['many_steps_seconds']:.0f} | {record['many_steps_peak_bytes'] / mib:,.0f} |")
    return "\n".join(lines)


def with_tables(text: str) -> str:
    """`text` with every marked table made anew."""
    return TABLE.sub(lambda found: f"{found[1]}{table(found['name']).strip()}\n{found[3]}", text)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    stale = []
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        text = page.read_text()
        made = with_tables(text)
        if made != text:
            stale.append(page.name)
            if not check:
                page.write_text(made)
    if not check:
        save_summary_figure([(title, read(name)) for name, title in PANELS], ROOT / "docs" / "pictures" / "psnr.png")
    if check and stale:
        print(f"error: tables in {', '.join(stale)} are not what the records say; run: make tables", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
