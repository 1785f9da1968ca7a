"""Format 1 is frozen: these files are promises, and are what they were when it was decided.

A change here is a new version of the format, with files of its own beside these.
"""

import ast
import hashlib
from pathlib import Path

import sparsine

TESTS = Path(__file__).parents[1]
FROZEN = {
    "coarse.spn": "ff4092b990e3c937",
    "default.spn": "0cfff4ae54623a6d",
    "escapes-and-groups.spn": "b728e77f27647c04",
    "expected.json": "1c48557487da3c5e",
    "other-shape.spn": "0126f0838369d2a1",
    "plain-start.safetensors": "836fd6910dbd414e",
    "plain.spn": "1c8529dbe2cae49e",
    "start-itself.spn": "5a063452366ec06f",
    "start.safetensors": "e6ff55e65f7a5ca4",
    "second_decoder.py": "deb1287f85c4e168",
}


def found():
    files = [*sorted((TESTS / "golden").iterdir()), TESTS / "codec" / "second_decoder.py"]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in files}


def test_golden_files_and_the_second_decoder_are_what_they_were():
    assert found() == FROZEN


def test_the_room_of_what_is_frozen_says_so_first_and_lists_its_modules():
    room = Path(sparsine.__file__).parent / "codec" / "format"
    said = ast.get_docstring(ast.parse((room / "__init__.py").read_text()))
    assert said.splitlines()[0].endswith("every line here is a promise; change nothing without a new version.")
    listed = [line.split("  ")[0].split(", ") for line in said.split("\n\n")[2].replace("    ", "", 1).split("\n    ")]
    assert {name for names in listed for name in names} == {path.stem for path in room.glob("*.py")} - {"__init__"}
