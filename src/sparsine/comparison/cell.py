"""One cell: test signals fitted by one method at one level, from what one seed has learned, and the record of it."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sparsine.comparison.contenders import Contender
from sparsine.comparison.methods.contract import Case, Method
from sparsine.comparison.plan import Level, Plan
from sparsine.comparison.stages import Made, behind, total
from sparsine.environment import environment
from sparsine.errors import UnreadableSignal
from sparsine.fitting.fit import FitConfig
from sparsine.lazy import cached_property
from sparsine.psnr import psnr_db
from sparsine.signals.pictured import pictured
from sparsine.signals.pictures import save_picture
from sparsine.signals.values import load_values
from sparsine.signals.weights import weigh, weights_of
from sparsine.usage import Stopwatch

KIND, VERSION = "comparison-cell", 1


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

    @cached_property
    def needs(self) -> list[Made]:
        return self.method.needs(self.plan, self.level)

    @property
    def cost(self) -> float:
        """Roughly, in multiply-adds: for the time left."""
        config = self.plan.config
        steps = sum(fit.num_steps for fit in config.protocols.values())
        return self.plan.fit_cost(self.level.weights, config.signals * steps)

    @property
    def made_from(self) -> dict[str, Any]:
        """What a record must say of its making to stand for this cell."""
        config, dataset = self.plan.config, self.plan.dataset
        # as JSON gives it back
        protocols = {name: [fit.chosen, fit.step_size, list(fit.report_steps)]
                     for name, fit in config.protocols.items()}  # fmt: skip
        return {"data": dataset.spec, "shape": list(dataset.shape), "signals": config.signals,
                "signals_sha256": self.plan.signals_sha256, "protocols": protocols}  # fmt: skip

    def measure(self, root: Path, on_progress: Callable[[float], None]) -> dict[str, Any]:
        """The record. What it needs must have been learned in `root`."""
        plan, config = self.plan, self.plan.config
        contender = self.method.contender(Case(plan, self.level, self.needs, root))
        contender.engine = config.learn.engine
        measuring = _Measuring(self, contender, root)
        protocols = {}
        for name, fit in config.protocols.items():
            protocols[name] = measuring.protocol(name, fit, on_progress if name == "adam" else lambda _: None)
        return {
            "kind": KIND, "record_version": VERSION, **environment(), "comparison": config.recipe,
            "data": {"label": plan.data, "spec": plan.dataset.spec, "description": plan.dataset.description,
                     "value_kind": plan.dataset.kind.name, "shape": list(plan.dataset.shape), "split": "test"},
            "seed": plan.seed, "method": self.method.name, "label": self.method.label, "family": self.method.family,
            "level": self.level.name, "round": self.level.round,
            "weights": contender.weights, "biases": contender.biases, "numbers": contender.numbers,
            "bits": contender.bits, "shared_numbers": contender.shared_numbers,
            "field": {name: value for name, value in contender.field.to_dict().items() if name != "kind"}
                     | {"extent": plan.domain.to_dict().get("extent", [])},
            "learn": asdict(config.learn.inner) | asdict(config.learn.outer),
            "learning": total([made.stage.spent(root, made.round) for made in behind(self.needs)]),
            "protocols": protocols, "pictures": measuring.num_pictures, "made_from": self.made_from,
        }  # fmt: skip


class _Measuring:
    def __init__(self, cell: Cell, contender: Contender, root: Path):
        self.cell, self.contender, self.root = cell, contender, root
        plan = cell.plan
        self.device = torch.device(plan.config.learn.device)
        self.coords = None if plan.domain.own_coords else plan.domain.coords(device=self.device)
        self.num_pictures = 0
        self.pictures = plan.config.pictures if plan.seed == plan.config.seeds[0] else 0

    def protocol(self, name: str, fit: FitConfig, on_progress: Callable[[float], None]) -> dict[str, Any]:
        """Every signal, batch after batch."""
        signals = self.cell.plan.dataset.test
        last = min(self.cell.plan.config.signals, len(signals))
        records: list[dict[str, Any]] = []
        names = [metric.name for metric in self.cell.plan.dataset.kind.metrics]
        began, stopwatch = time.monotonic(), Stopwatch()
        scoring = 0.0  # reading, SSIM and pictures are not part of a fit
        for first in range(0, last, fit.batch):
            read_from = time.monotonic()
            rows = [self._read(index) for index in range(first, min(first + fit.batch, last))]
            scoring += time.monotonic() - read_from
            scoring += self._fit(name, fit, rows)
            records += [row.record(fit.report_steps, names) for row in rows]
            on_progress(len(records) / last)
        usage = stopwatch.usage().to_dict() | {"seconds": round(time.monotonic() - began - scoring, 3)}
        return {"optimizer": fit.chosen, "lr": fit.step_size, "steps": list(fit.report_steps), "usage": usage,
                "signals": records}  # fmt: skip

    def _read(self, index: int) -> "_Row":
        signals, kind = self.cell.plan.dataset.test, self.cell.plan.dataset.kind
        try:
            return _Row(signals.name(index), load_values(signals, index, kind), coords=signals.coords_of(index))
        except UnreadableSignal as error:
            return _Row(signals.name(index), None, "unreadable", str(error))

    def _fit(self, name: str, fit: FitConfig, rows: list["_Row"]) -> float:
        """Fit the rows that could be read; returns the seconds that scoring took."""
        good = [(row, row.values) for row in rows if row.values is not None]
        if not good:
            return 0.0
        shape, kind = self.cell.plan.dataset.shape, self.cell.plan.dataset.kind
        coords = self.coords
        if coords is None:
            own = [row.coords for row, _ in good if row.coords is not None]
            coords = torch.from_numpy(np.stack(own)).to(self.device)
        originals = torch.stack([torch.from_numpy(original).flatten(0, -2) for _, original in good])
        spent = 0.0

        def on_drawn(step: int, drawn: Tensor) -> None:
            nonlocal spent
            began = time.monotonic()
            squares = (drawn - target).square()
            errors = (squares if weights is None else weights[..., None] * squares).mean(dim=(1, 2)).tolist()
            for (row, original), mse, picture in zip(good, errors, drawn.cpu().numpy(), strict=True):
                fitted = picture.reshape(*shape, -1)
                row.psnr_db.append(psnr_db(mse, kind.peak))
                for metric in kind.metrics:
                    score = metric.measure(original, fitted, weights_of(domain, original))
                    row.metrics.setdefault(metric.name, []).append(score)
                if name == "adam" and step == fit.num_steps and self.num_pictures < self.pictures:
                    self._draw(row, original, fitted)
            spent += time.monotonic() - began

        domain = self.cell.plan.domain
        target, weights = weigh(originals.to(self.device), domain.weights(device=self.device))
        weighed = () if weights is None else (weights,)
        for (row, _), status in zip(good, self.contender.fit(coords, target, fit, on_drawn, *weighed), strict=True):
            row.status = status
            if status == "diverged":
                row.reason = "the loss overflowed, or ended above where it began"
        return spent

    def _draw(self, row: "_Row", original: np.ndarray, fitted: np.ndarray) -> None:
        folder, number = self.root / "pictures" / self.cell.plan.data, self.num_pictures
        kind, domain = self.cell.plan.dataset.kind, self.cell.plan.dataset.domain
        name = f"{self.cell.level.name}-{number}.png"
        save_picture(folder / f"original-{number}.png", pictured(kind, domain, original, row.coords))
        save_picture(folder / self.cell.method.name / name, pictured(kind, domain, fitted, row.coords))
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
