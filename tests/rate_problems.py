"""Small pictures, a calibrated start for them, and a made-up record."""

import numpy as np
import torch
from PIL import Image
from small_problems import field_of, random_pattern

from sparsine.codec.format.default_tables import laplace_survival
from sparsine.fitting.fit import FitConfig
from sparsine.measure.rate_distortion.config import RateDistortionConfig
from sparsine.signals.dataset import SignalSet
from sparsine.signals.grid import Grid
from sparsine.signals.kinds import Grey, Rgb
from sparsine.starts.coding import CodingTables
from sparsine.starts.start import Start


def make_start(sizes=(2, 9, 7, 3), *, calibrated=True):
    """A random field on a random pattern; coding tables without any measurement."""
    pattern = random_pattern(field_of(*sizes, omega_0=6.5, output_offset=0.5), 0.6, 3)
    theta = pattern.gather(pattern.field.initial_theta(seed=3)[None])[0]
    step = torch.full(theta.shape, -150, dtype=torch.int16)
    tables = CodingTables(theta + 0.0005, step, step + 40, laplace_survival())
    grid, kind = Grid(shape=(13, 17), extent=(0.0, 1.0)), Rgb() if sizes[-1] == 3 else Grey()
    return Start(pattern, theta, grid, coding=tables if calibrated else None, kind=kind)


START = make_start()
SMALL = RateDistortionConfig(fit=FitConfig(steps=3, lr=1e-3, batch=2, report=()), qualities=(40, 80), jpeg=(10, 50),
                             webp=(20, 60), avif=(40, 50), jpeg_xl=(40, 50), coin_widths=(3, 5), coin_steps=(1, 4),
                             coin_depth=2, spending_signals=2, rounded_steps=0)  # fmt: skip


def picture(seed=0, shape=(13, 17)):
    """Slow waves, and a corner in another colour."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: shape[0], : shape[1]] / 10
    waves = np.sin(y[..., None] * rng.uniform(1, 3, 3) + x[..., None] * rng.uniform(1, 3, 3) + rng.uniform(0, 6, 3))
    made = np.rint(127.5 + 100 * waves).astype(np.uint8)
    made[: shape[0] // 3, : shape[1] // 4] = rng.integers(0, 255, 3)
    return made


def save_pictures(folder, shapes):
    folder.mkdir(parents=True, exist_ok=True)
    for i, shape in enumerate(shapes):
        Image.fromarray(picture(i, shape)).save(folder / f"picture-{i}.png")
    return folder


class Pictures(SignalSet):
    """Pictures in memory."""

    def __init__(self, pictures):
        self.pictures = pictures

    def __len__(self):
        return len(self.pictures)

    def name(self, index):
        return f"picture-{index}.png"

    def load(self, index):
        return self.pictures[index].astype(np.float32) / 255


def made_up_record(names=("a.png", "b.png"), shape=(20, 10), label="made up", starts=2, seed=None):
    """Ours of 100 and 200 bytes, JPEG through the same points 10 dB above, WebP too large for the smaller ones."""
    signals = [{"input": name, "shape": list(shape)} for name in names]
    count = len(names)

    def row(size, psnr, **setting):
        return setting | {"bytes": [None if size is None else size + i for i in range(count)],
                          "psnr_db": [None if size is None else psnr + i for i in range(count)],
                          "ssim": [None if size is None else psnr / 100] * count,
                          "encode_seconds": [None if size is None else 0.5] * count,
                          "decode_seconds": [None if size is None else 0.25] * count}  # fmt: skip

    rows = []
    for start in range(starts):
        for quality, size, psnr in ((64, 100, 20.0), (80, 200, 24.0)):
            rows.append(row(size + 50 * start, psnr + start, codec="sparsine", start=start, quality=quality)
                        | {"fitted_psnr_db": [psnr + start + i + 0.5 for i in range(count)]})  # fmt: skip
            rows.append(row(size - 1, psnr + 10, codec="jpeg", start=start, beside_quality=quality))
            rows.append(row(None if quality == 64 else size - 2, psnr + 12, codec="webp", start=start,
                            beside_quality=quality))  # fmt: skip
    rows += [row(50, 18.0, codec="jpeg", quality=10), row(400, 30.0, codec="jpeg", quality=50)]
    rows += [row(90, 26.0, codec="webp", quality=10), row(400, 34.0, codec="webp", quality=50)]
    rows += [row(80, 15.0, codec="coin", width=4, steps=7)]
    spent = {"quality": 80, "signals": 2, "rows": [
        {"group": "weights 1", "numbers": 10, "bits": 60.0, "entropy_bits": 50.0, "error": 3e-4},
        {"group": "biases 1", "numbers": 5, "bits": 30.0, "entropy_bits": 20.0, "error": 1e-4},
        {"group": "header and checksum", "numbers": 0, "bits": 10.0, "entropy_bits": 0.0, "error": 0.0}]}  # fmt: skip
    return {
        "kind": "rate-distortion", "record_version": 1, "created": "2026-01-01T00:00:00+00:00", "commit": "abc",
        "versions": {"sparsine": "0", "pillow": "1"}, "hardware": {"processor": "a machine", "threads": 1},
        "data": {"label": label, "spec": "images:x", "description": "Some pictures."},
        "config": SMALL_DICT | {"fit": SMALL_DICT["fit"] | {"steps": 7}},
        "starts": [{"name": f"start {i}", "file_bytes": 1000 * (i + 1), "weights": 40 - 10 * i, "biases": 10,
                    "density": 0.4 - 0.1 * i, "digest": "0" * 64, "learned_on": "x", "spending": spent}
                   for i in range(starts)],
        "signals": signals, "unreadable": {}, "rows": rows,
    }  # fmt: skip


def without_file(record, at, **setting):
    """`record` where the signal at that place has no file at the settings of some rows."""
    for row in record["rows"]:
        if setting.items() <= row.items():
            for name in row.keys() & {"bytes", "psnr_db", "ssim", "encode_seconds", "decode_seconds"}:
                row[name][at] = None
    return record


SMALL_DICT = {**vars(SMALL), "fit": {**vars(SMALL.fit)}}
