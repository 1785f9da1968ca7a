"""Where learning stands, on disk: one file, replaced whole."""

from dataclasses import dataclass, field
from pathlib import Path

import torch

from sparsine.errors import BadInput
from sparsine.meta.learner import START, Form
from sparsine.meta.outer import LearnState
from sparsine.meta.usual_loss import UsualLoss
from sparsine.optim import AdamState
from sparsine.starts.start import vectors_bytes, vectors_in
from sparsine.storage import read_file, write_atomically
from sparsine.usage import Usage


@dataclass(frozen=True)
class Checkpoint:
    """A state, what it cost so far, and what belongs to it."""

    state: LearnState
    usage: Usage
    metrics_bytes: int
    """Of metrics.jsonl."""
    unreadable: dict[str, str] = field(default_factory=dict)
    """Signals that could not be used so far, with the reason."""
    usual: UsualLoss = field(default_factory=UsualLoss)
    """The losses of the round so far."""
    round_began_db: list[float] = field(default_factory=list)
    """PSNR of validation signals, adapted, when the round began; empty where none was measured."""


def save_checkpoint(path: Path, checkpoint: Checkpoint, form: Form = START) -> None:
    """Raises WorkFailed when the system refuses; the checkpoint before stays."""
    write_atomically(path, checkpoint_bytes(checkpoint, form))


def checkpoint_bytes(checkpoint: Checkpoint, form: Form = START) -> bytes:
    """What `save_checkpoint` writes."""
    state = checkpoint.state
    vectors = {form.vector: state.theta, "adam_mean": state.adam.mean, "adam_square": state.adam.square}
    about = {"adam_steps": state.adam.num_steps, "round": state.round, "round_step": state.round_step,
             "step": state.step, "seconds": checkpoint.usage.seconds,
             "cpu_seconds": checkpoint.usage.cpu_seconds, "peak_bytes": checkpoint.usage.peak_bytes,
             "metrics_bytes": checkpoint.metrics_bytes, "unreadable": checkpoint.unreadable,
             "usual_loss": [checkpoint.usual.mean, checkpoint.usual.lowest],
             "round_began_db": checkpoint.round_began_db}  # fmt: skip
    return vectors_bytes(vectors, state.pattern, about, form.format)


def load_checkpoint(path: Path, device: str, form: Form = START, size: int | None = None) -> Checkpoint:
    """`size`: of the vector, where it is not that of the pattern.

    Raises:
        BadInput: the file is missing, damaged or not such a checkpoint.
    """
    return checkpoint_in(read_file(path), path, device, form, size)


def checkpoint_in(data: bytes, path: Path, device: str, form: Form = START, size: int | None = None) -> Checkpoint:
    """What `load_checkpoint` reads, of bytes that are at hand; `path` is for errors."""
    vectors, pattern, about = vectors_in(data, path, form.format)
    if form != START:  # what is missing in the first checkpoints of modulations
        about = {"round": 0, "round_step": about.get("step"), "metrics_bytes": 0, **about}
    try:
        numbers = [int(about[name]) for name in ("adam_steps", "round", "round_step", "step", "metrics_bytes")]
        if min(numbers) < 0 or any(not torch.isfinite(vector).all() for vector in vectors.values()):
            raise ValueError("a number is negative or not finite")
        theta, mean, square = (vectors[name].to(device) for name in (form.vector, "adam_mean", "adam_square"))
        state = LearnState(pattern, theta, AdamState(mean, square, numbers[0]), *numbers[1:4])
        count = pattern.num_params if size is None else size
        if not theta.shape == mean.shape == square.shape == (count,):
            raise ValueError(f"its vectors do not have the {count} numbers of what is learned")
        # what has a default here is missing in the first checkpoints of this format
        usage = Usage(float(about["seconds"]), float(about.get("cpu_seconds", 0)), int(about.get("peak_bytes", 0)))
        unreadable = {str(name): str(reason) for name, reason in dict(about.get("unreadable", {})).items()}
        mean_log, lowest = about.get("usual_loss", [None, None])
        usual = UsualLoss() if mean_log is None else UsualLoss(float(mean_log), float(lowest))
        began_db = [float(value) for value in about.get("round_began_db", []) if value is not None]
        return Checkpoint(state, usage, numbers[4], unreadable, usual, began_db)
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise BadInput(
            f"{path} is not a whole checkpoint ({type(error).__name__}: {error}); restore it from a copy, or remove it "
            "to begin anew"
        ) from error
