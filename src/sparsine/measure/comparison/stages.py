"""What is learned before anything can be compared. A stage is learned once, and shared by every cell that needs it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sparsine.errors import BadInput
from sparsine.measure.comparison.pinned import manifest_of
from sparsine.meta.config import LearnConfig
from sparsine.meta.outer import LearnState, NotFinite
from sparsine.meta.run import Run, open_run
from sparsine.meta.run_folder import check_channels, start_name, start_path
from sparsine.meta.sparse import learn_sparse_start
from sparsine.parts import fault
from sparsine.signals.dataset import Dataset
from sparsine.starts.start import Start, load_start
from sparsine.storage import read_json, write_json
from sparsine.usage import Usage

OnProgress = Callable[[float], None]
"""Told the fraction that is done."""
DONE = "done.json"
_SPENT = {"outer_steps": int, "seconds": float, "cpu_seconds": float, "peak_bytes": int}


@dataclass(frozen=True)
class Stage(ABC):
    """One piece of learning, in a folder of its own, resumed after any interruption."""

    data: str
    """Label of the data set."""
    seed: int
    name: str
    needs: "tuple[Artifact, ...]"
    """What must have been learned before."""
    cost: float
    """Roughly, in multiply-adds: for the time left."""

    @property
    def key(self) -> str:
        """Its folder, and its identity: stages with the same key are the same."""
        return f"learning/{self.data}/seed-{self.seed}/{self.name}"

    def is_done(self, root: Path) -> bool:
        return (root / self.key / DONE).is_file()

    def at(self, round: int = 0) -> "Artifact":
        """What this stage will have learned after `round` prunings."""
        return Artifact(self, round)

    def run(self, root: Path, dataset: Dataset, on_progress: OnProgress) -> None:
        """Learn it, or go on with it. Raises BadInput and WorkFailed as `open_run` and the outer loop do."""
        rounds = self._learn(root, dataset, on_progress)
        write_json(root / self.key / DONE, {"rounds": rounds})

    def spent(self, root: Path, round: int) -> dict[str, Any]:
        """What it cost up to the end of `round`."""
        path = root / self.key / DONE
        saved = read_json(path)
        wrong = fault(saved, {"rounds": [_SPENT]})
        if wrong or len(saved["rounds"]) <= round:
            raise BadInput(f"{path} is damaged: {wrong or 'rounds are missing'}; remove it to have it written again")
        return {"name": self.name, **saved["rounds"][round]}

    @abstractmethod
    def _learn(self, root: Path, dataset: Dataset, on_progress: OnProgress) -> list[dict[str, Any]]:
        """Outer steps and usage, for each round, from the beginning of the stage."""


@dataclass(frozen=True)
class Artifact:
    """What a stage has learned after a round."""

    stage: Stage
    round: int

    def start(self, root: Path) -> Start:
        """Raises BadInput when it is missing or damaged."""
        folder = root / self.stage.key
        try:
            return load_start(start_path(folder, self.round))
        except BadInput as error:
            raise BadInput(f"{error}; or remove {folder} to have it learned again") from error


@dataclass(frozen=True)
class StartStage(Stage):
    """Meta-learns a start by the paper's loop, from random numbers or from what was learned before."""

    config: LearnConfig
    begin: Callable[[Sequence[Start]], Start] | None = field(default=None, compare=False)
    """Makes the start to begin from out of those in `needs`; None begins as the configuration says."""

    def _learn(self, root: Path, dataset: Dataset, on_progress: OnProgress) -> list[dict[str, Any]]:
        config, given = self.config, None
        if self.begin:
            given = self.begin([artifact.start(root) for artifact in self.needs])
            config = replace(config, outer=replace(config.outer, start_from=start_name(given)))

        def on_step(state: LearnState, loss: float) -> None:
            on_progress(run.course.until(state.round, state.round_step) / max(run.course.total, 1.0))

        def on_pruning(state: LearnState, done: int, of: int) -> None:
            on_progress(run.course.until(state.round, state.round_step, done / of) / run.course.total)

        folder = root / self.key
        manifest = manifest_of(root, self.data)
        with open_run(
            config, folder, dataset, resume=True, given_start=given, manifest=manifest, on_step=on_step,
            on_pruning=on_pruning,
        ) as run:  # fmt: skip
            last = _learned(config, run)
        starts = [self.at(round).start(root) for round in range(int(last.info["round"]) + 1)]
        return [{"outer_steps": start.info["steps"], **start.info["usage"]} for start in starts]


def _learned(config: LearnConfig, run: Run) -> Start:
    try:
        return learn_sparse_start(config, run)
    except NotFinite as error:
        raise NotFinite(
            f"{error}; a comparison keeps its step sizes: choose another folder for smaller ones"
        ) from error


def total(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What all the stages behind a cell cost together."""
    usage = Usage()
    for part in parts:
        usage += Usage(part["seconds"], part["cpu_seconds"], part["peak_bytes"])
    return {"outer_steps": sum(part["outer_steps"] for part in parts), **usage.to_dict(), "stages": list(parts)}


def ancestors(needs: Sequence[Artifact]) -> list[Artifact]:
    """Everything that was learned on the way to `needs`, each stage once, at the latest round that was used."""
    found: dict[str, Artifact] = {}

    def visit(artifact: Artifact) -> None:
        for earlier in artifact.stage.needs:
            visit(earlier)
        known = found.get(artifact.stage.key)
        if known is None or known.round < artifact.round:
            found[artifact.stage.key] = artifact

    for artifact in needs:
        visit(artifact)
    return list(found.values())


def check_given(start: Start, dataset: Dataset) -> None:
    """Raises BadInput unless the start can draw the signals of the data set, and nothing of it is pruned."""
    if start.pattern.num_weights < start.field.num_weights:
        raise BadInput(
            f"the start has {start.pattern.num_weights} of {start.field.num_weights} weights, but a comparison prunes "
            "from a dense start; choose one of those, such as round-00 of a run"
        )
    check_channels(start, dataset)
