"""What can be said to a command, as values: help, completion and the pages of documents are made from them.

They are kept beside this module, one file for each command, so that neither help nor completion loads what computes.
`scripts/make_help.py` writes these files from the options themselves; a test compares.
"""

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "catalogue_files"
OFFERS = b"[sparsine."
"""Begins the entry points of a package that adds to what can be chosen."""

VARIABLE = "_ARGCOMPLETE"
"""Set by a shell that asks what may stand at its cursor."""


@dataclass(frozen=True, kw_only=True)
class Option:
    """One option, or what is given by its place."""

    name: str
    """Without dashes."""
    short: str | None = None
    metavar: str = ""
    """What follows it; nothing follows a flag."""
    sentence: str
    hint: str = ""
    """(required), or the default."""
    words: tuple[str, ...] = ()
    """The choices, or how what is given may begin."""
    group: str = ""
    """The part of the options that it belongs to, as in fit."""
    positional: bool = False
    several: bool = False
    path: bool = False

    @property
    def flags(self) -> str:
        """'-q, --quiet', 'START'."""
        if self.positional:
            return self.metavar
        flags = f"-{self.short}, --{self.name}" if self.short else f"--{self.name}"
        return f"{flags} {self.metavar}" if self.metavar else flags

    @property
    def required(self) -> bool:
        return self.hint == "(required)"


@dataclass(frozen=True, kw_only=True)
class Page:
    """All of one command."""

    options: tuple[Option, ...]
    groups: dict[str, str]
    """What each part of the options is about."""

    def to_dict(self) -> dict[str, Any]:
        usual = {name: f.default for name, f in Option.__dataclass_fields__.items()}
        told = [{k: v for k, v in asdict(option).items() if v != usual[k]} for option in self.options]
        return {"groups": self.groups, "options": told}

    @classmethod
    def from_dict(cls, told: dict[str, Any]) -> "Page":
        options = (Option(**{**one, "words": tuple(one.get("words", ()))}) for one in told["options"])
        return cls(options=tuple(options), groups=told["groups"])


def stored_page(command: str) -> Page | None:
    """As it was written with this version; None where it is not there, or where an installed package may have added
    to it."""
    path = FOLDER / f"{command}.json"
    if not path.is_file() or _packages_add():
        return None
    return Page.from_dict(json.loads(path.read_text(encoding="utf-8")))


def _packages_add() -> bool:
    """Whether any installed package has something to choose; looked for in its files, since importlib.metadata takes
    as long as all else here together."""
    folders = [Path(place) for place in dict.fromkeys(sys.path) if place]
    found = (file for folder in folders for file in folder.glob("*.*-info/entry_points.txt"))
    return any(OFFERS in file.read_bytes() for file in found)
