"""Tells a loss as it comes with the noise of tasks from that of a start which is being lost."""

import math
from dataclasses import dataclass

MEMORY = 0.05
"""Weight of the newest loss in the running mean of logarithms."""
RISE = 10.0
"""Above the lowest mean of its round by this factor (10 dB), a loss is not usual."""


@dataclass
class UsualLoss:
    """Of one round. Decides no step of learning; only how far a run goes back after an overflow."""

    mean: float | None = None
    """Running mean of the logarithms of usual losses."""
    lowest: float | None = None
    """The smallest that the mean has been."""

    def sees(self, loss: float) -> bool:
        """Take notice of a loss; whether it is usual. The first one is, if it is finite."""
        if not math.isfinite(loss):
            return False
        value = math.log(max(loss, 1e-30))
        if self.mean is None or self.lowest is None:
            self.mean = self.lowest = value
        if value > self.lowest + math.log(RISE):
            return False
        self.mean += MEMORY * (value - self.mean)
        self.lowest = min(self.lowest, self.mean)
        return True
