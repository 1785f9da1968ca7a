"""What people see while they wait: a live line on a terminal, a plain line now and then in a log.

Nothing that is printed is taken for markup, and no control character of a name reaches the terminal.
"""

import sys
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.text import Text

from sparsine.counted import counted as counted
from sparsine.evaluation.rows import evenly
from sparsine.shown import shown, without_control

LOG_SECONDS = 20.0


class PlainConsole(Console):
    """A console for texts that hold names: strings, in tables too, are shown as they are."""

    def __init__(self, **options: Any) -> None:
        super().__init__(highlight=False, markup=False, emoji=False, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str(without_control(text), **options)


console = PlainConsole(soft_wrap=True)


def say(*parts: str | tuple[str, str]) -> None:
    """Print a line; a part may be (text, style).

    Example:
        >>> say(("done", "bold green"), f": {path} ({size} bytes)")
    """
    pairs = [(part, "") if isinstance(part, str) else part for part in parts]
    console.print(Text.assemble(*((shown(text), style) for text, style in pairs)))


class Waiting:
    """Progress over a known number of steps.

    Example:
        >>> with Waiting("fitting", total=3) as waiting:
        ...     waiting.at(1, "fitting a.png")
    """

    def __init__(self, what: str, total: int):
        self.what, self.total = what, max(total, 1)
        self.first: int | None = None
        self.live = sys.stderr.isatty()
        self.began = self.said = time.monotonic()
        self.progress = Progress(
            TextColumn("{task.description}", markup=False), BarColumn(bar_width=None), MofNCompleteColumn(),
            TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(), console=PlainConsole(stderr=True),
            disable=not self.live,
        )  # fmt: skip
        self.task = self.progress.add_task(what, total=self.total)

    def __enter__(self) -> "Waiting":
        self.progress.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.__exit__(kind, error, trace)

    def set_total(self, total: int) -> None:
        """Say how many steps there are, when that is known only later."""
        self.total = max(total, 1)
        self.progress.update(self.task, total=self.total)

    def at(self, done: int, what: str | None = None) -> None:
        """Say that `done` steps are over, and what is going on."""
        self.what = shown(what or self.what)
        if self.first is None:  # a resumed run begins in the middle
            self.first, self.began = done, time.monotonic()
        if self.live:
            self.progress.update(self.task, completed=done, description=self.what)
        elif time.monotonic() - self.said >= LOG_SECONDS:
            self.said = time.monotonic()
            rate = (done - self.first) / max(self.said - self.began, 1e-9)
            left = f", about {(self.total - done) / rate:,.0f} s left" if rate > 0 else ""
            print(f"{self.what}: {done} of {self.total}{left}", file=sys.stderr, flush=True)


class Complaints:
    """Lines about what went wrong, one for each signal; of thousands the first few."""

    SHOWN = 20

    def __init__(self) -> None:
        self.number = 0

    def add(self, status: str, name: str, reason: str) -> None:
        self.number += 1
        if self.number <= self.SHOWN:
            say((status, "yellow"), f" {name}: {reason}")

    def end(self, where: str) -> None:
        """Say how many more there were, and `where` they can be read."""
        if self.number > self.SHOWN:
            say(f"... and {self.number - self.SHOWN} more: {where}")


def say_notes(notes: Sequence[str]) -> None:
    """What was noticed on the way and changes nothing of what follows, a line each."""
    for note in notes:
        say(("note", "yellow"), f": {note}")


def shown_steps(steps: Sequence[object]) -> list[int]:
    """Positions in `steps` of the few that a terminal's table has room for: first, last and some between."""
    room = 4 if console.width < 110 else 8
    return evenly(range(len(steps)), room)
