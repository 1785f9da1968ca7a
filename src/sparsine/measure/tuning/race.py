"""Successive halving (Jamieson and Talwalkar, AISTATS 2016): all run a little, the better part runs on for longer.

Libraries of this kind (Optuna, Ray Tune, Syne Tune) bring stores, samplers and workers of their own; what is needed
here are the lines below, and results that are kept where ours are.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isnan

from sparsine.errors import WorkFailed
from sparsine.fitting.plan_search import GAIN_DB

UNTUNED = 0
"""The candidate that always goes on, and stays the choice unless another is better."""


@dataclass(frozen=True)
class Outcome:
    """Candidates by their numbers."""

    scores: tuple[dict[int, float], ...]
    """Of each rung, by candidate."""
    winner: int


def race(num_candidates: int, places: Sequence[int], measure: Callable[[int, int], float]) -> Outcome:
    """Let candidates 0, 1, ... race.

    Args:
        places: how many there are on each rung, UNTUNED apart.
        measure: asked for the score of (rung, candidate), the higher the better; NaN is as bad as -inf.

    Raises:
        WorkFailed: not one candidate could be used.
    """
    racing, scores = list(range(num_candidates)), []
    for rung in range(len(places)):
        scores.append({candidate: measure(rung, candidate) for candidate in racing})
        if rung + 1 < len(places):
            racing = going_on(scores[-1], places[rung + 1])
    return Outcome(tuple(scores), _winner(scores[-1]))


def going_on(scores: Mapping[int, float], places: int) -> list[int]:
    """The best so many, of equal ones the first, and UNTUNED."""
    ranked = sorted((c for c in scores if c != UNTUNED), key=lambda c: (-_score(scores[c]), c))
    usable = [candidate for candidate in ranked if _score(scores[candidate]) > -float("inf")]
    return sorted([*(c for c in (UNTUNED,) if c in scores), *usable[:places]])


def _winner(scores: Mapping[int, float]) -> int:
    best = min(scores, key=lambda c: (-_score(scores[c]), c))
    if _score(scores[best]) == -float("inf"):
        raise WorkFailed("not one setting could be fitted; are the signals of the kind that their data set says?")
    untuned = _score(scores.get(UNTUNED, float("nan")))
    return UNTUNED if _score(scores[best]) <= untuned + GAIN_DB else best


def _score(score: float) -> float:
    return -float("inf") if isnan(score) else score
