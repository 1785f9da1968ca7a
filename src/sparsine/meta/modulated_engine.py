"""An engine whose vectors are latents: `fit` and the inner loop work on it unchanged."""

from dataclasses import replace

import torch
from torch import Tensor

from sparsine.engines.around import Around
from sparsine.engines.contract import Engine
from sparsine.errors import BadInput
from sparsine.meta.modulations import Modulations


class ModulatedEngine(Around):
    """Answers for z (signals, latents) what `engine` answers for theta(z); derivatives are with respect to z.

    Its `pattern` is that of the base. The modulations are brought to the engine's device, but not to its dtype.

    Example:
        >>> from sparsine.engines import DenseEngine
        >>> from sparsine.fields import Pattern, Siren
        >>> from sparsine.meta.modulations import initial
        >>> from sparsine.starts.start import Start
        >>> from sparsine.signals.grid import Grid
        >>> pattern, grid = Pattern.full(Siren(sizes=(2, 7, 1))), Grid(shape=(5, 3))
        >>> start = Start(pattern, pattern.field.initial_theta(0), grid)
        >>> engine = ModulatedEngine(DenseEngine(pattern), initial(start, latents=4, seed=0))
        >>> engine.predict(torch.zeros(2, 4), grid.coords()).shape
        torch.Size([2, 15, 1])
    """

    def __init__(self, engine: Engine, modulations: Modulations):
        super().__init__(engine)
        base, mix = modulations.base, modulations.mix
        if base.field != engine.field or not torch.equal(base.pattern.keep, engine.pattern.keep):
            raise BadInput(
                f"the engine was made for {engine.pattern.counts} of sizes {engine.field.sizes}, but the base has "
                f"{base.pattern.counts} of sizes {base.field.sizes}; make it with modulations.base.pattern"
            )
        on_device = replace(base, theta=base.theta.to(self.device))
        self.modulations = Modulations(on_device, mix.to(self.device))
        self._check_kind("base", self.modulations.base.theta)
        self._check_kind("mix", self.modulations.mix)

    def plain_values(self, theta: Tensor, coords: Tensor) -> Tensor:
        return super().plain_values(self.modulations.theta(theta), coords)

    def _predict(self, theta: Tensor, coords: Tensor) -> Tensor:
        return self.engine.predict(self.modulations.theta(theta), coords)

    def _loss_and_grad(
        self, theta: Tensor, coords: Tensor, values: Tensor, weights: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        loss, grad = self.engine.loss_and_grad(self.modulations.theta(theta), coords, values, weights)
        return loss, self.modulations.pulled_back(grad)

    def _hvp(self, theta: Tensor, v: Tensor, coords: Tensor, values: Tensor, weights: Tensor | None = None) -> Tensor:
        whole, direction = self.modulations.theta(theta), self.modulations.direction(v)
        return self.modulations.pulled_back(self.engine.hvp(whole, direction, coords, values, weights))

    def _check(self, theta: Tensor, coords: Tensor, values: Tensor | None = None) -> None:
        latents = self.modulations.latents
        if theta.ndim != 2 or theta.shape[1] != latents:
            raise BadInput(f"latents must be (signals, {latents}) for these modulations, but are {tuple(theta.shape)}")
        # the shared checks count theta's entries: a view of that shape stands for it
        super()._check(theta[:, :1].expand(-1, self.pattern.num_params), coords, values)
