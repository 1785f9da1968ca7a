"""What is known of a drawing that is about to become a file, beside its values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sparsine.signals.domain import Domain


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """One drawing, whole or a part of a signal."""

    domain: Domain
    """Where its samples lie."""
    own: Domain
    """Where the signal has its own."""
    spacing: float
    """From one sample to the next in half extents of the whole signal."""
    scale: float
    """Samples drawn for one of the signal's own along the first axis."""
    suffix: str
    """Of the file."""
    about: Mapping[str, Any] = field(default_factory=dict)
    """What the signal's code keeps beside its numbers: see `SignalSet.about`."""
