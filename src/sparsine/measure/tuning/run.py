"""The folder of a race, which goes on where it ended.

recipe.json   the winner, as `learn --config` takes it
tune.json     the record: what was asked, who raced, every trial
tune.html     the page of it
data.json     which signals it was tuned on, by name and content
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from sparsine.errors import BadInput
from sparsine.folders import check_places, names_in
from sparsine.measure.records import head
from sparsine.measure.tuning.candidates import Candidate, Ends, candidates_of
from sparsine.measure.tuning.config import Rung, TuneConfig, check_enough, rungs_of
from sparsine.measure.tuning.race import UNTUNED, going_on, race
from sparsine.measure.tuning.records import (
    KIND,
    PAGE,
    RECIPE,
    RECORD,
    VERSION,
    Record,
    check_racing,
    check_request,
    read_record,
)
from sparsine.measure.tuning.trial import Problem, measured, score_of
from sparsine.meta.config import LearnConfig
from sparsine.meta.recipe_file import recipe_bytes
from sparsine.meta.run_data import FILE as DATA_FILE
from sparsine.meta.run_data import pinned_to_learn, write_run_data
from sparsine.meta.tasks import sampler_of
from sparsine.plugins import recorded
from sparsine.signals.dataset import Dataset, SignalSet
from sparsine.signals.manifest import OnLook
from sparsine.storage import json_value, write_atomically, write_json

MEAN_OF = 16
"""Training signals whose mean value an output offset may be."""
OnTrial = Callable[[str, str, float, float], None]
"""Told (what is going on, facts, work done, all work)."""


class Untouched(SignalSet):
    """In the place of a test split: nothing of it is looked at, not even for a checksum."""

    def __len__(self) -> int:
        return 0

    def name(self, index: int) -> str:
        raise IndexError(index)

    def load(self, index: int) -> np.ndarray:
        raise IndexError(index)


@dataclass(frozen=True)
class Tuning:
    """A race in its folder, begun or not."""

    config: TuneConfig
    base: LearnConfig
    """Recipe `best` for these signals: what is not tuned has its values."""
    dataset: Dataset
    """With the splits that the race began with."""
    folder: Path
    candidates: list[Candidate]
    rungs: list[Rung]
    record: Record
    notes: tuple[str, ...] = ()
    """What is not as it was when it began, and does not hinder."""

    def run(self, on_trial: OnTrial = lambda *_: None) -> Record:
        """All trials that are not recorded yet, and the recipe of the winner. Returns the record.

        Raises:
            WorkFailed: not one candidate could be fitted, or a file could not be written.
        """
        done = {(trial["rung"], trial["candidate"]): trial for trial in self.record["trials"]}
        told = RaceProgress(self, on_trial)

        def measure(rung: int, candidate: int) -> float:
            if (rung, candidate) not in done:
                told.begin(rung, candidate, done)
                trial = measured(self.problem(rung, candidate, done.get((rung - 1, candidate))), told.progress)
                # as it will be read again
                done[rung, candidate] = json_value({"rung": rung, "candidate": candidate, **trial})
                self.record["trials"] = list(done.values())
                write_json(self.folder / RECORD, self.record)
            return score_of(done[rung, candidate])

        outcome = race(len(self.candidates), [rung.candidates for rung in self.rungs], measure)
        self.record["winner"] = outcome.winner
        write_json(self.folder / RECORD, self.record)
        write_atomically(self.folder / RECIPE, recipe_bytes(self.recipe(outcome.winner)))
        return self.record

    def problem(self, rung: int, candidate: int, before: Record | None = None) -> Problem:
        """`before` is the trial of the rung below, where the search for a step size begins."""
        config = self.candidates[candidate].config(self.base, self.config.numbers, _ends(self.base, self.dataset),
                                                   self.rungs[rung])  # fmt: skip
        return Problem(config, self.rungs[rung], self.dataset, before.get("step_size") if before else None)

    def recipe(self, candidate: int) -> LearnConfig:
        """The configuration that a candidate stands for."""
        return self.candidates[candidate].config(self.base, self.config.numbers, _ends(self.base, self.dataset))


def open_race(
    config: TuneConfig, base: LearnConfig, dataset: Dataset, folder: Path, on_look: OnLook | None = None
) -> Tuning:
    """The race in `folder`, which the caller holds: the one that is there, or a new one.

    Raises:
        BadInput: there are too few signals; or the folder holds another race, one on other signals, or other files.
    """
    check_enough(dataset)
    check_places(folder, files=[RECORD, RECIPE, PAGE, DATA_FILE])
    path, request = folder / RECORD, _request(config, base)
    if not path.is_file() and (others := names_in(folder) - {DATA_FILE}):
        raise BadInput(f"{folder} holds files that are not of a race ({min(others)}); choose an empty or a new folder")
    found = read_record(path) if path.is_file() else None
    if found is not None:
        check_request(path, found, request)
    pinned = pinned_to_learn(folder, replace(dataset, test=Untouched()), None, begun=found is not None, on_look=on_look)
    rungs = rungs_of(config, len(pinned.dataset.val))
    candidates = candidates_of(config, base, _ends(base, dataset), _mean(base, pinned.dataset))
    racing = {"candidates": [one.to_dict() for one in candidates], "rungs": [asdict(rung) for rung in rungs]}
    if found is not None:
        check_racing(path, found, racing)
    if pinned.data:
        write_run_data(folder, pinned.data)
    record = found or {**head(KIND, VERSION), **recorded(), "request": request,
                       "data": _described(pinned.dataset), **racing, "trials": [], "winner": None}  # fmt: skip
    record["notes"] = list(pinned.notes)
    return Tuning(config, base, pinned.dataset, folder, candidates, rungs, record, pinned.notes)


def _request(config: TuneConfig, base: LearnConfig) -> Record:
    """What decides the result beside the signals; where these lie does not."""
    settings = {name: value for name, value in base.to_dict().items() if name != "data"}
    return dict(json.loads(json.dumps({"tune": asdict(config), "base": settings})))


def _described(dataset: Dataset) -> Record:
    return {"spec": dataset.spec, "description": dataset.description, "shape": list(dataset.shape),
            "value_kind": dataset.kind.name, "train": len(dataset.train), "val": len(dataset.val)}  # fmt: skip


def _ends(base: LearnConfig, dataset: Dataset) -> Ends:
    return base.grid.domain(dataset.domain).num_coords, dataset.num_channels


def _mean(base: LearnConfig, dataset: Dataset) -> float:
    """Of the values of some training signals, as far as samples count."""
    samples = sampler_of(base, dataset, base.grid.domain(dataset.domain)).apart(0, MEAN_OF)
    if samples.weights is None:
        return float(samples.values.mean())
    counts = samples.weights[..., None].expand_as(samples.values)
    return float((samples.values * counts).sum() / counts.sum())


class RaceProgress:
    """Progress over all trials. Who races on later rungs nobody knows: those of this one, as far as can be told."""

    def __init__(self, tuning: Tuning, on_trial: OnTrial) -> None:
        self.tuning, self.on_trial = tuning, on_trial
        everybody = range(len(tuning.candidates))
        self.costs = [[sum(tuning.problem(rung, c).cost) for c in everybody] for rung in range(len(tuning.rungs))]
        self.what, self.facts, self.before, self.total = "", "", 0.0, 0.0

    def begin(self, rung: int, candidate: int, done: dict[tuple[int, int], Record]) -> None:
        """A trial begins, after those in `done`."""
        racing = self._racing(rung, done)
        reached = [score_of(trial) for (r, _), trial in done.items() if r == rung]
        family = self.tuning.candidates[candidate].family
        name = family if family == "recipe" else f"{family} {candidate}"
        self.what = f"rung {rung + 1} of {len(self.costs)}, {len(reached) + 1} of {len(racing)}, {name}"
        self.facts = f"best {max(reached):.2f} dB" if reached else ""
        self.before = sum(self.costs[r][c] for r, c in done)
        begun = sum(self.costs[r][c] for r, c in done if r < rung) + sum(self.costs[rung][c] for c in racing)
        self.total = begun + sum(self._expected(later, racing) for later in range(rung + 1, len(self.costs)))

    def progress(self, what: str, worked: float) -> None:
        """So much of the trial is done."""
        self.on_trial(f"{self.what}: {what}", self.facts, self.before + worked, self.total)

    def _racing(self, rung: int, done: dict[tuple[int, int], Record]) -> list[int]:
        if not rung:
            return list(range(len(self.tuning.candidates)))
        scores = {c: score_of(trial) for (r, c), trial in done.items() if r == rung - 1}
        return going_on(scores, self.tuning.rungs[rung].candidates)

    def _expected(self, rung: int, racing: list[int]) -> float:
        """The recipe, and others as those that race now."""
        costs, others = self.costs[rung], [c for c in racing if c != UNTUNED]
        places = min(len(others), self.tuning.rungs[rung].candidates)
        return costs[UNTUNED] + places * sum(costs[c] for c in others) / max(1, len(others))
