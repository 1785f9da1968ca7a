"""Sound: pressure in [-1, 1], one channel or two, so many samples a second."""

import io
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, log10
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from jaxtyping import Float

from sparsine.checks import check_range
from sparsine.signals.kind import KINDS, Kind, Media, Metric, Picture, Values
from sparsine.signals.pictures import heat
from sparsine.signals.previews import CURVE_COLUMNS, curves

if TYPE_CHECKING:
    from sparsine.signals.dataset import SignalSet

MIME = "audio/wav"
SPECTROGRAM_ROWS = 96
FAINTEST_DB = -80.0
"""Beside full scale: what the spectrogram shows black."""


@dataclass(frozen=True, kw_only=True)
class Audio(Kind):
    """Sound. PSNR has the peak 1, full scale; SNR is beside it, as a loud clip is no better than a quiet one."""

    name: ClassVar[str] = "audio"
    axes: ClassVar[tuple[str, ...]] = ("samples",)
    num_channels: ClassVar[tuple[int, ...]] = (1, 2)
    suffix: ClassVar[str] = ".wav"
    suffixes: ClassVar[tuple[str, ...]] = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aif", ".aiff", ".au", ".caf")
    own_size: ClassVar[bool] = False

    rate: int = 44_100
    """Samples a second."""

    def __post_init__(self) -> None:
        check_range("the rate of audio", self.rate, 1, 10_000_000)

    @property
    def value_range(self) -> tuple[float, float]:
        return -1.0, 1.0

    @property
    def metrics(self) -> tuple[Metric, ...]:
        return (Metric("snr_db", "SNR (dB)", snr_db),)

    def picture(self, values: Values, spacing: float | None = None) -> Picture:
        """The waveform, and a spectrogram of it below: time to the right, half the rate on top."""
        self.check(values.shape)
        finite = np.nan_to_num(values, nan=0.0, posinf=1.0, neginf=-1.0)
        above, below = curves(values, -1.0, 1.0), spectrogram(finite.mean(axis=1))
        gap = np.full((4, above.shape[1], 3), 255, dtype=np.uint8)
        return np.concatenate([above, gap, below])

    def error_picture(self, original: Values, fitted: Values) -> Picture:
        """What is left over when the fit is taken away, as it would sound."""
        return self.picture(original - fitted)

    def preview_shape(self, shape: tuple[int, ...], edge: int) -> tuple[int, ...]:
        """All samples: a waveform of fewer would be another sound."""
        return shape

    def media(self, values: Values) -> Media:
        return Media(self.write(values), MIME)

    def write(self, values: Values, spacing: float | None = None, scale: float = 1.0) -> bytes:
        """A WAV of 16 bits, clamped to full scale; drawn at twice the samples it has twice the rate."""
        file = io.BytesIO()
        samples = np.round(np.clip(np.nan_to_num(values), -1.0, 1.0) * 32_767).astype("<i2")
        with wave.open(file, "wb") as out:
            out.setnchannels(samples.shape[1])
            out.setsampwidth(2)
            out.setframerate(max(1, round(self.rate * scale)))
            out.writeframes(samples.tobytes())
        return file.getvalue()

    def files(self, paths: Sequence[str | Path], shape: tuple[int, ...] | None, num_channels: int) -> "SignalSet":
        from sparsine.signals.sources.audio import open_audio_files

        return open_audio_files(paths, self.rate, shape, num_channels)


def snr_db(original: Values, fitted: Values) -> float | None:
    """10 log10(power of the signal / power of the error), over all channels; None for silence."""
    signal = float(np.square(original, dtype=np.float64).sum())
    error = float(np.square(original.astype(np.float64) - fitted).sum())
    if signal == 0 or not np.isfinite(error):
        return None
    return inf if error == 0 else 10 * log10(signal / error)


def spectrogram(
    samples: Float[np.ndarray, " samples"], rows: int = SPECTROGRAM_ROWS, columns: int = CURVE_COLUMNS
) -> Picture:
    """Power in decibels beside a full-scale sine, from -80 (black) to 0, low frequencies below."""
    window = 2 * rows
    hann = np.hanning(window + 1)[:-1]
    padded = np.pad(samples.astype(np.float64), window // 2)
    starts = np.linspace(0, len(padded) - window, columns).round().astype(int)
    frames = np.stack([padded[start : start + window] for start in starts]) * hann
    power = np.square(np.abs(np.fft.rfft(frames, axis=1))[:, :rows] / (hann.sum() / 2))
    level = 1.0 - 10 * np.log10(np.maximum(power, 1e-12)) / FAINTEST_DB
    return heat(np.clip(level, 0.0, 1.0).T[::-1])


KINDS[Audio.name] = Audio
