"""Works a comparison off: several jobs at a time, each in a process of its own, so that its memory is its own and a
crash takes nothing with it. Whatever stops the whole, what is done stays done."""

import multiprocessing
import os
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pickle import dumps, loads

import torch

from sparsine import plugins
from sparsine.errors import BadInput, WorkFailed
from sparsine.folders import Held, locked, watched
from sparsine.measure.comparison.comparison import Comparison, stages_of
from sparsine.measure.comparison.measuring import picture_folders
from sparsine.measure.comparison.records import CELLS, check_record, read_cell, write_cells
from sparsine.plugins import LoadedFile
from sparsine.registry import LeftOut
from sparsine.signals.dataset import Dataset
from sparsine.storage import read_json, remove_leftovers, write_json

OnProgress = Callable[[float, str], None]
"""Told the fraction that is done, by cost, and what is going on."""
TELL_SECONDS = 0.5


@dataclass
class Job:
    """A stage to learn or a cell to measure, by its key."""

    key: str
    needs: set[str]
    cost: float
    done: float = 0.0
    """Fraction."""


@dataclass
class Outcome:
    """What became of a comparison."""

    num_cells: int
    num_measured: int
    """With a record now, those from earlier sittings included."""
    failed: dict[str, str] = field(default_factory=dict)
    """Jobs that ended in an error, with the reason. What needed them was not tried."""
    notes: list[str] = field(default_factory=list)
    """What is not as it was and does not hinder, a sentence each."""


def run_comparison(comparison: Comparison, *, workers: int, on_progress: OnProgress | None = None) -> Outcome:
    """Learn and measure whatever is not there yet; collect the records. Every process runs the files that this one has
    loaded (`sparsine.plugins`), and gets a copy of the data sets that were handed over; arrays that are mapped from
    files are mapped there again.

    Args:
        workers: jobs at a time; the cores are shared out among them.

    Raises:
        BadInput: the folder is another's, in use, or holds damaged records; a data set that cannot be used or handed to
            another process, or that has lost or changed signals since the comparison began.
        WorkFailed: a file cannot be written.
    """
    root = comparison.root
    cells = comparison.cells()
    stages_of(cells)  # refuses what cannot be learned, before anything is written
    given = _handed_over(comparison.given)
    if root.exists() and not root.is_dir():
        raise BadInput(f"{root} is a file; a comparison needs a folder")
    with locked(root) as held:
        comparison.write()
        notes = comparison.pin()
        jobs = _jobs(comparison)
        failed = _Workers(held, jobs, workers, given, on_progress).work_off() if jobs else {}
        measured = collect(comparison)
    return Outcome(len(cells), measured, failed, notes)


def _handed_over(given: dict[str, Dataset]) -> bytes:
    """A copy for each process, which unpickles it once it has run the files of kinds and sources that this one ran.

    Raises:
        BadInput: a data set cannot be pickled.
    """
    for label, dataset in given.items():
        try:
            dumps(dataset)
        except Exception as error:  # whatever a class of somebody else raises there
            raise BadInput(
                f"the data set {label} cannot be handed to the processes that compare ({error}); keep its class at the "
                "top of a module, without open files and lambdas, or load its arrays first"
            ) from error
    return dumps(given)


def collect(comparison: Comparison) -> int:
    """Write cells.jsonl from every record in the folder, those of earlier requests included; returns how many of this
    comparison's cells have one."""
    root = comparison.root
    paths = sorted((root / "cells").glob("*/seed-*/*/*.json"))
    records = [read_json(path) for path in paths]
    for record, path in zip(records, paths, strict=True):
        check_record(record, str(path))
    if records:
        write_cells(root / CELLS, records)
    return sum(record is not None for _, record in comparison.measured(comparison.cells()))


def _jobs(comparison: Comparison) -> dict[str, Job]:
    """What is left to do, each job after those that it needs."""
    root = comparison.root
    cells = [cell for cell, record in comparison.measured(comparison.cells()) if record is None]
    jobs: dict[str, Job] = {}
    stages = {key: stage for key, stage in stages_of(cells).items() if not stage.is_done(root)}
    for cell in cells:  # each right after what it needs, so that the first results come early
        for key in (key for key in stages_of([cell]) if key in stages):
            jobs.setdefault(key, Job(key, {artifact.stage.key for artifact in stages[key].needs} & stages.keys(),
                                     stages[key].cost))  # fmt: skip
        jobs[cell.key] = Job(cell.key, {artifact.stage.key for artifact in cell.needs} & stages.keys(), cell.cost)
    for cell in cells:
        for folder in ((root / cell.key).parent, *picture_folders(root, cell.plan.data, cell.method.name)):
            remove_leftovers(folder)
    return jobs


