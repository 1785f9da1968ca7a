"""Tables in the documents are what the records say."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_table_in_the_documents_is_made_from_its_record():
    script = ROOT / "scripts" / "make_tables.py"
    done = subprocess.run([sys.executable, str(script), "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_record_kind_of_the_documents_is_still_shown_and_the_readme_has_its_facts_from_records():
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    shown = {page.relative_to(ROOT).as_posix(): re.findall("<!-- table (\\S+) -->", page.read_text()) for page in pages}
    assert shown["README.md"] == ["facts"]
    made = {name for names in shown.values() for name in names}
    learned = {f"learning/{name}" for name in ("faces-64", "photos-64")}
    compared = {f"comparison/small:{kind}" for kind in ("psnr", "same-psnr", "differences", "sgd", "ssim", "budgets")}
    assert made >= {*learned, *compared, "speed", "benchmarks/codec", "comparison/paper-cpu:published"}


def test_the_picture_of_the_parts_is_what_the_page_about_them_says():
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "draw_layers.py"), "--check"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_every_experiment_has_an_owner_and_an_end_on_its_page():
    rows = [line.strip("| ").split(" | ") for line in (ROOT / "experiments" / "README.md").read_text().splitlines()
            if line.startswith("| `")]  # fmt: skip
    told = {row[0].strip("`"): row[1:] for row in rows}
    assert set(told) | {"alternation.py"} == {path.name for path in (ROOT / "experiments").glob("*.py")}
    assert all(len(row) == 4 and all(row) for row in told.values())
