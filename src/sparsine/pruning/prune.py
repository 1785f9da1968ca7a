"""The step from one pattern to a smaller one."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

import torch
from jaxtyping import Float
from torch import Tensor

from sparsine.checks import Named, OneOf, check_range
from sparsine.choices import Choice
from sparsine.errors import BadInput
from sparsine.fields.pattern import Pattern
from sparsine.pruning.contract import Context, Distribution, Schedule, Score, TrainingSignals
from sparsine.pruning.distributions import DISTRIBUTIONS, in_layers
from sparsine.pruning.schedules import SCHEDULES, check_survivors
from sparsine.pruning.scores import SCORES

SCORE, DISTRIBUTION = Choice(SCORES), Choice(DISTRIBUTIONS)
SCHEDULE = Choice(SCHEDULES, shared=("fraction", "rounds", "target_sparsity"))


@dataclass(frozen=True, kw_only=True)
class PruningConfig:
    """How a start is made sparse, round after round."""

    score: Annotated[str, OneOf(SCORES)] = "magnitude"
    """Which weights go: those with the lowest score."""
    score_options: Annotated[Mapping[str, Any], SCORE] = dataclasses.field(default_factory=dict, hash=False)
    """Options of the score, by name; what is left out has its default."""
    distribution: Annotated[str, OneOf(DISTRIBUTIONS)] = "global"
    """How many stay in each layer. global: those with the highest scores, wherever they are (the paper's). uniform: the
    same fraction of every layer. erk: more of thin layers."""
    distribution_options: Annotated[Mapping[str, Any], DISTRIBUTION] = dataclasses.field(
        default_factory=dict, hash=False
    )
    """As score_options."""
    schedule: Annotated[str, OneOf(SCHEDULES)] = "geometric"
    """How many stay after each round. geometric: the same fraction of the survivors goes in each (the paper's)."""
    schedule_options: Annotated[Mapping[str, Any], SCHEDULE] = dataclasses.field(default_factory=dict, hash=False)
    """As score_options."""
    fraction: float = 0.2
    """Fraction of the surviving weights that a round removes: int(fraction * n) of n."""
    rounds: int = 20
    """Rounds of pruning and retraining; ignored when a target sparsity is given."""
    target_sparsity: Annotated[float | None, Named("sparsity", "target-sparsity")] = None
    """Fraction of all weights to remove in the end, in as many rounds as that takes."""

    def __post_init__(self) -> None:
        check_range("fraction", self.fraction, 1e-6, 1.0)
        check_range("rounds", self.rounds, 0, 10_000)
        if self.target_sparsity is not None:
            check_range("target_sparsity", self.target_sparsity, 0.0, 1.0)
        for choice in (SCORE, DISTRIBUTION, SCHEDULE):
            choice.complete(self)

    def with_score(self, name: str) -> "PruningConfig":
        """The same by another score, with the usual options of that; by its own, with those that it has."""
        return self if name == self.score else replace(self, score=name, score_options={})

    def make_score(self) -> Score:
        made: Score = SCORE.made_for(self)
        return made

    def make_distribution(self) -> Distribution:
        made: Distribution = DISTRIBUTION.made_for(self)
        return made

    def survivors(self, num_weights: int, of: int | None = None) -> list[int]:
        """Weights after rounds 1, 2, ..., of a pattern that has `num_weights` now, `of` those of the dense field.

        Raises:
            BadInput: the schedule does not get where it should, or says what cannot be.
        """
        schedule: Schedule = SCHEDULE.made_for(self)
        return check_survivors(self.schedule, num_weights, schedule(num_weights, of))


def prune(
    pattern: Pattern,
    theta: Float[Tensor, " params"],
    num_survivors: int,
    score: str | Score,
    seed: int,
    draw: Callable[[int], TrainingSignals] | None = None,
    *,
    distribution: str | Distribution = "global",
    on_progress: Callable[[int, int], None] | None = None,
) -> Pattern:
    """The pattern of the `num_survivors` weights with the highest score, in all layers together, or in each of them as
    many as the distribution says.

    Among equal scores the weight that stands first in theta goes first. Biases are never pruned.
    `seed` is used by random scores alone, `draw` by those that fit signals.
    Scores that take long tell `on_progress` how much is done, and of how much.
    Carry vectors over with `Pattern.gather_from`.

    Raises:
        BadInput: more survivors than there are weights, a theta of another pattern, an unknown score or distribution,
            one that says what cannot be, or a score that wants signals and is given none.
    """
    if theta.shape != (pattern.num_params,):
        raise BadInput(f"theta must hold {pattern.num_params} numbers ({pattern.counts}), but is {tuple(theta.shape)}")
    if not 0 <= num_survivors <= pattern.num_weights:
        raise BadInput(f"cannot keep {num_survivors} of {pattern.num_weights} surviving weights")
    scored: Score = SCORE.made(score, {}) if isinstance(score, str) else score
    spread: Distribution = DISTRIBUTION.made(distribution, {}) if isinstance(distribution, str) else distribution
    scores = scored(pattern, theta, Context(torch.Generator().manual_seed(seed), draw, on_progress))
    if scores.shape != (pattern.num_weights,):
        raise BadInput(
            f"a score must give a number for each of the {pattern.num_weights} surviving weights, but gave an array of "
            f"shape {tuple(scores.shape)}"
        )
    counts = _checked(spread(pattern, scores, num_survivors), pattern, num_survivors)
    return pattern.without(_lowest(scores, in_layers(pattern), counts))


def _lowest(scores: Tensor, there: Sequence[int], stay: Sequence[int]) -> Tensor:
    """Marks those that go: in each layer the lowest scores, the first in theta among equals."""
    removed = torch.zeros(len(scores), dtype=torch.bool)
    lowest_first = scores.argsort(stable=True).cpu()
    layer = torch.repeat_interleave(torch.tensor(there))[lowest_first]
    for number, (now, then) in enumerate(zip(there, stay, strict=True)):
        removed[lowest_first[layer == number][: now - then]] = True
    return removed


def _checked(counts: Sequence[int], pattern: Pattern, num_survivors: int) -> list[int]:
    there, counts = in_layers(pattern), [int(count) for count in counts]
    fine = len(counts) == len(there) and all(0 <= n <= most for n, most in zip(counts, there, strict=True))
    if not fine or sum(counts) != num_survivors:
        raise BadInput(
            f"a distribution must leave {num_survivors} weights in layers that have {there}, but says {counts}"
        )
    return counts
