"""Format 1 is frozen: these files are promises, and are what they were when it was decided.

A change here is a new version of the format, with files of its own beside these.
"""

import hashlib
from pathlib import Path

TESTS = Path(__file__).parents[1]
FROZEN = {}


def found():
    files = [*sorted((TESTS / "golden").iterdir()), TESTS / "codec" / "second_decoder.py"]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in files}


def test_golden_files_and_the_second_decoder_are_what_they_were():
    assert found() == FROZEN
