"""What a piece of work cost: wall-clock seconds, CPU seconds, and the most memory that its process held."""

import resource
import sys
import time
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Usage:
    """Costs add up, memory peaks do not: the larger one stays."""

    seconds: float = 0.0
    """Wall-clock."""
    cpu_seconds: float = 0.0
    """Of all threads of the process, user and system."""
    peak_bytes: int = 0
    """Largest resident memory of the process since it began, Python and its libraries included."""

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.seconds + other.seconds,
            self.cpu_seconds + other.cpu_seconds,
            max(self.peak_bytes, other.peak_bytes),
        )

    def to_dict(self) -> dict[str, Any]:
        return {"seconds": round(self.seconds, 3), "cpu_seconds": round(self.cpu_seconds, 3),
                "peak_bytes": self.peak_bytes}  # fmt: skip


class Stopwatch:
    """Runs from the moment it is made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.monotonic(), time.process_time()

    def usage(self) -> Usage:
        """Spent so far."""
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        return Usage(time.monotonic() - self._wall, time.process_time() - self._cpu, peak)
