"""A comparison in its folder: what was asked for, and the jobs that it comes to.

comparison.json     what was asked for
data/               which signals each data set held when it was first used
learning/           a run folder for each piece of learning that cells share
cells/              one record for each cell
pictures/           test signals as drawn from the first seed's fits
cells.jsonl         all records, one a line
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from sparsine.counted import counted
from sparsine.engines.choose import make_engine
from sparsine.errors import BadInput
from sparsine.fields.pattern import Pattern
from sparsine.measure.comparison.cell import Cell
from sparsine.measure.comparison.config import CompareConfig, in_todays_words
from sparsine.measure.comparison.methods import METHODS, Method
from sparsine.measure.comparison.methods.registry import TRANSFER
from sparsine.measure.comparison.methods.transfer import Transfer
from sparsine.measure.comparison.pinned import as_it_began, pin
from sparsine.measure.comparison.plan import Plan
from sparsine.measure.comparison.records import read_cell
from sparsine.measure.comparison.stages import Stage, check_given
from sparsine.meta.config import LearnConfig
from sparsine.meta.run_folder import differences, with_new_options
from sparsine.plugins import made_with, recorded
from sparsine.signals.dataset import Dataset
from sparsine.signals.open import open_dataset, size_for
from sparsine.starts.start import load_start
from sparsine.storage import read_json, write_json

FILE = "comparison.json"
# More of these may be asked for later: cells are independent, and those that are there stay.
GROWING = ("loaded", "methods", "levels", "ablation_levels", "latents", "seeds", "data", "learn.watch", "pictures")
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def parse_data(specs: Sequence[str]) -> dict[str, str]:
    """'faces=celeba:DIR' as {'faces': 'celeba:DIR'}; without a label, the kind is the label.

    Raises:
        BadInput: no data set, a label that is no plain word, or one that is given twice.
    """
    labelled = [_labelled(spec) for spec in specs]
    if not labelled:
        raise BadInput(
            "a comparison needs data: --data SPEC ..., such as faces=celeba:DIR photos=imagenette:DIR curves"
        )
    for label, times in Counter(label for label, _ in labelled).items():
        if times > 1:
            raise BadInput(f"the data set {label!r} is given {times} times; label each, as in faces=images:DIR")
    _check_labels(label for label, _ in labelled)
    return dict(labelled)


def _check_labels(labels: Iterable[str]) -> None:
    """They become names of folders."""
    for label in labels:
        if not _LABEL.fullmatch(label):
            raise BadInput(f"{label!r} cannot name a data set; label it with a plain word, as in faces=images:DIR")


def _labelled(spec: str) -> tuple[str, str]:
    label, equals, rest = spec.partition("=")
    if equals and _LABEL.fullmatch(label):
        return label, rest
    return spec.partition(":")[0], spec


class Comparison:
    """Knows every stage and every cell; does none of them."""

    def __init__(self, config: CompareConfig, data: Mapping[str, str | Dataset], root: Path | str):
        """`data`: by label, specs to be opened, or data sets that are handed over (`Dataset.from_arrays`)."""
        self.config, self.root = config, (root := Path(root))
        self.given = {label: one for label, one in data.items() if isinstance(one, Dataset)}
        self.data = {label: one.spec if isinstance(one, Dataset) else one for label, one in data.items()}
        _check_labels(self.data)
        self._opened = _Opened(config, self.data, root, self.given)
        self.datasets: Mapping[str, Dataset] = self._opened
        self.methods = [method for name in config.methods for method in self._named(name)]

    @classmethod
    def read(cls, root: Path | str, given: Mapping[str, Dataset] | None = None) -> "Comparison":
        """`given`: data sets that were handed over. Raises BadInput when `root` is not the folder of a comparison."""
        root = Path(root)
        if not (root / FILE).is_file():
            raise BadInput(f"{root} is not the folder of a comparison: it has no {FILE}")
        saved = read_json(root / FILE)
        with made_with(saved.get("loaded") if isinstance(saved, dict) else None, str(root)):
            try:
                return cls(CompareConfig.from_dict(saved["config"]), {**saved["data"], **(given or {})}, root)
            except (KeyError, TypeError, ValueError) as error:
                raise BadInput(f"{root / FILE}: {error}") from error

    def write(self) -> None:
        """Say in the folder what was asked for. Raises BadInput when another comparison is there."""
        path = self.root / FILE
        value = json.loads(json.dumps({"config": self.config.to_dict(), "data": self.data, **recorded()}))
        if path.exists():
            _check_same(path, read_json(path), value)
        write_json(path, value)

    def pin(self) -> list[str]:
        """Keep which signals the data sets hold, or see that they are those that were kept; see `pinned.pin`."""
        opened = {label: self._opened.as_it_is(label) for label in self.data}
        found = [(*data.notes, *pin(self.root, label, data, self.config.signals)) for label, data in opened.items()]
        return [sentence for sentences in found for sentence in sentences]

    def plan(self, data: str, seed: int) -> Plan:
        return Plan(self.config, self.datasets, data, seed)

    def cells(self) -> list[Cell]:
        """Data set by data set, seed by seed: the first results come early.

        Raises:
            BadInput: a data set cannot be opened, or has too few signals; a start that does not fit; a level that the
                schedule has not; an engine or a device that this machine has not; neither dense steps nor a start.
        """
        learn = self.config.learn
        make_engine(Pattern.full(learn.field.field(2, 1)), learn.engine, device=learn.device)
        outer = self.config.learn.outer
        if outer.dense_steps == 0 and not outer.start_from:
            raise BadInput(
                f"{self.config.recipe} takes no dense outer steps, so it must be given a dense start by --start-from "
                "FILE (sparsine import-learnit makes one); or set --dense-steps"
            )
        self._check_data()
        return [
            Cell(plan, method, level)
            for seed in self.config.seeds
            for plan in (self.plan(data, seed) for data in self.data)
            for method in self.methods
            for level in method.levels(plan)
        ]

    def measured(self, cells: Sequence[Cell]) -> Iterator[tuple[Cell, dict[str, Any] | None]]:
        """Every cell with its record, if it has one. Raises BadInput for a damaged one."""
        for cell in cells:
            yield cell, read_cell(self.root / cell.key, cell)

    def _named(self, name: str) -> list[Method]:
        if name == TRANSFER:
            return [Transfer(label) for label in self.data] if len(self.data) > 1 else []
        if name not in METHODS:
            METHODS.refuse(name, TRANSFER)
        return [METHODS[name]]

    def _check_data(self) -> None:
        for label, spec in self.data.items():
            dataset = self.datasets[label]
            if self.config.signals > len(dataset.test):
                raise BadInput(
                    f"{spec} has {counted(len(dataset.test), 'test signal')} but {self.config.signals} are to be "
                    "measured; lower --limit"
                )
            if len(dataset.train) < self.config.learn.outer.tasks_per_step:
                raise BadInput(
                    f"{spec} has {counted(len(dataset.train), 'training signal')}, fewer than the "
                    f"{self.config.learn.outer.tasks_per_step} of one outer step; lower --tasks-per-step or add signals"
                )
            plan = self.plan(label, self.config.seeds[0])
            if start := plan.given_start:
                check_given(start, dataset)
            for method in self.methods:
                method.check(plan)


def stages_of(cells: Sequence[Cell]) -> dict[str, Stage]:
    """Every stage that the cells need, each after those that it needs itself."""
    found: dict[str, Stage] = {}

    def visit(stage: Stage) -> None:
        for artifact in stage.needs:
            visit(artifact.stage)
        found.setdefault(stage.key, stage)

    for cell in cells:
        for artifact in cell.needs:
            visit(artifact.stage)
    return found


@dataclass
class _Opened(Mapping[str, Dataset]):
    """Data sets, opened when first asked for, unless they were given."""

    config: CompareConfig
    specs: dict[str, str]
    root: Path
    given: dict[str, Dataset]

    def __post_init__(self) -> None:
        self._open: dict[str, Dataset] = dict(self.given)
        self._as_it_began: dict[str, Dataset] = {}

    def __getitem__(self, label: str) -> Dataset:
        if label not in self._as_it_began:
            self._as_it_began[label] = as_it_began(self.root, label, self.as_it_is(label))
        return self._as_it_began[label]

    def as_it_is(self, label: str) -> Dataset:
        """With all that is there now."""
        if label not in self._open:
            learn = self.config.learn
            shape = size_for(self.specs[label], learn.grid.resolution)
            if shape is None and learn.outer.start_from:
                shape = load_start(Path(learn.outer.start_from)).domain.shape
            self._open[label] = open_dataset(self.specs[label], resolution=shape, seed=learn.split_seed)
        return self._open[label]

    def __iter__(self) -> Iterator[str]:
        return iter(self.specs)

    def __len__(self) -> int:
        return len(self.specs)


def _check_same(path: Path, saved: Any, given: Any) -> None:
    if not isinstance(saved, dict) or not isinstance(saved.get("data"), dict):
        raise BadInput(f"{path} is damaged: it does not say what was asked for; restore it from a copy")
    later = {option.name: option.default for option in fields(CompareConfig) if option.name.startswith("tuned_")}
    defaults = json.loads(json.dumps({"config": {"learn": LearnConfig().to_dict(), **later}}))
    known = {**saved, "config": in_todays_words(saved.get("config"))}
    found = [
        f"{name} was {a!r}, now {b!r}"
        for name, a, b in differences(with_new_options(known, given, defaults), given)
        if not name.removeprefix("config.").startswith(GROWING)
    ]
    if found:
        raise BadInput(
            f"{path.parent} holds a comparison with another configuration ({'; '.join(found)}); go on with the same, "
            "or choose another folder"
        )
    for label in saved["data"].keys() & given["data"].keys():
        if saved["data"][label] != given["data"][label]:
            raise BadInput(
                f"{path.parent} knows {label} as {saved['data'][label]}, but it is {given['data'][label]} now; give it "
                "another label"
            )
