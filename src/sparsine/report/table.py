"""A table of words, ready to be written as Markdown or laid out by the page."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    kind: str
    """psnr, budgets, ...: what one asks for."""
    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    strong: frozenset[tuple[int, int]] = frozenset()
    """Row and column of what is set in bold, counted from 0."""
    note: str = ""
    left: int = 1
    """Columns of words, which are aligned left; numbers are aligned right."""
    words: frozenset[int] = frozenset()
    """Further columns of words."""

    def markdown(self) -> str:
        """Title, table, note; what is empty is left out."""
        rule = [":---" if i < self.left or i in self.words else "---:" for i in range(len(self.head))]
        rows = [[self._bold(r, c, _safe(text)) for c, text in enumerate(row)] for r, row in enumerate(self.rows)]
        lines = [[_safe(text) for text in self.head], rule, *rows]
        table = "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
        title = f"**{_safe(self.title)}**\n\n" if self.title else ""
        return f"{title}{table}\n" + (f"\n{_safe(self.note)}\n" if self.note else "")

    def _bold(self, row: int, column: int, text: str) -> str:
        return f"**{text}**" if (row, column) in self.strong else text


def _safe(text: str) -> str:
    """Names come from outside: neither a column more, nor HTML, nor a line more."""
    for character, instead in (("&", "&amp;"), ("<", "&lt;"), ("|", "\\|"), ("\n", " ")):
        text = text.replace(character, instead)
    return text
