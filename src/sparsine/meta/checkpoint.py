"""Where a run stands, on disk: one file, replaced whole."""

from dataclasses import dataclass
from pathlib import Path

from sparsine.errors import BadInput
from sparsine.meta.outer import LearnState
from sparsine.meta.start import read_vectors, write_vectors
from sparsine.optim import AdamState
from sparsine.usage import Usage

FORMAT = "sparsine-checkpoint"


@dataclass(frozen=True)
class Checkpoint:
    """A state, what it cost so far, and how much of metrics.jsonl belongs to it."""

    state: LearnState
    usage: Usage
    metrics_bytes: int


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Raises WorkFailed when the system refuses; the checkpoint before stays."""
    state = checkpoint.state
    vectors = {"theta": state.theta, "adam_mean": state.adam.mean, "adam_square": state.adam.square}
    about = {"adam_steps": state.adam.num_steps, "round": state.round, "round_step": state.round_step,
             "step": state.step, "seconds": checkpoint.usage.seconds,
             "cpu_seconds": checkpoint.usage.cpu_seconds, "peak_bytes": checkpoint.usage.peak_bytes,
             "metrics_bytes": checkpoint.metrics_bytes}  # fmt: skip
    write_vectors(path, vectors, state.pattern, about, FORMAT)


def load_checkpoint(path: Path, device: str) -> Checkpoint:
    """Raises BadInput when the file is missing, damaged or not a checkpoint."""
    vectors, pattern, about = read_vectors(path, FORMAT)
    try:
        theta, mean, square = (vectors[name].to(device) for name in ("theta", "adam_mean", "adam_square"))
        state = LearnState(
            pattern,
            theta,
            AdamState(mean, square, int(about["adam_steps"])),
            int(about["round"]),
            int(about["round_step"]),
            int(about["step"]),
        )
        # CPU seconds and memory are missing in the first checkpoints of this format
        usage = Usage(float(about["seconds"]), float(about.get("cpu_seconds", 0)), int(about.get("peak_bytes", 0)))
        return Checkpoint(state, usage, int(about["metrics_bytes"]))
    except KeyError as error:
        raise BadInput(f"{path} is not a whole checkpoint ({error} is missing); remove it to start anew") from error
