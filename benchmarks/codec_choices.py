"""What each choice of the codec is worth, on signals that calibration did not see.

    python benchmarks/codec_choices.py START celeba:DIR --json results/benchmarks/codec_choices.json

qualities      bytes and loss of PSNR at several qualities
choices        bytes at one and the same mean loss: as it is, and with one choice taken back at a time
speed          codes written and read in a second of processor time, without fitting, on one thread
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sparsine import FitConfig, calibrate, fit_collection, load_start, make_engine, open_dataset
from sparsine.cli.outputs import Output
from sparsine.cli.scripts import record_file
from sparsine.codec import CalibrationConfig, Coder
from sparsine.codec.format.decoder import groups_of
from sparsine.codec.format.default_tables import laplace_survival
from sparsine.codec.format.quantise import exact_power
from sparsine.codec.rate_control import COARSEST, FINEST, boundary
from sparsine.environment import environment
from sparsine.psnr import psnr_db
from sparsine.starts.coding import CodingTables
from sparsine.starts.start import Start

LOSS_DB = 0.04
QUALITIES = (100, 90, 80, 70, 60, 50, 40, 30, 20)


class Measuring:
    """Fitted vectors of test signals; what codes of any tables would cost and lose."""

    def __init__(self, start: Start, spec: str, count: int) -> None:
        self.dataset = open_dataset(spec, resolution=start.domain.shape)
        self.start, self.engine, self.coords = start, make_engine(start.pattern), start.domain.coords()
        fits = list(fit_collection(start, self.dataset.test, FitConfig(report=()), indices=range(count)))
        self.originals = [fit.original for fit in fits]
        self.theta = torch.stack([fit.theta for fit in fits])
        self.values = torch.stack([torch.from_numpy(o).flatten(0, -2) for o in self.originals])
        self.fitted = self.psnr(self.theta)

    def psnr(self, theta: torch.Tensor) -> np.ndarray:
        return np.array([psnr_db(mse) for mse in self.engine.loss(theta, self.coords, self.values).tolist()])

    def at(self, coder: Coder, shift: int) -> dict[str, Any]:
        codes = [coder.write(row, self.start.domain.shape, step_shift=shift) for row in self.theta]
        drawn = self.psnr(coder.rounded(self.theta, shift))
        return {"bytes": [len(code) for code in codes], "mean_bytes": float(np.mean([len(code) for code in codes])),
                "psnr_db": drawn.tolist(), "mean_loss_db": float(np.mean(self.fitted - drawn))}  # fmt: skip

    def at_loss(self, tables: CodingTables) -> dict[str, Any]:
        """At the coarsest steps that cost LOSS_DB at most."""
        coder = Coder(replace(self.start, coding=tables))

        def good(shifts: np.ndarray) -> np.ndarray:
            return np.array([np.mean(self.fitted - self.psnr(coder.rounded(self.theta, int(shifts[0])))) <= LOSS_DB])

        return self.at(coder, int(boundary(good, 1, FINEST, COARSEST)[0][0]))


def taken_back(start: Start) -> dict[str, CodingTables]:
    """The tables of a calibrated start, whole and with one choice less."""
    tables, groups = start.coding, groups_of(start.pattern)
    assert tables is not None
    return {
        "as calibrated": tables,
        "one step for a group": replace(tables, step=_by_group(tables.step, groups, -2)),
        "one step for all": replace(tables, step=_by_group(tables.step, 0 * groups, -2)),
        "one scale for a group": replace(tables, scale=_by_group(tables.scale, groups, 2)),
        "centre at the start": _uncentred(start, tables),
        "Laplace tails": replace(tables, survival=laplace_survival()),
    }


def _by_group(exponents: torch.Tensor, groups: np.ndarray, power: int) -> torch.Tensor:
    """The power mean of each group: -2 makes the error of steps the same, 2 the spread of values."""
    numbers = exact_power(exponents.numpy()) ** power
    mean = np.bincount(groups, numbers) / np.bincount(groups)
    return torch.from_numpy(np.rint(16 / power * np.log2(mean[groups])).astype(np.int16))


def _uncentred(start: Start, tables: CodingTables) -> CodingTables:
    spread = np.hypot(exact_power(tables.scale.numpy()), (tables.centre - start.theta).numpy())
    scale = tables.step.numpy() + 4 * np.rint(4 * np.log2(spread) - tables.step.numpy() / 4)
    return replace(tables, centre=start.theta, scale=torch.from_numpy(scale.astype(np.int16)))


def speed(measuring: Measuring, start: Start) -> dict[str, float]:
    """Best of five rounds over the signals, by processor time: other work on the machine is left out."""
    coder, written, read = Coder(start), [], []
    for _ in range(5):
        begin = time.process_time()
        codes = [coder.write(row, start.domain.shape) for row in measuring.theta]
        middle = time.process_time()
        for code in codes:
            coder.theta(coder.read(code))
        written.append(len(codes) / (middle - begin))
        read.append(len(codes) / (time.process_time() - middle))
    return {"written_per_second": max(written), "read_per_second": max(read)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("start", type=Path)
    parser.add_argument("data")
    parser.add_argument("--signals", type=int, default=16)
    parser.add_argument("--calibration-signals", type=int, default=32)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    with record_file(args.json) as json:
        measure(args, json)


def measure(args: argparse.Namespace, json: Output) -> None:
    torch.set_num_threads(1)
    start = load_start(args.start)
    measuring = Measuring(start, args.data, args.signals)
    if start.coding is None:
        start = calibrate(start, measuring.dataset.val, CalibrationConfig(signals=args.calibration_signals))
    coder = Coder(start)
    record = {
        "kind": "benchmark", "name": "codec_choices", **environment(), "data": args.data, "split": "test",
        "weights": start.pattern.num_weights, "biases": start.pattern.num_biases, "shape": list(start.domain.shape),
        "calibration": start.info["calibration"], "fitted_psnr_db": measuring.fitted.tolist(), "loss_db": LOSS_DB,
        "qualities": [{"quality": q, **measuring.at(coder, 80 - q)} for q in QUALITIES],
        "choices": [{"choice": name, **measuring.at_loss(tables)} for name, tables in taken_back(start).items()],
        "speed": speed(measuring, start),
    }  # fmt: skip
    for row in [*record["qualities"], *record["choices"]]:
        print({key: value for key, value in row.items() if not isinstance(value, list)}, flush=True)
    print(record["speed"], flush=True)
    json.write_json(record)


if __name__ == "__main__":
    main()
