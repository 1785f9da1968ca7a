"""`sparsine calibrate START SIGNALS --out START2`: the same start, which also knows how codes are told best."""

import dataclasses
from dataclasses import dataclass

from sparsine.cli.console import Waiting, counted, say, tell
from sparsine.cli.outputs import Output
from sparsine.cli.start_and_signals import StartAndSignals
from sparsine.codec.calibrate import calibrate
from sparsine.codec.config import CalibrationConfig
from sparsine.starts.start import start_bytes


@dataclass(frozen=True, kw_only=True)
class Options(StartAndSignals):
    calibration: CalibrationConfig = dataclasses.field(default_factory=CalibrationConfig)


def run(options: Options, result: Output) -> int:
    with options.out_file() as out:
        return _run(options, out, result)


def _run(options: Options, out: Output, result: Output) -> int:
    path, start, signals = options.opened("calibrate with")
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
    tell(f"{out.name}: {after:,} bytes ({before:,} before); fitted PSNR "
        f"{calibrated.info['calibration']['fitted_psnr_db']:.2f} dB; codes need this start now")  # fmt: skip
    result.write_json(
        {"kind": "calibrate-summary", "record_version": 1, "start": out.name, "start_sha256": calibrated.digest,
         "bytes": after, "bytes_before": before, "signals": count,
         "fitted_psnr_db": calibrated.info["calibration"]["fitted_psnr_db"]}
    )  # fmt: skip
    return 0
