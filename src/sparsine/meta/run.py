"""The folder of a learning run, and what is measured and kept on the way.

config.json          the complete configuration
metrics.jsonl        training and validation, one object a line
tensorboard/         the same as TensorBoard events
starts/              round-00.safetensors, round-01.safetensors, ...
checkpoint.safetensors
"""

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from sparsine.checks import check_memory
from sparsine.counted import counted
from sparsine.engines.choose import make_engine
from sparsine.engines.contract import Engine
from sparsine.environment import environment
from sparsine.errors import BadInput, WorkFailed
from sparsine.fields.pattern import Pattern
from sparsine.folders import locked
from sparsine.meta.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from sparsine.meta.config import LearnConfig
from sparsine.meta.maml import Samples, inner_step
from sparsine.meta.outer import LearnState
from sparsine.meta.start import Start, load_start, save_start
from sparsine.meta.tasks import TaskSampler
from sparsine.optim import AdamState
from sparsine.psnr import psnr_db
from sparsine.signals.dataset import Dataset
from sparsine.storage import finite_or_none, read_json, remove_leftovers, write_json
from sparsine.usage import Stopwatch, Usage

_START_FILE = re.compile(r"round-([0-9]+)\.safetensors")


@contextmanager
def open_run(
    config: LearnConfig,
    folder: Path,
    dataset: Dataset,
    *,
    resume: bool = False,
    given_start: Start | None = None,
    on_step: Callable[[LearnState, float], None] | None = None,
) -> Iterator["Run"]:
    """Hold `folder` for a run; with `resume`, go on with the one that is there, if one is.

    Args:
        given_start: the start to begin from where `config.outer.start_from` names it by its digest (`start_name`)
            instead of by a file.

    Raises:
        BadInput: the folder holds another run, or other files, or another process writes to it; or `given_start` is
            not the one that the configuration names.
    """
    check_dataset(config, dataset)
    _check_named(config, given_start)
    check_folder(config, folder, resume)
    # before anything is written: it refuses what cannot be run
    run = Run(config, folder, dataset, on_step, given_start)
    with locked(folder):
        check_folder(config, folder, resume)  # again: another process may have been faster
        for place in (folder, folder / "starts"):
            remove_leftovers(place)
        write_json(folder / "config.json", config.to_dict())
        try:
            yield run
        finally:
            run.close()


def start_name(start: Start) -> str:
    """What `start_from` says of a start that is handed over, wherever its file lies: 'sha256:...'."""
    return f"sha256:{start.digest}"


def _check_named(config: LearnConfig, given_start: Start | None) -> None:
    if given_start is not None and config.outer.start_from != start_name(given_start):
        raise BadInput(
            f"start_from is {config.outer.start_from!r} but the start given is {start_name(given_start)}; "
            "name it by start_name(start)"
        )


def check_dataset(config: LearnConfig, dataset: Dataset) -> None:
    """What is written down must be what is learned from, or nobody can repeat the run."""
    wanted = tuple(config.grid.resolution or dataset.shape)
    if len(wanted) == 1:  # one number for all axes
        wanted *= len(dataset.shape)
    if (config.data, wanted) != (dataset.spec, dataset.shape):
        raise BadInput(
            f"the configuration names {config.data} at {wanted} but the data set given is {dataset.spec} at "
            f"{dataset.shape}; open it with open_dataset(config.data, resolution=config.grid.resolution)"
        )


def check_channels(start: Start, dataset: Dataset, name: str = "the start") -> None:
    """Raises BadInput unless the start, called `name`, can draw the signals of the data set."""
    if start.field.out_features != dataset.num_channels:
        raise BadInput(
            f"{name} draws {counted(start.field.out_features, 'channel')} but the signals of {dataset.spec} have "
            f"{dataset.num_channels}; choose a start of that kind"
        )


