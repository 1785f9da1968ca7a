"""`html`: one page that draws the field at any magnification, with nothing but itself.

The page holds the field's whole numbers (packed.py). It makes a shader of them; where WebGL2 is missing it draws with
them itself, more slowly.
"""

import base64
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment
from markupsafe import Markup

from sparsine.export import formulas
from sparsine.export.contract import Exported, refuse
from sparsine.export.packed import packed, words
from sparsine.export.quantised import quantised
from sparsine.fields.encodings import FourierFeatures

TEMPLATE = Path(__file__).with_name("page.html.j2")
EDGE = 64
"""Samples along the longer axis of the drawing that says which values there are."""
JS = {"S": "", "F": "const F=z=>S({0}*(Math.abs(z)+1)*z);", "G": "const G=z=>Math.exp(-.5*z*z);",
      "R": "const R=z=>Math.max(z,0);"}  # fmt: skip
GLSL = {"S": "", "F": "highp float F(highp float z){{return S({0}*(abs(z)+1.)*z);}}",
        "G": "highp float G(highp float z){{return exp(-.5*z*z);}}",
        "R": "highp float R(highp float z){{return max(z,0.);}}"}  # fmt: skip


def write(exported: Exported) -> bytes:
    """Raises BadInput for what is no picture: other than two axes, or other than one or three values."""
    formulas.check(exported, "html")
    domain, field = exported.drawn.domain, exported.cut.field
    if len(domain.shape) != 2 or field.in_features != 2 or field.out_features not in (1, 3):
        refuse(
            "html",
            f"it draws pictures, two coordinates to one or three values, and this has "
            f"{len(domain.shape)} axes, {field.in_features} coordinates and {field.out_features} values",
        )
    name, constant = formulas.helper_name(exported.cut), formulas.helper_constant(exported.cut)
    low, high = shown_range(exported)
    about = {"name": exported.name, **positions(exported), "rows": domain.shape[0], "columns": domain.shape[1],
             "low": low, "high": high, "channels": field.out_features, "weights": exported.cut.num_weights}  # fmt: skip
    page = Environment(autoescape=True).from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        name=exported.name, about=about, **_numbers(exported), sine=formulas.SINE, activation=name,
        js_helper=Markup(JS[name].format(constant)), glsl_helper=GLSL[name].format(constant),
    )  # fmt: skip
    return page.encode()


def _numbers(exported: Exported) -> dict[str, Any]:
    """Descriptions of the layers, their numbers as text, and phases of Fourier features."""
    layers, numbers = packed(quantised(exported))
    encoding, phases = exported.cut.field.encoding, list[list[float]]()
    if isinstance(encoding, FourierFeatures):
        phases = [[float(value) for value in row] for row in formulas.half_turns(encoding.frequencies(2).numpy())]
    return {"layers": [{**asdict(layer), "step": float(formulas.step(layer))} for layer in layers], "phases": phases,
            "numbers": base64.b64encode(bytes(words(numbers, 8))).decode()}  # fmt: skip


def positions(exported: Exported) -> dict[str, list[float]]:
    """Coordinates at the top left corner, and how they change down and across the whole picture: samples of a drawing
    lie in the middle of its pixels."""
    rows, columns = exported.drawn.domain.shape
    coords = exported.drawn.domain.coords().double().numpy().reshape(rows, columns, 2)
    down = (coords[-1, 0] - coords[0, 0]) / max(1, rows - 1) * rows
    across = (coords[0, -1] - coords[0, 0]) / max(1, columns - 1) * columns
    corner = coords[0, 0] - 0.5 * down / rows - 0.5 * across / columns
    at = np.stack(np.meshgrid((np.arange(rows) + 0.5) / rows, (np.arange(columns) + 0.5) / columns, indexing="ij"), -1)
    drawn = corner + at[..., :1] * down + at[..., 1:] * across
    if not np.allclose(drawn, coords, atol=1e-4 * (1 + float(np.abs(coords).max()))):
        refuse("html", "its samples do not lie in straight rows and columns")
    return {"corner": corner.tolist(), "down": down.tolist(), "across": across.tolist()}


def shown_range(exported: Exported) -> tuple[float, float]:
    """Values that are black and white: those of its kind, or those that it has where the kind has no range."""
    low, high = exported.drawn.start.kind.value_range
    if math.isfinite(low) and math.isfinite(high):
        return low, high
    longest = max(exported.drawn.shape)
    drawn = exported.drawn.render(tuple(max(1, round(EDGE * n / longest)) for n in exported.drawn.shape))
    return float(drawn.min()), max(float(drawn.max()), float(drawn.min()) + 1e-6)
