"""`sparsine fit START SIGNALS --out DIR`: fit signals from a start, draw them, measure PSNR.

DIR/pictures/NAME.png    original | fitted | error
DIR/drawings/NAME.png    the fitted field drawn at another size
DIR/fields/NAME.safetensors   the fitted vector
DIR/psnr.csv             a line per signal
"""

import csv
import dataclasses
import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro
from rich.table import Table
from torch import Tensor

from sparsine.checks import Named, check_range
from sparsine.cli.console import Waiting, console, counted, named_reason, say, shown_steps, tell
from sparsine.cli.find_start import find_start
from sparsine.cli.options import Device, EngineName, Size, Working, as_tuple
from sparsine.cli.outputs import Output
from sparsine.cli.signals import Split, check_folder, open_signals
from sparsine.cli.status import status_of
from sparsine.fitting.collection import FittedSignal, drawn_as_original, fit_collection, render
from sparsine.fitting.fit import FitConfig
from sparsine.fitting.fitted_field import FittedField
from sparsine.fitting.fitted_files import SUFFIX, write_fitted
from sparsine.fitting.view import View, drawing_of, most_along_an_axis
from sparsine.folders import check_places, locked
from sparsine.psnr import averaged_db
from sparsine.report.wording import db, in_db
from sparsine.shown import as_text, shown
from sparsine.signals.file_names import FileNames
from sparsine.signals.own_folders import FIELDS, TABLE
from sparsine.signals.pictured import drawn_to_look_at, pictured
from sparsine.signals.pictures import save_picture, side_by_side
from sparsine.starts.start import Start
from sparsine.storage import write_atomically

ROWS_SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class Options(Working):
    start: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="START")]
    """A start file, or the folder of a run (then --sparsity chooses the round)."""
    signals: Annotated[tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="SIGNALS")]
    """Image files and folders, or one data set as in celeba:DIR or curves."""
    out: Path
    """Folder for pictures, drawings, fitted vectors and psnr.csv."""
    sparsity: float | None = None
    """Of a run folder: the start whose fraction of removed weights is nearest; the sparsest without."""
    split: Split = "test"
    """Of a data set: the part that is fitted."""
    limit: int | None = None
    """Only so many signals, from the front."""
    size: Annotated[Size | None, Named("size", "render")] = None
    """Samples of each drawing along each axis; None is twice the grid of the start, or that grid where it has more than
    two axes."""
    overwrite: bool = False
    """Write into --out even if it holds files."""
    fit: FitConfig = dataclasses.field(default_factory=FitConfig)
    engine: EngineName = "auto"
    """Who computes: auto is the fastest of them that can."""
    device: Device = "cpu"
    """cpu, cuda, or one of several GPUs, as in cuda:1."""

    def __post_init__(self) -> None:
        if self.limit is not None:
            check_range("limit", self.limit, 1, 10**9)
        for n in self.size or ():
            check_range("size", n, 1, most_along_an_axis(len(self.size or ())))


def run(options: Options, result: Output) -> int:
    path, start = find_start(options.start, options.sparsity)
    fit = options.fit.by(start.plans)
    signals, whole = open_signals(options.signals, start, options.split, start.domain.shape, "fit")
    check_folder(options.out, options.overwrite)
    check_places(options.out, files=[TABLE], folders=["pictures", "drawings", FIELDS])
    size = as_tuple(options.size) or _usual_size(start.domain.drawn_shape)
    count = min(len(signals), options.limit or len(signals))
    say(("fitting", "bold"), f" {counted(count, 'signal')} from {path} ({start.pattern.counts}, "
        f"{start.pattern.density:.2%} of the weights), {fit.description}")  # fmt: skip
    fits: list[FittedSignal] = []
    names = FileNames(suffixes=start.kind.all_suffixes)
    with locked(options.out), Waiting("fitting", count) as waiting:
        for fitted in fit_collection(start, signals, fit, indices=range(count), engine=options.engine,
                                     device=options.device):  # fmt: skip
            fits.append(replace(fitted, original=None, theta=None))
            if fitted.theta is not None:
                _write(options, start, fitted, names.of(fitted.name), size)
            waiting.at(len(fits), f"fitted {fitted.name}", facts=in_db(fitted.psnr_db[-1] if fitted.psnr_db else None))
            if fitted.reason:
                tell((fitted.status, "yellow"), f" {named_reason(fitted.name, fitted.reason)}")
        _write_table(options.out / TABLE, fits)
    result.write_json([fitted.to_dict() for fitted in fits])
    return status_of(_summary(options, fits) and whole)


