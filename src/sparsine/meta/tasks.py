"""Which signals, and which points of them, an outer step sees.

Everything is a function of (seed, step): a resumed run needs no generator's state to draw the same tasks.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sparsine.errors import BadInput, UnreadableSignal
from sparsine.lazy import cached_property
from sparsine.meta.config import LearnConfig
from sparsine.meta.maml import InnerConfig, Samples, Tasks
from sparsine.meta.ranks import ALONE, Ranks
from sparsine.signals.dataset import Dataset, SignalSet
from sparsine.signals.domain import Domain
from sparsine.signals.kind import VALUES, Kind
from sparsine.signals.sampling import POINTS
from sparsine.signals.values import load_values
from sparsine.signals.weights import weigh

MOST_POINTS = 1 << 20
"""Of a signal that is held out: enough to judge by."""
_ORDER, _SPARE, _POINTS, _APART = range(4)


@dataclass(frozen=True)
class _Read:
    """Signals of one step at the places of both losses, one after the other; NumPy alone."""

    values: np.ndarray
    """(tasks, places, channels)."""
    coords: np.ndarray | None
    """(tasks, places, coords) of scattered points; None on a domain that all signals share."""
    places: np.ndarray | None
    """(tasks, places) in the domain; None is all of it."""

    def part(self, chosen: slice) -> "_Read":
        """Some of the tasks."""
        coords, places = (None if own is None else own[chosen] for own in (self.coords, self.places))
        return _Read(self.values[chosen], coords, places)


class TaskSampler:
    """Draws signals without replacement, epoch after epoch; an unreadable one is noted and replaced at random. Where
    only some points of a signal are wanted, the set is asked for no others; a rank reads its own tasks alone, and they
    are those that one process would draw."""

    def __init__(
        self,
        signals: SignalSet,
        domain: Domain,
        inner: InnerConfig,
        *,
        tasks_per_step: int,
        seed: int,
        device: torch.device,
        kind: Kind = VALUES,
        ranks: Ranks = ALONE,
    ):
        """`kind`: of the values; a signal whose values are of another range counts as one that cannot be read.
        `ranks`: who share the tasks of a step."""
        if len(signals) == 0:
            raise BadInput("there are no training signals")
        self.signals, self.seed, self.device, self.kind = signals, seed, device, kind
        self.tasks_per_step, self.ranks, self.share = tasks_per_step, ranks, ranks.share(tasks_per_step)
        self.points = inner.points_of(domain.num_points)
        self.domain, self.sampling = domain, inner.sampling
        self.unreadable: dict[str, str] = {}
        self._epoch, self._order = -1, np.empty(0, dtype=np.int64)

    @cached_property
    def coords(self) -> Tensor:
        """Of the whole domain, where all signals share it."""
        return self.domain.coords(device=self.device)

    def steps(self, first: int, last: int) -> Iterator[tuple[int, Tasks]]:
        """(step, tasks of this rank) for first <= step < last; the next step's signals are read while this one's are
        used.

        The reader's thread keeps to NumPy: torch would start a second pool of threads in it, and the two would fight.
        """
        with ThreadPoolExecutor(1) as reader:
            coming = reader.submit(self._read, first) if first < last else None
            for step in range(first, last):
                assert coming is not None
                read = coming.result()
                self.ranks.tell(self.unreadable)
                coming = reader.submit(self._read, step + 1) if step + 1 < last else None
                yield step, self._tasks(read)

    def draw(self, step: int) -> Tasks:
        """The tasks of one outer step that are this rank's.

        Raises:
            BadInput: not one signal of the set can be read.
        """
        return self._tasks(self._read(step))

    def apart(self, key: int, count: int) -> Samples:
        """`count` signals (all, if there are fewer) at points of their own, apart from those of the outer steps: the
        same for the same key.

        Raises:
            BadInput: not one signal of the set can be read.
        """
        rng = np.random.default_rng([self.seed, _APART, key])
        chosen = rng.choice(len(self.signals), min(count, len(self.signals)), replace=False)
        points = None if self.points is None else np.stack([self._drawn(rng, self.points) for _ in chosen])
        return self._samples(self._read_at([int(index) for index in chosen], points, rng))

    def held_out(self, signals: SignalSet, count: int) -> Samples | None:
        """The first `count` signals of another set, whole (of huge ones evenly spaced samples); None without any that
        can be read."""
        places = None
        if self.domain.num_points > MOST_POINTS:
            places = np.linspace(0, self.domain.num_points - 1, MOST_POINTS).astype(np.int64)
        read = []
        for index in range(min(count, len(signals))):
            with suppress(UnreadableSignal):
                read.append((self._values(signals, index, places), signals.coords_of(index, places)))
        if not read:
            return None
        together = None if places is None else np.stack([places] * len(read))
        return self._samples(self._stacked(read, together))

    def _read(self, step: int) -> _Read:
        """The step's signals at the points drawn for each of the two losses, or at all: those of this rank."""
        part = range(self.tasks_per_step)[self.share.part]
        if part.start:
            with suppress(UnreadableSignal):  # the usual case: nobody needs to know what other ranks draw
                return self._read_tasks(step, part, replacing=False)
        # which signals take the place of others is drawn for one task after the other
        everything = self._read_tasks(step, range(part.stop))
        return everything.part(slice(part.start, part.stop))

    def _read_tasks(self, step: int, tasks: range, *, replacing: bool = True) -> _Read:
        """Raises UnreadableSignal where one is not to be replaced."""
        spare = np.random.default_rng([self.seed, _SPARE, step]) if replacing else None
        chosen = [self._index(step * self.tasks_per_step + task) for task in tasks]
        if self.points is None:
            return self._read_at(chosen, None, spare)
        draws = [self._points(step, draw, self.points, tasks) for draw in range(2)]
        return self._read_at(chosen, np.concatenate(draws, axis=1), spare)

    def _points(self, step: int, draw: int, count: int, tasks: range) -> np.ndarray:
        """An own random set of points for every task, in grid order: (tasks, count)."""
        return np.stack(
            [self._drawn(np.random.default_rng([self.seed, _POINTS, step, draw, task]), count) for task in tasks]
        )

    def _drawn(self, rng: np.random.Generator, count: int) -> np.ndarray:
        return POINTS[self.sampling](rng, self.domain.shape, count)

    def _read_at(self, chosen: list[int], places: np.ndarray | None, spare: np.random.Generator | None) -> _Read:
        """The chosen signals at the places of each, or whole. Raises UnreadableSignal without `spare`."""
        wanted = [None] * len(chosen) if places is None else list(places)
        return self._stacked([self._load(index, at, spare) for index, at in zip(chosen, wanted, strict=True)], places)

    def _stacked(self, read: list[tuple[np.ndarray, np.ndarray | None]], places: np.ndarray | None) -> _Read:
        coords = np.stack([own for _, own in read if own is not None]) if self.domain.own_coords else None
        return _Read(np.stack([values for values, _ in read]), coords, places)

    def _tasks(self, read: _Read) -> Tasks:
        everything = self._samples(read)
        if read.places is None:
            return Tasks(everything, everything)
        half = read.places.shape[1] // 2
        return Tasks(everything.at(slice(0, half)), everything.at(slice(half, None)))

    def _samples(self, read: _Read) -> Samples:
        values = torch.from_numpy(read.values).to(self.device)
        if read.coords is not None:
            return Samples(torch.from_numpy(read.coords).to(self.device), *weigh(values, None))
        if read.places is None:
            return Samples(self.coords, *weigh(values, self.domain.weights(device=self.device)))
        flat, shape = read.places.reshape(-1), read.places.shape
        area = self.domain.weights_at(flat, device=self.device)
        weighed = weigh(values, None if area is None else area.reshape(shape))
        return Samples(self.domain.coords_at(flat, device=self.device).reshape(*shape, -1), *weighed)

    def _index(self, position: int) -> int:
        epoch, place = divmod(position, len(self.signals))
        if epoch != self._epoch:
            self._order = np.random.default_rng([self.seed, _ORDER, epoch]).permutation(len(self.signals))
            self._epoch = epoch
        return int(self._order[place])

    def _load(
        self, index: int, places: np.ndarray | None, spare: np.random.Generator | None
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """(values, coordinates of its own if it has any) of the signal at `index`; of another where that cannot be
        read, which `spare` draws. Raises UnreadableSignal where there is none to draw it."""
        tried: set[int] = set()
        while True:
            name = self.signals.name(index)
            if name not in self.unreadable:
                try:
                    return self._values(self.signals, index, places), self.signals.coords_of(index, places)
                except UnreadableSignal as error:
                    self.unreadable[name] = str(error)
            if spare is None:
                raise UnreadableSignal(self.unreadable[name])
            tried.add(index)
            if len(tried) == len(self.signals):
                raise BadInput(
                    f"not one of the {len(self.signals)} training signals can be read; the last: "
                    f"{self.unreadable[name]}"
                )
            while index in tried:
                index = int(spare.integers(len(self.signals)))

    def _values(self, signals: SignalSet, index: int, places: np.ndarray | None) -> np.ndarray:
        """(points, channels) of a signal, whole or at `places`."""
        values = load_values(signals, index, self.kind, places)
        return values.reshape(-1, values.shape[-1])


def sampler_of(config: LearnConfig, dataset: Dataset, domain: Domain, ranks: Ranks = ALONE) -> TaskSampler:
    """What learning by `config` with samples on `domain` draws training signals from."""
    return TaskSampler(
        dataset.split("train"), domain, config.inner, tasks_per_step=config.outer.tasks_per_step, seed=config.seed,
        device=torch.device(config.device), kind=dataset.kind, ranks=ranks,
    )  # fmt: skip
