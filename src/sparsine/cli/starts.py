"""`sparsine starts`: the starts that come with the package."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from sparsine.cli.console import console, say
from sparsine.cli.options import Reporting
from sparsine.cli.outputs import Output
from sparsine.signals.domain import shown_shape
from sparsine.starts.built_in import built_in_starts
from sparsine.starts.start import Start, load_start

EXPECTED = "expected"
"""In a start's info: what was measured when it was made."""


@dataclass(frozen=True, kw_only=True)
class Options(Reporting):
    """Has none of its own."""


def run(options: Options, result: Output) -> int:
    starts = {name: (path, load_start(path)) for name, path in built_in_starts().items()}
    table = Table("start", "weights", "for", "learned at", "code, bytes", "dB", "file")
    for name, (path, start) in starts.items():
        told = _expected(start)
        table.add_row(
            name, f"{start.pattern.num_weights:,}", str(start.info.get("for", "")),
            shown_shape(start.domain.shape), f"{told['bytes']:,.0f}" if told else "",
            f"{told['psnr_db']:.1f}" if told else "", f"{path.stat().st_size / 1000:,.0f} kB",
        )  # fmt: skip
    console.print(table)
    for measured in dict.fromkeys(str(_expected(start).get("of", "")) for _, start in starts.values()):
        say(f"code and PSNR: means over {measured}, effort balanced, quality 80")
    say("use one by its name: sparsine encode photos-2k PICTURES --out CODES")
    result.write_json([_record(name, path, start) for name, (path, start) in starts.items()])
    return 0


def _record(name: str, path: Path, start: Start) -> dict[str, Any]:
    return {"start": name, "weights": start.pattern.num_weights, "biases": start.pattern.num_biases,
            "for": start.info.get("for"), "shape": list(start.domain.shape), "file_bytes": path.stat().st_size,
            EXPECTED: _expected(start)}  # fmt: skip


def _expected(start: Start) -> dict[str, Any]:
    told = start.info.get(EXPECTED)
    return told if isinstance(told, dict) else {}
