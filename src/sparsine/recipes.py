"""Named, complete configurations. No loops live here; every field can be overridden from the command line."""

from collections.abc import Callable

from sparsine.checks import check_choice
from sparsine.meta.config import FieldConfig, GridConfig, LearnConfig, OuterConfig, WatchConfig
from sparsine.meta.maml import InnerConfig
from sparsine.pruning.prune import PruningConfig


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


RECIPES: dict[str, Callable[[], LearnConfig]] = {"quick": quick, "small": small, "paper": paper}


def recipe(name: str) -> LearnConfig:
    """The configuration called `name`. Raises BadInput for an unknown one."""
    check_choice("recipe", name, RECIPES)
    return RECIPES[name]()
