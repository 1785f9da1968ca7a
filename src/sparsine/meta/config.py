"""The complete description of a learning run: everything that decides its bits."""

import dataclasses
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from sparsine.checks import check_choice, check_range
from sparsine.choices import Choice
from sparsine.errors import BadInput, UnknownName
from sparsine.fitting.plan_search import PlanConfig
from sparsine.meta.field_config import ACTIVATION, ENCODING
from sparsine.meta.field_config import FieldConfig as FieldConfig
from sparsine.meta.maml import InnerConfig
from sparsine.parts import fault_in_fields
from sparsine.pruning.prune import DISTRIBUTION, SCHEDULE, SCORE, PruningConfig
from sparsine.signals.domain import MAX_POINTS, Domain
from sparsine.signals.grid import Alignment, AxisOrder, Grid

CHOICES = (ACTIVATION, ENCODING, SCORE, DISTRIBUTION, SCHEDULE)
"""All that bring options of their own."""
Moments = Literal["keep", "reset"]
Decay = Literal["none", "cosine"]
OLD_OPTIONS = {f"saliency_{name}": name for name in ("signals", "steps", "step_size")}
"""Of saliency, which stood beside the score once."""


@dataclass(frozen=True, kw_only=True)
class GridConfig:
    """Where the samples of the signals lie."""

    resolution: Sequence[int] | None = None
    """Samples along each axis that signals are brought to, as in 96x128; None keeps the data set's own."""
    low: float = -1.0
    """First coordinate of every axis (the paper: -1)."""
    high: float = 1.0
    """Last coordinate of every axis (the paper: 1)."""
    alignment: Alignment = "corners"
    """corners: linspace(low, high), the paper's. centers: middles of cells. lower: edges, Learnit's arange(n)/n."""
    axis_order: AxisOrder = "array"
    """array: row first. reversed: x first."""

    def __post_init__(self) -> None:
        if self.resolution is not None:
            for n in self.resolution:
                check_range("resolution", n, 1, MAX_POINTS)
        self.grid((2, 2))

    def domain(self, own: Domain) -> Domain:
        """Where samples lie that the data set has on `own`: of a lattice this decides the coordinates (an axis that
        covers a part of [-1, 1] there covers that part of them), anything else has its own."""
        if not isinstance(own, Grid):
            return own
        return replace(self.grid(own.shape), extent=tuple(self._covered(*pair) for pair in own.axis_extents))

    def grid(self, shape: tuple[int, ...]) -> Grid:
        return Grid(shape=shape, extent=(self.low, self.high), alignment=self.alignment, axis_order=self.axis_order)

    def _covered(self, low: float, high: float) -> tuple[float, float]:
        if (low, high) == (-1.0, 1.0):
            return self.low, self.high
        middle, half = (self.low + self.high) / 2, (self.high - self.low) / 2
        return middle + half * low, middle + half * high


@dataclass(frozen=True, kw_only=True)
class OuterConfig:
    """How the start moves."""

    outer_step_size: float = 1e-5
    """Step size of the outer Adam."""
    decay: Decay = "none"
    """How the step size falls within each round: none (the paper's), or cosine, from the whole of it to almost 0."""
    tasks_per_step: int = 3
    """Signals in every outer step."""
    dense_steps: int = 150_000
    """Outer steps before the first pruning."""
    steps_per_round: int = 30_000
    """Outer steps after each pruning."""
    moments: Moments = "keep"
    """What Adam remembers of the survivors across a pruning: keep its moments, or reset them and its step count."""
    start_from: str = ""
    """A start file to begin from, instead of random numbers; the field and the grid are then its own."""

    def __post_init__(self) -> None:
        check_range("outer_step_size", self.outer_step_size, 1e-12, 1e3)
        check_range("tasks_per_step", self.tasks_per_step, 1, 1_000)
        check_range("dense_steps", self.dense_steps, 0, 10**9)
        check_range("steps_per_round", self.steps_per_round, 0, 10**9)
        check_choice("moments", self.moments, Moments)
        check_choice("decay", self.decay, Decay)

    def steps_of(self, round: int) -> int:
        """Outer steps in a round."""
        return self.steps_per_round if round else self.dense_steps

    def step_size_at(self, step: int, num_steps: int) -> float:
        """The step size of the outer step `step` (from 0) in a round of `num_steps`."""
        if self.decay == "none":
            return self.outer_step_size
        return self.outer_step_size * 0.5 * (1 + math.cos(math.pi * step / num_steps))


@dataclass(frozen=True, kw_only=True)
class WatchConfig:
    """What is measured and kept on the way. Changes no bit of the result."""

    log_every: int = 10
    """Outer steps between two lines of metrics.jsonl."""
    val_every: int = 500
    """Outer steps between two looks at validation signals (and one at the end of every round)."""
    val_signals: int = 8
    """Validation signals, adapted with the inner steps on the whole grid; 0 for none."""
    checkpoint_seconds: float = 30.0
    """Seconds between two checkpoints (and one at the end of every round)."""

    def __post_init__(self) -> None:
        check_range("log_every", self.log_every, 1, 10**9)
        check_range("val_every", self.val_every, 1, 10**9)
        check_range("val_signals", self.val_signals, 0, 1_000)
        check_range("checkpoint_seconds", self.checkpoint_seconds, 0.0, 1e9)


