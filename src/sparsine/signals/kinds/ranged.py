"""What kinds share whose values are numbers of a quantity: a range and a unit, which the collection states."""

from dataclasses import dataclass
from math import isfinite, sqrt

import numpy as np

from sparsine.errors import BadInput
from sparsine.signals.kind import Kind, Metric, Values
from sparsine.signals.weights import mean_square


@dataclass(frozen=True, kw_only=True)
class Ranged(Kind):
    """Values from 0, `lowest`, to 1, `highest`. What is missing is left out of the loss and of every measure. PSNR is
    beside the range; errors in the unit stand beside it."""

    lowest: float = 0.0
    """In the unit."""
    highest: float = 1.0
    """In the unit."""
    unit: str = ""
    """As the CF conventions spell it, such as K."""
    quantity: str = "value"
    """The variable's name."""

    def __post_init__(self) -> None:
        if not (isfinite(self.lowest) and isfinite(self.highest) and self.lowest < self.highest):
            raise BadInput(f"the range of {self.quantity} is {self.lowest}:{self.highest}; give lowest:highest")

    @property
    def span(self) -> float:
        return self.highest - self.lowest

    @property
    def value_range(self) -> tuple[float, float]:
        return 0.0, 1.0

    @property
    def slack(self) -> float:
        """Signals that are new may be more extreme than those that the range was taken from."""
        return 1.0

    @property
    def missing(self) -> bool:
        return True

    @property
    def metrics(self) -> tuple[Metric, ...]:
        unit = f" ({self.unit})" * bool(self.unit)
        return (Metric("rmse", f"RMSE{unit}", self._rmse, better="lower", weighted=True),
                Metric("max_error", f"largest error{unit}", self._max_error, better="lower"))  # fmt: skip

    def from_unit(self, values: np.ndarray) -> np.ndarray:
        """Of numbers in the unit, float32."""
        return ((values - self.lowest) / self.span).astype(np.float32)

    def in_unit(self, values: np.ndarray) -> np.ndarray:
        return (self.lowest + self.span * values.astype(np.float64)).astype(np.float32)

    def _rmse(self, original: Values, fitted: Values, weights: np.ndarray | None = None) -> float:
        return self.span * sqrt(mean_square(original, fitted, weights))

    def _max_error(self, original: Values, fitted: Values) -> float:
        return self.span * float(np.nanmax(np.abs(original - fitted)))
