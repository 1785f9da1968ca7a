"""HOW FAST: the engines beside plain PyTorch, in one process. Only the command line imports it."""

from sparsine.measure.timing.config import BenchmarkConfig as BenchmarkConfig
from sparsine.measure.timing.run import run_benchmark as run_benchmark
