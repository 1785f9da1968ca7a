"""What a run says of its way: metrics.jsonl, and the same as TensorBoard events."""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from sparsine.errors import WorkFailed
from sparsine.meta.metrics import open_metrics
from sparsine.storage import json_value


class RunLog:
    """Both logs of the run in `folder`, cut back to the moment where it goes on.

    Args:
        metrics_bytes: of metrics.jsonl that are kept; lines after them will be written again.
        step: outer steps that were taken.

    Raises:
        BadInput: something that is no regular file is in the place of metrics.jsonl.
        WorkFailed: the system refused.
    """

    def __init__(self, folder: Path, metrics_bytes: int, step: int) -> None:
        from torch.utils.tensorboard import SummaryWriter  # slow to import

        self.folder = folder
        self._metrics, self.lost = open_metrics(folder, metrics_bytes)
        try:
            self._events = SummaryWriter(str(folder / "tensorboard"), purge_step=step + 1 if step else None)
        except OSError as error:
            self._metrics.close()
            raise WorkFailed(f"cannot write in {folder}: {error.strerror or error}") from error

    @property
    def num_bytes(self) -> int:
        """Of metrics.jsonl so far."""
        return os.fstat(self._metrics.fileno()).st_size

    def write(self, step: int, about: dict[str, Any], numbers: dict[str, Any]) -> None:
        """A line. Raises WorkFailed when the system refuses."""
        try:
            self._metrics.write(json.dumps(json_value({"step": step, **about, **numbers})) + "\n")
            self._metrics.flush()
            for name, value in numbers.items():
                self._events.add_scalar(name, value[-1] if isinstance(value, list) else value, step)
            self._events.add_scalar("weights", about["weights"], step)
        except OSError as error:
            raise WorkFailed(
                f"cannot write {self.folder / 'metrics.jsonl'}: {error.strerror or error}; free some space and "
                "go on with --resume"
            ) from error

    def flush(self) -> None:
        with suppress(OSError):
            self._events.flush()

    def close(self) -> None:
        for log in (self._metrics, self._events):
            log.close()
