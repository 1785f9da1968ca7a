"""A field written out as formulas of GLSL: one sum for each neuron, weights as whole numbers.

Sines take half turns and are polynomials, the same as the engine's (engines/csrc/activations.inl): what a GPU calls sin
is good for three digits on some, and for none where the argument is large.
"""

import math
import string
from collections.abc import Iterator, Sequence
from itertools import count, product

import numpy as np

from sparsine.export.contract import Exported, check_formula, refuse
from sparsine.export.cut import Cut
from sparsine.export.packed import Packed
from sparsine.export.quantised import QuantisedLayer
from sparsine.fields.activations import Finer, Gauss, Relu, Sine
from sparsine.fields.encodings import FourierFeatures

MOST_WEIGHTS = 20_000
"""Compilers of shaders take seconds for so many, and more than a minute for ten times as many."""
FOURIER_DIGITS, STEP_DIGITS = 8, 8
SECOND = string.ascii_uppercase + string.digits
SINE = ("3.14159274", "-5.16770697", "2.55003166", "-.598046422", ".0772222504")


def check(exported: Exported, what: str) -> None:
    """Raises BadInput for a field that cannot be written out, or has too many weights for that."""
    check_formula(exported, what)
    if exported.cut.num_weights > MOST_WEIGHTS:
        refuse(what, f"every weight is a constant there, and it has {exported.cut.num_weights:,}; {MOST_WEIGHTS:,} are "
                     "the most: export a sparser start, or --to onnx")  # fmt: skip


def helper_name(cut: Cut) -> str:
    """What neurons call: S for sines, F for FINER, G for Gaussians, R for ReLU."""
    return {Sine: "S", Finer: "F", Gauss: "G", Relu: "R"}[type(cut.field.activation)]  # type: ignore[index]


def helper_constant(cut: Cut) -> str:
    """FINER's frequency, in half turns."""
    activation = cut.field.activation
    return number(activation.omega_0 / math.pi, 9) if isinstance(activation, Finer) else "1."


def statements(exported: Exported, layers: Sequence[QuantisedLayer]) -> tuple[list[str], list[str]]:
    """(one list of definitions "a0=...,b0=..." for each level of neurons, the sums of the outputs) from x0, x1, ...

    Sums are in steps; what neurons of level 2 call is named with a 2 at its end and knows the step.
    """
    cut, lines, unused = exported.cut, [], _names()
    names = [f"x{i}" for i in range(cut.field.in_features)]
    if isinstance(cut.field.encoding, FourierFeatures):
        made, names = fourier(cut.field.encoding.frequencies(len(names)).numpy(), names)
        lines.append(",".join(made))
    call = helper_name(cut)
    for level, layer in enumerate(layers[:-1]):
        sums = _sums(layer, names)
        names = [next(unused) for _ in sums]
        lines.append(",".join(f"{name}={call}{level}({total})" for name, total in zip(names, sums, strict=True)))
    return lines, [f"{step(layers[-1])}*({total})" for total in _sums(layers[-1], names)]


def step(layer: QuantisedLayer | Packed) -> str:
    """One step of its numbers."""
    return number(layer.step, STEP_DIGITS)


def half_turns(frequencies: np.ndarray) -> list[list[str]]:
    """What coordinates are multiplied by for the phases of Fourier features, a row for each."""
    return [[number(2 * value, FOURIER_DIGITS) for value in row] for row in frequencies]


def fourier(frequencies: np.ndarray, names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Definitions of Fourier features of coordinates, and their names."""
    terms = [[f"{value}*{name}" for value, name in zip(row, names, strict=True)] for row in half_turns(frequencies)]
    phases = ["+".join(row).replace("+-", "-") for row in terms]
    made = [f"y{i}" for i in range(2 * len(phases))]
    calls = [*(f"S({phase}+.5)" for phase in phases), *(f"S({phase})" for phase in phases)]
    return [f"{name}={call}" for name, call in zip(made, calls, strict=True)], made


def _names() -> Iterator[str]:
    """Short ones, of which none is a word of a language: their second letter is no small one."""
    for more in count():
        for letters in product("abcdefghijklmnopqrstuvw", SECOND, *[SECOND + SECOND.lower()] * more):
            yield "".join(letters)


def _sums(layer: QuantisedLayer, names: Sequence[str]) -> list[str]:
    sums = []
    for row, constant in zip(layer.weight, layer.bias, strict=True):
        terms = [f"{row[j]}.*{names[int(j)]}" for j in np.flatnonzero(row)]
        text = "+".join([*terms, f"{constant}."])
        sums.append(text.replace("+-", "-"))
    return sums


def number(value: float, digits: int) -> str:
    """As short as it can be, and a floating-point number in every language."""
    text = f"{value:.{digits}g}".replace("e-0", "e-").replace("e+0", "e")
    if "." not in text and "e" not in text:
        text += "."
    sign, digits_only = ("-", text[1:]) if text.startswith("-") else ("", text)
    return sign + (digits_only[1:] if digits_only.startswith("0.") and digits_only != "0." else digits_only)
