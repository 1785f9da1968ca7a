"""Latent modulations of a shared base (Functa, Dupont et al. 2022; COIN++, Dupont et al. 2022): a signal is a code that
shifts the base's hidden biases. What is stored for a signal is the code alone; the base is counted apart."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sparsine.engines.choose import make_engine
from sparsine.fields.mlp import MLP
from sparsine.fitting.fit import FitConfig, Objective, Status, fit
from sparsine.measure.comparison.fitted_models import FittedModel, OnDrawn
from sparsine.measure.comparison.methods.contract import Context, Family, Method
from sparsine.measure.comparison.pinned import manifest_of
from sparsine.measure.comparison.plan import Level, Plan
from sparsine.measure.comparison.stages import Artifact, OnProgress, Stage
from sparsine.meta.config import LearnConfig
from sparsine.meta.learn_modulations import learn_modulations
from sparsine.meta.modulated_engine import ModulatedEngine
from sparsine.meta.modulations import FILE, Modulations, load_modulations
from sparsine.signals.dataset import Dataset
from sparsine.signals.values import ANY


@dataclass(frozen=True)
class ModulationStage(Stage):
    """Learns the map from codes to shifts, and the base on, from the dense start."""

    config: LearnConfig
    latents: int

    def _learn(self, root: Path, dataset: Dataset, on_progress: OnProgress) -> list[dict[str, Any]]:
        def on_step(steps: int, loss: float) -> None:
            on_progress(steps / self.config.outer.dense_steps)

        start = self.needs[0].start(root)
        manifest = manifest_of(root, self.data)
        learned = learn_modulations(
            self.config, root / self.key, dataset, start, self.latents, on_step, manifest=manifest
        )
        return [{"outer_steps": learned.info["steps"], **learned.info["usage"]}]


@dataclass
class Codes(FittedModel):
    """A code for each signal, from zero."""

    modulations: Modulations

    @property
    def field(self) -> MLP:
        return self.modulations.base.field

    @property
    def weights(self) -> int:
        return self.modulations.latents

    @property
    def biases(self) -> int:
        return 0

    @property
    def shared_numbers(self) -> int:
        return self.modulations.base.theta.numel() + self.modulations.mix.numel()

    def fit(
        self, coords: Tensor, values: Tensor, config: FitConfig, on_drawn: OnDrawn, weights: Tensor | None = None
    ) -> list[Status]:
        def see(step: int, objective: Objective, theta: Tensor) -> None:
            on_drawn(step, objective.predict(theta, coords))

        inner = make_engine(self.modulations.base.pattern, self.engine, device=str(coords.device))
        zero = torch.zeros(self.modulations.latents, device=coords.device)
        engine = ModulatedEngine(inner, self.modulations)
        return fit(engine, zero, coords, values, config, see, value_range=ANY, shape=self.shape, weights=weights).status


class LatentModulations(Method):
    name, label = "modulations", "Latent modulations (Functa, COIN++)"
    family: Family = "other"

    def levels(self, plan: Plan) -> list[Level]:
        return [Level(f"latents-{latents:03d}", latents, None) for latents in plan.config.latents]

    def needs(self, plan: Plan, level: Level) -> list[Artifact]:
        config = plan.learning(dense_steps=plan.config.latent_steps)
        cost = plan.dense().cost * plan.config.latent_steps / max(plan.config.learn.outer.dense_steps, 1)
        needs = (plan.dense().at(),)
        return [ModulationStage(plan.data, plan.seed, level.name, needs, cost, config, level.weights).at()]

    def fitted_model(self, context: Context) -> FittedModel:
        (artifact,) = context.needs
        return Codes(load_modulations(context.root / artifact.stage.key / FILE))
