"""What is kept while something is learned in a folder, whatever it is: logs, costs, checkpoints, the last good state.
Decides no bit of the result."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from sparsine.errors import WorkFailed
from sparsine.meta.checkpoint import Checkpoint, save_checkpoint
from sparsine.meta.config import WatchConfig
from sparsine.meta.learner import START, Form
from sparsine.meta.outer import LearnState, NotFinite
from sparsine.meta.run_folder import CHECKPOINT_FILE
from sparsine.meta.run_log import RunLog
from sparsine.meta.tasks import TaskSampler
from sparsine.meta.usual_loss import UsualLoss
from sparsine.psnr import psnr_db
from sparsine.usage import Stopwatch, Usage


class _Moment(NamedTuple):
    """A state, and how much of metrics.jsonl belongs to it."""

    state: LearnState
    metrics_bytes: int


class Keeper:
    """Keeps what is learned in `folder`, which its process holds. `begin` comes first, `close` last."""

    def __init__(self, folder: Path, watch: WatchConfig, sampler: TaskSampler, form: Form = START) -> None:
        self.folder, self.watch, self.sampler, self.form = folder, watch, sampler, form
        self.notes: list[str] = []
        """What is not as it should be and does not hinder, a sentence each."""
        self.usage = Usage()
        self.began_db: list[float] = []
        self.ended_db: list[float] = []
        """What `score` found at the beginning of the round, and last; empty where it finds nothing."""
        self._score: Callable[[LearnState], list[float]] = _nothing
        self._state: LearnState | None = None
        self.saved_step = -1
        """Outer steps of the last checkpoint."""
        self._usual = UsualLoss()
        self._clock = Stopwatch()
        self._checkpoint_time = time.monotonic()
        self._opened: RunLog | None = None
        self._good: _Moment | None = None
        self._last: _Moment | None = None

    def begin(self, found: Checkpoint | None) -> None:
        """Open the logs, where `found` ends or at the beginning, and start the clock.

        Raises:
            BadInput: something that is no regular file is in the place of metrics.jsonl.
            WorkFailed: the system refused.
        """
        if found is not None:
            self.usage, self.saved_step, self._usual = found.usage, found.state.step, found.usual
            self.began_db, self._state = found.round_began_db, found.state
            self.sampler.unreadable.update(found.unreadable)
        self._opened = RunLog(self.folder, *((found.metrics_bytes, found.state.step) if found else (0, 0)))
        self.notes += [self._opened.lost] if self._opened.lost else []
        self._clock = Stopwatch()

    @contextmanager
    def watching(self, state: LearnState, score: Callable[[LearnState], list[float]] | None = None) -> Iterator[None]:
        """Whatever ends the round early, the last good state is kept first. `score`: how well held-out signals are met,
        in dB after each inner step."""
        self._score, self._last = score or _nothing, _Moment(state, self._log.num_bytes)
        if state.round_step == 0:
            self._usual, self.began_db, self.ended_db = UsualLoss(), self._score(state)[-1:], []
        try:
            yield
        except NotFinite as error:
            raise self._back_to_good(error) from error
        except BaseException:
            if self._state is not None and self._state.step > self.saved_step:
                with suppress(WorkFailed):
                    self.checkpoint(self._state)
            raise

    def after_step(self, state: LearnState, loss: float) -> None:
        """Log, look at held-out signals, checkpoint: each at its own pace."""
        if self._usual.sees(loss):  # it is that of the state before the step
            self._good = self._last
        self._state = state
        if state.step % self.watch.log_every == 0 or state.round_step == 1:
            self._write(state, loss=loss, psnr_db=psnr_db(loss, self.sampler.kind.peak))
        if state.step % self.watch.val_every == 0:
            self.validate(state)
        self._last = _Moment(state, self._log.num_bytes)
        if time.monotonic() - self._checkpoint_time >= self.watch.checkpoint_seconds:
            self.checkpoint(state)

    def end_round(self, state: LearnState) -> None:
        """The checkpoint comes first: after a kill in here, all of this is done again."""
        self.checkpoint(state)
        if state.step % self.watch.val_every or state.round_step == 0:
            self.validate(state)

    def validate(self, state: LearnState) -> None:
        """Log how well held-out signals are met."""
        if curve := self._score(state):
            self.ended_db = curve[-1:]
            self._write(state, val_psnr_db=curve)

    def checkpoint(self, state: LearnState, metrics_bytes: int | None = None) -> None:
        """Raises WorkFailed when the system refuses; the checkpoint before stays."""
        self._tick()
        self._log.flush()
        size = self._log.num_bytes if metrics_bytes is None else metrics_bytes
        checkpoint = Checkpoint(state, self.usage, size, self.unreadable, replace(self._usual), self.began_db)
        save_checkpoint(self.folder / CHECKPOINT_FILE, checkpoint, self.form)
        self._checkpoint_time, self.saved_step = time.monotonic(), state.step

    @property
    def unreadable(self) -> dict[str, str]:
        """Signals that could not be used so far, here or by another rank, with the reason."""
        return {**self.sampler.unreadable, **self.sampler.ranks.told()}

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()

    @property
    def _log(self) -> RunLog:
        assert self._opened is not None
        return self._opened

    def _back_to_good(self, error: NotFinite) -> NotFinite:
        """Keep the last state whose loss was usual; returns the error that says which it is."""
        good = self._last if self._usual.sees(error.loss) else self._good
        if good is None:
            return NotFinite(
                f"{error}; the checkpoint in {self.folder} was no better already: learn with smaller steps in another "
                "folder, from the last start in its starts/ if there is one",
                error.loss,
            )
        with suppress(WorkFailed):
            self.checkpoint(good.state, good.metrics_bytes)
        step = good.state.step
        return NotFinite(f"{error}; the checkpoint is that of outer step {step}, the last good one", error.loss, step)

    def _write(self, state: LearnState, **numbers: Any) -> None:
        self._tick()
        about = {"round": state.round, "weights": state.pattern.num_weights, "seconds": round(self.usage.seconds, 3)}
        self._log.write(state.step, about, numbers)

    def _tick(self) -> None:
        self.usage, self._clock = self.usage + self._clock.usage(), Stopwatch()


def _nothing(state: LearnState) -> list[float]:
    return []
