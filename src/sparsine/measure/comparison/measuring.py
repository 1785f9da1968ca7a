"""The protocols of a cell: test signals at given settings, and validation signals that choose them."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sparsine.errors import WorkFailed
from sparsine.fitting.fit import FitConfig, Status
from sparsine.lazy import cached_property
from sparsine.measure.comparison.fitted_models import FittedModel
from sparsine.measure.comparison.plan import Plan
from sparsine.measure.score import Batch, OnDrawn, Original, draw_signals, measure, read_batches
from sparsine.psnr import reached_db
from sparsine.usage import Stopwatch


class Measuring:
    """One cell's: `picture_names` says where in the folder of the comparison its pictures lie."""

    def __init__(self, plan: Plan, root: Path, picture_names: tuple[str, str]):
        self.plan, self.root, self.picture_names = plan, root, picture_names
        self.device = torch.device(plan.config.learn.device)
        self.num_pictures = 0
        self.pictures = plan.config.pictures if plan.seed == plan.config.seeds[0] else 0

    def protocol(
        self, name: str, model: FittedModel, fit: FitConfig, on_progress: Callable[[float], None]
    ) -> dict[str, Any]:
        """Every test signal, batch after batch."""
        dataset = self.plan.dataset

        def fitted(batch: Batch, on_drawn: OnDrawn) -> list[Status]:
            return _fitted(model, batch, fit, on_drawn)

        def on_fitted(step: int, original: Original, drawn: np.ndarray) -> None:
            if name == "adam" and step == fit.num_steps and self.num_pictures < self.pictures:
                self._draw(original, drawn)

        count, began, stopwatch = min(self.plan.config.signals, len(dataset.test)), time.monotonic(), Stopwatch()
        found = measure(fitted, dataset, self.plan.domain, count, fit.together(), self.device, on_fitted=on_fitted,
                        on_progress=on_progress)  # fmt: skip
        usage = stopwatch.usage().to_dict() | {"seconds": round(time.monotonic() - began - found.apart_seconds, 3)}
        names = ["psnr_db", *(metric.name for metric in dataset.kind.metrics)]
        return {"optimizer": fit.chosen, "lr": fit.step_size, "steps": list(fit.report_steps), "usage": usage,
                "signals": [one.to_dict(names, len(fit.report_steps)) for one in found.signals]}  # fmt: skip

    def validated(self, model: FittedModel, fit: FitConfig) -> float:
        """Of validation signals after the last step, as `reached_db`."""
        reached: list[float] = []

        def on_drawn(step: int, drawn: Tensor) -> None:
            if step == fit.num_steps:
                reached.extend(self._validation.psnr_db(drawn, self.plan.dataset.kind.peak))

        _fitted(model, self._validation, fit, on_drawn)
        return reached_db(reached)

    @cached_property
    def _validation(self) -> Batch:
        signals = self.plan.dataset.split("val")
        count = min(self.plan.config.tuned_signals, len(signals))
        found = [one for batch in read_batches(signals, count, count, self.plan.dataset.kind, lambda bad: None)
                 for one in batch]  # fmt: skip
        if not found:
            raise WorkFailed("not one validation signal could be read, so that nothing can be tuned")
        return Batch.of(found, self.plan.domain, self.device)

    def _draw(self, original: Original, drawn: np.ndarray) -> None:
        number, (method, level) = self.num_pictures, self.picture_names
        originals, fitted = picture_folders(self.root, self.plan.data, method)
        places = originals / f"original-{number}.png", fitted / f"{level}-{number}.png"
        draw_signals(self.plan.dataset, original, drawn, places)
        self.num_pictures += 1


def picture_folders(root: Path, data: str, method: str) -> tuple[Path, Path]:
    """Where a comparison keeps pictures of a data set: the originals, and those of a method."""
    folder = root / "pictures" / data
    return folder, folder / method


def _fitted(model: FittedModel, batch: Batch, fit: FitConfig, on_drawn: OnDrawn) -> list[Status]:
    weighed = () if batch.weights is None else (batch.weights,)
    return model.fit(batch.coords, batch.target, fit, on_drawn, *weighed)
