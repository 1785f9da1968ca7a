"""`sparsine encode START SIGNALS --out DIR`: signals become small files.

DIR/NAME.spn         the code of a signal; docs/format.md
DIR/request.json     what was asked for; the same command goes on where an interrupted one ended
DIR/journal.jsonl    what is done
"""

import dataclasses
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import tyro
from rich.table import Table

from sparsine.addresses import Address, Place
from sparsine.checks import check_range
from sparsine.cli.console import Complaints, Waiting, console, counted, say, tell
from sparsine.cli.find_start import find_start, starts_at
from sparsine.cli.options import Device, EngineName, Size, Working
from sparsine.cli.outputs import Output
from sparsine.cli.signals import Split, is_dataset, open_signals
from sparsine.cli.status import status_of
from sparsine.cli.workers import workers
from sparsine.codec.config import DEFAULT_QUALITY, EncodeConfig
from sparsine.codec.files.coded import CodedSignal, in_pixels, summarise
from sparsine.codec.files.collection import encode_collection
from sparsine.codec.operating_point import Trial, choose_start
from sparsine.errors import BadInput, UnreadableSignal
from sparsine.fitting.fit import FitConfig
from sparsine.report.wording import db, in_db
from sparsine.signals.dataset import SignalSet
from sparsine.spread.ray_address import RayAddress
from sparsine.starts.start import Start, load_start

TRIED = 3
"""Signals that a start is chosen by."""


@dataclass(frozen=True, kw_only=True)
class Options(Working):
    start: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="START")]
    """A start file, the folder of a run, or the name of a built-in start or of a family of them. Of a folder and of a
    family, a target chooses the start that meets it best on the first signals; --sparsity chooses the round."""
    signals: Annotated[tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="SIGNALS")]
    """Image files and folders, by paths or by addresses (s3://bucket/photos, https://...), or one data set as in
    celeba:DIR or curves."""
    out: Address | Path
    """Folder for the codes. Codes of the same request that are there already are kept."""
    quality: int | None = None
    """0 (smallest) to 100 (most faithful); 16 more halve the quantisation steps. None is 80, which costs a few
    hundredths of a decibel."""
    target_psnr: float | None = None
    """Decibels: for each signal the smallest code that is drawn so well. Takes the place of --quality."""
    target_bytes: int | None = None
    """For each signal the most faithful code of at most so many bytes. Takes the place of --quality."""
    rounded_steps: int | None = None
    """Steps after the fit that see the rounded vector and make up for the rounding, kept where they do. None: a ninth
    of the fit's, for signals that lose more than 0.05 dB by it."""
    resolution: Literal["own", "start"] | Size | None = None
    """Size of the signals: own (as in the file), start (that of the start's grid), or HxW; resized to cover it and
    centre-cropped. None is own for image files and folders, start for a data set, sound, video and shapes."""
    sparsity: float | None = None
    """Of a run folder: the start whose fraction of removed weights is nearest; without, the one that meets the target
    best, or the sparsest where there is no target."""
    split: Split = "test"
    """Of a data set: the part that is encoded."""
    limit: int | None = None
    """Only so many signals, from the front."""
    overwrite: bool = False
    """Use --out even if it holds codes of another request or other files, and replace codes of changed signals."""
    fit: FitConfig = dataclasses.field(default_factory=lambda: EncodeConfig().fit)
    engine: EngineName = "auto"
    """Who computes: auto is the fastest of them that can."""
    device: Device = "cpu"
    """cpu, cuda, or one of several GPUs, as in cuda:1."""
    ray: RayAddress | None = None
    """Fit on a Ray cluster (extra `ray`), a task for each CPU: without ADDRESS one that is started on this machine
    (local:N: with N workers), else HOST:PORT, ray://HOST:PORT, or auto for the one that this machine is a part of."""

    def __post_init__(self) -> None:
        if self.limit is not None:
            check_range("limit", self.limit, 1, 10**9)


def run(options: Options, result: Output) -> int:
    aim = _config(options)
    given = _given(options, aim)
    start = load_start(given[0])
    resolution = _resolution(options, start)
    signals, whole = open_signals(options.signals, start, options.split, resolution, "encode")
    count = min(len(signals), options.limit or len(signals))
    path, start = _chosen(given, start, signals, count, aim, options)
    config = aim.by(start.plans)
    say(("encoding", "bold"), f" {counted(count, 'signal')} from {path} ({start.pattern.counts}, "
        f"{_calibrated(start)}), {config.fit.description}, {_aim(config)}")  # fmt: skip
    coded, began, complaints = [], time.monotonic(), Complaints()
    with workers(options.ray, options.device) as executor, Waiting("encoding", count) as waiting:
        for one in encode_collection(
            start, signals, options.out, config, indices=range(count), overwrite=options.overwrite,
            also={"resolution": list(resolution) if resolution else "own"}, engine=options.engine,
            device=options.device, executor=executor,
        ):  # fmt: skip
            coded.append(one)
            waiting.at(len(coded), f"{'kept' if one.kept else 'encoded'} {one.input}", facts=in_db(one.psnr_db))
            if one.reason:
                complaints.add(one.status, one.input, one.reason)
    complaints.end("see --json")
    place = {signals.name(i): i for i in range(count)}
    coded.sort(key=lambda one: place[one.input])
    summary = summarise(coded, path.stat().st_size, time.monotonic() - began)
    _show(options.out, summary, start.kind.sample)
    result.write_json(_record(start, config, summary, coded))
    return status_of(whole and all(one.status == "ok" for one in coded))


