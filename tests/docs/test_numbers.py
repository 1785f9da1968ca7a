"""Tables in the documents are what the records say."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_table_in_the_documents_is_made_from_its_record():
    script = ROOT / "scripts" / "make_tables.py"
    done = subprocess.run([sys.executable, str(script), "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    # two collections, the paper's figures, the speeds of engines and of codes
    assert (ROOT / "README.md").read_text().count("<!-- table ") == 5
