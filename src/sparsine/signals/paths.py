"""Paths as people write them."""

from contextlib import suppress
from pathlib import Path


def expanded(path: str | Path) -> Path:
    """With the home folder in place of `~`; a home that is not there is taken as a name."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def is_folder(path: Path) -> bool:
    """False where the system will not say: reading it then tells why."""
    with suppress(OSError):
        return path.is_dir()
    return False
