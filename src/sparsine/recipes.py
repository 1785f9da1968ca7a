"""Named, complete configurations. No loops live here; every field can be overridden from the command line."""

from collections.abc import Callable
from dataclasses import replace
from math import prod, radians

from sparsine.checks import check_choice
from sparsine.fitting.plan_search import PlanConfig
from sparsine.measure.comparison.config import CompareConfig
from sparsine.meta.config import FieldConfig, GridConfig, LearnConfig, OuterConfig, WatchConfig
from sparsine.meta.maml import InnerConfig
from sparsine.pruning.prune import PruningConfig
from sparsine.pruning.saliency import IN_RANDOM_FIELDS
from sparsine.signals.domain import Domain
from sparsine.signals.grid import Grid
from sparsine.signals.kind import Kind
from sparsine.signals.sphere import Sphere


def best() -> LearnConfig:
    """Minutes on two cores, down to 2,284 weights: the pattern that fits of training signals need, found in a field of
    random numbers. Nothing is learned beside it: starts that are learned for few steps are worse after many."""
    return LearnConfig(
        recipe="best",
        field=FieldConfig(omega_0=usual_omega_0((178, 178)), output_offset=0.5),
        inner=InnerConfig(share=1 / 16, sampling="lattice"),
        outer=OuterConfig(dense_steps=0, steps_per_round=0),
        pruning=PruningConfig(score="saliency", score_options=dict(IN_RANDOM_FIELDS)),
        plan=PlanConfig(plan_signals=4),
        watch=WatchConfig(val_signals=0),
    )


def for_size(config: LearnConfig, shape: tuple[float, ...]) -> LearnConfig:
    """What a recipe leaves to the size of the signals: omega_0, which was found to be best at 25 for 64 x 64 samples
    and at 50 for 178 x 178; and the step size of the fits of its score, which follows that."""
    if config.recipe != "best":
        return config
    if config.field.omega_0 == best().field.omega_0:  # not chosen by hand
        config = replace(config, field=replace(config.field, omega_0=usual_omega_0(shape)))
    return with_score_step(config)


def with_score_step(config: LearnConfig) -> LearnConfig:
    """Fits of the score in steps that suit its omega_0."""
    pruning = config.pruning
    if config.recipe != "best" or pruning.score_options != best().pruning.score_options:  # chosen by hand
        return config
    options = {**pruning.score_options, "step_size": usual_score_step(config.field.omega_0)}
    return replace(config, pruning=replace(pruning, score_options=options))


def for_kind(config: LearnConfig, kind: Kind) -> LearnConfig:
    """What a recipe leaves to the kind of the signals: what the field puts out before it is fitted, the middle of the
    values, 0 where nothing is known of them. Half of full scale under a quiet sound costs ten decibels."""
    if config.recipe != "best" or config.field.output_offset != best().field.output_offset:  # chosen by hand
        return config
    return replace(config, field=replace(config.field, output_offset=kind.middle or 0.0))


def detailed_axes(domain: Domain) -> tuple[float, ...]:
    """Samples along the axes that decide omega_0: those of a lattice that cover as much as the widest, which time in a
    video does not. On a sphere as many as lie on an arc of length 2, where coordinates cover 2 along a lattice."""
    if isinstance(domain, Sphere):
        arcs = [abs(radians(last - first)) for first, last in (domain.latitudes, domain.longitudes)]
        return tuple(2 * n / arc if arc else float(n) for n, arc in zip(domain.shape, arcs, strict=True))
    if not isinstance(domain, Grid):
        return domain.shape
    widths = [high - low for low, high in domain.axis_extents]
    return tuple(n for n, width in zip(domain.shape, widths, strict=True) if width == max(widths))


MEASURED_UP_TO = 178
"""Samples along an axis of the largest pictures that omega_0 was looked for on."""


def usual_omega_0(shape: tuple[float, ...]) -> float:
    """By the samples along an axis: the line through what was measured on pictures of 64 and 178, which meets boxes of
    32 too; beyond, the power of them through both, near which sounds of 2,000 and 4,096 lie."""
    samples = float(prod(shape) ** (1 / len(shape)))
    line = 12.0 + 0.2135 * min(samples, MEASURED_UP_TO)
    return round(line * float(max(1.0, samples / MEASURED_UP_TO) ** 0.652), 3)


def usual_score_step(omega_0: float) -> float:
    """Of fits that show which weights count: a step turns a sine by as much at any frequency."""
    return float(min(IN_RANDOM_FIELDS["step_size"], float(f"{0.06 / omega_0:.3g}")))


def quick() -> LearnConfig:
    """Minutes on two cores: a small field at 48 x 48, eight prunings down to 5.8 % of the weights."""
    return LearnConfig(
        recipe="quick",
        field=FieldConfig(width=64, hidden_layers=3, omega_0=30.0),
        grid=GridConfig(resolution=(48, 48)),
        inner=InnerConfig(points=768),
        outer=OuterConfig(outer_step_size=1e-3, dense_steps=1_500, steps_per_round=300),
        pruning=PruningConfig(fraction=0.3, rounds=8),
        watch=WatchConfig(val_every=100),
    )


