"""Pictures of 8 bits: what every codec is given and gives back, so that all are measured alike."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8

from sparsine.psnr import psnr_db
from sparsine.ssim import ssim

Picture = UInt8[np.ndarray, "rows columns 3"]


@dataclass(frozen=True)
class Measured:
    """One signal through one codec."""

    num_bytes: int
    """Of the file."""
    psnr_db: float
    """Of the picture that a decoder gives: clamped, 8 bits."""
    ssim: float | None
    """Of the same."""
    encode_seconds: float
    decode_seconds: float


def as_picture(values: Float[np.ndarray, "rows columns 3"]) -> Picture:
    """Values in [0, 1], those outside clamped."""
    picture: np.ndarray = np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)
    return picture


def picture_psnr_db(original: Picture, decoded: Picture) -> float:
    return psnr_db(float(np.square(original.astype(np.float64) - decoded).mean()) / 255**2)


def picture_ssim(original: Picture, decoded: Picture) -> float | None:
    """None for a picture smaller than SSIM's window."""
    return ssim(original / np.float64(255), decoded / np.float64(255), 1.0)


def measured(original: Picture, decoded: Picture, num_bytes: int, encode: float, decode: float) -> Measured:
    """Seconds are those of encoding and decoding."""
    return Measured(num_bytes, picture_psnr_db(original, decoded), picture_ssim(original, decoded), encode, decode)
