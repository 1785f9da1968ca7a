"""Bytes of clips as codes of a start, beside H.264 and H.265 of the same frames.

Codes: whole files, from calibrated starts of a run of `sparsine learn`, fitted by effort `fast`, at quality 80. x264
and x265: the stream alone, without container and without what the encoder says of itself, preset veryslow, one
keyframe.
PSNR and SSIM of both are of the red, green and blue that are shown, over all values of a clip.

    python experiments/video_codecs.py DATA RUN FITS RECORD [--rounds 20 17 14]

FITS: the record of `tuned_fits.py` for this run, whose plans are used.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import av
import numpy as np

from sparsine.codec import decode
from sparsine.codec.calibrate import calibrate
from sparsine.codec.config import CalibrationConfig, EncodeConfig
from sparsine.codec.encode import encode_batch
from sparsine.environment import environment
from sparsine.fitting import FitConfig
from sparsine.meta.run_folder import read_config, start_path
from sparsine.psnr import psnr_db
from sparsine.signals.kinds.video import frame_picture, mean_ssim
from sparsine.signals.open import open_dataset
from sparsine.starts.plan import plans_from_dict
from sparsine.starts.start import load_start
from sparsine.storage import read_json, write_json

CRFS = (6, 12, 18, 24, 30, 36, 42)
CODECS = {
    "x264": ("libx264", {"preset": "veryslow"}),
    "x265": ("libx265", {"preset": "veryslow", "x265-params": "log-level=none:info=0"}),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("run", type=Path)
    parser.add_argument("fits", type=Path)
    parser.add_argument("record", type=Path)
    parser.add_argument("--rounds", type=int, nargs="+", default=[20, 17, 14])
    options = parser.parse_args()
    config = read_config(options.run)
    dataset = open_dataset(options.data, resolution=config.grid.resolution, seed=config.split_seed)
    clips = [dataset.test.load(i) for i in range(len(dataset.test))]
    about = {"kind": "video-codecs", "record_version": 1, **environment(), "data": options.data}
    record: dict[str, Any] = {**about, "shape": list(dataset.shape), "signals": len(clips), "rows": []}
    for row in (*_codecs(clips, dataset.kind.rate), *_codes(options, dataset, clips)):
        record["rows"].append(row)
        write_json(options.record, record)
        print(row["codec"], row["setting"], round(row["mean"]["bytes"]), round(row["mean"]["psnr_db"], 2), flush=True)
    return 0


def _codecs(clips: list[np.ndarray], rate: float) -> Iterator[dict[str, Any]]:
    for name in CODECS:
        for crf in CRFS:
            found = [_streamed(name, np.stack([frame_picture(f) for f in clip]), rate, crf) for clip in clips]
            yield _row(name, f"crf {crf}", clips, [size for size, _ in found], [drawn for _, drawn in found])


def _streamed(name: str, frames: np.ndarray, rate: float, crf: int) -> tuple[int, np.ndarray]:
    """(bytes of the stream, what it shows)."""
    codec, options = CODECS[name]
    encoder = av.CodecContext.create(codec, "w")
    encoder.height, encoder.width = frames.shape[1:3]
    encoder.pix_fmt, encoder.framerate = "yuv420p", Fraction(rate).limit_denominator(1001)
    encoder.time_base, encoder.options = 1 / encoder.framerate, {"crf": str(crf), **options}
    packets = []
    for number, frame in enumerate(frames):
        given = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
        given.pts, given.time_base = number, encoder.time_base
        packets += encoder.encode(given)
    packets += encoder.encode(None)
    decoder = av.CodecContext.create(codec.removeprefix("lib").replace("x264", "h264").replace("x265", "hevc"), "r")
    shown = [frame for packet in (*packets, None) for frame in decoder.decode(packet)]
    drawn = np.stack([frame.to_ndarray(format="rgb24") for frame in shown])
    size = sum(len(_without_remarks(bytes(packet)) if name == "x264" else bytes(packet)) for packet in packets)
    return size, drawn.astype(np.float32) / np.float32(255)


def _without_remarks(data: bytes) -> bytes:
    """Without units of type 6, which say how the encoder was called."""
    return b"".join(b"\0\0\1" + unit for unit in data.split(b"\0\0\1")[1:] if unit[0] & 31 != 6)


def _codes(options: Any, dataset: Any, clips: list[np.ndarray]) -> Iterator[dict[str, Any]]:
    plans = {row["round"]: row["plans"] for row in read_json(options.fits)["rows"] if row["method"] == "pattern"}
    for round in options.rounds:
        start = replace(load_start(start_path(options.run, round)), plans=plans_from_dict(plans[round]))
        fit = FitConfig(effort="fast", report=())
        start = calibrate(start, dataset.split("val"), CalibrationConfig(fit=fit.by(start.plans), signals=4))
        coded = encode_batch(start, clips, EncodeConfig(fit=fit))
        drawn = [decode(start, one.data).render() for one in coded]
        told = {"weights": start.pattern.num_weights}
        yield _row("ours", f"round {round}", clips, [len(one.data) for one in coded], drawn) | told


def _row(
    codec: str, setting: str, clips: list[np.ndarray], sizes: list[int], drawn: list[np.ndarray]
) -> dict[str, Any]:
    found = {
        "bytes": sizes,
        "psnr_db": [
            psnr_db(float(np.square(a - b, dtype=np.float64).mean())) for a, b in zip(clips, drawn, strict=True)
        ],
        "ssim": [mean_ssim(a, b) for a, b in zip(clips, drawn, strict=True)],
    }
    return {
        "codec": codec,
        "setting": setting,
        **found,
        "mean": {name: float(np.mean(of)) for name, of in found.items()},
    }


if __name__ == "__main__":
    sys.exit(main())
