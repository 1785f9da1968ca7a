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

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import torch

from sparsine.engines.choose import make_engine
from sparsine.engines.contract import Engine
from sparsine.environment import environment
from sparsine.errors import BadInput
from sparsine.fields.pattern import Pattern
from sparsine.fitting.plan_search import Trial
from sparsine.folders import locked
from sparsine.lazy import cached_property
from sparsine.meta.changes import Difference, keep_changes, read_changes
from sparsine.meta.checkpoint import Checkpoint, load_checkpoint
from sparsine.meta.config import LearnConfig
from sparsine.meta.cost import Course, check_room, course_of
from sparsine.meta.keeper import Keeper
from sparsine.meta.outer import LearnState
from sparsine.meta.rank_agreement import Beginning, check_ranks, notes_on_shares, tell_beginning
from sparsine.meta.ranks import ALONE, Ranks, more_threads
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
from sparsine.meta.run_starts import lost_starts, plan_starts
from sparsine.meta.tasks import sampler_of
from sparsine.meta.validation import Validation, notes_on_round
from sparsine.optim import AdamState
from sparsine.plugins import recorded, write_loaded
from sparsine.signals.dataset import Dataset
from sparsine.signals.manifest import Manifest, OnLook, take
from sparsine.starts.start import Start, load_start, save_start
from sparsine.storage import remove_leftovers, write_json


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
        on_look: called with how many signals were looked at, and of how many.
        on_step: called with the state after each outer step, and the outer loss.
        on_trial: called with how well fits went, while it is looked for how to fit.
        on_pruning: called, by scores that take long, with (the state that is pruned, how much is done, of how much).
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
        self.given_start, dataset = given_start, pinned.dataset
        self.domain = (
            self.given_start.domain.resized(dataset.shape) if self.given_start else config.grid.domain(dataset.domain)
        )
        self._check_given_start()
        check_room(config, self.given_start.field if self.given_start else None, self.domain)
        make_engine(self.first_pattern, config.engine, device=config.device)  # refuses a wrong name or device at once
        self.sampler = sampler_of(config, dataset, self.domain, ranks)
        self._on_step, self._on_pruning, self._on_trial = on_step, on_pruning, on_trial
        self._validation = Validation(config, dataset, self.sampler)
        self.keeper = Keeper(folder, config.watch, self.sampler)
        self.keeper.notes += pinned.notes

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
            self.keeper.notes += notes_on_shares(self.config, self.ranks.count)

    def prepare(self, lowered: list[Difference]) -> None:
        """Bring the folder to where learning can begin or go on. A finished run is left as it is."""
        for place in (self.folder, self.folder / "starts"):
            remove_leftovers(place)
        if self.checkpoint:
            self.keeper.notes += lost_starts(self.folder, self.checkpoint.state)
        elif starts_of(self.folder):
            self.keeper.notes.append(
                f"{self.folder} has starts but no {CHECKPOINT_FILE} to go on from: it learns from the beginning, and "
                "writes them again"
            )
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
        if state.round < len(self.survivors) or state.round_step < self.config.outer.steps_of(state.round):
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
        if (
            not pruned
            or state.round > len(self.survivors)
            or state.round_step > self.config.outer.steps_of(state.round)
        ):
            raise BadInput(f"{path} is not of this run: its field, pattern or round is another; restore it from a copy")
        return found

    def begin(self) -> LearnState:
        """Where it goes on, or a state of which nothing is learned."""
        self.keeper.begin(self.checkpoint)
        return self.checkpoint.state if self.checkpoint else self._random_state()

    def _random_state(self) -> LearnState:
        """Dense and random, or the start that the configuration names."""
        pattern = self.first_pattern
        theta = self.given_start.theta if self.given_start else pattern.field.initial_theta(self.config.seed)
        theta = theta.to(self.config.device)
        return LearnState(pattern, theta, AdamState.zeros_like(theta))

    def watching(self, engine: Engine, state: LearnState) -> AbstractContextManager[None]:
        """Whatever ends the round early, the last good state is kept first."""
        return self.keeper.watching(state, lambda now: self._validation.adapted_db(engine, now.theta))

    def after_step(self, state: LearnState, loss: float) -> None:
        """Log, look at validation signals, checkpoint: each at its own pace."""
        self.keeper.after_step(state, loss)
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
        """Keep the round's start."""
        self.keeper.end_round(state)
        self.keeper.notes += notes_on_round(self.keeper, state, self.config)
        info = {
            "data": self.dataset.spec, "description": self.dataset.description,
            "signals": self.data.manifest.summary.to_dict() if self.data else None,
            "recipe": self.config.recipe, "config": self.config.to_dict(), "changes": read_changes(self.folder),
            "round": state.round, "steps": state.step,
            "learn_seconds": round(self.keeper.usage.seconds, 3), "usage": self.keeper.usage.to_dict(),
            "unreadable": self.unreadable, "environment": environment(), **recorded(),
            **({"ranks": self.ranks.count} if self.ranks.count > 1 else {}),
        }  # fmt: skip
        start = Start(state.pattern, state.theta.cpu(), self.domain, info, kind=self.dataset.kind)
        save_start(start_path(self.folder, state.round), start)
        return start

    def with_plans(self, last: Start) -> Start:
        """The last start, when it was found how signals are best fitted from it. After a kill in here, the search
        begins again."""
        with more_threads(self.ranks.on_this_machine):  # the other ranks have ended
            return plan_starts(self.folder, last, len(self.survivors), self.config, self.dataset, self._on_trial)

    def take_notes(self) -> list[str]:
        """What is not as it should be and does not hinder, a sentence each; each is handed out once."""
        taken, self.keeper.notes = self.keeper.notes, []
        return taken

    def close(self) -> None:
        self.keeper.close()

    @property
    def unreadable(self) -> dict[str, str]:
        """Signals that could not be used so far, with the reason."""
        return self.keeper.unreadable

    def _check_given_start(self) -> None:
        if self.given_start:
            check_channels(self.given_start, self.dataset, self.config.outer.start_from)
