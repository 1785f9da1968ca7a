"""HOW FAST: the engines beside plain PyTorch, in one process. Only the command line imports it."""

from sparsine.benchmarks.config import BenchmarkConfig as BenchmarkConfig
from sparsine.benchmarks.run import run_benchmark as run_benchmark
