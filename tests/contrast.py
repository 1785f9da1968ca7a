"""How far colours stand out from what is behind them (WCAG 2.2: contrast ratio, and 3:1 for what a figure draws)."""

import re
from importlib.resources import files

FLOOR = 3.0
_SURFACES = re.compile(r"--(?:paper|raised): (#[0-9a-f]{6});")


def contrast(one, other):
    """1 (the same) to 21 (black and white)."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def surfaces():
    """What lies behind figures: documents are white, pages are light and dark as their style says."""
    found = _SURFACES.findall(files("sparsine.report").joinpath("templates/report.css").read_text())
    assert len(found) == 4
    return ["#ffffff", *found]


def faint(colours):
    """Those that do not stand out everywhere, each with its lowest contrast."""
    lowest = {colour: min(contrast(colour, surface) for surface in surfaces()) for colour in colours}
    return {colour: round(ratio, 2) for colour, ratio in lowest.items() if ratio < FLOOR}


def drawn_colours(figures):
    """Colours of all lines and marks of plotly's descriptions."""
    found = set()
    for figure in figures.values():
        for trace in (*figure["data"], *figure["layout"].get("shapes", ())):
            assert "opacity" not in trace, "what is drawn half through has another contrast than its colour"
            for part in (trace.get("line", {}), trace.get("marker", {})):
                colours = part.get("color", ())
                found.update([colours] if isinstance(colours, str) else colours)
    return found


def _luminance(colour):
    values = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
