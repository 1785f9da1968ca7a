"""CUDA graphs: what a step launches is recorded once and replayed, which spares the time of the launches. An option,
not tried on a device yet."""

import os
import warnings

import torch
from torch import Tensor

from sparsine.engines.around import Around
from sparsine.engines.contract import Engine

VARIABLE = "SPARSINE_CUDA_GRAPHS"
"""Environment variable: 1 has fits on a GPU replay their steps."""


class NotReplayed(UserWarning):
    """Graphs were asked for, and steps are computed without."""


def replayed(engine: Engine) -> Engine:
    """One that gives the same answers and replays gradients, where the environment asks for it and a GPU computes."""
    if os.environ.get(VARIABLE) != "1":
        return engine
    if engine.device.type != "cuda":
        _warn(f"engine '{engine.name}' computes on {engine.device}, and graphs are recorded on CUDA")
        return engine
    return ReplayedEngine(engine)


class ReplayedEngine(Around):
    """What `engine` answers. Gradients are recorded anew for each set of shapes; where that fails, it is told why, and
    they are computed as ever."""

    def __init__(self, engine: Engine):
        super().__init__(engine)
        self._graphs: dict[tuple[torch.Size, ...], _Graph | None] = {}

    def _loss_and_grad(
        self, theta: Tensor, coords: Tensor, values: Tensor, weights: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        given = (theta, coords, values, *(() if weights is None else (weights,)))
        graph = self._recorded(given)
        return self.engine.loss_and_grad(*given) if graph is None else graph(given)

    def _recorded(self, given: tuple[Tensor, ...]) -> "_Graph | None":
        shapes = tuple(tensor.shape for tensor in given)
        if shapes not in self._graphs:
            try:
                self._graphs[shapes] = _Graph(self.engine, given)
            except RuntimeError as error:
                self._graphs[shapes] = None
                _warn(f"CUDA could not record a step ({str(error).splitlines()[0]})")
        return self._graphs[shapes]


class _Graph:
    """One recording. It reads and writes tensors of its own."""

    def __init__(self, engine: Engine, given: tuple[Tensor, ...]):
        self._given = tuple(tensor.clone(memory_format=torch.contiguous_format) for tensor in given)
        aside = torch.cuda.Stream(engine.device)  # type: ignore[no-untyped-call]
        aside.wait_stream(torch.cuda.current_stream(engine.device))
        with torch.cuda.stream(aside):  # libraries make what they need at the first call, which cannot be recorded
            engine.loss_and_grad(*self._given)
        torch.cuda.current_stream(engine.device).wait_stream(aside)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._answers = engine.loss_and_grad(*self._given)

    def __call__(self, given: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        for own, tensor in zip(self._given, given, strict=True):
            own.copy_(tensor)
        self._graph.replay()
        loss, grad = (answer.clone() for answer in self._answers)
        return loss, grad


def _warn(reason: str) -> None:
    warnings.warn(f"{VARIABLE}: {reason}; steps are computed without", NotReplayed, stacklevel=3)
