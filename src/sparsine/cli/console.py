"""What people see while they wait: a live line on a terminal, a plain line now and then in a log.

Nothing that is printed is taken for markup, and no control character of a name reaches the terminal.
"""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from sparsine.counted import counted as counted
from sparsine.evenly import evenly
from sparsine.report.wording import duration
from sparsine.shown import shown, without_control
from sparsine.signals.listing import all_in_reach

LOG_SECONDS = 20.0
LEAST_BAR = 10
"""Columns of a terminal."""


class PlainConsole(Console):
    """A console for texts that hold names: strings, in tables too, are shown as they are."""

    def __init__(self, **options: Any) -> None:
        super().__init__(highlight=False, markup=False, emoji=False, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str(without_control(text), **options)


console = PlainConsole(soft_wrap=True)
_quiet = False


@contextmanager
def quietly(quiet: bool) -> Iterator[None]:
    """Inside, what only accompanies the work is left out: lines of `say` and notes, and progress."""
    global _quiet
    before, _quiet = _quiet, quiet
    try:
        yield
    finally:
        _quiet = before


def say(*parts: str | tuple[str, str]) -> None:
    """Print a line that accompanies the work; a part may be (text, style).

    Example:
        >>> say(("fitting", "bold"), f" {count} signals from {path}")
    """
    if not _quiet:
        tell(*parts)


def tell(*parts: str | tuple[str, str]) -> None:
    """Print a line that is a result, or says what went wrong: `--quiet` leaves it.

    Example:
        >>> tell(("done", "bold green"), f": {path} ({size} bytes)")
    """
    pairs = [(part, "") if isinstance(part, str) else part for part in parts]
    console.print(Text.assemble(*((shown(text), style) for text, style in pairs)))


class Waiting:
    """Progress over a known number of steps, told in one line that fits the terminal.

    Args:
        total: steps.
        work: what they cost together, where they do not all cost the same; the time left follows from that.
        percent: tell the share that is done, where the steps themselves mean nothing to anybody.

    Example:
        >>> with Waiting("fitting", total=3) as waiting:
        ...     waiting.at(1, "fitted a.png", facts="31.2 dB")
    """

    def __init__(self, what: str, total: int, *, work: float | None = None, percent: bool = False):
        self.what, self.percent, self.facts = what, percent, ""
        self.quiet = _quiet
        self.live = sys.stderr.isatty() and not self.quiet
        self.began = self.said = time.monotonic()
        self.done, self.worked = 0, 0.0
        self.first: float | None = None
        columns = (TextColumn("{task.description}", markup=False), BarColumn(bar_width=None),
                   *(TextColumn(f"{{task.fields[{name}]}}", markup=False) for name in ("facts", "count")),
                   TimeElapsedColumn(), TextColumn("{task.fields[left]}"))  # fmt: skip
        self.progress = Progress(*columns, console=PlainConsole(stderr=True), disable=not self.live)
        self.task = self.progress.add_task("", facts="", count="", left="")
        self.set_total(total, work)

    def __enter__(self) -> "Waiting":
        self.progress.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.__exit__(kind, error, trace)

    def set_total(self, total: int, work: float | None = None) -> None:
        """Say how many steps there are, when that is known only later."""
        self.total = max(total, 1)
        self.work = work or float(self.total)
        self._show()

    def at(self, done: int, what: str | None = None, *, facts: str = "", worked: float | None = None) -> None:
        """Say that `done` steps are over, which cost `worked` together, and what is going on."""
        self.what, self.facts, self.done = shown(what or self.what), facts, done
        self.worked = float(done if worked is None else worked)
        if self.first is None:  # what was done before we began says nothing about our speed
            self.first, self.began = self.worked, time.monotonic()
        if self.live:
            self._show()
        elif not self.quiet and time.monotonic() - self.said >= LOG_SECONDS:
            self.said = time.monotonic()
            left = self._left()
            told = f", {facts}" * bool(facts) + f": {self._count(' of ')}" + f", about {left} left" * bool(left)
            print(f"{self.what}{told}", file=sys.stderr, flush=True)

    def _show(self) -> None:
        left = self._left()
        told: dict[str, Any] = {"facts": self.facts, "count": self._count("/"), "left": f"left {left}" * bool(left)}
        room = self.progress.console.width - sum(len(text) + 1 for text in told.values()) - len("0:00:00 ") - LEAST_BAR
        self.progress.update(self.task, completed=self.worked, total=self.work, **told,
                             description=shortened(self.what, max(room, LEAST_BAR)))  # fmt: skip

    def _count(self, of: str) -> str:
        return f"{100 * self.worked / self.work:.0f} %" if self.percent else f"{self.done:,}{of}{self.total:,}"

    def _left(self) -> str:
        """'3 min 20 s', or nothing while nobody can know."""
        worked = self.worked - (self.first or 0.0)
        seconds = time.monotonic() - self.began
        return duration(seconds * (self.work - self.worked) / worked) if worked > 0 and seconds > 0 else ""


def shortened(text: str, width: int) -> str:
    """Its end left out where it takes more columns."""
    line = Text(text)
    line.truncate(width, overflow="ellipsis")
    return line.plain


def named_reason(name: str, reason: str) -> str:
    """'NAME: REASON', or the reason alone where it begins with the file of that name."""
    before, found, _ = reason.partition(f"{name}: ")
    return reason if found and (not before or before.endswith("/")) else f"{name}: {reason}"


class Complaints:
    """Lines about what went wrong, one for each signal; of thousands the first few."""

    SHOWN = 20

    def __init__(self) -> None:
        self.number = 0

    def add(self, status: str, name: str, reason: str) -> None:
        self.number += 1
        if self.number <= self.SHOWN:
            tell((status, "yellow"), f" {named_reason(name, reason)}")

    def end(self, where: str) -> None:
        """Say how many more there were, and `where` they can be read."""
        if self.number > self.SHOWN:
            tell(f"... and {self.number - self.SHOWN} more: {where}")


def say_notes(notes: Sequence[str]) -> None:
    """What was noticed on the way and changes nothing of what follows, a line each; what could not be looked into is
    told in any case."""
    for note in notes:
        (say if all_in_reach([note]) else tell)(("note", "yellow"), f": {note}")


def shown_steps(steps: Sequence[object]) -> list[int]:
    """Positions in `steps` of the few that a terminal's table has room for: first, last and some between."""
    room = 4 if console.width < 110 else 8
    return evenly(range(len(steps)), room)
