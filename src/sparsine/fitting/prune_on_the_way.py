"""Fits that prune as they go, each signal on a pattern of its own: what the paper compares a shared pattern with."""

from collections.abc import Sequence
from functools import partial

from jaxtyping import Float
from torch import Tensor

from sparsine.engines.choose import make_engine
from sparsine.fields.pattern import Pattern
from sparsine.fitting.fit import FitConfig, FitResult, Fitting, Observe
from sparsine.pruning.prune import prune


def fit_and_prune(
    pattern: Pattern,
    start: Float[Tensor, " params"],
    coords: Float[Tensor, "points dims"],
    values: Float[Tensor, "points channels"],
    config: FitConfig,
    prunings: Sequence[tuple[int, int]],
    *,
    engine: str = "auto",
    observe: Observe | None = None,
    shape: tuple[int, ...] | None = None,
    weights: Float[Tensor, " points"] | None = None,
) -> FitResult:
    """Fit one signal, pruning its own weights by magnitude on the way.

    Args:
        prunings: (step, survivors), steps ascending: before that step is taken, all but so many weights go. What is
            reported at that step is the field as it is after the pruning.
        shape: of the samples, in array order: see `fit`.
        weights: how much each sample counts; None: all alike.
    """
    fitting = Fitting(start, coords, values[None], config, observe, shape=shape, weights=weights)
    for step, survivors in prunings:
        fitting.advance(make_engine(pattern, engine, device=str(start.device)), step)
        smaller = prune(pattern, fitting.theta[0], survivors, "magnitude", seed=0)
        fitting.carry(partial(smaller.gather_from, pattern))
        pattern = smaller
    return fitting.finish(make_engine(pattern, engine, device=str(start.device)))