def check_folder(config: LearnConfig, folder: Path, resume: bool) -> None:
    """Raises BadInput unless `config` may be run in `folder`."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise BadInput(f"{folder} is a file; a run needs a folder of its own")
    if not (folder / "config.json").exists():
        if any(entry for entry in folder.iterdir() if not entry.name.startswith(".")):
            raise BadInput(f"{folder} holds files that are not of a run; choose an empty or a new folder")
        return
    if not resume:
        raise BadInput(f"{folder} holds a run already; go on with it by --resume, or choose another folder")
    given, defaults = (json.loads(json.dumps(c.to_dict())) for c in (config, LearnConfig()))
    saved = with_new_options(read_json(folder / "config.json"), given, defaults)
    found = [f"{name} was {a!r}, now {b!r}" for name, a, b in differences(saved, given) if "watch." not in name]
    if found:
        raise BadInput(
            f"{folder} holds a run with another configuration ({'; '.join(found)}); "
            "resume it without these options, or choose another folder"
        )


def with_new_options(saved: Any, given: Any, defaults: Any) -> Any:
    """What was saved before an option was there has the default of it: options of `given` that `saved` lacks."""
    if not (isinstance(saved, dict) and isinstance(given, dict) and isinstance(defaults, dict)):
        return saved
    known = {key: defaults[key] for key in given if key not in saved and key in defaults}
    return {key: with_new_options(value, given.get(key), defaults.get(key)) for key, value in saved.items()} | known


def read_config(folder: Path) -> LearnConfig:
    """The configuration of the run in `folder`. Raises BadInput when there is none."""
    if not (folder / "config.json").is_file():
        raise BadInput(f"{folder} is not the folder of a run: it has no config.json")
    try:
        return LearnConfig.from_dict(read_json(folder / "config.json"))
    except BadInput as error:
        raise BadInput(f"{folder / 'config.json'}: {error}") from error


def starts_of(folder: Path) -> list[Path]:
    """The start files of a run, densest first: round-<digits>.safetensors and nothing else, by their numbers."""
    found = [(match, path) for path in (folder / "starts").glob("*") if (match := _START_FILE.fullmatch(path.name))]
    return [path for _, path in sorted((int(match[1]), path) for match, path in found)]


def start_path(folder: Path, round: int) -> Path:
    """Where a run keeps the start of a round."""
    return folder / "starts" / f"round-{round:02d}.safetensors"


def start_files(path: Path) -> list[Path]:
    """The start file at `path`, or those of the run whose folder it is, densest first.

    Raises:
        BadInput: nothing there, or a run without a finished round.
    """
    if not path.exists():
        raise BadInput(f"there is no {path}; give a start file, or the folder of a run")
    paths = [path] if path.is_file() else starts_of(path)
    if not paths:
        raise BadInput(f"{path} has no finished round; give a start file, or the folder of a run")
    return paths


def read_metrics(folder: Path) -> list[dict[str, Any]]:
    """The lines of metrics.jsonl; a last line cut short by a kill is left out."""
    lines = []
    with suppress(FileNotFoundError):
        for line in (folder / "metrics.jsonl").read_text().splitlines():
            with suppress(ValueError):
                lines.append(json.loads(line))
    return lines


class Run:
    """Answers what the loop asks: where to begin, what to draw from, what to keep."""

    def __init__(
        self,
        config: LearnConfig,
        folder: Path,
        dataset: Dataset,
        on_step: Callable[[LearnState, float], None] | None,
        given_start: Start | None = None,
    ):
        self.config, self.folder, self.dataset = config, folder, dataset
        if given_start is None and config.outer.start_from:
            given_start = load_start(Path(config.outer.start_from))
        self.given_start = given_start
        self.grid = (
            self.given_start.grid.resized(dataset.shape) if self.given_start else config.grid.domain(dataset.domain)
        )
        self._check_given_start()
        self._check_memory()
        make_engine(self.first_pattern, config.engine, device=config.device)  # refuses a wrong name or device at once
        self.sampler = TaskSampler(
            dataset.train, self.grid, config.inner, tasks_per_step=config.outer.tasks_per_step, seed=config.seed,
            device=torch.device(config.device),
        )  # fmt: skip
        self._on_step = on_step
        self._validation = self._load_validation()
        self._engine: Engine | None = None
        self._state: LearnState | None = None
        self._saved_step = -1
        self._usage, self._clock = Usage(), Stopwatch()
        self._checkpoint_time = time.monotonic()
        self._metrics: Any = None
        self._events: Any = None

    @cached_property
    def first_pattern(self) -> Pattern:
        """The pattern that the run begins with: full, unless a given start says otherwise."""
        if self.given_start:
            return self.given_start.pattern
        return Pattern.full(self.config.field.field(self.grid.num_coords, self.dataset.num_channels))

    def first_state(self) -> LearnState:
        """A random dense start, or the one that the configuration names."""
        pattern = self.first_pattern
        theta = self.given_start.theta if self.given_start else pattern.field.initial_theta(self.config.seed)
        theta = theta.to(self.config.device)
        self._open_logs(0, 0)
        self._clock = Stopwatch()
        return LearnState(pattern, theta, AdamState.zeros_like(theta))

    def resumed(self) -> LearnState | None:
        """The state of the last checkpoint, if there is one."""
        path = self.folder / "checkpoint.safetensors"
        if not path.exists():
            return None
        checkpoint = load_checkpoint(path, self.config.device)
        self._usage, self._saved_step = checkpoint.usage, checkpoint.state.step
        self._open_logs(checkpoint.metrics_bytes, checkpoint.state.step)
        self._state, self._clock = checkpoint.state, Stopwatch()
        return checkpoint.state

    @contextmanager
    def watching(self, engine: Engine) -> Iterator[None]:
        """Whatever ends the round early, the last good state is kept first."""
        self._engine = engine
        try:
            yield
        except BaseException:
            if self._state is not None and self._state.step > self._saved_step:
                with suppress(WorkFailed):
                    self._checkpoint(self._state)
            raise

    def after_step(self, state: LearnState, loss: float) -> None:
        """Log, look at validation signals, checkpoint: each at its own pace."""
        self._state = state
        watch, step = self.config.watch, state.step
        if step % watch.log_every == 0 or state.round_step == 1:
            self._log(state, loss=loss, psnr_db=psnr_db(loss, self.dataset.kind.peak))
        if step % watch.val_every == 0:
            self._validate(state)
        if time.monotonic() - self._checkpoint_time >= watch.checkpoint_seconds:
            self._checkpoint(state)
        if self._on_step:
            self._on_step(state, loss)

    def end_round(self, state: LearnState) -> Start:
        """Keep the round's start. The checkpoint comes first: after a kill in here, all of this is done again."""
        self._checkpoint(state)
        if state.step % self.config.watch.val_every or state.round_step == 0:
            self._validate(state)
        info = {
            "data": self.dataset.spec, "description": self.dataset.description,
            "recipe": self.config.recipe, "config": self.config.to_dict(), "round": state.round, "steps": state.step,
            "learn_seconds": round(self._usage.seconds, 3), "usage": self._usage.to_dict(),
            "unreadable": self.sampler.unreadable, "environment": environment(),
        }  # fmt: skip
        start = Start(state.pattern, state.theta.cpu(), self.grid, info, kind=self.dataset.kind)
        save_start(start_path(self.folder, state.round), start)
        return start

    def close(self) -> None:
        for log in (self._metrics, self._events):
            if log is not None:
                log.close()

    @property
    def unreadable(self) -> dict[str, str]:
        """Signals that could not be used so far, with the reason."""
        return self.sampler.unreadable

    def _check_given_start(self) -> None:
        if self.given_start:
            check_channels(self.given_start, self.dataset, self.config.outer.start_from)

    def _check_memory(self) -> None:
        """A rough floor of what the run will hold: vectors of a step, and the values of its signals."""
        config = self.config
        field = self.given_start.field if self.given_start else config.field.field(self.grid.num_coords, 1)
        fits = config.pruning.saliency_signals if config.pruning.score == "saliency" else 0
        signals = max(config.outer.tasks_per_step, config.watch.val_signals, fits)
        values = signals * self.grid.num_points * field.out_features
        vectors = (10 + 4 * fits) * (field.num_weights + field.num_biases)
        check_memory("this run", 4 * (vectors + 3 * values), "lower --width, --hidden-layers, --tasks-per-step, "
                     "--val-signals, --saliency-signals or --resolution")  # fmt: skip

    def _load_validation(self) -> Samples | None:
        return self.sampler.held_out(self.dataset.val, self.config.watch.val_signals)

    def _validate(self, state: LearnState) -> None:
        """PSNR of validation signals after 0, 1, ..., K inner steps on all samples (of huge signals on some)."""
        if self._validation is None or self._engine is None:
            return
        inner, samples, peak = self.config.inner, self._validation, self.dataset.kind.peak
        theta = state.theta.expand(len(samples.values), -1)
        curve = []
        for step in range(min(inner.inner_steps, 10) + 1):
            loss = self._engine.loss(theta, samples.coords, samples.values)
            curve.append(sum(psnr_db(x, peak) for x in loss.tolist()) / len(loss))
            if step < inner.inner_steps:
                theta = inner_step(self._engine, theta, samples, inner.inner_step_size)
        self._log(state, val_psnr_db=curve)

    def _open_logs(self, metrics_bytes: int, step: int) -> None:
        """Lines written after the last checkpoint are dropped: they will be written again."""
        from torch.utils.tensorboard import SummaryWriter  # slow to import

        path = self.folder / "metrics.jsonl"
        try:
            path.touch()
            os.truncate(path, metrics_bytes)
            self._metrics = open(path, "a")  # noqa: SIM115 (closed by `close`)
            self._events = SummaryWriter(str(self.folder / "tensorboard"), purge_step=step + 1 if step else None)
        except OSError as error:
            raise WorkFailed(f"cannot write in {self.folder}: {error.strerror or error}") from error

    def _log(self, state: LearnState, **numbers: Any) -> None:
        self._tick()
        line = {"step": state.step, "round": state.round, "weights": state.pattern.num_weights,
                "seconds": round(self._usage.seconds, 3), **numbers}  # fmt: skip
        try:
            self._metrics.write(json.dumps(finite_or_none(line)) + "\n")
            self._metrics.flush()
            for name, value in numbers.items():
                self._events.add_scalar(name, value[-1] if isinstance(value, list) else value, state.step)
            self._events.add_scalar("weights", state.pattern.num_weights, state.step)
        except OSError as error:
            raise WorkFailed(
                f"cannot write {self.folder / 'metrics.jsonl'}: {error.strerror or error}; free some space and "
                "go on with --resume"
            ) from error

    def _checkpoint(self, state: LearnState) -> None:
        self._tick()
        with suppress(OSError):
            self._events.flush()
        checkpoint = Checkpoint(state, self._usage, (self.folder / "metrics.jsonl").stat().st_size)
        save_checkpoint(self.folder / "checkpoint.safetensors", checkpoint)
        self._checkpoint_time, self._saved_step = time.monotonic(), state.step

    def _tick(self) -> None:
        self._usage, self._clock = self._usage + self._clock.usage(), Stopwatch()


def differences(a: Any, b: Any, name: str = "") -> Iterator[tuple[str, Any, Any]]:
    """(dotted name, value in a, value in b) wherever two nested dicts differ."""
    if isinstance(a, dict) and isinstance(b, dict):
        for key in sorted(a.keys() | b.keys()):
            yield from differences(a.get(key), b.get(key), f"{name}.{key}" if name else key)
    elif a != b:
        yield name, a, b
