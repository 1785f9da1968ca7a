"""The folder of a learning run, and what is measured and kept on the way.

config.json          the complete configuration
data.json            which signals it learns from, by name and content
changes.json         step sizes that were lowered on the way, if any were
loaded.json          files of one's own that were loaded, and packages, if any were
metrics.jsonl        training and validation, one object a line
tensorboard/         the same as TensorBoard events
starts/              round-00.safetensors, round-01.safetensors, ...
checkpoint.safetensors
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import torch

from sparsine.checks import check_memory
from sparsine.engines.choose import make_engine
from sparsine.engines.contract import Engine
from sparsine.environment import environment
from sparsine.errors import BadInput, WorkFailed
from sparsine.fields.pattern import Pattern
from sparsine.fitting.plan_search import Trial, find_plans, plans_like
from sparsine.folders import locked
from sparsine.lazy import cached_property
from sparsine.meta.changes import Difference, keep_changes, read_changes
from sparsine.meta.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from sparsine.meta.config import LearnConfig
from sparsine.meta.cost import Course, course_of
from sparsine.meta.maml import Samples, inner_step
from sparsine.meta.outer import LearnState, NotFinite
from sparsine.meta.rank_agreement import Beginning, check_ranks, notes_on_shares, tell_beginning
from sparsine.meta.ranks import ALONE, Ranks
from sparsine.meta.run_data import Pinned, pinned_to_learn, write_run_data
from sparsine.meta.run_folder import (
    CHECKPOINT_FILE,
    check_channels,
    check_dataset,
    check_folder,
    has_begun,
    start_name,
    start_path,
    starts_of,
)
from sparsine.meta.run_log import RunLog
from sparsine.meta.tasks import MOST_POINTS, TaskSampler
from sparsine.meta.usual_loss import UsualLoss
from sparsine.optim import AdamState
from sparsine.plugins import recorded, write_loaded
from sparsine.pruning.contract import memory_of
from sparsine.psnr import psnr_db
from sparsine.signals.dataset import Dataset
from sparsine.signals.domain import Domain
from sparsine.signals.manifest import Manifest, OnLook, take
from sparsine.starts.start import Start, load_start, save_start
from sparsine.storage import remove_leftovers, write_json
from sparsine.usage import Stopwatch, Usage


@contextmanager
def open_run(
    config: LearnConfig,
    folder: Path | str,
    dataset: Dataset,
    *,
    resume: bool = False,
    given_start: Start | None = None,
    manifest: Manifest | None = None,
    on_look: OnLook | None = None,
    on_step: Callable[[LearnState, float], None] | None = None,
    on_pruning: Callable[[LearnState, int, int], None] | None = None,
    on_trial: Trial | None = None,
    ranks: Ranks = ALONE,
) -> Iterator["Run"]:
    """Hold `folder` for a run; with `resume`, go on with the one that is there, if one is: on the signals that it began
    with and no others, and on its last checkpoint. Step sizes may be smaller than they were; nothing else may differ.

    Args:
        given_start: the start to begin from where `config.outer.start_from` names it by its digest (`start_name`)
            instead of by a file.
        manifest: what `dataset` holds, where that is known; without, every signal is looked at.
        on_look: told how many signals were looked at, and of how many.
        on_step: told the state after each outer step, and the outer loss.
        on_trial: told how well fits went, while it is looked for how to fit.
        on_pruning: told, by scores that take long, (the state that is pruned, how much is done, of how much).
        ranks: whose first one this is; the others follow (follower.py), and have agreed before anything is written.

    Raises:
        BadInput: the folder holds another run, or other files, or another process writes to it; its run learned from
            other signals, or began with another start; or `given_start` is not the one that the configuration names.
    """
    folder = Path(folder)
    check_dataset(config, dataset)
    _check_named(config, given_start)
    lowered = check_folder(config, folder, resume, lower=True)
    start = given_start if given_start or not config.outer.start_from else load_start(Path(config.outer.start_from))
    begun = has_begun(folder)
    pinned = pinned_to_learn(folder, dataset, start, begun=begun, manifest=manifest, on_look=on_look)
    # before anything is written: it refuses what cannot be run
    run = Run(config, folder, pinned, on_step, start, on_pruning, on_trial, ranks)
    with locked(folder):
        if check_folder(config, folder, resume, lower=True) != lowered or begun != has_begun(folder):
            raise BadInput(f"another process wrote to {folder} just now; try again")
        run.tell_ranks()
        run.prepare(lowered)
        try:
            yield run
        finally:
            run.close()


def _check_named(config: LearnConfig, given_start: Start | None) -> None:
    if given_start is not None and config.outer.start_from != start_name(given_start):
        raise BadInput(
            f"start_from is {config.outer.start_from!r} but the start given is {start_name(given_start)}; "
            "name it by start_name(start)"
        )


NOTHING_DB = 0.05
"""A loss of PSNR that is not worth a word."""


class _Moment(NamedTuple):
    """A state, and how much of metrics.jsonl belongs to it."""

    state: LearnState
    metrics_bytes: int


class Run:
    """Answers what the loop asks: where to begin, what to draw from, what to keep."""

    def __init__(
        self,
        config: LearnConfig,
        folder: Path,
        pinned: Pinned,
        on_step: Callable[[LearnState, float], None] | None,
        given_start: Start | None = None,
        on_pruning: Callable[[LearnState, int, int], None] | None = None,
        on_trial: Trial | None = None,
        ranks: Ranks = ALONE,
    ):
        self.ranks = ranks
        check_ranks(config, ranks.count)
        self.config, self.folder, self.dataset, self.data = config, folder, pinned.dataset, pinned.data
        self._notes = list(pinned.notes)
        self.given_start, dataset = given_start, pinned.dataset
        self.domain = (
            self.given_start.domain.resized(dataset.shape) if self.given_start else config.grid.domain(dataset.domain)
        )
        self._check_given_start()
        self._check_memory()
        make_engine(self.first_pattern, config.engine, device=config.device)  # refuses a wrong name or device at once
        self.sampler = sampler_of(config, dataset, self.domain, ranks)
        self._on_step, self._on_pruning, self._on_trial = on_step, on_pruning, on_trial
        self._validation = self._load_validation()
        self._engine: Engine | None = None
        self._state: LearnState | None = None
        self._saved_step = -1
        self._usual = UsualLoss()
        self._usage, self._clock = Usage(), Stopwatch()
        self._checkpoint_time = time.monotonic()
        self._log: RunLog | None = None
        self._began_db: list[float] = []
        self._ended_db: list[float] = []
        self._good: _Moment | None = None
        self._last: _Moment | None = None

    def tell_ranks(self) -> None:
        """Let the other ranks know what is learned, and from where; wait until all say that they can.

        Raises:
            RankLost: one of them cannot.
        """
        if self.ranks.count > 1:
            state = self.checkpoint.state if self.checkpoint else self._random_state()
            manifest = self.data.manifest if self.data else take(self.dataset)
            survivors, finished = self.survivors, bool(self.finished)
            tell_beginning(self.ranks, Beginning(self.config, self.domain, manifest, survivors, state, finished))
            self._notes += notes_on_shares(self.config, self.ranks.count)

    def prepare(self, lowered: list[Difference]) -> None:
        """Bring the folder to where learning can begin or go on. A finished run is left as it is."""
        for place in (self.folder, self.folder / "starts"):
            remove_leftovers(place)
        if self.checkpoint:
            self._look_at_starts(self.checkpoint.state)
        elif starts_of(self.folder):
            self._notes.append(f"{self.folder} has starts but no {CHECKPOINT_FILE} to go on from: it learns from the "
                               "beginning, and writes them again")  # fmt: skip
        if self.finished:
            if lowered:
                raise BadInput(f"the run in {self.folder} is finished; learn with smaller steps in another folder")
            return
        if lowered:
            state = self.checkpoint.state if self.checkpoint else None
            keep_changes(self.folder, state.step if state else 0, state.round if state else 0, lowered)
        write_json(self.folder / "config.json", self.config.to_dict())
        write_loaded(self.folder)
        if self.data:
            write_run_data(self.folder, self.data)

    @cached_property
    def finished(self) -> Start | None:
        """The last start, where all rounds were learned before."""
        if self.checkpoint is None:
            return None
        state, path = self.checkpoint.state, start_path(self.folder, len(self.survivors))
        if state.round < len(self.survivors) or state.round_step < self.num_steps(state.round):
            return None
        with suppress(BadInput):  # it is written again
            start = load_start(path)
            same = torch.equal(start.theta, state.theta.cpu()) and torch.equal(start.pattern.keep, state.pattern.keep)
            if same and bool(start.plans) == bool(self.config.plan.plan_signals):
                return start
        return None

    @cached_property
    def survivors(self) -> list[int]:
        """Weights after each pruning that the configuration asks for."""
        return self.config.pruning.survivors(self.first_pattern.num_weights, self.first_pattern.field.num_weights)

    def num_steps(self, round: int) -> int:
        """Outer steps in a round."""
        return self.config.outer.steps_of(round)

    @cached_property
    def first_pattern(self) -> Pattern:
        """The pattern that the run begins with: full, unless a given start says otherwise."""
        if self.given_start:
            return self.given_start.pattern
        return Pattern.full(self.config.field.field(self.domain.num_coords, self.dataset.num_channels))

    @cached_property
    def checkpoint(self) -> Checkpoint | None:
        """The one that was there when the folder was opened.

        Raises:
            BadInput: it is damaged, or of another run.
        """
        path = self.folder / CHECKPOINT_FILE
        if not path.exists():
            return None
        found = load_checkpoint(path, self.config.device)
        state, first = found.state, self.first_pattern
        pruned = state.pattern.field == first.field and not (state.pattern.keep & ~first.keep).any()
        if not pruned or state.round > len(self.survivors) or state.round_step > self.num_steps(state.round):
            raise BadInput(f"{path} is not of this run: its field, pattern or round is another; restore it from a copy")
        return found

    def begin(self) -> LearnState:
        """Where it goes on, or a state of which nothing is learned."""
        return self.resumed() or self.first_state()

    def first_state(self) -> LearnState:
        """A random dense start, or the one that the configuration names."""
        self._log = RunLog(self.folder, 0, 0)
        self._clock = Stopwatch()
        return self._random_state()

    def _random_state(self) -> LearnState:
        pattern = self.first_pattern
        theta = self.given_start.theta if self.given_start else pattern.field.initial_theta(self.config.seed)
        theta = theta.to(self.config.device)
        return LearnState(pattern, theta, AdamState.zeros_like(theta))

    def resumed(self) -> LearnState | None:
        """The state of the last checkpoint, if there is one."""
        found = self.checkpoint
        if found is None:
            return None
        self._usage, self._saved_step, self._usual = found.usage, found.state.step, found.usual
        self._began_db = found.round_began_db
        self.sampler.unreadable.update(found.unreadable)
        self._log = RunLog(self.folder, found.metrics_bytes, found.state.step)
        self._notes += [self._log.lost] if self._log.lost else []
        self._state, self._clock = found.state, Stopwatch()
        return found.state

    @contextmanager
    def watching(self, engine: Engine, state: LearnState) -> Iterator[None]:
        """Whatever ends the round early, the last good state is kept first."""
        assert self._log is not None
        self._engine, self._last = engine, _Moment(state, self._log.num_bytes)
        if state.round_step == 0:
            self._usual, self._began_db, self._ended_db = UsualLoss(), self._adapted_db(state)[-1:], []
        try:
            yield
        except NotFinite as error:
            raise self._back_to_good(error) from error
        except BaseException:
            if self._state is not None and self._state.step > self._saved_step:
                with suppress(WorkFailed):
                    self._checkpoint(self._state)
            raise

    def after_step(self, state: LearnState, loss: float) -> None:
        """Log, look at validation signals, checkpoint: each at its own pace."""
        assert self._log is not None
        if self._usual.sees(loss):  # it is that of the state before the step
            self._good = self._last
        self._state = state
        watch, step = self.config.watch, state.step
        if step % watch.log_every == 0 or state.round_step == 1:
            self._write(state, loss=loss, psnr_db=psnr_db(loss, self.dataset.kind.peak))
        if step % watch.val_every == 0:
            self._validate(state)
        self._last = _Moment(state, self._log.num_bytes)
        if time.monotonic() - self._checkpoint_time >= watch.checkpoint_seconds:
            self._checkpoint(state)
        if self._on_step:
            self._on_step(state, loss)

    def while_pruning(self, state: LearnState, done: int, of: int) -> None:
        """A score says how far it is."""
        if self._on_pruning:
            self._on_pruning(state, done, of)

    @cached_property
    def course(self) -> Course:
        """What each round costs."""
        first = self.first_pattern
        return course_of(self.config, first.field, [first.num_weights, *self.survivors], self.domain.num_points)

    def end_round(self, state: LearnState) -> Start:
        """Keep the round's start. The checkpoint comes first: after a kill in here, all of this is done again."""
        self._checkpoint(state)
        if state.step % self.config.watch.val_every or state.round_step == 0:
            self._validate(state)
        self._compare_with_beginning(state)
        info = {
            "data": self.dataset.spec, "description": self.dataset.description,
            "signals": self.data.manifest.summary.to_dict() if self.data else None,
            "recipe": self.config.recipe, "config": self.config.to_dict(), "changes": read_changes(self.folder),
            "round": state.round, "steps": state.step,
            "learn_seconds": round(self._usage.seconds, 3), "usage": self._usage.to_dict(),
            "unreadable": self.unreadable, "environment": environment(), **recorded(),
            **({"ranks": self.ranks.count} if self.ranks.count > 1 else {}),
        }  # fmt: skip
        start = Start(state.pattern, state.theta.cpu(), self.domain, info, kind=self.dataset.kind)
        save_start(start_path(self.folder, state.round), start)
        return start

    def with_plans(self, last: Start) -> Start:
        """The last start, when it was found how signals are best fitted from it; earlier ones are told what that says
        of them. After a kill in here, the search begins again."""
        if not self.config.plan.plan_signals:
            return last
        plans = find_plans(last, self.dataset.split("val"), self.config.plan, engine=self.config.engine,
                           device=self.config.device, on_trial=self._on_trial)  # fmt: skip
        for round in range(len(self.survivors)):  # the last one is the last to be written
            with suppress(BadInput):  # lost, as was said
                start = load_start(start_path(self.folder, round))
                like = plans_like(plans, last.pattern.num_weights, start.pattern.num_weights)
                save_start(start_path(self.folder, round), replace(start, plans=like))
        planned = replace(last, plans=plans)
        save_start(start_path(self.folder, len(self.survivors)), planned)
        return planned

    def take_notes(self) -> list[str]:
        """What is not as it should be and does not hinder, a sentence each; each is handed out once."""
        taken, self._notes = self._notes, []
        return taken

    def close(self) -> None:
        if self._log is not None:
            self._log.close()

    @property
    def unreadable(self) -> dict[str, str]:
        """Signals that could not be used so far, with the reason."""
        return {**self.sampler.unreadable, **self.ranks.told()}

    def _look_at_starts(self, state: LearnState) -> None:
        """Earlier starts cannot be made again by going on."""
        for round in range(state.round):
            path = start_path(self.folder, round)
            try:
                pattern = load_start(path).pattern
                sound = pattern.field == state.pattern.field and not (state.pattern.keep & ~pattern.keep).any()
                reason = "" if sound else f"{path} is of another run"
            except BadInput as error:
                reason = str(error)
            if reason:
                self._notes.append(f"the start of round {round} is lost, and going on does not make it again: {reason}")

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
            self._checkpoint(good.state, good.metrics_bytes)
        step = good.state.step
        return NotFinite(f"{error}; the checkpoint is that of outer step {step}, the last good one", error.loss, step)

    def _check_given_start(self) -> None:
        if self.given_start:
            check_channels(self.given_start, self.dataset, self.config.outer.start_from)

    def _check_memory(self) -> None:
        """A rough floor of what the run will hold: vectors of a step, and the values of its signals."""
        config = self.config
        field = self.given_start.field if self.given_start else config.field.field(self.domain.num_coords, 1)
        params, values = field.num_weights + field.num_biases, self._points_held() * field.out_features
        signals = max(config.outer.tasks_per_step, config.watch.val_signals)
        check_memory("this run", 4 * (10 * params + 3 * signals * values),
                     "lower --width, --hidden-layers, --tasks-per-step, --val-signals or --resolution")  # fmt: skip
        pruning = config.pruning
        asked = "".join(f", --score.{name.replace('_', '-')}" for name in pruning.score_options)
        check_memory(f"pruning by {pruning.score}", 40 * params + memory_of(pruning.make_score(), params, values),
                     f"lower --width, --hidden-layers or --resolution, or what the score asks for{asked}")  # fmt: skip

    def _points_held(self) -> int:
        """Of a signal: all of it, or of a huge one what steps see and validation looks at."""
        whole, seen = self.domain.num_points, self.config.inner.points_of(self.domain.num_points)
        return whole if seen is None or whole <= MOST_POINTS else min(whole, max(MOST_POINTS, 2 * seen))

    def _load_validation(self) -> Samples | None:
        if self.config.watch.val_signals and not len(self.dataset.val):
            raise BadInput(
                f"{self.dataset.spec} has no signal in its val split ({self.dataset.counts}); add some, or say "
                "--val-signals 0 to learn without looking at any"
            )
        return self.sampler.held_out(self.dataset.val, self.config.watch.val_signals)

    def _validate(self, state: LearnState) -> None:
        """Log how well validation signals are met."""
        if curve := self._adapted_db(state):
            self._ended_db = curve[-1:]
            self._write(state, val_psnr_db=curve)

    def _adapted_db(self, state: LearnState) -> list[float]:
        """PSNR of validation signals after 0, 1, ..., K inner steps on all samples (of huge signals on some); nothing
        where there are none."""
        if self._validation is None or self._engine is None:
            return []
        inner, samples, peak = self.config.inner, self._validation, self.dataset.kind.peak
        theta = state.theta.expand(len(samples.values), -1)
        curve = []
        for step in range(min(inner.inner_steps, 10) + 1):
            loss = self._engine.loss(theta, samples.coords, samples.values, samples.weights)
            curve.append(sum(psnr_db(x, peak) for x in loss.tolist()) / len(loss))
            if step < inner.inner_steps:
                theta = inner_step(self._engine, theta, samples, inner.inner_step_size)
        return curve

    def _compare_with_beginning(self, state: LearnState) -> None:
        """Learning that made the start worse is not passed over in silence."""
        inner, outer = self.config.inner.inner_step_size, self.config.outer.outer_step_size
        for began, ended in zip(self._began_db, self._ended_db, strict=False):
            if ended < began - NOTHING_DB:
                self._notes.append(
                    f"the loss of round {state.round} ended above where it began: from {began:.2f} dB on validation "
                    f"signals to {ended:.2f} dB; lower --outer-step-size (now {outer:g}) or --inner-step-size "
                    f"(now {inner:g}), or take more steps"
                )

    def _write(self, state: LearnState, **numbers: Any) -> None:
        assert self._log is not None
        self._tick()
        about = {"round": state.round, "weights": state.pattern.num_weights, "seconds": round(self._usage.seconds, 3)}
        self._log.write(state.step, about, numbers)

    def _checkpoint(self, state: LearnState, metrics_bytes: int | None = None) -> None:
        assert self._log is not None
        self._tick()
        self._log.flush()
        size = self._log.num_bytes if metrics_bytes is None else metrics_bytes
        unreadable, usual = self.unreadable, replace(self._usual)
        checkpoint = Checkpoint(state, self._usage, size, unreadable, usual, self._began_db)
        save_checkpoint(self.folder / CHECKPOINT_FILE, checkpoint)
        self._checkpoint_time, self._saved_step = time.monotonic(), state.step

    def _tick(self) -> None:
        self._usage, self._clock = self._usage + self._clock.usage(), Stopwatch()


def sampler_of(config: LearnConfig, dataset: Dataset, domain: Domain, ranks: Ranks = ALONE) -> TaskSampler:
    """What a run with samples on `domain` draws training signals from."""
    return TaskSampler(
        dataset.split("train"), domain, config.inner, tasks_per_step=config.outer.tasks_per_step, seed=config.seed,
        device=torch.device(config.device), kind=dataset.kind, ranks=ranks,
    )  # fmt: skip
