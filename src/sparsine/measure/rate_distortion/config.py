"""What is measured: codecs and their settings."""

import dataclasses
from dataclasses import dataclass

from sparsine.checks import check_range
from sparsine.codec.config import EncodeConfig
from sparsine.errors import BadInput
from sparsine.fitting.fit import FitConfig

RANGES = {
    "qualities": (0, 100), "jpeg": (1, 100), "webp": (0, 100), "avif": (0, 100), "jpeg_xl": (1, 99),
    "coin_widths": (1, 4_096), "coin_steps": (1, 10**7),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class RateDistortionConfig:
    """Every codec at several settings. An empty list leaves a codec out."""

    fit: FitConfig = dataclasses.field(default_factory=lambda: FitConfig(report=()))
    """How signals are fitted from a start."""
    qualities: tuple[int, ...] = (32, 48, 64, 80, 96)
    """Qualities of our codes, 0 to 100."""
    rounded_steps: int | None = None
    """Steps after the fit that see the rounded vector, as `EncodeConfig` has them."""
    jpeg: tuple[int, ...] = (5, 10, 15, 20, 30, 40, 50, 60, 70, 80, 90)
    """Qualities of JPEG."""
    webp: tuple[int, ...] = (0, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90)
    """Qualities of WebP."""
    avif: tuple[int, ...] = (10, 20, 30, 40, 50, 60, 70, 80, 90)
    """Qualities of AVIF, if Pillow was built with it."""
    jpeg_xl: tuple[int, ...] = (10, 20, 30, 40, 50, 60, 70, 80, 90)
    """Qualities of JPEG XL, if the extra `codecs` is installed."""
    coin_widths: tuple[int, ...] = (14, 20, 28, 38)
    """Neurons in the hidden layers of dense fields that are fitted from random numbers and stored as float16, after
    COIN (Dupont et al., 2021)."""
    coin_steps: tuple[int, ...] = (100, 1_000)
    """Adam steps of these fields. COIN's code takes ten thousand."""
    coin_depth: int = 4
    """Their hidden layers."""
    coin_omega_0: float = 50.0
    """Frequency of their sines."""
    coin_lr: float = 1e-3
    """Step size of their Adam. With this and omega_0 = 50 narrow fields from random numbers get furthest in 100 steps
    (docs/comparisons/starved.md); COIN has 2e-4 and 30."""
    spending_signals: int = 8
    """Signals on which the bits are told apart by layer."""
    seed: int = 0
    """Of the random numbers that dense fields begin from."""

    def __post_init__(self) -> None:
        for name, (low, high) in RANGES.items():
            given = getattr(self, name)
            for value in given:
                check_range(name, value, low, high)
            if list(given) != sorted(set(given)):
                raise BadInput(f"{name} is {given}, but each may be given once only, the smallest first")
        if not self.qualities:
            raise BadInput("qualities is empty, but our own codes need at least one")
        EncodeConfig(rounded_steps=self.rounded_steps)  # refuses a number that makes no sense
        check_range("coin_depth", self.coin_depth, 1, 64)
        check_range("coin_omega_0", self.coin_omega_0, 1e-6, 1e6)
        check_range("coin_lr", self.coin_lr, 1e-12, 1e3)
        check_range("spending_signals", self.spending_signals, 0, 10_000)
        check_range("seed", self.seed, 0, 2**32 - 1)
