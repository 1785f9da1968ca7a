"""Signals named on the command line, and the folder that results go to."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from sparsine.checks import OneOf
from sparsine.cli.console import say_notes
from sparsine.errors import BadInput
from sparsine.folders import names_in
from sparsine.meta.start import Start
from sparsine.signals.dataset import SignalSet
from sparsine.signals.open import dataset_kinds, open_dataset, open_files

SPLITS = ("train", "val", "test")
Split = Annotated[str, OneOf(SPLITS)]


def is_dataset(given: Sequence[str]) -> bool:
    """Whether one data set is named, rather than files and folders."""
    kind = given[0].partition(":")[0] if given else ""
    return len(given) == 1 and kind in dataset_kinds() and not Path(given[0]).exists()


def open_signals(
    given: Sequence[str], start: Start, split: str, resolution: tuple[int, int] | None, doing: str
) -> SignalSet:
    """Image files and folders, or one split of a data set, with the channels of `start`.

    Args:
        resolution: (rows, columns) to bring every signal to; None leaves each at its own size.
        doing: what is said to be impossible when nothing was given, such as "fit".

    Raises:
        BadInput: nothing was given, or it cannot be opened, or it has other channels.
    """
    if not given:
        raise BadInput(f"there is nothing to {doing}: name image files, folders, or one data set such as curves")
    if not is_dataset(given):
        files = open_files(given, shape=resolution, num_channels=start.field.out_features)
        say_notes(files.notes)
        return files
    seed = int(start.info.get("config", {}).get("split_seed", 0))
    dataset = open_dataset(given[0], resolution=resolution, seed=seed)
    say_notes(dataset.notes)
    chosen: SignalSet = getattr(dataset, split)
    return chosen


def grid_shape(start: Start) -> tuple[int, int]:
    """(rows, columns) of a start's grid."""
    if start.grid.num_dims != 2:
        raise BadInput(f"signals are opened as pictures, but the start takes {start.grid.num_dims} coordinates")
    return start.grid.shape[0], start.grid.shape[1]


def check_folder(out: Path, overwrite: bool) -> None:
    """Raises BadInput unless results may go to `out`."""
    if names_in(out) and not overwrite:
        raise BadInput(f"{out} holds files already; choose another folder, or say --overwrite")


def check_json(path: Path | None) -> None:
    """Raises BadInput where --json cannot be written: said before the work, not after."""
    if path is not None and path.is_dir():
        raise BadInput(f"{path} is a folder; --json needs a file")
