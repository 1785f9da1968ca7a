"""The folder of a run as others find it: its configuration, its starts, and whether a run may be held in it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sparsine.counted import counted
from sparsine.errors import BadInput
from sparsine.meta.changes import Difference, is_allowed
from sparsine.meta.config import LearnConfig, in_todays_words
from sparsine.meta.run_data import FILE as DATA_FILE
from sparsine.plugins import made_with, read_loaded
from sparsine.signals.dataset import Dataset
from sparsine.starts.start import Start
from sparsine.storage import read_json

CHECKPOINT_FILE = "checkpoint.safetensors"
NAMED = "sha256:"
_START_FILE = re.compile(r"round-([0-9]+)\.safetensors")


def start_name(start: Start) -> str:
    """What `start_from` says of a start that is handed over, wherever its file lies: 'sha256:...'."""
    return f"{NAMED}{start.digest}"


def check_dataset(config: LearnConfig, dataset: Dataset) -> None:
    """What is written down must be what is learned from, or nobody can repeat the run."""
    wanted = tuple(config.grid.resolution or dataset.shape)
    if len(wanted) == 1:  # one number for all axes
        wanted *= len(dataset.shape)
    if (config.data, wanted) != (dataset.spec, dataset.shape):
        raise BadInput(
            f"the configuration names {config.data} at {wanted} but the data set given is {dataset.spec} at "
            f"{dataset.shape}; open it with open_dataset(config.data, resolution=config.grid.resolution)"
        )


def check_channels(start: Start, dataset: Dataset, name: str = "the start") -> None:
    """Raises BadInput unless the start, called `name`, can draw the signals of the data set."""
    if start.field.out_features != dataset.num_channels:
        raise BadInput(
            f"{name} draws {counted(start.field.out_features, 'channel')} but the signals of {dataset.spec} have "
            f"{dataset.num_channels}; choose a start of that kind"
        )


def check_folder(config: LearnConfig, folder: Path, resume: bool, *, lower: bool = False) -> list[Difference]:
    """Raises BadInput unless `config` may be run in `folder`. Returns the step sizes that are smaller than those of the
    run that is there, which are refused too unless `lower` allows for them."""
    if not folder.exists():
        return []
    if not folder.is_dir():
        raise BadInput(f"{folder} is a file; a run needs a folder of its own")
    if not (folder / "config.json").exists():
        if any(entry for entry in folder.iterdir() if not entry.name.startswith(".")):
            raise BadInput(f"{folder} holds files that are not of a run; choose an empty or a new folder")
        return []
    if not resume:
        raise BadInput(f"{folder} holds a run already; go on with it by --resume, or choose another folder")
    given, defaults = (json.loads(json.dumps(c.to_dict())) for c in (config, LearnConfig()))
    saved = in_todays_words(read_json(folder / "config.json"))
    if not isinstance(saved, dict):
        raise BadInput(f"{folder / 'config.json'} is damaged: it holds no configuration; restore it from a copy")
    found = [d for d in differences(with_new_options(saved, given, defaults), given) if not d[0].startswith("watch.")]
    if (folder / DATA_FILE).exists():  # content decides, not the place
        found = [d for d in found if not _is_place(d)]
    lowered = [d for d in found if lower and is_allowed(d)]
    if refused := [f"{name} was {a!r}, now {b!r}" for name, a, b in found if (name, a, b) not in lowered]:
        raise BadInput(
            f"{folder} holds a run with another configuration ({'; '.join(refused)}); "
            "resume it without these options, or choose another folder"
        )
    return lowered


def _is_place(difference: Difference) -> bool:
    """Whether it is the same thing, by its name, in another place: what is there is compared by content."""
    name, was, now = difference
    files = bool(was and now) and not any(str(value).startswith(NAMED) for value in (was, now))
    return name == "data" or (name == "outer.start_from" and files)


def with_new_options(saved: Any, given: Any, defaults: Any) -> Any:
    """What was saved before an option was there has the default of it: options of `given` that `saved` lacks."""
    if not (isinstance(saved, dict) and isinstance(given, dict) and isinstance(defaults, dict)):
        return saved
    known = {key: defaults[key] for key in given if key not in saved and key in defaults}
    return {key: with_new_options(value, given.get(key), defaults.get(key)) for key, value in saved.items()} | known


def differences(a: Any, b: Any, name: str = "") -> Iterator[tuple[str, Any, Any]]:
    """(dotted name, value in a, value in b) wherever two nested dicts differ."""
    if isinstance(a, dict) and isinstance(b, dict):
        for key in sorted(a.keys() | b.keys()):
            yield from differences(a.get(key), b.get(key), f"{name}.{key}" if name else key)
    elif a != b:
        yield name, a, b


def holds_run(folder: Path) -> bool:
    """Whether a run is there, finished or not."""
    return (folder / "config.json").is_file()


def read_config(folder: Path) -> LearnConfig:
    """The configuration of the run in `folder`. Raises BadInput when there is none."""
    if not holds_run(folder):
        raise BadInput(f"{folder} is not the folder of a run: it has no config.json")
    with made_with(read_loaded(folder), str(folder)):
        try:
            return LearnConfig.from_dict(read_json(folder / "config.json"))
        except BadInput as error:
            raise BadInput(f"{folder / 'config.json'}: {error}") from error


def starts_of(folder: Path) -> list[Path]:
    """The start files of a run, densest first: round-<digits>.safetensors and nothing else, by their numbers."""
    found = [(match, path) for path in (folder / "starts").glob("*") if (match := _START_FILE.fullmatch(path.name))]
    return [path for _, path in sorted((int(match[1]), path) for match, path in found)]


def start_path(folder: Path, round: int) -> Path:
    """Where a run keeps the start of a round."""
    return folder / "starts" / f"round-{round:02d}.safetensors"


def has_begun(folder: Path) -> bool:
    """Whether something was learned in it."""
    return (folder / CHECKPOINT_FILE).exists() or bool(starts_of(folder))


def start_files(path: Path) -> list[Path]:
    """The start file at `path`, or those of the run whose folder it is, densest first.

    Raises:
        BadInput: nothing there, or a run without a finished round.
    """
    if not path.exists():
        raise BadInput(f"there is no {path}; give a start file, or the folder of a run")
    if not path.is_file() and not path.is_dir():
        raise BadInput(f"{path} is a pipe or a device; give a start file, or the folder of a run")
    paths = [path] if path.is_file() else starts_of(path)
    if not paths:
        raise BadInput(f"{path} has no finished round; give a start file, or the folder of a run")
    return paths