@dataclass(frozen=True, kw_only=True)
class LearnConfig:
    """One run of the paper's loop. Defaults are the paper's."""

    recipe: str = "paper"
    """The recipe this was made from."""
    data: str = "curves"
    """The data set, as in `celeba:DIR`."""
    field: FieldConfig = dataclasses.field(default_factory=FieldConfig)
    grid: GridConfig = dataclasses.field(default_factory=GridConfig)
    inner: InnerConfig = dataclasses.field(default_factory=InnerConfig)
    outer: OuterConfig = dataclasses.field(default_factory=OuterConfig)
    pruning: PruningConfig = dataclasses.field(default_factory=PruningConfig)
    plan: PlanConfig = dataclasses.field(default_factory=lambda: PlanConfig(plan_signals=0))
    watch: WatchConfig = dataclasses.field(default_factory=WatchConfig)
    seed: int = 0
    """Decides the random start, the order of the signals and the points drawn."""
    split_seed: int = 0
    """Chooses held-out signals where the data set has no split of its own; the same for every `seed`."""
    engine: str = "auto"
    """auto, or the name of an engine."""
    device: str = "cpu"
    """cpu, cuda, or one of several GPUs, as in cuda:1."""

    def __post_init__(self) -> None:
        check_range("seed", self.seed, 0, 2**32 - 1)
        check_range("split_seed", self.split_seed, 0, 2**32 - 1)

    @property
    def learns_numbers(self) -> bool:
        """Whether a start of it is more than a pattern with the numbers that it began with."""
        return bool(self.outer.dense_steps or self.outer.steps_per_round or self.outer.start_from)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "LearnConfig":
        """Raises BadInput when `data` does not describe a run of this version."""
        parts = {"field": FieldConfig, "grid": GridConfig, "inner": InnerConfig, "outer": OuterConfig,
                 "pruning": PruningConfig, "plan": PlanConfig, "watch": WatchConfig}  # fmt: skip
        try:
            given = dict(in_todays_words(data))
            if wrong := fault_in_fields(given, cls):
                raise TypeError(wrong)
            surplus = [name for key, part in parts.items() for name in _unknown(given.get(key, {}), part, f"{key}.")]
            if surplus := [*_unknown(given, cls), *surplus]:
                raise TypeError(f"it does not know {', '.join(surplus)}")
            if given["grid"]["resolution"] is not None:
                given["grid"] = {**given["grid"], "resolution": tuple(given["grid"]["resolution"])}
            return cls(**{key: parts[key](**value) if key in parts else value for key, value in given.items()})
        except UnknownName:
            raise
        except (KeyError, TypeError, ValueError) as error:
            raise BadInput(f"not a configuration of this version of sparsine ({error})") from error


def _unknown(given: dict[str, Any], kind: type, prefix: str = "") -> list[str]:
    """Keys that are no fields of the dataclass `kind`."""
    return [f"{prefix}{name}" for name in sorted(given.keys() - {f.name for f in dataclasses.fields(kind)})]


def in_todays_words(saved: Any) -> Any:
    """What `to_dict` made, now or before scores had options of their own: those of saliency stood beside them. Options
    that a score, or whatever else brings options, has got since have their default. What is no configuration is left as
    it is.

    Raises:
        BadInput: a choice that is not here, or options that it has not.
    """
    if not isinstance(saved, dict) or not all(isinstance(saved.get(part), dict) for part in ("field", "pruning")):
        return saved
    saved = with_todays_names(saved)
    return {**saved, "field": _completed(saved["field"], FieldConfig(), (ACTIVATION, ENCODING)),
            "pruning": _completed(saved["pruning"], PruningConfig(), (SCORE, DISTRIBUTION, SCHEDULE))}  # fmt: skip


def with_todays_names(saved: dict[str, Any]) -> dict[str, Any]:
    """The first half of `in_todays_words`: what has another name now. What was left out stays so."""
    if not isinstance(saved.get("pruning"), dict):
        return saved
    pruning = {name: value for name, value in saved["pruning"].items() if name not in OLD_OPTIONS}
    old = {new: saved["pruning"][name] for name, new in OLD_OPTIONS.items() if name in saved["pruning"]}
    if old and pruning.get("score") == "saliency":
        pruning = {"score_options": old, **pruning}
    return {**saved, "pruning": pruning}


def _completed(saved: dict[str, Any], usual: Any, choices: Sequence[Choice]) -> dict[str, Any]:
    for choice in choices:
        name, options = saved.get(choice.what, getattr(usual, choice.what)), saved.get(choice.options, {})
        if isinstance(name, str) and isinstance(options, dict):
            saved = {**saved, choice.options: json.loads(json.dumps(choice.completed(name, options)))}
    return saved
