"""The only files that are read: DIR/NAME.spn and DIR/LEVEL/NAME.spn, and what the encoder noted beside them; of a
folder that `sparsine fit` wrote, DIR/fields/NAME.safetensors.

A request names a code; it never makes a path. Files are found by listing the folder and opened one step at a time
from it, without following a link at any step, so that nothing outside can be reached even if the folder is changed
meanwhile.
"""

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sparsine.codec.format.header import SUFFIX
from sparsine.errors import BadInput
from sparsine.fitting.fitted_files import SUFFIX as FITTED
from sparsine.shown import as_text
from sparsine.signals.own_folders import FIELDS, holds_fits


@dataclass(frozen=True)
class CodeFile:
    """One code. Files of one name in several folders are levels of one signal."""

    name: str
    """File name without its suffix."""
    level: str
    """Name of the sub-folder; empty for the folder itself."""
    parts: tuple[str, ...]
    """From the folder to the file, as the system names them."""
    num_bytes: int
    changed_ns: int


class CodeFolder:
    """A folder of codes, or of fitted vectors, which may itself be a link.

    Raises:
        BadInput: it is not there, or it is no folder.
    """

    def __init__(self, root: Path, given: Path | None = None) -> None:
        """`given`: what people know it as, where that is another path."""
        self.given = given or root
        if not root.is_dir():
            found = "is a file" if root.exists() else "does not exist"
            raise BadInput(f"{root} {found}; give the folder that sparsine encode wrote")
        self.name, of_fits = self.given.resolve().name, holds_fits(root)
        self.root, self.suffix = (root / FIELDS, FITTED) if of_fits else (root, SUFFIX)
        self.num_links = 0
        """Links to codes and to folders that the last listing left out."""
        self.closed: list[str] = []
        """Sub-folders that could not be listed then: 'name: reason'."""

    def codes(self) -> dict[str, dict[str, CodeFile]]:
        """Name, then level, to file. Names in the order of people (2 before 10), levels too."""
        found: dict[str, dict[str, CodeFile]] = {}
        self.num_links, self.closed = 0, []
        for level in ["", *sorted(self._sub_folders(), key=natural)]:
            for file in self._codes_in(level):
                found.setdefault(file.name, {})[level] = file
        return dict(sorted(found.items(), key=lambda item: natural(item[0])))

    def read(self, parts: tuple[str, ...], most_bytes: int) -> bytes:
        """The contents of a file below the folder.

        Raises:
            BadInput: gone, not a plain file, a link on the way, or longer than `most_bytes`.
        """
        try:
            descriptor = self._open(parts)
        except OSError as error:
            raise BadInput(f"{parts[-1]} cannot be read: {error.strerror or error}") from error
        with open(descriptor, "rb") as file:
            about = os.fstat(file.fileno())
            if not stat.S_ISREG(about.st_mode):
                raise BadInput(f"{parts[-1]} is not a plain file")
            data = file.read(most_bytes + 1)
        if len(data) > most_bytes:
            raise BadInput(f"{parts[-1]} has {about.st_size:,} bytes, more than a code of this start can have")
        return data

    def _open(self, parts: tuple[str, ...]) -> int:
        # O_NONBLOCK: opening a named pipe must not wait for a writer
        here = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY)
        for place, part in enumerate(parts):
            last = place == len(parts) - 1
            kind = os.O_NONBLOCK if last else os.O_DIRECTORY
            try:
                below = os.open(part, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | kind, dir_fd=here)
            finally:
                os.close(here)
            here = below
        return here

    def _sub_folders(self) -> list[str]:
        try:
            with os.scandir(self.root) as entries:
                folders = [e for e in entries if not e.name.startswith(".") and e.is_dir()]
        except OSError as error:
            raise BadInput(f"{self.root} cannot be listed: {error.strerror or error}") from error
        self.num_links += sum(folder.is_symlink() for folder in folders)
        return [folder.name for folder in folders if not folder.is_symlink()]

    def _codes_in(self, level: str) -> Iterator[CodeFile]:
        try:
            with os.scandir(self.root / level) as entries:
                for entry in entries:
                    if entry.name.startswith(".") or not entry.name.endswith(self.suffix):
                        continue
                    self.num_links += entry.is_symlink()
                    if entry.is_file(follow_symlinks=False):
                        about = entry.stat(follow_symlinks=False)
                        name = as_text(entry.name.removesuffix(self.suffix))
                        parts = (level, entry.name) if level else (entry.name,)
                        yield CodeFile(name, as_text(level), parts, about.st_size, about.st_mtime_ns)
        except FileNotFoundError:  # just being removed
            return
        except OSError as error:  # one level that may not be entered does not hide the others
            self.closed.append(f"{level}: {error.strerror or error}")


def natural(name: str) -> list[tuple[int, int, str]]:
    """Key that sorts numbers within names as numbers."""
    parts = re.findall(r"[0-9]+|[^0-9]+", name.lower())
    return [(0, int(p), "") if p[0].isascii() and p.isdigit() and len(p) < 19 else (1, 0, p) for p in parts]
