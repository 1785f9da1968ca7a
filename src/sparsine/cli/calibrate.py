"""`sparsine calibrate START SIGNALS --out START2`: the same start, which also knows how codes are told best."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from sparsine.cli.console import Waiting, counted, say
from sparsine.cli.find_start import find_start
from sparsine.cli.options import Device, EngineName, Load, Size, as_tuple
from sparsine.cli.outputs import Output, output
from sparsine.cli.signals import Split, open_signals
from sparsine.codec.calibrate import CalibrationConfig, calibrate
from sparsine.starts.start import start_bytes


@dataclass(frozen=True, kw_only=True)
class Options:
    start: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="START")]
    """A start file, or the folder of a run (then --sparsity chooses the round)."""
    inputs: Annotated[tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="SIGNALS")]
    """Image files and folders, or one data set as in celeba:DIR or curves. Not those that will be judged."""
    out: Path
    """File of the calibrated start."""
    resolution: Size | None = None
    """Size that signals are brought to; None is that of the start's grid. Best the size of those to be encoded."""
    sparsity: float | None = None
    """Of a run folder: the start whose fraction of removed weights is nearest; the sparsest without."""
    split: Split = "val"
    """Of a data set: the part that is measured."""
    overwrite: bool = False
    """Replace --out if it is there."""
    calibration: CalibrationConfig = dataclasses.field(default_factory=CalibrationConfig)
    engine: EngineName = "auto"
    """Who computes: auto is the fastest of them that can."""
    device: Device = "cpu"
    """cpu, cuda, or one of several GPUs, as in cuda:1."""
    load: Load = ()
    """Python file of yours that adds to what can be chosen, run before anything else. May be given several times."""


def run(options: Options) -> int:
    with output(options.out, "--out", instead="" if options.overwrite else "say --overwrite", text=False) as out:
        return _run(options, out)


def _run(options: Options, out: Output) -> int:
    path, start = find_start(options.start, options.sparsity)
    shape = as_tuple(options.resolution) or start.domain.shape
    signals, _ = open_signals(options.inputs, start, options.split, shape, "calibrate with")
    count = min(len(signals), options.calibration.signals)
    say(("calibrating", "bold"), f" {path} on {counted(count, 'signal')}")
    with Waiting("calibrating", count) as waiting:

        def on_progress(done: int, name: str) -> None:
            waiting.at(done, f"fitted {name}")

        calibrated = calibrate(start, signals, options.calibration, engine=options.engine, device=options.device,
                               progress=on_progress)  # fmt: skip
    data = start_bytes(calibrated)
    out.write(data)
    before, after = path.stat().st_size, len(data)
    say(f"{out.name}: {after:,} bytes ({before:,} before); fitted PSNR "
        f"{calibrated.info['calibration']['fitted_psnr_db']:.2f} dB; codes need this start now")  # fmt: skip
    return 0
