"""Every page is one HTML file that needs nothing else, and asks nothing of any network: templates that escape whatever
comes from data, and a drawing library inside.

templates/page.html.j2      the frame: a policy that forbids every request, the style, the scripts
templates/pieces.html.j2    macros for its contents
templates/report.css        how it looks, light and dark
templates/report.js         draws the figures
plotly/                     the drawing library, as its authors publish it
"""

import base64
import os
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from sparsine.errors import WorkFailed
from sparsine.report import wording
from sparsine.report.figure import Figure
from sparsine.report.plotly_figures import described
from sparsine.shown import shown
from sparsine.signals.kind import PLAYED
from sparsine.storage import write_atomically

PAGES = {
    "report.html": "Report of the run", "tune.html": "Race of settings", "comparison.html": "Comparison of methods",
    "rate-distortion.html": "Rate and distortion",
}  # fmt: skip
"""All that this package writes, in the order in which they are linked."""
_LINKS = re.compile(rb"<!-- pages -->.*?<!-- end of pages -->", re.DOTALL)

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Card:
    """A headline figure with the lines that say what it is."""

    title: str
    value: str
    unit: str
    details: tuple[str, ...]


def write_page(
    path: Path, template: str, context: Mapping[str, Any], *folders: Path, commands: Mapping[str, str],
    records: Sequence[str],
) -> None:  # fmt: skip
    """Write the page that `template` makes of `context`, with links to the other pages in its folder, and theirs to it.

    Args:
        folders: where templates are looked for before they are looked for in `TEMPLATES`.
        commands: what each makes anew, and the command.
        records: names of files in the folder; those that are there are linked.

    Raises:
        WorkFailed: the page cannot be written.
    """
    text = render(template, {
        **context, "commands": {what: command for what, command in commands.items() if command},
        "records": [name for name in records if (path.parent / name).is_file()],
        "links": _links(path.parent, path.name),
    }, *folders)  # fmt: skip
    write_atomically(path, text.encode())
    for name in _there(path.parent):
        if name != path.name:
            _link_again(path.parent / name)


def render(template: str, context: Mapping[str, Any], *folders: Path) -> str:
    """The page that `template` makes of `context`; templates are looked for in `folders`, then in `TEMPLATES`."""
    templates = Environment(loader=FileSystemLoader([*folders, TEMPLATES]), autoescape=True,
                            undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
                            finalize=_finalized)  # fmt: skip
    templates.filters |= {name: getattr(wording, name) for name in
                          ("count", "db", "gain", "percent", "interval", "duration", "plain", "setting",
                           "measure")}  # fmt: skip
    templates.filters["data_uri"] = _data_uri
    figures: Mapping[str, Figure] = context["figures"]
    added = {"plotly_js": Markup(plotly_js()), "figures": {name: described(one) for name, one in figures.items()},
             "endless": {name for name, figure in figures.items() if figure.is_endless}}  # fmt: skip
    return templates.get_template(template).render({**context, **added})


@cache
def plotly_js() -> str:
    """A library's own code, not data."""
    return files("sparsine.report").joinpath("plotly/plotly-basic.min.js").read_text(encoding="utf-8")


def _there(folder: Path) -> list[str]:
    return [name for name in PAGES if (folder / name).is_file()]


def _links(folder: Path, here: str) -> Markup:
    """To the pages of the folder, between two marks; nothing between them where `here` is alone."""
    names = [name for name in PAGES if name == here or (folder / name).is_file()]
    made = "".join(_link(name, here) for name in names)
    nav = f'<nav aria-label="Pages of this folder">{made}</nav>' if len(names) > 1 else ""
    return Markup(f"<!-- pages -->{nav}<!-- end of pages -->")  # names and words are ours


def _link(name: str, here: str) -> str:
    return f'<a href="{name}"{" aria-current=page" if name == here else ""}>{PAGES[name]}</a>'


def _link_again(path: Path) -> None:
    """Let a page that was there before know of the others. Where it cannot be read or written it stays as it is."""
    with suppress(OSError, WorkFailed):
        before = os.stat(path)
        old = path.read_bytes()
        new = _LINKS.sub(lambda _: _links(path.parent, path.name).encode(), old, count=1)
        now = os.stat(path)
        if new != old and (now.st_ino, now.st_mtime_ns) == (before.st_ino, before.st_mtime_ns):
            write_atomically(path, new)


def _finalized(value: Any) -> Any:
    """Names from outside as they can be written; markup is ours."""
    return shown(value) if type(value) is str else value


def _data_uri(path: Path) -> str:
    mime = {".png": "image/png", **PLAYED}[path.suffix]
    return f"data:{mime};base64," + base64.b64encode(path.read_bytes()).decode()
