"""The command as it was given, for a page that says how it is made again."""

import shlex
from collections.abc import Sequence
from contextvars import ContextVar

_given: ContextVar[str] = ContextVar("given", default="")


def note_command(command: str, args: Sequence[str]) -> None:
    """From now on this is what was given."""
    _given.set(shlex.join(["sparsine", command, *args]))


def given_command() -> str:
    """Ready to be given again; nothing, where there was no command line."""
    return _given.get()
