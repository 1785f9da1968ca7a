"""What there is to learn and to measure for one data set and one seed of a comparison."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float

from sparsine.counted import counted
from sparsine.errors import BadInput
from sparsine.fields.mlp import MLP
from sparsine.fields.pattern import Pattern
from sparsine.lazy import cached_property
from sparsine.measure.comparison.config import CompareConfig
from sparsine.measure.comparison.stages import Artifact, StartStage
from sparsine.measure.comparison.training_signals import training_signals
from sparsine.meta.config import LearnConfig
from sparsine.meta.cost import course_of, gradient_cost
from sparsine.pruning.prune import PruningConfig
from sparsine.pruning.saliency import IN_RANDOM_FIELDS
from sparsine.signals.dataset import Dataset
from sparsine.signals.domain import Domain
from sparsine.signals.kind import Kind
from sparsine.signals.manifest import digest_of
from sparsine.signals.open import size_for
from sparsine.starts.start import Start, load_start


@dataclass(frozen=True)
class Level:
    """A place on the axis of sizes that every method is given."""

    name: str
    """dense, round-05, latents-064: the name of its records."""
    weights: int
    """Weights that survive (latents: numbers of the code)."""
    round: int | None
    """Prunings that lead there; None where pruning has nothing to do with it."""


class Plan:
    """Knows the stages that methods share, so that two of them that ask for the same get the same."""

    def __init__(self, config: CompareConfig, datasets: Mapping[str, Dataset], data: str, seed: int):
        self.config, self.datasets, self.data, self.seed = config, datasets, data, seed
        self.dataset = datasets[data]

    def on(self, data: str) -> "Plan":
        """The same for another data set."""
        return Plan(self.config, self.datasets, data, self.seed)

    @cached_property
    def given_start(self) -> Start | None:
        """The dense start that the comparison was given instead of learning one."""
        path = self.config.learn.outer.start_from
        return load_start(Path(path)) if path else None

    @cached_property
    def signals_sha256(self) -> str:
        """Over names and content of the test signals that are measured."""
        test = self.dataset.test
        return digest_of({test.name(i): test.fingerprint(i) for i in range(min(self.config.signals, len(test)))})

    @cached_property
    def domain(self) -> Domain:
        if self.given_start:
            return self.given_start.domain.resized(self.dataset.shape)
        return self.config.learn.grid.domain(self.dataset.domain)

    @cached_property
    def field(self) -> MLP:
        """The dense field that everything is pruned from."""
        if self.given_start:
            return self.given_start.field
        return self.config.learn.field.field(self.domain.num_coords, self.dataset.num_channels)

    @cached_property
    def survivors(self) -> list[int]:
        """Weights after 0, 1, 2, ... prunings."""
        total = self.field.num_weights
        return [total, *self.config.learn.pruning.survivors(total, total)]

    @cached_property
    def training_signals(self) -> Float[np.ndarray, "signals ..."]:
        """What linear methods learn from: (signals, *axes, channels), read once."""
        return training_signals(self.dataset)

    def level(self, round: int) -> Level:
        """Raises BadInput when the schedule has no such round."""
        if round >= len(self.survivors):
            raise BadInput(
                f"level {round} was asked for, but the schedule has {counted(len(self.survivors) - 1, 'round')} of "
                "pruning; ask for fewer, or set more --rounds"
            )
        return Level(f"round-{round:02d}" if round else "dense", self.survivors[round], round)

    def learning(self, *, dense_steps: int | None = None, rounds: int = 0, score: str | None = None) -> LearnConfig:
        """The comparison's way of learning, for this data set and seed."""
        learn = self.config.learn
        outer = replace(learn.outer, start_from="")  # a stage that begins from a start names it by its digest
        outer = outer if dense_steps is None else replace(outer, dense_steps=dense_steps)
        pruning = replace(learn.pruning, rounds=rounds) if rounds else PruningConfig(rounds=0)
        pruning = pruning.with_score(score) if score else pruning
        grid = replace(learn.grid, resolution=size_for(self.dataset.spec, learn.grid.resolution))
        return replace(learn, recipe=self.config.recipe, data=self.dataset.spec, seed=self.seed, outer=outer, grid=grid,
                       pruning=pruning)  # fmt: skip

    def dense(self, width: int | None = None) -> StartStage:
        """A meta-learned start with nothing pruned, of the comparison's field or a narrower one."""
        config, given = self.learning(), self.given_start
        if width is None:
            return self._stage("dense", config, self.field, [], (lambda _: given) if given else None)
        if given:
            raise BadInput(
                "narrower fields cannot begin from the start that start_from names; leave dense-narrow out of the "
                "methods, or start_from"
            )
        config = replace(config, field=replace(config.field, width=width))
        return self._stage(f"narrow-{width:03d}", config, self.narrow_field(width), [], None)

    def chain(self, score: str, after: int = 0) -> StartStage:
        """The paper's alternation from the dense start, survivors chosen by `score`; or from where magnitude has led
        `after` so many rounds. Adam begins anew where it begins, so that all chains can share the dense start."""
        config = self.learning(dense_steps=0, rounds=len(self.survivors) - 1 - after, score=score)
        if config.pruning.survivors(self.survivors[after], self.field.num_weights) != self.survivors[after + 1 :]:
            raise BadInput(
                f"from round {after} on, schedule {config.pruning.schedule} leaves other numbers of weights if pruning "
                "begins there; choose methods that prune from the beginning, and a schedule that heeds --rounds"
            )
        name, begins = (f"{score}-after-{after:02d}", self.chain("magnitude")) if after else (score, self.dense())
        density = self.survivors[after] / self.field.num_weights
        return self._stage(name, config, self.field, [begins.at(after)], lambda starts: starts[0], density)

    def pattern_chain(self, name: str, field: MLP) -> StartStage:
        """The weights that fits need, round after round, in a field of random numbers that nothing is learned in."""
        config = self.learning(dense_steps=0, rounds=len(self.survivors) - 1, score="saliency")
        options = {**config.pruning.score_options, **IN_RANDOM_FIELDS}
        config = replace(config, outer=replace(config.outer, steps_per_round=0),
                         pruning=replace(config.pruning, score_options=options))  # fmt: skip
        return self._stage(name, config, field, [],
                           lambda _: random_start(field, self.domain, self.seed, self.dataset.kind))  # fmt: skip

    def relearned(
        self,
        name: str,
        level: Level,
        needs: list[Artifact],
        begin: Callable[[Sequence[Start]], Start],
        *,
        dense_steps: int,
    ) -> StartStage:
        """A sparse start that learns on from what `begin` makes of others, without further pruning, for as many outer
        steps as the alternation took to this level; `dense_steps` come on top."""
        assert level.round is not None
        steps = dense_steps + level.round * self.config.learn.outer.steps_per_round
        density = level.weights / self.field.num_weights
        return self._stage(f"{name}-{level.name}", self.learning(dense_steps=steps), self.field, needs, begin, density)

    def narrow_field(self, width: int) -> MLP:
        first, *hidden, last = self.field.sizes
        return replace(self.field, sizes=(first, *[width] * len(hidden), last), output_offset=0.0)

    def narrow_width(self, weights: int) -> int:
        """The smallest even width whose dense field has at least so many weights: the paper's list, for its field."""
        width = 2
        while self.narrow_field(width).num_weights < weights:
            width += 2
        return width

    def fit_cost(self, weights: int, gradients: float) -> float:
        """Multiply-adds of so many gradients on the whole grid."""
        return gradients * gradient_cost(self.field, weights, self.domain.num_points)

    def _stage(
        self, name: str, config: LearnConfig, field: MLP, needs: list[Artifact],
        begin: Callable[[Sequence[Start]], Start] | None, density: float = 1.0,
    ) -> StartStage:  # fmt: skip
        weights = int(density * field.num_weights)
        survivors = [weights, *config.pruning.survivors(weights, weights)]
        cost = course_of(config, field, survivors, self.domain.num_points).total
        return StartStage(self.data, self.seed, name, tuple(needs), cost, config, begin)


def random_start(field: MLP, domain: Domain, seed: int, kind: Kind) -> Start:
    """Nothing learned: the field's own random numbers. Seeds are moved by one, away from those that learning begins
    with."""
    return Start(Pattern.full(field), field.initial_theta(seed + 1), domain, kind=kind)