def small() -> LearnConfig:
    """About half an hour on two cores: width 128 at 64 x 64, the paper's alternation down to 4.4 % of the weights."""
    return LearnConfig(
        recipe="small",
        field=FieldConfig(width=128, hidden_layers=4, omega_0=60.0),
        grid=GridConfig(resolution=(64, 64)),
        inner=InnerConfig(points=1_024),
        outer=OuterConfig(outer_step_size=3e-4, dense_steps=4_000, steps_per_round=700),
        pruning=PruningConfig(fraction=0.2, rounds=14),
        watch=WatchConfig(val_every=500),
    )


def paper() -> LearnConfig:
    """The paper's, to the letter: width 256 at 178 x 178, 150,000 + 20 x 30,000 outer steps. Days without a GPU."""
    return LearnConfig(recipe="paper")


RECIPES: dict[str, Callable[[], LearnConfig]] = {"best": best, "quick": quick, "small": small, "paper": paper}


def recipe(name: str) -> LearnConfig:
    """The configuration called `name`. Raises BadInput for an unknown one."""
    check_choice("recipe", name, RECIPES)
    return RECIPES[name]()


THE_PAPERS = ("meta-sparse", "random-pruning", "dense-narrow", "maml-oneshot", "maml-imp", "scratch")
EVERYTHING = (
    *THE_PAPERS, "meta-sparse-saliency", "meta-sparse-connected", "dense-maml", "modulations", "coin-16", "coin-8",
    "ticket-rewound", "ticket-random", "ticket-oneshot", "transfer",
)  # fmt: skip


def compare_quick() -> CompareConfig:
    """Minutes: is everything in place? Too few steps and signals to say which method is better."""
    learn = LearnConfig(
        field=FieldConfig(width=48, hidden_layers=3, omega_0=30.0),
        grid=GridConfig(resolution=(32, 32)),
        inner=InnerConfig(points=256),
        outer=OuterConfig(outer_step_size=1e-3, dense_steps=300, steps_per_round=60),
        pruning=PruningConfig(fraction=0.37, rounds=6),
        watch=WatchConfig(val_every=300),
    )
    return CompareConfig(recipe="quick", learn=learn, methods=EVERYTHING, levels=(2, 4, 6), ablation_levels=(4,),
                         latents=(32,), latent_steps=100, seeds=(0,), signals=4, pictures=2)  # fmt: skip


def compare_small() -> CompareConfig:
    """About two hours on two cores: every method, down to 1 % of the weights, on three data sets and three seeds.
    omega_0 = 72 at 64 x 64 turns as far from one sample to the next as the paper's 200 at 178 x 178."""
    learn = LearnConfig(
        field=FieldConfig(width=64, hidden_layers=4, omega_0=72.0),
        grid=GridConfig(resolution=(64, 64)),
        inner=InnerConfig(points=512),
        outer=OuterConfig(outer_step_size=2e-4, dense_steps=2_500, steps_per_round=600),
        pruning=PruningConfig(fraction=0.37, rounds=10),
        watch=WatchConfig(val_every=1_000),
    )
    return CompareConfig(recipe="small", learn=learn, methods=EVERYTHING, levels=(2, 4, 5, 6, 7, 8, 10),
                         ablation_levels=(5, 8), latents=(64, 256), signals=10)  # fmt: skip


def compare_paper() -> CompareConfig:
    """The paper's, to the letter: its field, its grid, its steps, its six methods at all of its twenty levels."""
    learn = replace(paper(), grid=GridConfig(resolution=(178, 178)))
    return CompareConfig(recipe="paper", learn=learn, methods=(*THE_PAPERS, "dense-maml"), levels=tuple(range(1, 21)))


def compare_paper_cpu() -> CompareConfig:
    """The paper's field, grid, pruning and evaluation, from a published dense start that --start-from names, with less
    than a hundredth of its outer steps after each pruning: two hours on two cores."""
    learn = replace(
        paper(),
        inner=InnerConfig(points=2_500, sampling="lattice"),
        outer=OuterConfig(dense_steps=0, steps_per_round=290, moments="reset"),
        watch=WatchConfig(val_every=290, val_signals=4),
    )
    return CompareConfig(recipe="paper-cpu", learn=learn, methods=("meta-sparse", "meta-sparse-saliency"),
                         levels=(4, 8, 10, 11, 14, 15, 17, 20), seeds=(0,), signals=50)  # fmt: skip


COMPARISONS: dict[str, Callable[[], CompareConfig]] = {
    "quick": compare_quick, "small": compare_small, "paper": compare_paper, "paper-cpu": compare_paper_cpu,
}  # fmt: skip


def comparison(name: str) -> CompareConfig:
    """The comparison called `name`. Raises BadInput for an unknown one."""
    check_choice("recipe", name, COMPARISONS)
    return COMPARISONS[name]()
