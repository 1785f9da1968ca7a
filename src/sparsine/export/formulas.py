"""A field written out as formulas that GLSL and JavaScript both read: one sum for each neuron, weights as constants.

Sines take half turns and are polynomials, the same as the engine's (engines/csrc/activations.inl): what a GPU calls sin
is good for three digits on some, and for none where the argument is large.
"""

import math
from collections.abc import Sequence

import numpy as np

from sparsine.export.contract import Exported, check_formula, refuse
from sparsine.export.cut import Cut
from sparsine.fields.activations import Finer, Gauss, Relu, Sine
from sparsine.fields.encodings import FourierFeatures

MOST_WEIGHTS = 20_000
"""Compilers of shaders take seconds for so many, and more than a minute for ten times as many."""
NAMES = "abcdeghijklmnopq"
FIRST_DIGITS, DIGITS = 8, 6
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


def statements(exported: Exported) -> tuple[list[str], list[str]]:
    """(one list of definitions "a0=...,a1=..." for each level of neurons, the sums of the outputs) from x0, x1, ..."""
    cut, lines = exported.cut, []
    names = [f"x{i}" for i in range(cut.field.in_features)]
    if isinstance(cut.field.encoding, FourierFeatures):
        line, names = _fourier(cut.field.encoding.frequencies(len(names)).numpy(), names)
        lines.append(line)
    call, half_turns = helper_name(cut), isinstance(cut.field.activation, Sine)
    for level, (weight, bias) in enumerate(cut.layers[:-1]):
        scale = cut.scale(level) / (math.pi if half_turns else 1)
        sums = _sums(scale * weight, scale * bias, names, DIGITS if level else FIRST_DIGITS)
        names = [_name(level, i) for i in range(len(bias))]
        lines.append(",".join(f"{name}={call}({total})" for name, total in zip(names, sums, strict=True)))
    return lines, _sums(*cut.layers[-1], names, DIGITS)


def _fourier(frequencies: np.ndarray, names: Sequence[str]) -> tuple[str, list[str]]:
    phases = _sums(2 * frequencies, np.zeros(len(frequencies)), names, FIRST_DIGITS)
    made = [f"y{i}" for i in range(2 * len(phases))]
    calls = [*(f"S({phase}+.5)" for phase in phases), *(f"S({phase})" for phase in phases)]
    return ",".join(f"{name}={call}" for name, call in zip(made, calls, strict=True)), made


def _name(level: int, neuron: int) -> str:
    return f"{NAMES[level]}{neuron}" if level < len(NAMES) else f"h{level}_{neuron}"


def _sums(weight: np.ndarray, bias: np.ndarray, names: Sequence[str], digits: int) -> list[str]:
    sums = []
    for row, constant in zip(weight, bias, strict=True):
        terms = [f"{number(row[j], digits)}*{names[int(j)]}" for j in np.flatnonzero(row)]
        text = "+".join([*terms, number(constant, digits)])
        sums.append(text.replace("+-", "-"))
    return sums


def number(value: float, digits: int) -> str:
    """As short as it can be, and a floating-point number in every language."""
    text = f"{value:.{digits}g}".replace("e-0", "e-").replace("e+0", "e")
    if "." not in text and "e" not in text:
        text += "."
    sign, digits_only = ("-", text[1:]) if text.startswith("-") else ("", text)
    return sign + (digits_only[1:] if digits_only.startswith("0.") and digits_only != "0." else digits_only)
