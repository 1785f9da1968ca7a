"""Files of your own that add to what can be chosen: `--load FILE` runs one before anything else is looked at.

Only files that a person names are run. What a start, a run or a code says of files is information: it tells which
`--load` is missing, and loads nothing.
"""

import hashlib
import re
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from traceback import walk_tb
from types import ModuleType
from typing import Any

from sparsine import registry
from sparsine.errors import BadInput, UnknownName
from sparsine.storage import read_file, read_json, write_json

FILE = "loaded.json"
"""In the folder of a run: what was loaded when it was last worked on."""


@dataclass(frozen=True)
class LoadedFile:
    """A file as it was when it was read: processes that are started later run the same."""

    path: str
    """As it was given."""
    place: str
    """The whole path."""
    source: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.source).hexdigest()

    @property
    def module(self) -> str:
        """Under which its classes are known: the same in every process that loads it."""
        of_this = hashlib.sha256(self.place.encode("utf-8", "surrogateescape") + b"\0" + self.source).hexdigest()[:16]
        return f"sparsine_loaded_{re.sub(r'[^0-9A-Za-z]', '_', Path(self.path).stem)}_{of_this}"


_files: dict[str, LoadedFile] = {}


def load_files(paths: Sequence[str | Path]) -> None:
    """Run Python files that add to KINDS, SOURCES, ACTIVATIONS, ENCODINGS, SCORES, DISTRIBUTIONS, SCHEDULES, METHODS or
    ENGINES. One that was run before and is the same is not run again.

    Raises:
        BadInput: a file cannot be read, or fails; its other additions may be there.
    """
    for path in map(Path, paths):
        load(LoadedFile(str(path), str(path.absolute()), read_file(path)))


def load(file: LoadedFile) -> None:
    """As `load_files`, for one that was read already."""
    if file.module not in sys.modules:
        _run(file)
    _files[file.place] = file


def loaded_files() -> list[LoadedFile]:
    """In the order in which they were run."""
    return list(_files.values())


def as_options() -> str:
    """' --load mine.py', as it stands in a command that goes on with what is loaded."""
    return "".join(f" --load {shlex.quote(file.path)}" for file in _files.values())


def loaded() -> list[dict[str, str]]:
    """What a record says of the files that were run, and of the packages that something was taken from."""
    files = [{"file": file.path, "sha256": file.sha256} for file in _files.values()]
    return files + [{"package": name, "version": version} for name, version in sorted(registry.packages.items())]


def recorded() -> dict[str, Any]:
    """`loaded` as an entry of a record; nothing where nothing is."""
    return {"loaded": now} if (now := loaded()) else {}


def write_loaded(folder: Path) -> None:
    """Note in the folder of a run what is loaded, if anything is."""
    if now := loaded():
        write_json(folder / FILE, now)


def read_loaded(folder: Path) -> Any:
    """What `write_loaded` noted; an empty list where there is nothing."""
    return read_json(folder / FILE) if (folder / FILE).is_file() else []


def missing(recorded: Any) -> list[str]:
    """The options and packages that are in a record and not here, for people."""
    here = {Path(file.path).name for file in _files.values()} | {file.sha256 for file in _files.values()}
    lacking = [f"--load {file}" for file, sha256 in _files_in(recorded) if not {Path(file).name, sha256} & here]
    return lacking + [f"the package {name}" for name in _packages_in(recorded) if not _is_installed(name)]


def changed(recorded: Any) -> list[str]:
    """A sentence for each file of a record that is loaded now, but is another than it was."""
    now = {Path(file.path).name: file.sha256 for file in _files.values()}
    return [
        f"{file} is not the same as when this was begun"
        for file, sha256 in _files_in(recorded)
        if now.get(Path(file).name, sha256) != sha256 and sha256 not in now.values()
    ]


@contextmanager
def made_with(recorded: Any, what: str) -> Iterator[None]:
    """Inside, a name that is not known is refused with the files that `what` was made with and that are not loaded."""
    try:
        yield
    except BadInput as error:
        unknown = next((one for one in _behind(error) if isinstance(one, UnknownName)), None)
        lacking = missing(recorded)
        if unknown is None or not lacking or unknown.is_explained:
            raise
        said = f"{error}. {what} was made with {' '.join(lacking)}, which is missing here"
        raise UnknownName(said, is_explained=True) from error


def _run(file: LoadedFile) -> None:
    module = ModuleType(file.module)
    module.__file__ = file.place
    sys.modules[file.module] = module  # dataclasses, and what is pickled, are looked up there
    try:
        exec(compile(file.source, file.place, "exec", dont_inherit=True), module.__dict__)
    except BaseException as error:
        del sys.modules[file.module]
        if not isinstance(error, Exception | SystemExit):
            raise
        raise BadInput(f"{file.path} failed{_line_of(error, file.place)}: {_said(error)}") from error


def _line_of(error: BaseException, place: str) -> str:
    """' in line 3': the last one of the file that was at work."""
    if isinstance(error, SyntaxError) and error.filename == place:
        return f" in line {error.lineno}"
    lines = [line for frame, line in walk_tb(error.__traceback__) if frame.f_code.co_filename == place]
    return f" in line {lines[-1]}" if lines else ""


def _said(error: BaseException) -> str:
    if isinstance(error, BadInput):
        return str(error)
    return f"{type(error).__name__}: {error.msg if isinstance(error, SyntaxError) else error}"


def _behind(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _is_installed(package: str) -> bool:
    from importlib import metadata  # slow to import

    try:
        metadata.version(package)
    except (metadata.PackageNotFoundError, ValueError):  # ValueError: no name at all
        return False
    return True


def _files_in(recorded: Any) -> list[tuple[str, str]]:
    return [(str(entry["file"]), str(entry.get("sha256"))) for entry in _entries(recorded) if "file" in entry]


def _packages_in(recorded: Any) -> list[str]:
    return [str(entry["package"]) for entry in _entries(recorded) if "package" in entry]


def _entries(recorded: Any) -> list[dict[str, Any]]:
    """A record may come from anywhere: what is none is passed over."""
    return [entry for entry in recorded if isinstance(entry, dict)] if isinstance(recorded, list) else []
