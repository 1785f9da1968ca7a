"""Who races: settings of a field and of how its pattern is found.

The first is the recipe as it is. Patterns are spread over all settings at once as a Latin hypercube (McKay et al.,
1979): whichever of them matters is tried at as many places as there are patterns. Narrow networks are those with hardly
more weights than are wanted, so that there is next to no pattern to be found.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np

from sparsine.errors import BadInput
from sparsine.measure.tuning.config import Rung, TuneConfig
from sparsine.meta.config import LearnConfig

Family = Literal["recipe", "pattern", "narrow"]
Ends = tuple[int, int]
"""Coordinates and values of a field."""
OMEGAS = {"pattern": (0.25, 2.5), "narrow": (0.25, 1.5)}
"""The range of omega_0, in parts of the recipe's."""
STEP_SIZES = (0.2, 5.0)
"""Of the fits that prunings look at, in parts of the recipe's."""
NARROW_SHARE = 0.25
"""Of the candidates."""
ROOM = 1.25
"""A field has at least so many times the wanted weights, or there is no pattern to be found in it."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    family: Family
    """recipe: as it is. pattern: found in a wider field. narrow: a field that has just the wanted weights."""
    omega_0: float
    output_offset: float
    width: int
    hidden_layers: int
    score_step_size: float
    """Of the fits that prunings look at."""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def config(self, base: LearnConfig, numbers: int, ends: Ends, rung: Rung | None = None) -> LearnConfig:
        """The configuration that `learn` takes; on a rung, one that may be cheaper."""
        field = replace(base.field, omega_0=self.omega_0, output_offset=self.output_offset, width=self.width,
                        hidden_layers=self.hidden_layers)  # fmt: skip
        options = {**base.pruning.score_options, "step_size": self.score_step_size}
        if rung is not None:
            asked = {"signals": rung.score_signals, "steps": rung.score_steps}
            options |= {name: value for name, value in asked.items() if value is not None}
        pruning = replace(
            base.pruning, score_options=options, target_sparsity=_sparsity(field.field(*ends).num_weights, numbers),
            fraction=base.pruning.fraction if rung is None or rung.fraction is None else rung.fraction,
        )  # fmt: skip
        return replace(base, field=field, pruning=pruning)


def candidates_of(config: TuneConfig, base: LearnConfig, ends: Ends, mean: float) -> list[Candidate]:
    """All that begin.

    Args:
        mean: of the values of training signals, which an output offset may be.

    Raises:
        BadInput: more weights are wanted than the recipe's field has.
    """
    field = base.field
    if (most := field.field(*ends).num_weights) < config.numbers:
        raise BadInput(f"numbers is {config.numbers}, but the widest field that is tried has {most} weights")
    step_size = float(base.pruning.score_options["step_size"])
    usual = Candidate(family="recipe", omega_0=field.omega_0, output_offset=field.output_offset, width=field.width,
                      hidden_layers=field.hidden_layers, score_step_size=step_size)  # fmt: skip
    num_narrow = max(1, round(NARROW_SHARE * (config.candidates - 1)))
    patterns = _patterns(config.candidates - 1 - num_narrow, config.numbers, base, usual, ends, mean)
    return [usual, *patterns, *_narrow(num_narrow, config.numbers, base, usual, ends, mean)]


def _patterns(
    count: int, numbers: int, base: LearnConfig, usual: Candidate, ends: Ends, mean: float
) -> list[Candidate]:
    found = []
    offsets = _offsets(usual, mean)
    for omega, width, depth, step, offset in _hypercube(count, 5, base.seed):
        layers = _chosen([usual.hidden_layers, max(1, usual.hidden_layers - 1)], depth)
        fields = {w: replace(base.field, width=w, hidden_layers=layers).field(*ends).num_weights
                  for w in (usual.width, usual.width // 2, usual.width // 4) if w}  # fmt: skip
        widths = [w for w, weights in fields.items() if weights >= ROOM * numbers] or [usual.width]
        if fields[usual.width] < numbers:
            layers = usual.hidden_layers
        found.append(Candidate(
            family="pattern", omega_0=_rounded(usual.omega_0 * _between(*OMEGAS["pattern"], omega)),
            output_offset=_chosen(offsets, offset), width=_chosen(widths, width), hidden_layers=layers,
            score_step_size=_rounded(usual.score_step_size * _between(*STEP_SIZES, step)),
        ))  # fmt: skip
    return found


def _narrow(count: int, numbers: int, base: LearnConfig, usual: Candidate, ends: Ends, mean: float) -> list[Candidate]:
    found = []
    offsets = _offsets(usual, mean)
    for omega, depth, offset in _hypercube(count, 3, base.seed + 1):
        layers = _chosen([usual.hidden_layers, max(1, usual.hidden_layers - 1)], depth)
        width = next((w for w in range(1, usual.width)
                      if replace(base.field, width=w, hidden_layers=layers).field(*ends).num_weights >= numbers),
                     usual.width)  # fmt: skip
        layers = usual.hidden_layers if width == usual.width else layers
        found.append(replace(
            usual, family="narrow", omega_0=_rounded(usual.omega_0 * _between(*OMEGAS["narrow"], omega)),
            output_offset=_chosen(offsets, offset), width=width, hidden_layers=layers,
        ))  # fmt: skip
    return found


def _offsets(usual: Candidate, mean: float) -> list[float]:
    """That of the recipe, and the mean where that is elsewhere."""
    return [usual.output_offset, *([_rounded(mean)] if abs(mean - usual.output_offset) > 0.02 else [])]


def _hypercube(count: int, axes: int, seed: int) -> np.ndarray:
    """(count, axes): along each axis one in the middle of each of `count` parts of [0, 1]."""
    rng = np.random.default_rng([seed, axes])
    return np.stack([(rng.permutation(count) + 0.5) / max(count, 1) for _ in range(axes)], axis=-1)


def _between(low: float, high: float, part: float) -> float:
    """Evenly in octaves."""
    return float(low * (high / low) ** part)


def _chosen(values: Sequence[Any], part: float) -> Any:
    return values[int(part * len(values))]


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")


def _sparsity(weights: int, numbers: int) -> float:
    """That leaves just `numbers`: a schedule removes int(sparsity * weights)."""
    return (weights - numbers + 0.5) / weights
