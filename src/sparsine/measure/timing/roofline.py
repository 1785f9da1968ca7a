"""How fast this process could compute at best: the rate of one large float32 matrix product."""

import torch

from sparsine.measure.timing.timed import timed

# Large enough that reading the matrices does not count, small enough for a fraction of a second.
NUM_ROWS = 2048
TRIALS = 10


def peak_gflops(device: str = "cpu") -> float:
    """10^9 floating-point operations a second, two to a multiply-add; the best of several, with torch's threads."""
    a, b = torch.rand(2, NUM_ROWS, NUM_ROWS, generator=torch.Generator().manual_seed(0))
    a, b = a.to(device), b.to(device)
    out = torch.empty_like(a)
    return gflops(NUM_ROWS**3, min(timed(lambda: torch.mm(a, b, out=out)).seconds for _ in range(TRIALS)))


def gflops(multiply_adds: int, seconds: float) -> float:
    """10^9 floating-point operations a second."""
    return 2 * multiply_adds / seconds / 1e9
