"""Signals named on the command line, and the folder that results go to."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from sparsine.addresses import Address, as_place
from sparsine.checks import OneOf
from sparsine.cli.console import say_notes
from sparsine.errors import BadInput
from sparsine.folders import names_in
from sparsine.signals.dataset import Dataset, SignalSet
from sparsine.signals.fetched import fetched_files
from sparsine.signals.kind import VALUES
from sparsine.signals.listing import all_in_reach
from sparsine.signals.open import dataset_kinds, open_dataset
from sparsine.starts.start import Start

SPLITS = ("train", "val", "test")
Split = Annotated[str, OneOf(SPLITS)]


def is_dataset(given: Sequence[str]) -> bool:
    """Whether one data set is named, rather than files and folders."""
    kind = given[0].partition(":")[0] if given else ""
    return len(given) == 1 and kind in dataset_kinds() and not Path(given[0]).exists()


def open_signals(
    given: Sequence[str], start: Start, split: str, resolution: tuple[int, ...] | None, doing: str
) -> tuple[SignalSet, bool]:
    """(signals, whether these are all): files and folders of the kind that `start` draws, or one split of a data set
    of that kind. Not all, where a folder could not be looked into.

    Args:
        resolution: samples along each axis to bring every signal to; None leaves each at its own size.
        doing: what is said to be impossible when nothing was given, such as "fit".

    Raises:
        BadInput: nothing was given, or it cannot be opened, or it is of another kind; or the split is empty.
    """
    if not given:
        raise BadInput(f"there is nothing to {doing}: name files, folders, or one data set such as curves")
    if elsewhere := [place for place in map(as_place, given) if isinstance(place, Address)]:
        if len(elsewhere) < len(given):
            raise BadInput("files of this machine and addresses were given; name those of one place at a time")
        return fetched_files(elsewhere, start.kind, resolution, start.field.out_features), True
    if not is_dataset(given):
        paths = [str(as_place(one)) if one.startswith("file://") else one for one in given]
        files = start.kind.files(paths, resolution, start.field.out_features)
        say_notes(files.notes)
        return files, all_in_reach(files.notes)
    seed = start.split_seed
    dataset = open_dataset(given[0], resolution=resolution, seed=seed)
    check_kind(start, dataset)
    say_notes(dataset.notes)
    return dataset.split(split), all_in_reach(dataset.notes)


def check_kind(start: Start, dataset: Dataset) -> None:
    """Raises BadInput unless the start draws what the data set holds. A start of plain values draws anything."""
    if start.kind not in (dataset.kind, VALUES):
        raise BadInput(
            f"the start draws {start.kind.described}, but the signals of {dataset.spec} are {dataset.kind.described}; "
            "use a start that was learned on such signals"
            + "; or name the files themselves, which are brought to it"
            * (start.kind.name == dataset.kind.name)
        )


def check_folder(out: Path, overwrite: bool) -> None:
    """Raises BadInput unless results may go to `out`."""
    if names_in(out) and not overwrite:
        raise BadInput(f"{out} holds files already; choose another folder, or say --overwrite")
