"""How signals become codes, and how a start is calibrated for them."""

import dataclasses
from dataclasses import dataclass, replace
from typing import Annotated

from sparsine.checks import Named, check_range
from sparsine.errors import BadInput
from sparsine.fitting.config import MOST_STEPS, FitConfig
from sparsine.starts.plan import Plans

DEFAULT_QUALITY = 80
FIT_STEPS = 9
"""Of a fit, to one rounded step."""
BEARABLE_LOSS_DB = 0.05
"""Just above what calibration allows the default quality."""


@dataclass(frozen=True, kw_only=True)
class EncodeConfig:
    """Defaults: the start's own way to be fitted, and steps that cost a few hundredths of a decibel."""

    fit: FitConfig = dataclasses.field(default_factory=lambda: FitConfig(report=()))
    """How each signal is fitted before it is coded."""
    quality: int = DEFAULT_QUALITY
    """0 (smallest) to 100 (most faithful). Steps are 2**((80 - quality) / 16) times those of the start, so 16 more
    halve them; at 80 they are those that calibration chose, at 0 they are 32 times as large."""
    target_psnr_db: float | None = None
    """The coarsest steps whose drawing reaches this PSNR, for each signal; takes the place of `quality`."""
    target_bytes: int | None = None
    """The finest steps whose code has at most so many bytes, for each signal; takes the place of `quality`."""
    rounded_steps: int | None = None
    """Steps after the fit that see the rounded vector (straight-through), so that they make up for the rounding; kept
    where they do. None: a ninth of the fit's, for signals that lose more than 0.05 dB by it."""

    def __post_init__(self) -> None:
        check_range("quality", self.quality, 0, 100)
        if self.target_psnr_db is not None:
            check_range("target_psnr_db", self.target_psnr_db, -100.0, 200.0)
        if self.target_bytes is not None:
            check_range("target_bytes", self.target_bytes, 1, 2**40)
        if self.rounded_steps is not None:
            check_range("rounded_steps", self.rounded_steps, 0, MOST_STEPS)
        if self.target_psnr_db is not None and self.target_bytes is not None:
            raise BadInput("both a target PSNR and a target size were given; one follows from the other, so give one")

    def by(self, plans: Plans) -> "EncodeConfig":
        """With what the fit leaves open said by the plans of a start.

        Raises:
            BadInput: as `FitConfig.by`.
        """
        return replace(self, fit=self.fit.by(plans))

    @property
    def num_rounded_steps(self) -> int:
        """At most, for a signal."""
        return -(-self.fit.num_steps // FIT_STEPS) if self.rounded_steps is None else self.rounded_steps

    @property
    def bearable_loss_db(self) -> float:
        """What rounding may cost a signal before rounded steps are taken."""
        return BEARABLE_LOSS_DB if self.rounded_steps is None else 0.0

    @property
    def step_shift(self) -> int:
        """Sixteenths of an octave by which `quality` moves the start's steps."""
        return DEFAULT_QUALITY - self.quality


@dataclass(frozen=True, kw_only=True)
class CalibrationConfig:
    """How a start is calibrated."""

    fit: FitConfig = dataclasses.field(default_factory=lambda: EncodeConfig().fit)
    """How signals are fitted: as they will be when they are encoded."""
    signals: Annotated[int, Named("limit", "signals")] = 32
    """Only so many signals, from the front."""
    loss_db: float = 0.04
    """Mean PSNR that the default quality may cost beside the fit before rounding."""
    draws: int = 8
    """Random gradients of each signal from which the sensitivities are estimated."""
    seed: int = 0
    """Of those gradients."""

    def __post_init__(self) -> None:
        check_range("signals", self.signals, 2, 100_000)
        check_range("loss_db", self.loss_db, 1e-6, 10.0)
        check_range("draws", self.draws, 1, 10_000)
        check_range("seed", self.seed, 0, 2**32 - 1)
