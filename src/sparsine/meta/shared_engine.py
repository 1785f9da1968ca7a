"""An engine whose signals are shared out among ranks: whatever works on a batch of them is spread by it."""

from torch import Tensor

from sparsine.engines.around import Around
from sparsine.engines.contract import Engine
from sparsine.meta.ranks import Ranks
from sparsine.signals.samples import Samples


class SharedEngine(Around):
    """Answers what `engine` answers, when all ranks ask the same at once. Losses and derivatives of a batch are
    computed by parts: an engine answers for each signal by itself, so the bits are its own. Values are not sent around:
    every rank computes them all."""

    def __init__(self, engine: Engine, ranks: Ranks):
        super().__init__(engine)
        self.ranks = ranks

    def plain_values(self, theta: Tensor, coords: Tensor) -> Tensor:
        return self.engine.plain_values(theta, coords)

    def _vjp(
        self, theta: Tensor, coords: Tensor, cotangents: Tensor, with_coords: bool
    ) -> tuple[Tensor, Tensor | None]:
        return self.engine.vjp(theta, coords, cotangents, with_coords=with_coords)

    def _loss_and_grad(
        self, theta: Tensor, coords: Tensor, values: Tensor, weights: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        if len(theta) < self.ranks.count:
            return super()._loss_and_grad(theta, coords, values, weights)
        share = self.ranks.share(len(theta))
        own = Samples(coords, values, weights).part(share.part)
        mine = self.engine.loss_and_grad(theta[share.part], own.coords, own.values, own.weights)
        loss, grad = share.gathered(theta, *mine)
        return loss, grad

    def _hvp(self, theta: Tensor, v: Tensor, coords: Tensor, values: Tensor, weights: Tensor | None = None) -> Tensor:
        if len(theta) < self.ranks.count:
            return super()._hvp(theta, v, coords, values, weights)
        share = self.ranks.share(len(theta))
        own = Samples(coords, values, weights).part(share.part)
        mine = self.engine.hvp(theta[share.part], v[share.part], own.coords, own.values, own.weights)
        return share.gathered(theta, mine)[0]
