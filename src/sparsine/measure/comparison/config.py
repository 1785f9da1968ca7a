"""The complete description of a comparison: everything that decides its numbers."""

import dataclasses
from dataclasses import asdict, dataclass
from typing import Any

from sparsine.checks import check_choice, check_range
from sparsine.errors import BadInput, UnknownName
from sparsine.fitting.fit import FitConfig
from sparsine.meta import config as meta
from sparsine.meta.config import OLD_OPTIONS, LearnConfig
from sparsine.parts import fault_in_fields
from sparsine.pruning.saliency import Saliency
from sparsine.starts.plan import Effort

REPORTED = (0, 1, 2, 5, 10, 20, 50, 100)
TUNED = "tuned"
"""The protocol in which every method has its own best settings; the paper's are adam and sgd."""
TRIALS = ("quick",)
"""Recipes that show whether everything is in place. Their numbers are too few to judge methods by."""


@dataclass(frozen=True, kw_only=True)
class CompareConfig:
    """Methods x levels x seeds, on any number of data sets. Each combination is a cell, and independent."""

    recipe: str = "paper"
    """The comparison this was made from."""
    learn: LearnConfig = dataclasses.field(default_factory=LearnConfig)
    """How every start is learned: field, grid, inner and outer steps, pruning. Its data and seed are the cell's."""
    methods: tuple[str, ...] = ()
    """Names from METHODS; the order is that of the legend."""
    levels: tuple[int, ...] = ()
    """Rounds of pruning after which is measured; every method is given as many weights as survive then."""
    ablation_levels: tuple[int, ...] = ()
    """The rounds at which the lottery-ticket variants are measured: each of them is a learning run of its own."""
    latents: tuple[int, ...] = ()
    """Latent modulations: numbers stored for a signal, one level each."""
    latent_steps: int = 1_000
    """Latent modulations: outer steps after the dense ones."""
    seeds: tuple[int, ...] = (0, 1, 2)
    """Each decides a random start, the order of the signals and the points drawn."""
    signals: int = 100
    """Test signals, taken from the front of the test split."""
    pictures: int = 3
    """How many of them are drawn, for the first seed."""
    adam: FitConfig = dataclasses.field(
        default_factory=lambda: FitConfig(protocol="paper", optimizer="adam", report=REPORTED)
    )
    """The test-time protocol."""
    tuned_signals: int = 0
    """Validation signals that the tuned protocol chooses each method's own best settings on; 0: it is not measured."""
    tuned_effort: Effort = "balanced"
    """What a fit of the tuned protocol may cost, in steps that see all samples: instant 10, fast 30, balanced 100,
    best 400."""
    sgd: FitConfig = dataclasses.field(default_factory=lambda: FitConfig(protocol="paper", optimizer="sgd"))
    """The paper's second protocol: two inner steps."""

    def __post_init__(self) -> None:
        if not self.methods:
            raise BadInput("a comparison needs at least one method")
        for name, low, high in (("levels", 1, 10_000), ("ablation_levels", 1, 10_000), ("latents", 1, 10**6),
                                ("seeds", 0, 2**32 - 2)):  # fmt: skip
            given = getattr(self, name)
            for value in given:
                check_range(name, value, low, high)
            if len(set(given)) != len(given):
                raise BadInput(f"{name} is {given}, but each may be given once only")
        if len(set(self.methods)) != len(self.methods):
            raise BadInput(f"methods is {self.methods}, but each may be given once only")
        if not self.seeds:
            raise BadInput("a comparison needs at least one seed")
        check_range("latent_steps", self.latent_steps, 1, 10**9)
        check_range("signals", self.signals, 1, 10**6)
        check_range("tuned_signals", self.tuned_signals, 0, 10_000)
        check_choice("tuned_effort", self.tuned_effort, Effort)
        check_range("pictures", self.pictures, 0, 100)

    @property
    def protocols(self) -> dict[str, FitConfig]:
        return {"adam": self.adam, "sgd": self.sgd}

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "CompareConfig":
        """Raises BadInput when `data` does not describe a comparison of this version."""
        try:
            given = dict(in_todays_words(data))
            if wrong := fault_in_fields({**given, "learn": {}}, cls):
                raise TypeError(wrong)
            given["learn"] = LearnConfig.from_dict(given["learn"])
            for name in ("adam", "sgd"):
                fit = {"protocol": "paper", **given[name]}
                fit["report"] = tuple(fit["report"]) if fit["report"] is not None else None
                given[name] = FitConfig(**fit)
            for name in ("methods", "levels", "ablation_levels", "latents", "seeds"):
                given[name] = tuple(given[name])
            return cls(**given)
        except UnknownName:
            raise
        except (KeyError, TypeError, ValueError) as error:
            raise BadInput(f"not a comparison of this version of sparsine ({error})") from error


def in_todays_words(saved: Any) -> Any:
    """What `to_dict` made, now or before scores had options of their own. The method that prunes by saliency looked at
    its options whatever the score was; now they are those of the score, if that is saliency."""
    learn = saved.get("learn") if isinstance(saved, dict) else None
    if not isinstance(learn, dict) or not isinstance(pruning := learn.get("pruning"), dict):
        return saved
    old = {new: pruning[name] for name, new in OLD_OPTIONS.items() if name in pruning}
    score = {"score": "saliency"} if old and old != asdict(Saliency()) else {}
    return {**saved, "learn": meta.in_todays_words({**learn, "pruning": {**pruning, **score}})}
