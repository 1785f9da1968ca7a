"""What the viewer holds and answers at most."""

from dataclasses import dataclass

from sparsine.checks import check_range

BYTES_PER_SAMPLE = 12
"""Of three channels."""


@dataclass(frozen=True, kw_only=True)
class ViewerConfig:
    """Defaults: a window on a 4K screen, a few hundred megabytes of memory."""

    max_points: int = 1 << 23
    """Pixels of one drawing; 3840 x 2160 is a little less."""
    max_edge: int = 8192
    """Rows or columns of one drawing."""
    max_waiting: int = 48
    """Requests that may wait for their turn; more are told to come again."""
    num_fields: int = 64
    """Decoded codes that are kept."""
    original_bytes: int = 256 << 20
    """Of original signals that are kept; at least as many as the largest has."""
    thumbnail_bytes: int = 64 << 20
    """Of thumbnails that are kept."""

    def __post_init__(self) -> None:
        check_range("max_points", self.max_points, 1, 1 << 28)
        check_range("max_edge", self.max_edge, 1, 1 << 15)
        check_range("max_waiting", self.max_waiting, 1, 10_000)
        check_range("num_fields", self.num_fields, 1, 10**6)
        check_range("original_bytes", self.original_bytes, BYTES_PER_SAMPLE * self.max_points, 1 << 40)
        check_range("thumbnail_bytes", self.thumbnail_bytes, 0, 1 << 40)