class _Workers:
    """Hands jobs to processes as soon as what they need is there."""

    def __init__(self, held: Held, jobs: dict[str, Job], workers: int, given: bytes, on_progress: OnProgress | None):
        self.held, self.jobs, self.workers, self.loaded = held, jobs, workers, plugins.loaded_files()
        self.given, self.on_progress = given, on_progress
        self.waiting = dict(jobs)
        self.failed: dict[str, str] = {}
        self.running: dict[Connection, tuple[Job, BaseProcess]] = {}
        self.threads = max(1, torch.get_num_threads() // workers)
        # a clean process, with torch loaded but no thread started, is cheap to copy
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload(
            ["sparsine.measure.comparison.run", "skimage.metrics", "torch.utils.tensorboard"]
        )

    def work_off(self) -> dict[str, str]:
        """Returns the jobs that failed."""
        try:
            while self.waiting or self.running:
                while len(self.running) < self.workers and (job := self._next()):
                    self._begin(job)
                if not self.running:
                    break  # what is left needs something that failed
                self._listen()
                self.held.check()  # a folder that is gone is no reason to compute for hours
        finally:
            for _, process in self.running.values():
                process.terminate()
            for _, process in self.running.values():
                process.join()
        return self.failed

    def _next(self) -> Job | None:
        unfinished = self.jobs.keys() - {key for key, job in self.jobs.items() if job.done == 1.0}
        return next((job for job in self.waiting.values() if not job.needs & unfinished), None)

    def _begin(self, job: Job) -> None:
        del self.waiting[job.key]
        ours, theirs = self.context.Pipe(duplex=False)
        arguments = (self.held, job.key, self.threads, self.loaded, self.given, theirs)
        process = self.context.Process(target=_work, args=arguments, daemon=True)
        process.start()
        theirs.close()
        self.running[ours] = (job, process)

    def _listen(self) -> None:
        for connection in wait(list(self.running), timeout=1.0):
            assert isinstance(connection, Connection)
            job, process = self.running[connection]
            try:
                said = connection.recv()
            except EOFError:  # it died without a word
                process.join()
                said = f"its process ended with exit code {process.exitcode}"
            if isinstance(said, float):
                job.done = min(said, 0.999)
            else:
                self._end(connection, job, process, said)
        if self.on_progress:
            cost = sum(job.cost for job in self.jobs.values())
            what = _told([job.key for job, _ in self.running.values()])
            self.on_progress(sum(job.cost * job.done for job in self.jobs.values()) / cost, what)

    def _end(self, connection: Connection, job: Job, process: BaseProcess, error: str) -> None:
        del self.running[connection]
        process.join()
        connection.close()
        if error:
            self.failed[job.key] = error
        else:
            job.done = 1.0


def _work(
    held: Held, key: str, threads: int, loaded: Sequence[LoadedFile], given: bytes, connection: Connection
) -> None:
    """One job, in its own process. Says how far it is, and at last '' or what went wrong."""
    _end_with_parent()
    torch.set_num_threads(threads)
    told = 0.0

    def on_progress(fraction: float) -> None:
        nonlocal told
        if time.monotonic() - told >= TELL_SECONDS:
            told = time.monotonic()
            connection.send(float(fraction))

    try:
        warnings.simplefilter("ignore", LeftOut)  # it was said where the comparison was begun
        for file in loaded:
            plugins.load(file)
        with watched(held):
            _do(Comparison.read(held.folder, loads(given)), key, on_progress)
        connection.send("")
    except (BadInput, WorkFailed) as error:
        connection.send(str(error))
    except KeyboardInterrupt:
        connection.send("interrupted")
    except Exception as error:
        connection.send(f"unexpected {type(error).__name__}: {error}")


def _do(comparison: Comparison, key: str, on_progress: Callable[[float], None]) -> None:
    root, (kind, data, seed, *_) = comparison.root, key.split("/")
    # every stage of a data set and seed is reached from its own cells, or from those of another one by transfer
    cells = [cell for cell in comparison.cells() if kind == "learning" or cell.key == key]
    if kind == "learning":
        stage = stages_of([cell for cell in cells if f"seed-{cell.plan.seed}" == seed])[key]
        stage.run(root, comparison.datasets[data], on_progress)
        return
    (cell,) = cells
    if read_cell(root / key, cell) is None:
        write_json(root / key, cell.measure(root, on_progress))


def _end_with_parent() -> None:
    """A killed comparison leaves no process behind that would write into its folder."""
    parent = multiprocessing.parent_process()
    if parent is not None:

        def watch() -> None:
            parent.join()
            os._exit(1)

        threading.Thread(target=watch, daemon=True).start()


def _told(keys: Sequence[str]) -> str:
    """Jobs in a few words: the one that was begun first, and how many more there are."""
    more = f" + {len(keys) - 1} more" if len(keys) > 1 else ""
    return _words(keys[0]) + more if keys else ""


def _words(key: str) -> str:
    """'cells/faces/seed-0/scratch/round-05.json' as 'faces 0: scratch round-05'."""
    _, data, seed, *rest = key.removesuffix(".json").split("/")
    return f"{data} {seed.removeprefix('seed-')}: {' '.join(rest)}"