def _write(options: Options, start: Start, fitted: FittedSignal, name: str, size: tuple[int, ...]) -> None:
    assert fitted.theta is not None
    kind = start.kind
    _write_drawing(options, start, fitted.theta, name, size)
    if fitted.original is not None:
        values = drawn_as_original(start, fitted, engine=options.engine, device=options.device)
        panels = [
            pictured(kind, start.domain, signal, fitted.coords)
            for signal in (fitted.original, values, np.abs(fitted.original - values))
        ]
        if fitted.coords is None:
            panels[2] = kind.error_picture(fitted.original, values)
        scale = max(1, 256 // max(panels[0].shape[:2]))
        save_picture(options.out / "pictures" / f"{name}.png", side_by_side(panels, scale=scale))
    write_fitted(options.out / FIELDS / f"{name}{SUFFIX}", start, fitted)


def _usual_size(own: tuple[int, ...]) -> tuple[int, ...]:
    """Of drawings. Of three axes and more, twice as many samples along each are too many to wait for."""
    return tuple(2 * n for n in own) if len(own) <= 2 else own


def _write_drawing(options: Options, start: Start, theta: Tensor, name: str, size: tuple[int, ...]) -> None:
    """The fit at another size: a picture, and a file of what can be played."""
    kind, place, engine, device = start.kind, options.out / "drawings", options.engine, options.device
    if kind.in_slabs:
        field = FittedField(start, theta, start.domain.shape)
        drawing = drawing_of(field, View(size=size), kind.suffix)
        data = kind.write_drawing(field.slabs(size, engine=engine, device=device), drawing)
        write_atomically(place / f"{name}{kind.suffix}", data)
        size = drawn_to_look_at(kind, start.domain.resized(size))
    (large,) = render(start, [theta], size, engine=engine, device=device)
    save_picture(place / f"{name}.png", kind.picture(large))
    if not kind.in_slabs and (media := kind.media(large)) is not None:
        write_atomically(place / f"{name}{media.suffix or kind.suffix}", media.data)


def _write_table(path: Path, fits: list[FittedSignal]) -> None:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["input", "status", *(f"psnr_db_step_{step}" for step in fits[0].steps)])
    for fitted in fits:
        writer.writerow([as_text(fitted.name), fitted.status, *(f"{x:.4f}" for x in fitted.psnr_db)])
    write_atomically(path, text.getvalue().encode())


def _summary(options: Options, fits: list[FittedSignal]) -> bool:
    """Whether all are fitted."""
    fine = [f for f in fits if f.status == "ok"]
    at = shown_steps(fits[0].steps)
    table = Table("input", "status", *(str(fits[0].steps[i]) for i in at), title="PSNR in dB after so many steps")
    for fitted in fits[:ROWS_SHOWN]:
        table.add_row(shown(fitted.name), fitted.status, *(db(fitted.psnr_db[i]) for i in at))
    if len(fits) > ROWS_SHOWN:
        table.add_row(f"... {len(fits) - ROWS_SHOWN} more in psnr.csv")
    if fine:
        table.add_section()
        table.add_row("mean", f"{len(fine)} ok", *(db(averaged_db([f.psnr_db[i] for f in fine])) for i in at))
    console.print(table)
    tell(f"{len(fine)} of {len(fits)} fitted; pictures, drawings, fields and psnr.csv in {options.out}")
    return len(fine) == len(fits)
