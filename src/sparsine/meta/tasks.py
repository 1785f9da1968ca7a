"""Which signals, and which points of them, an outer step sees.

Everything is a function of (seed, step): a resumed run needs no generator's state to draw the same tasks.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from math import prod

import numpy as np
import torch
from torch import Tensor

from sparsine.errors import BadInput, UnreadableSignal
from sparsine.meta.maml import Samples, Sampling, Tasks
from sparsine.signals.dataset import SignalSet
from sparsine.signals.grid import Grid

_ORDER, _SPARE, _POINTS, _APART = range(4)


def random_points(rng: np.random.Generator, shape: tuple[int, ...], count: int) -> np.ndarray:
    """`count` samples of a grid, each as likely as any other."""
    return np.sort(rng.choice(prod(shape), count, replace=False, shuffle=False))


def lattice_points(rng: np.random.Generator, shape: tuple[int, ...], count: int) -> np.ndarray:
    """About `count` samples of a grid, evenly spaced along each axis, moved by one random offset (Cranley and
    Patterson, 1976): each sample is as likely as any other, and neighbours are never drawn twice. On a face a gradient
    from 2,500 of 178 x 178 points lies three times as near to that of all as one from `random_points`."""
    share = (count / prod(shape)) ** (1 / len(shape))
    axes = []
    for n in shape:
        m = min(n, max(1, round(n * share)))
        places = ((np.arange(m) + rng.random()) * n / m).astype(np.int64)
        axes.append(np.minimum(places, n - 1))  # rounding may reach n
    return np.ravel_multi_index(np.meshgrid(*axes, indexing="ij"), shape).reshape(-1)


POINTS: dict[Sampling, Callable[[np.random.Generator, tuple[int, ...], int], np.ndarray]] = {
    "random": random_points, "lattice": lattice_points,
}  # fmt: skip


class TaskSampler:
    """Draws signals without replacement, epoch after epoch; an unreadable one is noted and replaced at random."""

    def __init__(
        self,
        signals: SignalSet,
        grid: Grid,
        *,
        tasks_per_step: int,
        points: int | None,
        sampling: Sampling = "random",
        seed: int,
        device: torch.device,
    ):
        if len(signals) == 0:
            raise BadInput("there are no training signals")
        self.signals, self.seed, self.device = signals, seed, device
        self.tasks_per_step = tasks_per_step
        self.points = None if points is None or points >= grid.num_points else points
        self.grid, self.sampling = grid, sampling
        self.coords = grid.coords(device=device)
        self.unreadable: dict[str, str] = {}
        self._epoch, self._order = -1, np.empty(0, dtype=np.int64)

    def steps(self, first: int, last: int) -> Iterator[tuple[int, Tasks]]:
        """(step, tasks) for first <= step < last; the next step's signals are read while this one's are used.

        The reader's thread keeps to NumPy: torch would start a second pool of threads in it, and the two would fight.
        """
        with ThreadPoolExecutor(1) as reader:
            coming = reader.submit(self._read, first) if first < last else None
            for step in range(first, last):
                assert coming is not None
                read = coming.result()
                coming = reader.submit(self._read, step + 1) if step + 1 < last else None
                yield step, self._tasks(*read)

    def draw(self, step: int) -> Tasks:
        """The tasks of one outer step.

        Raises:
            BadInput: not one signal of the set can be read.
        """
        return self._tasks(*self._read(step))

    def apart(self, key: int, count: int) -> Samples:
        """`count` signals (all, if there are fewer) at points of their own, apart from those of the outer steps: the
        same for the same key.

        Raises:
            BadInput: not one signal of the set can be read.
        """
        rng = np.random.default_rng([self.seed, _APART, key])
        chosen = rng.choice(len(self.signals), min(count, len(self.signals)), replace=False)
        values = np.stack([self._load(int(index), rng) for index in chosen])
        samples = Samples(self.coords, torch.from_numpy(values).to(self.device))
        if self.points is None:
            return samples
        points = [POINTS[self.sampling](rng, self.grid.shape, self.points) for _ in chosen]
        return self._subset(samples.values, torch.from_numpy(np.stack(points)))

    def _read(self, step: int) -> tuple[np.ndarray, list[np.ndarray]]:
        """Values (tasks, points, channels) of the step's signals, and the points drawn for each of the two losses."""
        spare = np.random.default_rng([self.seed, _SPARE, step])
        first = step * self.tasks_per_step
        values = np.stack([self._load(self._index(first + i), spare) for i in range(self.tasks_per_step)])
        return values, [] if self.points is None else [self._points(step, draw, self.points) for draw in range(2)]

    def _points(self, step: int, draw: int, count: int) -> np.ndarray:
        """An own random set of points for every task, in grid order: (tasks, count)."""
        chosen = []
        for task in range(self.tasks_per_step):
            rng = np.random.default_rng([self.seed, _POINTS, step, draw, task])
            chosen.append(POINTS[self.sampling](rng, self.grid.shape, count))
        return np.stack(chosen)

    def _tasks(self, values: np.ndarray, points: list[np.ndarray]) -> Tasks:
        everything = Samples(self.coords, torch.from_numpy(values).to(self.device))
        if not points:
            return Tasks(everything, everything)
        return Tasks(*(self._subset(everything.values, torch.from_numpy(index)) for index in points))

    def _subset(self, values: Tensor, index: Tensor) -> Samples:
        index = index.to(self.device)
        rows = torch.arange(values.shape[0], device=self.device)[:, None]
        return Samples(self.coords[index], values[rows, index])

    def _index(self, position: int) -> int:
        epoch, place = divmod(position, len(self.signals))
        if epoch != self._epoch:
            self._order = np.random.default_rng([self.seed, _ORDER, epoch]).permutation(len(self.signals))
            self._epoch = epoch
        return int(self._order[place])

    def _load(self, index: int, spare: np.random.Generator) -> np.ndarray:
        tried: set[int] = set()
        while True:
            name = self.signals.name(index)
            if name not in self.unreadable:
                try:
                    signal = self.signals.load(index)
                    return signal.reshape(-1, signal.shape[-1])
                except UnreadableSignal as error:
                    self.unreadable[name] = str(error)
            tried.add(index)
            if len(tried) == len(self.signals):
                raise BadInput(
                    f"not one of the {len(self.signals)} training signals can be read; the last: "
                    f"{self.unreadable[name]}"
                )
            while index in tried:
                index = int(spare.integers(len(self.signals)))
