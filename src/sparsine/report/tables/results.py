"""The records that documents are made from: the folder `results/`."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from sparsine.measure.comparison.records import CELLS, read_cells
from sparsine.measure.rate_distortion import read_record

RATE = "rate-distortion"


class Results:
    """Records by their names, such as `learning/faces-64`."""

    def __init__(self, root: Path):
        self.root = root
        self.cells = cache(lambda name: read_cells(root / name))
        """Of a comparison."""

    def read(self, name: str) -> dict[str, Any]:
        """A record of one file."""
        record: dict[str, Any] = json.loads((self.root / f"{name}.json").read_text())
        return record

    def rows(self, name: str) -> list[dict[str, Any]]:
        """What nearly every table asks of a record."""
        rows: list[dict[str, Any]] = self.read(name)["rows"]
        return rows

    def names(self, folder: str) -> list[str]:
        """Of the records in a folder."""
        return [f"{folder}/{path.stem}" for path in sorted((self.root / folder).glob("*.json"))]

    def comparisons(self, beginning: str) -> list[str]:
        """Names of the comparisons that begin so."""
        return [path.parent.name for path in sorted((self.root / "comparison").glob(f"{beginning}*/{CELLS}"))]

    def rate(self, name: str) -> dict[str, Any]:
        """A record of rate and distortion."""
        return read_record(self.root / f"{name}.json")

    def rates(self) -> list[dict[str, Any]]:
        """Every record of rate and distortion."""
        return [self.rate(name) for name in self.names(RATE)]
