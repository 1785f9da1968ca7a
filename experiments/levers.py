"""What does each part of the way to a sparse pattern give? One thing is changed at a time.

The basis is recipe `best`: a field of random numbers, pruned by saliency in fits of six training signals. A lever
changes the field, the score, how much stays where, or what a fit moves. Step sizes are looked for on validation signals
for every lever and level alike; test signals report. Levers that are in the record already are not done again.

    python experiments/levers.py DATA RECORD [--levels 8704 2284] [--signals 6] [--only NAME ...]
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
import torch
from torch import Tensor

from sparsine.engines import make_engine
from sparsine.environment import environment
from sparsine.fields import MLP, Pattern
from sparsine.fields.activations import Sine
from sparsine.fitting import FitConfig
from sparsine.fitting.plan_search import best_plan, fit_by, share_of, usual_step_size
from sparsine.fitting.points import InMemory, Places
from sparsine.optim import AdamState, adam_step
from sparsine.pruning.contract import Context, Score, TrainingSignals
from sparsine.pruning.prune import prune
from sparsine.pruning.saliency import Saliency
from sparsine.psnr import psnr_db
from sparsine.recipes import usual_omega_0
from sparsine.signals.dataset import Dataset
from sparsine.signals.open import open_dataset
from sparsine.starts.plan import FULL_STEPS
from sparsine.storage import read_json, write_json

FEWER = 1 / 16
"""Of the samples, on a lattice: what fits for the score see."""
Multipliers = Callable[[Pattern], Tensor]
"""How far a fit moves each number, in parts of its step: (params,)."""


@dataclass(frozen=True)
class Lever:
    """One change of the basis."""

    says: str
    width: int = 256
    depth: int = 4
    omega: float = 1.0
    """In parts of the usual one."""
    omega_first: float | None = None
    """Of the first layer, in parts of that."""
    seed: int = 0
    score: Score = field(default_factory=lambda: Saliency(steps=60, step_size=1e-3))
    fraction: float = 0.2
    distribution: str = "global"
    regrown: int = 0
    """Rounds, once a level is reached: a tenth of the weights goes by saliency, as many come by their gradient."""
    reptile: int = 0
    """Outer steps from the end of whole fits, once a level is reached."""
    moves: Multipliers | None = None


def moving(first: float = 1.0, hidden: float = 1.0, last: float = 1.0, *, biases: str = "all") -> Multipliers:
    """By layer; and which biases are moved at all: all, those of the first layer and of the outputs, or none."""

    def of(pattern: Pattern) -> Tensor:
        shapes = pattern.field.layer_shapes
        rates = [first, *[hidden] * (len(shapes) - 2), last]
        counts = [int(keep.sum()) for keep in pattern.layer_keeps()]
        moved = [{"all": True, "none": False, "first": number in (0, len(shapes) - 1)}[biases]
                 for number in range(len(shapes))]  # fmt: skip
        return torch.cat([
            *(torch.full((count,), rate) for count, rate in zip(counts, rates, strict=True)),
            *(torch.full((rows,), rate * there)
              for (rows, _), rate, there in zip(shapes, rates, moved, strict=True)),
        ])  # fmt: skip

    return of


def saliency(**options: Any) -> Saliency:
    return Saliency(**{"steps": 60, "step_size": 1e-3, **options})


def sensitivity_at_the_end(pattern: Pattern, theta: Tensor, context: Context) -> Tensor:
    """The gradient alone, without the size of the weight."""
    return saliency()(pattern, theta, context) / _fitted_sizes(pattern, theta, context).clamp_min(1e-30)


def size_at_the_end(pattern: Pattern, theta: Tensor, context: Context) -> Tensor:
    """How large a weight is once signals are fitted: magnitude, asked where signals end up."""
    return _fitted_sizes(pattern, theta, context)


def _fitted_sizes(pattern: Pattern, theta: Tensor, context: Context) -> Tensor:
    signals = context.signals(6)
    thetas = theta.expand(len(signals.values), -1)
    adam = AdamState.zeros_like(thetas)
    for _ in range(60):
        _, grad = signals.engine.loss_and_grad(thetas, signals.coords, signals.values)
        thetas, adam = adam_step(thetas, grad, adam, 1e-3)
    return thetas[:, : pattern.num_weights].abs().mean(dim=0).double()


LEVERS = {
    "basis": Lever("recipe best: 4 layers of 256, saliency"),
    "seed 1": Lever("the basis with other random numbers", seed=1),
    "5 x 128": Lever("narrower and deeper", width=128, depth=5, omega=0.9),
    "6 x 128": Lever("narrower and deeper", width=128, depth=6, omega=0.9),
    "3 x 256": Lever("shallower", depth=3),
    "first x 0.6": Lever("lower frequencies in the first layer", omega_first=0.6),
    "first x 1.5": Lever("higher frequencies in the first layer", omega_first=1.5),
    "magnitude": Lever("score: size of the random numbers", score=lambda p, t, c: t[: p.num_weights].abs().double()),
    "size at the end": Lever("score: size once signals are fitted", score=size_at_the_end),
    "gradient alone": Lever("score: the gradient, without the size", score=sensitivity_at_the_end),
    "judged after 30": Lever("score: fits of 30 steps instead of 60", score=saliency(steps=30)),
    "judged after 150": Lever("score: fits of 150 steps", score=saliency(steps=150)),
    "judged at 5e-4": Lever("score: half the step size", score=saliency(step_size=5e-4)),
    "judged at 2e-3": Lever("score: twice the step size", score=saliency(step_size=2e-3)),
    "2 signals": Lever("score: fits of 2 signals instead of 6", score=saliency(signals=2)),
    "24 signals": Lever("score: fits of 24 signals", score=saliency(signals=24)),
    "half a round": Lever("half of the weights go in each round instead of a fifth", fraction=0.5),
    "a tenth a round": Lever("a tenth of the weights goes in each round", fraction=0.1),
    "uniform": Lever("the same fraction of every layer", distribution="uniform"),
    "erk": Lever("more of thin layers", distribution="erk"),
    "regrown": Lever("three rounds in which a tenth is exchanged by gradient", regrown=3),
    "reptile": Lever("20 outer steps of Reptile from the end of whole fits", reptile=20),
    "biases of first": Lever("hidden biases stay what they are in the start, and are not stored",
                             moves=moving(biases="first")),
    "no biases": Lever("no bias is moved, and none stored", moves=moving(biases="none")),
    "first x 2": Lever("fits: twice the step in the first layer", moves=moving(first=2.0)),
    "first x 1/2": Lever("fits: half the step in the first layer", moves=moving(first=0.5)),
    "last x 2": Lever("fits: twice the step in the last layer", moves=moving(last=2.0)),
    "last x 1/2": Lever("fits: half the step in the last layer", moves=moving(last=0.5)),
}  # fmt: skip


class Data:
    """Signals by split, and where their samples lie."""

    def __init__(self, spec: str, size: int, fitted: int, chosen: int):
        self.dataset: Dataset = open_dataset(spec, resolution=(size, size))
        self.shape, self.domain = self.dataset.shape, self.dataset.domain
        self.coords = self.domain.coords()
        self.train = self.read("train", 24)
        self.val, self.test = self.read("val", chosen), self.read("test", fitted)

    def read(self, split: str, count: int) -> Tensor:
        signals = self.dataset.split(split)
        return torch.from_numpy(np.stack([signals.load(i) for i in range(count)])).flatten(1, -2)

    def draws(self, values: Tensor, share: float, seed: int) -> InMemory:
        points = max(1, round(share * len(self.coords)))
        return InMemory(self.coords, values, Places(self.shape, points, seed, "lattice"), None)


def patterns(lever: Lever, data: Data, levels: Sequence[int]) -> Iterator[tuple[Pattern, Tensor]]:
    """A pattern and its numbers for each level, the most weights first."""
    omega = lever.omega * usual_omega_0(data.shape)
    sine = (
        Sine(omega_0=omega) if lever.omega_first is None else Sine(omega_0=omega, omega_first=lever.omega_first * omega)
    )
    channels = data.test.shape[-1]
    mlp = MLP(sizes=(2, *[lever.width] * lever.depth, channels), activation=sine, output_offset=0.5)
    pattern, theta = Pattern.full(mlp), mlp.initial_theta(seed=lever.seed)
    draws = data.draws(data.train, FEWER, lever.seed)
    for number, wanted in enumerate(_rounds(pattern.num_weights, lever.fraction, levels)):

        def draw(count: int, pattern: Pattern = pattern, number: int = number) -> TrainingSignals:
            coords, values, _ = draws.draw(number)
            return TrainingSignals(make_engine(pattern, "auto"), coords, values[:count])

        fewer = prune(pattern, theta, wanted, lever.score, lever.seed, draw, distribution=lever.distribution)
        theta, pattern = fewer.gather_from(pattern, theta), fewer
        if wanted in levels:
            yield changed(lever, data, pattern, theta, draws)


def _rounds(weights: int, fraction: float, levels: Sequence[int]) -> Iterator[int]:
    for level in sorted(levels, reverse=True):
        while (weights := weights - int(fraction * weights)) > level:
            yield weights
        yield (weights := level)


def changed(lever: Lever, data: Data, pattern: Pattern, theta: Tensor, draws: InMemory) -> tuple[Pattern, Tensor]:
    for number in range(lever.regrown):
        pattern, theta = _regrown(pattern, theta, draws.draw(10_000 + number))
    if lever.reptile:
        theta = _reptile(pattern, theta, data, lever.reptile)
    return pattern, theta


def _regrown(pattern: Pattern, theta: Tensor, drawn: tuple[Tensor, Tensor, Any]) -> tuple[Pattern, Tensor]:
    """As RigL (Evci et al., ICML 2020), with gradients at the end of short fits; what comes begins at 0."""
    coords, values = drawn[0], drawn[1][:6]
    exchanged = pattern.num_weights // 10

    def draw(count: int) -> TrainingSignals:
        return TrainingSignals(make_engine(pattern, "auto"), coords, values[:count])

    fewer = prune(pattern, theta, pattern.num_weights - exchanged, saliency(), 0, draw)
    begin = fewer.gather_from(pattern, theta)
    fitted = run(fewer, begin, lambda _: (coords, values, None), len(values), FitConfig(steps=60, lr=1e-3))
    whole = Pattern.full(pattern.field)
    _, grad = make_engine(whole, "auto").loss_and_grad(fewer.scatter(fitted), coords, values)
    wanted = grad[:, : pattern.field.num_weights].abs().mean(dim=0).masked_fill(fewer.keep, -1.0)
    keep = fewer.keep.clone()
    keep[wanted.topk(exchanged).indices] = True
    more = Pattern(pattern.field, keep)
    return more, more.gather(fewer.scatter(begin[None]))[0]


def _reptile(pattern: Pattern, theta: Tensor, data: Data, steps: int) -> Tensor:
    """Nichol et al. 2018, outer step 0.3, four training signals a step, each fitted at effort instant."""
    share = share_of(len(data.coords))
    config = FitConfig(steps=round(FULL_STEPS["instant"] / share), lr=usual_step_size(pattern.num_weights),
                       decay="cosine")  # fmt: skip
    for step in range(steps):
        some = data.train[torch.arange(4 * step, 4 * step + 4) % len(data.train)]
        draws = data.draws(some, share, step)
        theta = theta + 0.3 * (run(pattern, theta, draws.draw, 4, config).mean(dim=0) - theta)
    return theta


def run(
    pattern: Pattern, theta: Tensor, draw: Callable[[int], Any], count: int, config: FitConfig,
    moves: Multipliers | None = None,
) -> Tensor:  # fmt: skip
    """Vectors of signals fitted by Adam, (signals, params)."""
    engine, far = make_engine(pattern, "auto"), moves(pattern) if moves else None
    vectors = theta.expand(count, -1).clone()
    adam = AdamState.zeros_like(vectors)
    for step in range(config.num_steps):
        _, grad = engine.loss_and_grad(vectors, *draw(step))
        moved, adam = adam_step(vectors, grad, adam, config.step_size_at(step))
        vectors = moved if far is None else vectors + far * (moved - vectors)
    return vectors


def measured(lever: Lever, data: Data, pattern: Pattern, theta: Tensor) -> dict[str, Any]:
    share, engine = share_of(len(data.coords)), make_engine(pattern, "auto")
    trials: dict[float, float] = {}

    def reached(values: Tensor, config: FitConfig) -> list[float]:
        draws = data.draws(values, share, 0)
        vectors = run(pattern, theta, draws.draw, len(values), config, lever.moves)
        return [psnr_db(mse) for mse in engine.loss(vectors, data.coords, values).tolist()]

    def tried(plan: Any) -> float:
        found = reached(data.val, fit_by(plan))
        trials[plan.lr] = float(np.mean(found)) if np.isfinite(found).all() else -np.inf
        return trials[plan.lr]

    plan = best_plan(FULL_STEPS["balanced"], share, usual_step_size(pattern.num_weights), tried)
    return {"weights": pattern.num_weights, "numbers": stored(lever, pattern), "step_size": plan.lr,
            "in_layers": [int(keep.sum()) for keep in pattern.layer_keeps()],
            "trials": {f"{lr:g}": round(db, 3) for lr, db in trials.items() if np.isfinite(db)},
            "psnr_db": [round(db, 4) for db in reached(data.test, fit_by(plan))]}  # fmt: skip


def stored(lever: Lever, pattern: Pattern) -> int:
    """Surviving weights, and biases of neurons that have any, as far as fits move them."""
    live = [keep.any(dim=1) for keep in pattern.layer_keeps()]
    far = lever.moves(pattern) if lever.moves else torch.ones(pattern.num_params)
    return pattern.num_weights + int((torch.cat(live) & (far[pattern.num_weights :] > 0)).sum())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("record", type=Path)
    parser.add_argument("--size", type=int, default=178)
    parser.add_argument("--levels", type=int, nargs="+", default=[8_704, 2_284])
    parser.add_argument("--signals", type=int, default=6)
    parser.add_argument("--validation", type=int, default=3)
    parser.add_argument("--only", nargs="*", choices=LEVERS, default=list(LEVERS))
    options = parser.parse_args()
    torch.set_num_threads(1)
    data = Data(options.data, options.size, options.signals, options.validation)
    record: dict[str, Any] = {"kind": "levers", "record_version": 1, **environment(), "data": data.dataset.source,
                              "shape": list(data.shape), "effort": "balanced", "signals": options.signals,
                              "validation_signals": options.validation, "levers": {}}  # fmt: skip
    if options.record.exists():
        record = read_json(options.record)
    for name in options.only:
        if name in record["levers"]:
            continue
        lever = LEVERS[name]
        rows = [measured(lever, data, *found) for found in patterns(lever, data, options.levels)]
        record["levers"][name] = {"says": lever.says, "levels": rows}
        write_json(options.record, record)
        print(name, [(row["numbers"], round(float(np.mean(row["psnr_db"])), 2)) for row in rows], flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
