"""The tuned protocol: every method at its own best settings, each found in the same way on validation signals.

Of every model the step size is looked for as `plan_search` does for a start (many steps on small lattices, a step
size that falls); what begins from random numbers also chooses its omega_0, with its output in the middle of the values.
Validation signals choose, test signals report.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar

from sparsine.fields.activations import Sine
from sparsine.fields.mlp import MLP
from sparsine.fitting.fit import FitConfig
from sparsine.fitting.plan_search import best_plan, fit_by, plan_of, share_of, usual_step_size
from sparsine.measure.comparison.fitted_models import FittedModel
from sparsine.signals.kind import Kind
from sparsine.starts.plan import FULL_STEPS, Effort, FitPlan

OMEGA_PARTS = (0.4, 0.6, 0.8, 1.0)
"""Of omega_0, where a field of random numbers may choose it."""
Candidate = TypeVar("Candidate")
Found = TypeVar("Found")


def in_the_middle(field: MLP, kind: Kind) -> MLP:
    """The field with its output where values are before anything is known of them."""
    return field if kind.middle is None else replace(field, output_offset=kind.middle)


def at_omegas(field: MLP, parts: Iterable[float] = OMEGA_PARTS) -> list[MLP]:
    """The field with each omega_0 that is tried; itself where its activation has none."""
    sine = field.activation
    if not isinstance(sine, Sine):
        return [field]
    return [replace(field, activation=replace(sine, omega_0=part * sine.omega_0)) for part in parts]


def omega_of(field: MLP | None) -> float | None:
    """None where there is none."""
    return field.activation.omega_0 if field and isinstance(field.activation, Sine) else None


def best_of(
    candidates: Iterable[Candidate], search: Callable[[Candidate], tuple[Found, float]]
) -> tuple[Candidate, Found]:
    """The candidate for which `search` reached most, and what it found; the first among equals."""
    tried = [(candidate, *search(candidate)) for candidate in candidates]
    candidate, found, _ = max(tried, key=lambda one: one[2])
    return candidate, found


@dataclass(frozen=True)
class Tuned:
    """A model with the settings that were best."""

    model: FittedModel
    plan: FitPlan
    effort: Effort
    trials: tuple[dict[str, Any], ...]
    """omega_0, step size and mean PSNR of validation signals, dB; in the order in which they were tried."""

    @property
    def fit(self) -> FitConfig:
        return fit_by(self.plan)

    def to_dict(self) -> dict[str, Any]:
        """What a record says beside the fits."""
        field = self.model.field
        return {"effort": self.effort, "plan": asdict(self.plan), "omega_0": omega_of(field),
                "output_offset": field.output_offset if field else None, "trials": list(self.trials)}  # fmt: skip


def tune(
    candidates: Sequence[FittedModel],
    effort: Effort,
    num_samples: int,
    reached: Callable[[FittedModel, FitConfig], float],
) -> Tuned:
    """The best candidate at its best step size. What is not fitted at all is taken as it is.

    Args:
        reached: mean PSNR of validation signals, dB.

    Raises:
        WorkFailed: no step size fits them.
    """
    trials: list[dict[str, Any]] = []
    share = share_of(num_samples)

    def search(model: FittedModel) -> tuple[FitPlan, float]:
        found: dict[float, float] = {}

        def tried(plan: FitPlan) -> float:
            found[plan.lr] = reached(model, fit_by(plan))
            omega_0 = omega_of(model.field)
            trials.append({"omega_0": omega_0, "lr": plan.lr, "psnr_db": round(found[plan.lr], 4)})
            return found[plan.lr]

        plan = best_plan(FULL_STEPS[effort], share, usual_step_size(model.weights), tried)
        return plan, found[plan.lr]

    if not candidates[0].is_fitted:
        return Tuned(candidates[0], plan_of(FULL_STEPS[effort], share, usual_step_size(1)), effort, ())
    best, plan = best_of(candidates, search)
    return Tuned(best, plan, effort, tuple(trials))
