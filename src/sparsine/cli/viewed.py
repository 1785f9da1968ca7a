"""What `sparsine view` opens where only a folder is named: the starts of its codes or fits, and fits of a run's own."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path

from sparsine.cli.console import Waiting, counted, named_reason, say_notes, tell
from sparsine.cli.find_start import find_start, starts_at
from sparsine.errors import BadInput
from sparsine.fitting.collection import FittedSignal, fit_collection
from sparsine.fitting.config import FitConfig
from sparsine.fitting.fitted_files import SUFFIX, write_fitted
from sparsine.meta.run_data import open_data_of, pinned_to_measure
from sparsine.meta.run_folder import holds_run, read_config, start_files
from sparsine.shown import shown
from sparsine.signals.file_names import FileNames
from sparsine.signals.open import is_there
from sparsine.signals.own_folders import FIELDS, TABLE
from sparsine.starts.built_in import built_in_named, built_in_starts
from sparsine.starts.start import Start, load_start
from sparsine.viewer.folder import CodeFolder
from sparsine.viewer.starts import Starts

LOOKED_AT = 50
"""Codes that say which starts they need."""
BESIDE = 100
"""Files beside a folder that are looked at, whether they are starts."""


def is_run(folder: Path) -> bool:
    """Whether `learn` wrote it, and a start is there."""
    return holds_run(folder) and (folder / "starts").is_dir()


def starts_of(folder: CodeFolder, named: Path | None) -> Starts:
    """The starts that were named; without, those of its first codes: of a run around it, beside it, or built in.

    Raises:
        BadInput: none of them is.
    """
    if named is not None:
        return Starts([(each.name, load_start(each)) for each in starts_at(named)])
    codes = [file for levels in folder.codes().values() for file in levels.values()]
    if not codes:
        raise BadInput(f"{folder.given} holds no codes and no fits; name another folder, or that of a run")
    found: dict[str, Start] = {}
    wanted = list(islice(codes, LOOKED_AT))
    for name, start in _candidates(folder.given):
        starts = Starts([(name, start)])
        left = [file for file in wanted if not _draws(starts, folder, file.parts)]
        if len(left) < len(wanted):
            found[name], wanted = start, left
        if not wanted:
            break
    if not found:
        raise BadInput(
            f"the start of {shown(codes[0].name)} is not beside {folder.given}, nor does it come with the package "
            f"({built_in_named()}); name it by --start"
        )
    return Starts(list(found.items()))


def _draws(starts: Starts, folder: CodeFolder, parts: tuple[str, ...]) -> bool:
    with suppress(BadInput):
        starts.facts(folder.read(parts, starts.most_bytes))
        return True
    return False


def _candidates(folder: Path) -> Iterator[tuple[str, Start]]:
    """Starts that are near, the nearest first."""
    here = folder.resolve()
    for place in (here, *list(here.parents)[:2]):
        with suppress(BadInput, OSError):
            files = start_files(place) if is_run(place) else sorted(islice(place.glob(f"*{SUFFIX}"), BESIDE))
            for path in files:
                with suppress(BadInput):
                    yield path.name, load_start(path)
    for path in built_in_starts().values():
        yield path.name, load_start(path)


@contextmanager
def fitted_run(run: Path, limit: int, data: str | None) -> Iterator[tuple[CodeFolder, Path, str]]:
    """The first test signals of a run, fitted from its sparsest start: a folder of fits that is gone afterwards, the
    start, and the data set.

    Raises:
        BadInput: the run has no start yet, or its test signals are not where they were.
    """
    config = read_config(run)
    pinned = pinned_to_measure(run, open_data_of(run, config, data), limit)
    path, start = find_start(run, None)
    fit = FitConfig(effort="fast" if "fast" in start.plans else None).by(start.plans)
    say_notes(pinned.notes)
    names, count = FileNames(suffixes=start.kind.all_suffixes), min(limit, len(pinned.dataset.test))
    with tempfile.TemporaryDirectory(prefix="sparsine-") as place:
        with Waiting("fitting", count) as waiting:
            fits = fit_collection(start, pinned.dataset.test, fit, indices=range(count), engine=config.engine,
                                  device=config.device)  # fmt: skip
            for number, fitted in enumerate(fits):
                _keep(Path(place), start, fitted, names)
                waiting.at(number + 1, f"fitted {fitted.name}")
        (Path(place) / TABLE).touch()
        tell(("fitted", "bold"), f" {counted(count, 'test signal')} of it from {path.name}: {fit.description}")
        known = [data, pinned.data.place if pinned.data else None, config.data]
        yield CodeFolder(Path(place), run), path, next(spec for spec in known if spec and is_there(spec))


def _keep(place: Path, start: Start, fitted: FittedSignal, names: FileNames) -> None:
    if fitted.theta is None:
        tell((fitted.status, "yellow"), f" {named_reason(fitted.name, fitted.reason)}")
        return
    write_fitted(place / FIELDS / f"{names.of(fitted.name)}{SUFFIX}", start, fitted)
