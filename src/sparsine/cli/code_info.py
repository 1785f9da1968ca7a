"""What `sparsine info` says of a code."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.table import Table

from sparsine.cli.console import console, counted, tell
from sparsine.cli.find_start import MOST_CODE_BYTES
from sparsine.codec.code_statistics import GroupStatistics, code_statistics
from sparsine.codec.coder import Coder
from sparsine.codec.config import DEFAULT_QUALITY
from sparsine.codec.files.code_files import read_bounded
from sparsine.codec.format.header import CHECKSUM_BYTES, MAGIC, SUFFIX, CodeHeader, read_header
from sparsine.errors import BadInput
from sparsine.fitting.fitted_files import read_fitted_file
from sparsine.report.wording import in_db
from sparsine.shown import shown
from sparsine.starts.start import Start
from sparsine.storage import open_to_read


def is_code(path: Path) -> bool:
    """By its name or by its first bytes. A file that cannot be read is none."""
    try:
        with open_to_read(path) as file:
            return path.suffix == SUFFIX or file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def show_code(path: Path, start: Start | None) -> dict[str, Any]:
    """Print what is in the code at `path`; with its start also a table of layers. Returns the same for a program.

    Raises:
        BadInput: not a sound code, or one of another start.
    """
    try:
        data = read_bounded(path, MOST_CODE_BYTES)
        header = read_header(data)
        groups = None if start is None else _groups(start, data)
    except BadInput as error:
        raise BadInput(f"{path}: {error}") from error
    tell((str(path), "bold"), f" ({header.code_bytes} bytes)")
    console.print(_facts(header, start))
    if groups is not None:
        console.print(_layers(groups))
    return {"what": "code", "path": str(path), "bytes": header.code_bytes, "version": header.version,
            "start_hash": header.start_hash.hex(), "numbers": header.num_numbers, "shape": list(header.shape),
            "step_shift": header.step_shift, "header_bytes": header.header_bytes,
            "payload_bytes": header.payload_bytes, "bits_per_sample": header.bits_per_sample,
            "groups": groups and [asdict(group) for group in groups]}  # fmt: skip


def show_fitted(path: Path) -> dict[str, Any]:
    """Print what is in a file that `sparsine fit` wrote; returns the same for a program. Raises BadInput as reading it
    does."""
    fitted = read_fitted_file(path)
    tell((str(path), "bold"), f" ({path.stat().st_size} bytes)")
    facts = Table(show_header=False, box=None)
    facts.add_row("format", "fitted vector; sparsine decode draws it with its start")
    facts.add_row("input", shown(str(fitted.about.get("input", ""))))
    facts.add_row("field", f"{fitted.pattern.field.description}; {fitted.pattern.counts}")
    facts.add_row("start", f"{str(fitted.about.get('start_sha256'))[:16]} (SHA-256, its beginning)")
    facts.add_row("samples", fitted.domain.summary)
    if fitted.psnr_db is not None:
        facts.add_row("PSNR", in_db(fitted.psnr_db))
    console.print(facts)
    return {"what": "fitted", "path": str(path), "bytes": path.stat().st_size,
            "field": fitted.pattern.field.description, "weights": fitted.pattern.num_weights,
            "biases": fitted.pattern.num_biases,
            "input": fitted.about.get("input"), "start_sha256": fitted.about.get("start_sha256"),
            "shape": list(fitted.domain.shape), "psnr_db": fitted.psnr_db}  # fmt: skip


def _facts(header: CodeHeader, start: Start | None) -> Table:
    quality = DEFAULT_QUALITY - header.step_shift
    facts = Table(show_header=False, box=None)
    facts.add_row("format", f"code, version {header.version}")
    facts.add_row("start", f"{header.start_hash.hex()} (hash)")
    if start is not None:
        facts.add_row("field", f"{start.field.description}; {start.pattern.counts}")
        facts.add_row("draws", f"{start.kind.name}, {counted(start.field.out_features, 'channel')}")
    facts.add_row("numbers", f"{header.num_numbers:,}")
    facts.add_row("samples", " x ".join(map(str, header.shape)))
    facts.add_row("steps", f"2^({header.step_shift}/16) times the start's"
                           + " and further for groups" * (header.group_steps is not None)
                           + f"; quality {quality}, if the start is calibrated")  # fmt: skip
    facts.add_row("bytes", f"{header.header_bytes} of header, {header.payload_bytes} of numbers, {CHECKSUM_BYTES} of "
                           "checksum")  # fmt: skip
    facts.add_row("bits per sample", f"{header.bits_per_sample:.4g}")
    facts.add_row("bits per number", f"{8 * header.code_bytes / header.num_numbers:.4g}")
    return facts


def _groups(start: Start, data: bytes) -> list[GroupStatistics]:
    coder = Coder(start)
    return code_statistics(coder, coder.read(data))


def _layers(groups: Sequence[GroupStatistics]) -> Table:
    table = Table("group", title="spread: root of the mean square, in steps and as a distance from the start's centre")
    for name in ("numbers", "bits", "bits each", "entropy", "spread, steps", "spread"):
        table.add_column(name, justify="right")
    for group in groups:
        table.add_row(group.group, f"{group.numbers:,}", f"{group.bits:,.0f}", f"{group.bits / group.numbers:.2f}",
                      f"{group.entropy_bits:,.0f}", f"{group.spread_steps:.3g}", f"{group.spread:.3g}")  # fmt: skip
    table.add_section()
    bits, entropy = (sum(getattr(group, name) for group in groups) for name in ("bits", "entropy_bits"))
    count = sum(group.numbers for group in groups)
    table.add_row("all", f"{count:,}", f"{bits:,.0f}", f"{bits / count:.2f}", f"{entropy:,.0f}")
    return table
