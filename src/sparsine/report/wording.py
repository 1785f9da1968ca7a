"""Numbers as a reader likes them. What is unknown becomes a dash; the PSNR of a perfect fit is "inf" everywhere."""

from collections.abc import Sequence
from math import isnan
from typing import Any

from sparsine.counted import counted

DASH = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
SHAPES = ("resolution", "shape", "size")


def count(number: int | None) -> str:
    """197888 -> 197,888."""
    return DASH if number is None else f"{number:,}"


def db(value: float | None) -> str:
    """Decibels without the unit: 27.71."""
    return DASH if value is None or isnan(value) else f"{value:.2f}".replace("-", MINUS)


def in_db(value: float | None) -> str:
    """27.71 dB."""
    return f"{db(value)} dB"


def measure(value: float | None) -> str:
    """A number of any unit, four digits that say something: 0.9312, 12.71, 311.4."""
    if value is None:
        return DASH
    return f"{value:.4g}".replace("-", MINUS)


def gain(value: float | None) -> str:
    """Decibels more, or fewer: +3.20."""
    return DASH if value is None or isnan(value) else f"{value:+.2f}".replace("-", MINUS)


def lacking(number: int, of: int) -> str:
    """What is said behind a mean over fewer than all: " (3 of 4)"; nothing behind one over all."""
    return "" if number == of else f" ({count(number)} of {count(of)})"


def percent(fraction: float) -> str:
    """Three digits that say something: 100 %, 16.9 %, 1.15 %."""
    return f"{float(f'{100 * fraction:.3g}'):g} %"


def interval(pair: tuple[float, float] | None) -> str:
    """Two decibel values: 25.10 to 28.33."""
    return DASH if pair is None else f"{db(pair[0])} to {db(pair[1])}"


def duration(seconds: float | None) -> str:
    """8.1 s, 3 min 20 s, 2 h 5 min."""
    if seconds is None:
        return DASH
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def seconds(value: float) -> str:
    """Of something fast: 12.3 ms, 4.56 s, 11.2 min."""
    if value >= 120:
        return f"{value / 60:.3g} min"
    return f"{value:.3g} s" if value >= 1 else f"{value * 1e3:.3g} ms"


def plain(value: Any) -> str:
    """A value of a configuration, exactly as one would type it."""
    if value is None or value == "":
        return DASH
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(plain, value))
    return str(value)


def shape(sizes: Sequence[int]) -> str:
    """Rows and columns: 48 x 64."""
    return " x ".join(map(str, sizes))


def setting(value: Any, name: str) -> str:
    """As `plain`, for the value of the configuration that is called `name`."""
    return shape(value) if name in SHAPES and isinstance(value, list | tuple) else plain(value)


def protocol(steps: int, optimizer: str) -> str:
    """How signals were fitted, in few words: 100 Adam steps."""
    known = {"adam": "Adam", "sgd": "SGD"}.get(optimizer, optimizer)
    return counted(steps, f"{known} step")
