"""A folder of files as three splits: by its own sub-folders, or by a seed."""

from collections.abc import Callable
from pathlib import Path

from sparsine.counted import counted, in_words
from sparsine.errors import BadInput
from sparsine.signals.dataset import SPLITS
from sparsine.signals.listing import Listing
from sparsine.signals.own_folders import is_own
from sparsine.signals.splits import hold_out, split_folders, tenth

ListFiles = Callable[..., Listing]
"""(folder, skip=names of sub-folders) to the files that count."""
HeldOut = Callable[[str, int], int]
"""(split, number of files) to how many of them it takes."""


def split_files(
    folder: Path, list_files: ListFiles, what: str, known: str, seed: int, held_out: HeldOut | None = None
) -> tuple[dict[str, list[str]], str, tuple[str, ...]]:
    """(names per split relative to `folder`, a few words on how they were made, what was passed over).

    Splits: the subfolders of their names (`split_folders`) where there are such. Where one for val or test is missing,
    a seeded tenth of the training files takes its place, as long as there are enough. With a training folder only
    these three are read; without one, everything outside val and test trains. With none of them: a seeded 80/10/10
    split.

    Args:
        what: each file is, such as "image"; `known`: names of the formats.
        held_out: how many training files become one of val or test; None is a tenth.

    Raises:
        BadInput: too few files for three splits, none at all, two folders for one split.
    """
    own = split_folders(folder) if folder.is_dir() else {}
    own = {split: name for split, name in own.items() if not is_own(folder / name)}
    names, notes = _listed(folder, own, list_files, what)
    if not any(names.values()):
        passed_over = "".join(f"; {note}" for note in notes)
        raise BadInput(f"{folder} holds no {what} ({known}); give a folder that does{passed_over}")
    names, how = _split(folder, names, own, what, seed, held_out)
    return names, how, notes


def _listed(
    folder: Path, own: dict[str, str], list_files: ListFiles, what: str
) -> tuple[dict[str, list[str]], tuple[str, ...]]:
    """Names per split that lies in the folder, and what was passed over."""
    listings = {split: list_files(folder / name) for split, name in own.items()}
    names = {split: [f"{own[split]}/{name}" for name in listing.names] for split, listing in listings.items()}
    outside = list_files(folder, skip=list(own.values()))
    notes = tuple(note for listing in (*listings.values(), outside) for note in listing.notes)
    notes += tuple(f"{listing.folder} holds no {what}" for listing in listings.values() if not listing.names)
    if "train" not in own:
        return {"train": outside.names, **names}, notes
    if outside.names:
        notes += (f"{folder}: {counted(len(outside.names), what)} outside {', '.join(own.values())} left out",)
    return names, notes


def _split(
    folder: Path, names: dict[str, list[str]], own: dict[str, str], what: str, seed: int, held_out: HeldOut | None
) -> tuple[dict[str, list[str]], str]:
    """Names per split, and a few words on how they were made."""
    total, missing = len(names["train"]), [split for split in SPLITS if split not in names]
    if not own and total < len(SPLITS):
        raise BadInput(f"{folder} holds {counted(total, what)}, but train, val and test need at least 3, one for each")
    for split in missing:
        count = (held_out(split, total) if held_out else tenth(total)) if total > len(missing) else 0
        names["train"], names[split] = hold_out(names["train"], count, seed)
    if not missing or total <= len(missing):
        return names, f"its own {in_words([split for split in SPLITS if split in own])} folder{'s' * (len(own) > 1)}"
    shares = "" if held_out else ", a tenth each"
    return names, f"{in_words(missing)} taken from the training {what}s by seed {seed}{shares}"
