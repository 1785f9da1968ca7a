"""`sparsine rate-distortion START SIGNALS --out DIR`: our codes beside other codecs and dense fields, by real
files.

DIR/rate-distortion.json   the record: bytes, PSNR, SSIM and seconds of every signal
DIR/rate-distortion.png, .svg, .html   drawn from it
"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from rich.table import Table

from sparsine.checks import check_range
from sparsine.cli.console import Waiting, console, counted, tell
from sparsine.cli.find_start import find_start
from sparsine.cli.given import given_command
from sparsine.cli.options import Working
from sparsine.cli.outputs import Output
from sparsine.cli.signals import Split, is_dataset, open_signals
from sparsine.cli.status import status_of
from sparsine.errors import BadInput
from sparsine.folders import check_places, locked
from sparsine.measure.rate_distortion.config import RateDistortionConfig
from sparsine.measure.rate_distortion.measure import Collection, NamedStart, measure_rate_distortion
from sparsine.measure.rate_distortion.records import NAME, write_record
from sparsine.report.rate_distortion.figures import write_figures
from sparsine.report.rate_distortion.page import write_page
from sparsine.report.rate_distortion.points import Record, at_same_bytes, names_of, ours_at, point
from sparsine.report.rate_distortion.tables import ours_of
from sparsine.report.wording import DASH, count, db, shape
from sparsine.shown import shown
from sparsine.starts.start import Start


@dataclass(frozen=True, kw_only=True)
class Options(RateDistortionConfig, Working):
    start: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="START")]
    """A calibrated start file (see sparsine calibrate)."""
    signals: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="SIGNALS")]
    """A data set as in celeba:DIR, at the size of the start's grid, or a folder of image files, at their own sizes."""
    out: Path
    """Folder for the record, the figure and the page."""
    more_starts: tuple[Path, ...] = ()
    """Further starts of the same kind, as at other sparsities."""
    label: str | None = None
    """What to call the signals in tables and figures; without, by the data set or the folder."""
    split: Split = "test"
    """Of a data set: the part that is measured."""
    limit: int | None = None
    """Only so many signals, from the front."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.limit is not None:
            check_range("limit", self.limit, 1, 10**9)


def run(options: Options, result: Output) -> int:
    found = [find_start(path, None) for path in (options.start, *options.more_starts)]
    for path, start in found:
        if start.field.out_features != 3:
            drawn = counted(start.field.out_features, "channel")
            raise BadInput(f"{path} draws {drawn}, but the codecs beside it are for RGB pictures")
    collection, whole = _collection(options, found[0][1])
    config = RateDistortionConfig(
        **{f.name: getattr(options, f.name) for f in dataclasses.fields(RateDistortionConfig)}
    )
    check_places(options.out, files=[NAME, *(f"rate-distortion.{kind}" for kind in ("html", "png", "svg"))])
    with locked(options.out):
        with Waiting("measuring", collection.count) as waiting:
            waiting.at(0)

            def on_progress(done: int, name: str) -> None:
                waiting.at(done, f"measured {name}")

            record = measure_rate_distortion([_named(*f) for f in found], collection, config, on_progress)
        write_record(options.out / NAME, record)
        write_figures([record], options.out)
        page = write_page(options.out, record, given_command())
    for reason in record["unreadable"].values():
        tell(("skipped", "yellow"), f" {reason}")
    console.print(_table(record))
    tell(("report", "bold green"), f": {page.resolve()}")
    result.write_json(record)
    return status_of(whole and not record["unreadable"])


def _collection(options: Options, start: Start) -> tuple[Collection, bool]:
    """What is measured, and whether it is all that was asked for."""
    named = is_dataset([options.signals])
    at = start.domain.shape if named else None
    signals, whole = open_signals([options.signals], start, options.split, at, "compress")
    kind, _, place = options.signals.partition(":")
    name = shown(Path(place or kind).name)
    spec = f"{kind}:{name}" if named and place else name
    how = f"the {options.split} split at {shape(start.domain.shape)}" if named else "image files at their own sizes"
    count = min(len(signals), options.limit or len(signals))
    return Collection(shown(options.label or spec), spec, f"{spec}, {how}.", signals, count), whole


def _named(path: Path, start: Start) -> NamedStart:
    """A round of a run is named after its run too."""
    name = f"{path.parent.parent.name}, {path.stem}" if path.parent.name == "starts" else path.stem
    return NamedStart(shown(name), start, path.stat().st_size)


def _table(record: Record) -> Table:
    """A line for each start and quality."""
    names = names_of(record)
    table = Table("start", "weights", "quality", "bytes", "PSNR", *(f"{label}, same bytes" for label in names.values()),
                  title=f"{counted(len(record['signals']), 'signal')}; means, PSNR in dB")  # fmt: skip
    for number, quality in ours_of(record):
        start = record["starts"][number]
        if ours := point(record, ours_at(record, number, quality), ""):
            theirs = [at_same_bytes(record, codec, number, quality) for codec in names]
            table.add_row(shown(start["name"]), count(start["weights"]), str(quality), count(round(ours.num_bytes)),
                          db(ours.psnr_db) + ours.lacks,
                          *(db(found.psnr_db) if found else DASH + lacks for found, lacks in theirs))  # fmt: skip
    return table
