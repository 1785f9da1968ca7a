"""What every page has in common: templates that escape whatever comes from data, and a drawing library inside.

page.html.j2      the frame: a policy that forbids every request, the style, the scripts
pieces.html.j2    macros for its contents
"""

import base64
from math import inf, isfinite
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from sparsine.evaluation import wording
from sparsine.shown import shown
from sparsine.signals.kind import PLAYED


def render(template: str, context: dict[str, Any], *folders: Path) -> str:
    """The page that `template` makes of `context`; templates are looked for in `folders`, then beside this file."""
    templates = Environment(loader=FileSystemLoader([*folders, Path(__file__).parent]), autoescape=True,
                            undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
                            finalize=_finalized)  # fmt: skip
    templates.filters |= {name: getattr(wording, name) for name in
                          ("count", "db", "gain", "percent", "interval", "duration", "plain", "setting",
                           "measure")}  # fmt: skip
    templates.filters["data_uri"] = _data_uri
    figures: dict[str, Any] = context["figures"]
    added = {"plotly_js": _plotly_js(), "figures": _with_gaps(figures),
             "endless": {name for name, figure in figures.items() if _is_endless(figure)}}  # fmt: skip
    return templates.get_template(template).render(context | added)


def _with_gaps(value: Any) -> Any:
    """What no axis holds is a gap."""
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, dict):
        return {key: _with_gaps(item) for key, item in value.items()}
    return [_with_gaps(item) for item in value] if isinstance(value, list | tuple) else value


def _is_endless(figure: dict[str, Any]) -> bool:
    """Whether it has a point at infinity: a perfect fit."""
    return any(inf in trace.get("y", ()) for trace in figure["data"])


def _finalized(value: Any) -> Any:
    """Names from outside as they can be written; markup is ours."""
    return shown(value) if type(value) is str else value


def _data_uri(path: Path) -> str:
    mime = {".png": "image/png", **PLAYED}[path.suffix]
    return f"data:{mime};base64," + base64.b64encode(path.read_bytes()).decode()


def _plotly_js() -> Markup:
    from plotly.offline import get_plotlyjs  # slow to import

    return Markup(get_plotlyjs())  # a library's own code, not data
