"""The colours of the starts, from dense (blue) to sparse (orange).

Every line and mark of every figure stands out at least 3:1 from the light and from the dark page (WCAG 2.2, 1.4.11):
its luminance lies between 0.15 and 0.28. tests/report/test_colours.py holds all of them to it.
"""

import numpy as np

SCRATCH = "#868e96"
BAND = "#744ded"
_RAMP = np.array([[0x3B, 0x6F, 0xE0], [0x8A, 0x4F, 0xD3], [0xD6, 0x45, 0x8A], [0xE0, 0x71, 0x00]])


def ramp(fraction: float) -> str:
    """The colour at `fraction` of the way from the densest start to the sparsest, as #rrggbb."""
    stops = np.linspace(0.0, 1.0, len(_RAMP))
    return "#" + "".join(f"{round(float(np.interp(fraction, stops, channel))):02x}" for channel in _RAMP.T)


def ramp_of(number: int) -> list[str]:
    """One colour for each of `number` starts, densest first."""
    return [ramp(i / max(number - 1, 1)) for i in range(number)]


def faint(colour: str, opacity: float) -> str:
    """#rrggbb -> rgba(...), which plotly wants for a see-through fill."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:g})"
