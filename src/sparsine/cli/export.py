"""`sparsine export START|CODE --to FORMAT`: one field in a format of other programs; codes as a table to learn on."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Annotated

import tyro

from sparsine.checks import OneOf
from sparsine.cli.code_info import is_code
from sparsine.cli.console import counted, say, say_notes, tell
from sparsine.cli.find_start import MOST_CODE_BYTES, find_start, find_start_of
from sparsine.cli.options import Working
from sparsine.cli.outputs import DASH, Output, output
from sparsine.cli.status import DONE
from sparsine.codec.encode import decode
from sparsine.codec.files.code_files import list_codes, read_bounded
from sparsine.codec.format.header import SUFFIX
from sparsine.errors import BadInput
from sparsine.export import FORMATS, Exported, write_table
from sparsine.export.table import Row
from sparsine.fitting.fitted_field import FittedField
from sparsine.starts.start import Start
from sparsine.viewer.folder import CodeFolder
from sparsine.viewer.notes import Note, read_notes

TABLE = "table"


@dataclass(frozen=True, kw_only=True)
class Options(Working):
    source: Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="START|CODE")]
    """A start (its file, the folder of its run, or the name of a built-in one), or a code; for a table codes and
    folders of them."""
    to: Annotated[str, OneOf(FORMATS, TABLE)]
    """The format; table is a folder for learning on top of fits."""
    out: Path | None = None
    """File to write, or folder of a table; None is the name of what is exported. What is there already is kept."""
    start: Path | None = None
    """Of codes: the start that they were encoded with, its file or the folder of its run."""
    sparsity: float | None = None
    """Of a run folder: the start whose fraction of removed weights is nearest; without, the one that the code names, or
    the sparsest."""


def run(options: Options, result: Output) -> int:
    if options.to == TABLE:
        return _table(options, result)
    kind = FORMATS[options.to]
    exported = _exported(options)
    out = options.out or Path(f"{exported.name}{kind.suffix}")
    with output(out, "--out", instead="remove it", text=kind.suffix == ".glsl") as file:
        data = kind.write(exported)
        file.write(data)
        tell(f"{counted(len(data), 'byte')} in {'standard output' if out == DASH else out}: "
            f"{exported.cut.field.description}, {counted(exported.cut.num_weights, 'weight')} that count")  # fmt: skip
        if note := kind.note(exported):
            say("load it with:")
            for line in note.replace("'FILE'", repr(str(out))).splitlines():
                say(line)
        _report(result, options.to, out, bytes=len(data), weights=exported.cut.num_weights)
    return DONE


def _exported(options: Options) -> Exported:
    """Raises BadInput unless one start or one code is named."""
    if len(options.source) != 1:
        raise BadInput(f"--to {options.to} exports one field, but got {counted(len(options.source), 'name')}; "
                       f"--to {TABLE} takes many codes")  # fmt: skip
    (source,) = options.source
    if source.is_file() and is_code(source):
        start = _start_of([source], options)
        try:
            return Exported(source.stem, decode(start, read_bounded(source, MOST_CODE_BYTES)))
        except BadInput as error:
            raise BadInput(f"{source}: {error}") from error
    if options.start is not None:
        raise BadInput(f"--start is for codes, but {source} is none")
    path, start = find_start(source, options.sparsity)
    return Exported(path.stem, FittedField(start, start.theta, start.domain.shape))


def _start_of(codes: Sequence[Path], options: Options) -> Start:
    if options.start is None:
        raise BadInput("a code is drawn from a start; name the one that it was encoded with: --start START")
    return find_start_of(codes, options.start, options.sparsity)[1]


def _report(result: Output, to: str, out: Path, **facts: int) -> None:
    result.write_json({"kind": "export-summary", "record_version": 1, "to": to, "out": str(out), **facts})


def _table(options: Options, result: Output) -> int:
    codes, notes = list_codes(options.source)
    say_notes(notes)
    out = options.out or Path("table")
    measured: dict[Path, dict[str, Note]] = {}
    paths = {name: path for name, path in codes.items() if isinstance(path, Path)}
    rows = [_row(name, path, measured) for name, path in paths.items()]
    write_table(out, _start_of(list(paths.values()), options), rows)
    tell(f"{counted(len(rows), 'row')} in {out}")
    _report(result, TABLE, out, rows=len(rows))
    return DONE


def _row(name: str, path: Path, measured: dict[Path, dict[str, Note]]) -> Row:
    """PSNR is that of the journal beside the code; its folder within what was named is the label."""
    folder = path.parent
    if folder not in measured:
        measured[folder] = read_notes(CodeFolder(folder), "")
    label = str(Path(name).parent) if Path(name).parent != Path() and not Path(name).is_absolute() else None
    note = measured[folder].get(path.name.removesuffix(SUFFIX))
    return Row(name, read_bounded(path, MOST_CODE_BYTES), label, _finite(note.psnr_db if note else None))


def _finite(psnr_db: float | None) -> float | None:
    """JSON has no infinity."""
    return psnr_db if psnr_db is not None and isfinite(psnr_db) else None
