"""The help of a command: what is given by place, the few options that matter first, the rest by what it is about."""

import shutil
import textwrap
from collections.abc import Iterator

from sparsine.cli.catalogue import Option, Page
from sparsine.cli.commands import FIRST

OF_ALL = ("help", "config", "print-config", "json", "quiet", "load", "debug")
ALWAYS = (
    Option(name="help", short="h", sentence="Show this and exit."),
    Option(name="debug", sentence="Show where an error came from."),
)
WIDEST, NARROWEST = 100, 40
COLUMN = 22
"""Where sentences begin."""


def help_text(command: str, sentence: str, page: Page, columns: int | None = None) -> str:
    """For a terminal of so many columns; None is this one's."""
    width = max(NARROWEST, min(columns or shutil.get_terminal_size().columns, WIDEST))
    boxes = ["\n".join(_box(title, about, options, width)) for title, about, options in _boxes(command, page)]
    places = " ".join(option.flags for option in page.options if option.positional)
    usage = f"usage: sparsine {command} [OPTIONS] {places}".rstrip()
    return "\n".join([usage, "", f"{sentence}", "", *boxes, ""])


def _boxes(command: str, page: Page) -> Iterator[tuple[str, str, list[Option]]]:
    """(title, what it is about, options)."""
    options = [*page.options, *ALWAYS]
    places = [option for option in options if option.positional]
    named = {option.name: option for option in options if not option.positional}
    first = [named[name] for name in FIRST.get(command, ()) if name in named]
    of_all = [named[name] for name in OF_ALL if name in named]
    rest = [option for option in named.values() if option not in first and option not in of_all]
    yield "what is given", "", places
    yield "options", "", first
    yield "more options", "", [option for option in rest if not option.group]
    for group, about in page.groups.items():
        yield f"{group.rpartition('.')[2]} options", about, [option for option in rest if option.group == group]
    yield "options of every command", "", of_all


def _box(title: str, about: str, options: list[Option], width: int) -> list[str]:
    if not options:
        return []
    inner = width - 4
    lines = [*textwrap.wrap(about, inner), "─" * inner] if about else []
    for option in options:
        lines += _told(option, inner)
    top = f"╭─ {title} "
    return [top.ljust(width - 1, "─") + "╮", *(f"│ {line:<{inner}} │" for line in lines), "╰" + "─" * (width - 2) + "╯"]


def _told(option: Option, width: int) -> list[str]:
    """Flags on a line of their own where they are long."""
    column = min(COLUMN, width // 2)
    text = textwrap.wrap(f"{option.sentence} {option.hint}".strip(), width - column, break_long_words=True,
                         break_on_hyphens=False) or [""]  # fmt: skip
    flags = textwrap.wrap(option.flags, width, subsequent_indent="  ", break_on_hyphens=False) or [""]
    if len(flags) == 1 and len(flags[0]) < column:
        flags, text = [], [f"{flags[0]:<{column}}{text[0]}", *(" " * column + line for line in text[1:])]
        return text
    return [*flags, *(" " * column + line for line in text)]
