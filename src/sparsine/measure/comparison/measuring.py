"""Signals of a cell, fitted by a contender in one protocol after the other, and what is recorded of each."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sparsine.errors import UnreadableSignal, WorkFailed
from sparsine.fitting.fit import FitConfig, Status
from sparsine.lazy import cached_property
from sparsine.measure.comparison.contenders import Contender, OnDrawn
from sparsine.measure.comparison.plan import Plan
from sparsine.psnr import psnr_db, reached_db
from sparsine.signals.dataset import SignalSet
from sparsine.signals.pictured import pictured
from sparsine.signals.pictures import save_picture
from sparsine.signals.values import load_values
from sparsine.signals.weights import weigh, weights_of
from sparsine.usage import Stopwatch


class Measuring:
    """One cell's: `picture_names` says where in the folder of the comparison its pictures lie."""

    def __init__(self, plan: Plan, root: Path, picture_names: tuple[str, str]):
        self.plan, self.root, self.picture_names = plan, root, picture_names
        self.device = torch.device(plan.config.learn.device)
        self.coords = None if plan.domain.own_coords else plan.domain.coords(device=self.device)
        self.num_pictures = 0
        self.pictures = plan.config.pictures if plan.seed == plan.config.seeds[0] else 0

    def protocol(
        self, name: str, contender: Contender, fit: FitConfig, on_progress: Callable[[float], None]
    ) -> dict[str, Any]:
        """Every test signal, batch after batch."""
        last = min(self.plan.config.signals, len(self.plan.dataset.test))
        records: list[dict[str, Any]] = []
        names = [metric.name for metric in self.plan.dataset.kind.metrics]
        began, stopwatch = time.monotonic(), Stopwatch()
        scoring = 0.0  # reading, SSIM and pictures are not part of a fit
        for first in range(0, last, fit.together()):
            read_from = time.monotonic()
            indices = range(first, min(first + fit.together(), last))
            rows = [self._read(self.plan.dataset.test, index) for index in indices]
            scoring += time.monotonic() - read_from
            scoring += self._fit_and_score(name, contender, fit, rows)
            records += [row.record(fit.report_steps, names) for row in rows]
            on_progress(len(records) / last)
        usage = stopwatch.usage().to_dict() | {"seconds": round(time.monotonic() - began - scoring, 3)}
        return {"optimizer": fit.chosen, "lr": fit.step_size, "steps": list(fit.report_steps), "usage": usage,
                "signals": records}  # fmt: skip

    def validated(self, contender: Contender, fit: FitConfig) -> float:
        """Of validation signals after the last step, as `reached_db`."""
        reached: list[float] = []

        def on_drawn(step: int, drawn: Tensor) -> None:
            if step == fit.num_steps:
                reached.extend(psnr_db(mse, self.plan.dataset.kind.peak) for mse in errors(drawn))

        errors, fitted = self._fitting(self._validation, fit)
        fitted(contender, on_drawn)
        return reached_db(reached)

    @cached_property
    def _validation(self) -> list["_Row"]:
        signals = self.plan.dataset.split("val")
        rows = [self._read(signals, index) for index in range(min(self.plan.config.tuned_signals, len(signals)))]
        good = [row for row in rows if row.values is not None]
        if not good:
            raise WorkFailed("not one validation signal could be read, so that nothing can be tuned")
        return good

    def _read(self, signals: SignalSet, index: int) -> "_Row":
        try:
            values = load_values(signals, index, self.plan.dataset.kind)
            return _Row(signals.name(index), values, coords=signals.coords_of(index))
        except UnreadableSignal as error:
            return _Row(signals.name(index), None, "unreadable", str(error))

    def _fitting(
        self, rows: Sequence["_Row"], fit: FitConfig
    ) -> tuple[Callable[[Tensor], list[float]], Callable[[Contender, OnDrawn], list[Status]]]:
        """Mean squared errors of what is drawn for `rows`; and how a contender fits them."""
        coords = self.coords
        if coords is None:
            own = [row.coords for row in rows if row.coords is not None]
            coords = torch.from_numpy(np.stack(own)).to(self.device)
        originals = torch.stack([torch.from_numpy(row.values).flatten(0, -2) for row in rows])
        area = self.plan.domain.weights(device=self.device)
        target, weights = weigh(originals.to(self.device), area)
        weighed = () if weights is None else (weights,)

        def errors(drawn: Tensor) -> list[float]:
            squares = (drawn - target).square()
            means: list[float] = (squares if weights is None else weights[..., None] * squares).mean((1, 2)).tolist()
            return means

        return errors, lambda contender, on_drawn: contender.fit(coords, target, fit, on_drawn, *weighed)

    def _fit_and_score(self, name: str, contender: Contender, fit: FitConfig, rows: list["_Row"]) -> float:
        """Fit the rows that could be read; returns the seconds that scoring took."""
        good = [(row, row.values) for row in rows if row.values is not None]
        if not good:
            return 0.0
        shape, kind, domain = self.plan.dataset.shape, self.plan.dataset.kind, self.plan.domain
        spent = 0.0

        def on_drawn(step: int, drawn: Tensor) -> None:
            nonlocal spent
            began = time.monotonic()
            for (row, original), mse, picture in zip(good, errors(drawn), drawn.cpu().numpy(), strict=True):
                fitted = picture.reshape(*shape, -1)
                row.psnr_db.append(psnr_db(mse, kind.peak))
                for metric in kind.metrics:
                    score = metric.measure(original, fitted, weights_of(domain, original))
                    row.metrics.setdefault(metric.name, []).append(score)
                if name == "adam" and step == fit.num_steps and self.num_pictures < self.pictures:
                    self._draw(row, original, fitted)
            spent += time.monotonic() - began

        errors, fitted_by = self._fitting([row for row, _ in good], fit)
        for (row, _), status in zip(good, fitted_by(contender, on_drawn), strict=True):
            row.status = status
            if status == "diverged":
                row.reason = "the loss overflowed, or ended above where it began"
        return spent

    def _draw(self, row: "_Row", original: np.ndarray, fitted: np.ndarray) -> None:
        folder, number, (method, level) = self.root / "pictures" / self.plan.data, self.num_pictures, self.picture_names
        kind, domain = self.plan.dataset.kind, self.plan.dataset.domain
        save_picture(folder / f"original-{number}.png", pictured(kind, domain, original, row.coords))
        save_picture(folder / method / f"{level}-{number}.png", pictured(kind, domain, fitted, row.coords))
        self.num_pictures += 1


class _Row:
    """One signal on its way into a record."""

    def __init__(
        self, name: str, values: np.ndarray | None, status: str = "ok", reason: str = "",
        coords: np.ndarray | None = None,
    ):  # fmt: skip
        self.name, self.values, self.status, self.reason, self.coords = name, values, status, reason, coords
        self.psnr_db: list[float] = []
        self.metrics: dict[str, list[float | None]] = {}

    def record(self, steps: tuple[int, ...], names: list[str]) -> dict[str, Any]:
        """`names`: of the kind's metrics, which stand beside PSNR."""
        unknown: list[float | None] = [None] * len(steps)
        record = {
            "input": self.name, "status": self.status,
            "psnr_db": [round(value, 4) for value in self.psnr_db] or unknown,
        }  # fmt: skip
        for name in names:
            record[name] = [None if value is None else round(value, 5) for value in self.metrics.get(name, unknown)]
        return record | ({"reason": self.reason} if self.reason else {})
