"""Write tests/golden anew: a tiny start learned on built-in curves, codes of this version, and what they decode to.

    python scripts/make_golden.py --yes

Golden codes are a promise: every later version must decode them. Run this for a new format version, into a folder of
its own, not to make a failing test pass. The numbers that are learned depend on the machine; what the files decode to
does not.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from sparsine import EncodeConfig, FitConfig, calibrate, encode, learn_sparse_start, open_dataset, open_run, recipe
from sparsine.codec import CalibrationConfig, Code, Coder, FittedField
from sparsine.starts.start import Start, save_start

GOLDEN = Path(__file__).parents[1] / "tests" / "golden"
SHAPE = (12, 10)
FIT = FitConfig(steps=30, lr=1e-3, report=())


def learned() -> Start:
    """A start on curves, small enough to be looked at."""
    config = recipe("quick")
    config = replace(
        config, data="curves", field=replace(config.field, width=12, hidden_layers=3, omega_0=8.0),
        grid=replace(config.grid, resolution=SHAPE, alignment="centers", axis_order="reversed"),
        outer=replace(config.outer, dense_steps=400, steps_per_round=100, outer_step_size=1e-3),
        pruning=replace(config.pruning, rounds=3),
    )  # fmt: skip
    dataset = open_dataset("curves", resolution=SHAPE)
    with TemporaryDirectory() as folder, open_run(config, Path(folder) / "run", dataset) as run:
        return replace(learn_sparse_start(config, run), info={"data": "curves"})


def codes(start: Start, plain: Start) -> dict[str, tuple[str, bytes]]:
    """Name: (its start, the code)."""
    test = open_dataset("curves", resolution=SHAPE).test
    other = open_dataset("curves", resolution=(7, 15)).test
    made = {
        "default": ("start", encode(start, test.load(0), EncodeConfig(fit=FIT))),
        "coarse": ("start", encode(start, test.load(1), EncodeConfig(fit=FIT, quality=30, rounded_steps=10))),
        "other-shape": ("start", encode(start, other.load(2), EncodeConfig(fit=FIT, quality=100))),
        "plain": ("plain-start", encode(plain, test.load(0), EncodeConfig(fit=FIT))),
        "start-itself": ("plain-start", Coder(plain).write(plain.theta, SHAPE)),
    }
    coder = Coder(start)
    groups = (0, 3, -7, 20, 0, -5, 1, 0)
    code = coder.read(coder.write(start.theta + 0.01, SHAPE, group_steps=groups))
    code.symbols[:6] = [2**31 - 1, -(2**31) + 1, 40_000, -40_000, 300, -300]
    header = replace(code.header, group_scales=(0, 4, -8, 12, 0, 4, 8, -127))
    return made | {"escapes-and-groups": ("start", coder.pack(Code(header, code.symbols)))}


def expected(start: Start, data: bytes) -> dict[str, object]:
    coder = Coder(start)
    code = coder.read(data)
    theta = coder.theta(code)
    drawing = FittedField(start, theta, code.header.shape).render()
    return {
        "symbols": code.symbols.tolist(), "theta": theta.numpy().astype("<f4").tobytes().hex(),
        "shape": list(code.header.shape), "step_shift": code.header.step_shift,
        "scale_shift": code.header.scale_shift, "start_hash": code.header.start_hash.hex(),
        # numbers at the ends of their range draw noise that differs from machine to machine
        "drawn": [round(float(x), 6) for x in np.ravel(drawing)] if np.abs(code.symbols).max() < 1000 else None,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description="Write tests/golden anew. Golden codes are a promise: see the script.")
    parser.add_argument("--yes", action="store_true", required=True, help="I know what a golden file is for")
    parser.add_argument("--out", type=Path, default=GOLDEN)
    out: Path = parser.parse_args().out
    torch.set_num_threads(1)
    plain = learned()
    calibration = CalibrationConfig(fit=FIT, signals=24)
    starts = {
        "plain-start": plain,
        "start": calibrate(plain, open_dataset("curves", resolution=SHAPE).val, calibration),
    }
    out.mkdir(parents=True, exist_ok=True)
    for name, start in starts.items():
        save_start(out / f"{name}.safetensors", start)
    about = {}
    for name, (start_name, data) in codes(starts["start"], plain).items():
        (out / f"{name}.spn").write_bytes(data)
        about[name] = {"start": start_name, "bytes": len(data), **expected(starts[start_name], data)}
        print(f"{name}: {len(data)} bytes")
    lines = [f"{json.dumps(name)}: {json.dumps(entry)}" for name, entry in about.items()]
    (out / "expected.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