def _given(options: Options, aim: EncodeConfig) -> list[Path]:
    """The starts that a target may choose from: one, but for a family's name or a run folder."""
    aimed = aim.target_psnr_db is not None or aim.target_bytes is not None
    if aimed and options.sparsity is None:
        return starts_at(options.start)
    return [find_start(options.start, options.sparsity)[0]]


def _chosen(
    given: Sequence[Path], first: Start, signals: SignalSet, count: int, aim: EncodeConfig, options: Options
) -> tuple[Path, Start]:
    """The start that codes the first few signals best."""
    some = list(islice(_readable(signals, count), TRIED)) if len(given) > 1 else []
    if not some:  # nothing to choose from, or by: what cannot be read will be reported
        return given[0], first
    starts = [first, *map(load_start, given[1:])]

    def on_trial(trial: Trial) -> None:
        name = f"{given[trial.place].stem} ({starts[trial.place].pattern.counts})"
        say(f"{name}: {db(trial.psnr_db)} dB in {trial.num_bytes:,.0f} bytes")

    say(("choosing a start", "bold"), f" of {len(given)} by {counted(len(some), 'signal')}")
    place = choose_start(starts, some, aim, engine=options.engine, device=options.device, on_trial=on_trial).place
    return given[place], starts[place]


def _readable(signals: SignalSet, count: int) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    for index in range(count):
        with suppress(UnreadableSignal):
            yield signals.load(index), signals.coords_of(index)


def _config(options: Options) -> EncodeConfig:
    aimed = options.target_psnr is not None or options.target_bytes is not None
    if aimed and options.quality is not None:
        raise BadInput("both a quality and a target were given; the quality follows from the target, so give one")
    return EncodeConfig(
        fit=options.fit, quality=DEFAULT_QUALITY if options.quality is None else options.quality,
        target_psnr_db=options.target_psnr, target_bytes=options.target_bytes, rounded_steps=options.rounded_steps,
    )  # fmt: skip


def _resolution(options: Options, start: Start) -> tuple[int, ...] | None:
    """None: each signal at its own."""
    if isinstance(options.resolution, tuple):
        return options.resolution
    wanted = options.resolution or ("own" if start.kind.own_size and not is_dataset(options.signals) else "start")
    return start.domain.shape if wanted == "start" else None


def _calibrated(start: Start) -> str:
    return "calibrated" if start.coding is not None else "not calibrated"


def _aim(config: EncodeConfig) -> str:
    if config.target_bytes is not None:
        return f"at most {counted(config.target_bytes, 'byte')} each"
    return f"quality {config.quality}" if config.target_psnr_db is None else f"{config.target_psnr_db:g} dB each"


def _record(start: Start, config: EncodeConfig, summary: dict[str, Any], coded: list[CodedSignal]) -> dict[str, Any]:
    aim = {"quality": config.quality if _aim(config).startswith("quality") else None,
           "target_psnr_db": config.target_psnr_db, "target_bytes": config.target_bytes}  # fmt: skip
    told = in_pixels if len(start.domain.shape) == 2 else dict[str, Any]
    return {"kind": "encode-summary", "record_version": 1, "start_sha256": start.digest, **aim, **told(summary),
            "files": [told(one.to_dict()) for one in coded]}  # fmt: skip


def _show(out: Place, summary: dict[str, Any], sample: str) -> None:
    statuses = ", ".join(f"{number} {status}" for status, number in summary["statuses"].items())
    facts = Table(show_header=False, box=None)
    facts.add_row("signals", f"{summary['signals']}: {statuses}" + f"; {summary['kept']} kept" * bool(summary["kept"]))
    facts.add_row("codes", f"{counted(summary['codes'], 'file')}, {summary['bytes']:,} bytes")
    if summary["codes"]:
        alone, shared = (f"{summary[name]:.4g}" for name in ("bits_per_sample", "bits_per_sample_with_start"))
        start = f"with the start's {summary['start_bytes']:,} bytes shared out"
        facts.add_row(f"bits per {sample}", f"{alone}; {shared} {start}")
        facts.add_row("mean PSNR", f"{db(summary['psnr_db'])} dB as drawn, {db(summary['fitted_psnr_db'])} dB as "
                                   "fitted, before rounding")  # fmt: skip
    if summary["codes"] > summary["kept"]:
        facts.add_row("speed", f"{summary['signals_per_second']:.3g} signals a second, {summary['seconds']:.1f} s")
    console.print(facts)
    tell(f"codes in {out}")
