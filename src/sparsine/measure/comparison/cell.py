"""One cell: test signals fitted by one method at one level, from what one seed has learned, and the record of it."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sparsine.fields.mlp import MLP
from sparsine.lazy import cached_property
from sparsine.measure.comparison.config import TUNED
from sparsine.measure.comparison.fitted_models import FittedModel
from sparsine.measure.comparison.measuring import Measuring
from sparsine.measure.comparison.methods.contract import Context, Method
from sparsine.measure.comparison.plan import Level, Plan
from sparsine.measure.comparison.stages import Artifact, ancestors, total
from sparsine.measure.comparison.tuning import tune
from sparsine.measure.records import head
from sparsine.starts.plan import FULL_STEPS
from sparsine.usage import Stopwatch

KIND, VERSION = "comparison-cell", 2
USUAL_TRIALS = 6
"""Step sizes that are tried, where the guess was good."""


@dataclass(frozen=True)
class Cell:
    """A method at a level."""

    plan: Plan
    method: Method
    level: Level

    @property
    def key(self) -> str:
        """Where its record lies."""
        return f"cells/{self.plan.data}/seed-{self.plan.seed}/{self.method.name}/{self.level.name}.json"

    @property
    def needs(self) -> list[Artifact]:
        return [*self._learned, *self._learned_to_tune]

    @cached_property
    def _learned(self) -> list[Artifact]:
        return self.method.needs(self.plan, self.level)

    @cached_property
    def _learned_to_tune(self) -> list[Artifact]:
        return self.method.needs_to_tune(self.plan, self.level) if self.plan.config.tuned_signals else []

    @property
    def cost(self) -> float:
        """Roughly, in multiply-adds: for the time left."""
        return self.plan.fit_cost(self.level.weights, self._paper_steps + self._tuned_steps)

    @property
    def _paper_steps(self) -> int:
        """On all samples of a signal, all signals together."""
        return self.plan.config.signals * sum(fit.num_steps for fit in self.plan.config.protocols.values())

    @property
    def _tuned_steps(self) -> int:
        config = self.plan.config
        tuned = bool(config.tuned_signals) * config.signals + USUAL_TRIALS * config.tuned_signals
        return tuned * FULL_STEPS[config.tuned_effort]

    @property
    def made_from(self) -> dict[str, Any]:
        """What a record must say of its making to stand for this cell."""
        config, dataset = self.plan.config, self.plan.dataset
        # as JSON gives it back
        protocols: dict[str, list[Any]] = {name: [fit.chosen, fit.step_size, list(fit.report_steps)]
                     for name, fit in config.protocols.items()}  # fmt: skip
        if config.tuned_signals:
            protocols[TUNED] = [config.tuned_effort, config.tuned_signals]
        return {"data": dataset.spec, "shape": list(dataset.shape), "signals": config.signals,
                "signals_sha256": self.plan.signals_sha256, "protocols": protocols}  # fmt: skip

    def measure(self, root: Path, on_progress: Callable[[float], None]) -> dict[str, Any]:
        """The record. What it needs must have been learned in `root`."""
        plan, config = self.plan, self.plan.config
        context = Context(plan, self.level, self._learned, root, self._learned_to_tune)
        model = self._ready(self.method.fitted_model(context))
        measuring = Measuring(plan, root, (self.method.name, self.level.name))
        part = self._paper_steps / max(self._paper_steps + self._tuned_steps, 1)
        protocols = {}
        for name, fit in config.protocols.items():
            told = (lambda done: on_progress(part * done)) if name == "adam" else (lambda _: None)
            protocols[name] = measuring.protocol(name, model, fit, told)
        if config.tuned_signals and (tuned := self._tuned(context, measuring, root)):
            protocols[TUNED] = tuned
        return {
            **head(KIND, VERSION), "comparison": config.recipe,
            "data": {"label": plan.data, "spec": plan.dataset.spec, "description": plan.dataset.description,
                     "value_kind": plan.dataset.kind.name, "shape": list(plan.dataset.shape), "split": "test"},
            "seed": plan.seed, "method": self.method.name, "label": self.method.label, "family": self.method.family,
            "level": self.level.name, "round": self.level.round,
            "weights": model.weights, "biases": model.biases, "numbers": model.numbers,
            "bits": model.bits, "shared_numbers": model.shared_numbers,
            "field": model.field and self._described(model.field),
            "learn": asdict(config.learn.inner) | asdict(config.learn.outer),
            "learning": self._spent(self._learned, root),
            "protocols": protocols, "pictures": measuring.num_pictures, "made_from": self.made_from,
        }  # fmt: skip

    def _tuned(self, context: Context, measuring: Measuring, root: Path) -> dict[str, Any] | None:
        """The tuned protocol: test signals at the settings that validation signals chose. None: it cannot be tuned."""
        plan, candidates = self.plan, [self._ready(one) for one in self.method.to_tune(context)]
        if not candidates:
            return None
        stopwatch = Stopwatch()
        found = tune(candidates, plan.config.tuned_effort, plan.domain.num_points, measuring.validated)
        search = stopwatch.usage().to_dict()
        measured = measuring.protocol(TUNED, found.model, found.fit, lambda _: None)
        return {**measured, **found.to_dict(), "validation_signals": plan.config.tuned_signals, "search": search,
                "learning": self._spent(self._learned_to_tune or self._learned, root)}  # fmt: skip

    def _ready(self, model: FittedModel) -> FittedModel:
        model.engine, model.shape = self.plan.config.learn.engine, self.plan.dataset.shape
        return model

    def _spent(self, needs: list[Artifact], root: Path) -> dict[str, Any]:
        return total([artifact.stage.spent(root, artifact.round) for artifact in ancestors(needs)])

    def _described(self, field: MLP) -> dict[str, Any]:
        return {name: value for name, value in field.to_dict().items() if name != "kind"} | {
            "extent": self.plan.domain.to_dict().get("extent", [])
        }
