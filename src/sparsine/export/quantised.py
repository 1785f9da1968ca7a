"""A field in whole numbers: each layer in steps of its own, as coarse as a drawing allows that looks the same."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int

from sparsine.export.contract import Exported
from sparsine.export.cut import Cut
from sparsine.fields.activations import Sine
from sparsine.fields.encodings import FourierFeatures

LEVELS, PICTURE_ERROR, OTHER_ERROR = 255, 0.3, 0.03
"""What a drawing may be off at most, in levels of a kind's range; of kinds that are no pictures a tenth of it, since
their derivatives are used as well."""
MOST_BITS = 24
"""More a float32 does not hold."""
PROBES = 4096
FINER = 0.85
"""How much finer steps are tried next."""


@dataclass(frozen=True)
class QuantisedLayer:
    """Weights and biases in steps; pre-activations of sines are half turns, of others what they are."""

    weight: Int[np.ndarray, "n_out n_in"]
    bias: Int[np.ndarray, " n_out"]
    step: float
    bits: int
    """Of each of these numbers, its sign included."""


def quantised(exported: Exported) -> tuple[QuantisedLayer, ...]:
    """Layers in steps whose rounding moves no value at random places by more than a part of a level."""
    cut, coords = exported.cut, _places(exported)
    exact = [_folded(cut, number) for number in range(len(cut.layers))]
    wanted = _drawn(cut, exact, coords)
    low, high = exported.drawn.start.kind.value_range
    is_picture = math.isfinite(high - low)
    span = high - low if is_picture else max(float(np.ptp(wanted)), 1e-6)
    limit = span / LEVELS * (PICTURE_ERROR if is_picture and exported.drawn.domain.num_axes == 2 else OTHER_ERROR)
    wide = _wide(cut, exact, coords, wanted)
    scale = limit
    while True:
        made = tuple(_rounded(*layer, scale * step) for layer, step in zip(exact, wide, strict=True))
        error = np.abs(_drawn(cut, [_exact(layer) for layer in made], coords) - wanted).max(initial=0.0)
        if error <= limit or all(layer.bits == MOST_BITS for layer in made):
            return made
        scale *= FINER


def _places(exported: Exported) -> Float[np.ndarray, "points coords"]:
    """Anywhere between the samples."""
    domain, rng = exported.drawn.domain, np.random.default_rng(0)
    some = domain.coords_at(np.unique(rng.integers(0, domain.num_points, PROBES))).double().numpy()
    corners = domain.coords_at(np.unique([0, domain.num_points - 1])).double().numpy()
    low, high = (f([f(some, axis=0), f(corners, axis=0)], axis=0) for f in (np.min, np.max))
    places: np.ndarray = low + (high - low) * rng.random((PROBES, len(low)))
    return places


def _folded(cut: Cut, number: int) -> tuple[np.ndarray, np.ndarray]:
    weight, bias = cut.layers[number]
    unit = math.pi if isinstance(cut.field.activation, Sine) and number + 1 < len(cut.layers) else 1.0
    return weight * cut.scale(number) / unit, bias * cut.scale(number) / unit


def _exact(layer: QuantisedLayer) -> tuple[np.ndarray, np.ndarray]:
    return layer.weight * layer.step, layer.bias * layer.step


def _drawn(cut: Cut, layers: list[tuple[np.ndarray, np.ndarray]], coords: np.ndarray) -> np.ndarray:
    """Values of a field whose layers are given in the unit of quantised ones."""
    activation, encoding, h = cut.field.activation, cut.field.encoding, coords
    if isinstance(encoding, FourierFeatures):
        h = encoding(torch.from_numpy(coords)).numpy()
    unit = math.pi if isinstance(activation, Sine) else 1.0
    for weight, bias in layers[:-1]:
        h = activation.value(torch.from_numpy(unit * (h @ weight.T + bias))).numpy()
    weight, bias = layers[-1]
    drawn: np.ndarray = h @ weight.T + bias
    return drawn


def _wide(cut: Cut, exact: list[tuple[np.ndarray, np.ndarray]], coords: np.ndarray, wanted: np.ndarray) -> list[float]:
    """Steps with which all numbers together are as short as they can be, for a mean error of 1: where the errors of
    layers add up as squares, each may have a part that is in proportion to its numbers."""
    counts = [np.count_nonzero(weight) + len(bias) for weight, bias in exact]
    steps = []
    for number, (layer, count) in enumerate(zip(exact, counts, strict=True)):
        trial = _rounded(*layer, _largest(*layer) / 512)
        others = [_exact(trial) if i == number else one for i, one in enumerate(exact)]
        slope = math.sqrt(np.square(_drawn(cut, others, coords) - wanted).mean()) / trial.step
        steps.append(math.sqrt(count / sum(counts)) / max(slope, 1e-12))
    return steps


def _largest(weight: np.ndarray, bias: np.ndarray) -> float:
    return max(float(np.abs(weight).max(initial=0.0)), float(np.abs(bias).max(initial=0.0)), 1e-12)


def _rounded(weight: np.ndarray, bias: np.ndarray, step: float) -> QuantisedLayer:
    """In steps of at most `step`: the largest number is the largest of its bits."""
    largest = _largest(weight, bias)
    bits = min(max(math.ceil(math.log2(largest / step + 1)) + 1, 2), MOST_BITS)
    step = largest / (2 ** (bits - 1) - 1)
    return QuantisedLayer(np.rint(weight / step).astype(int), np.rint(bias / step).astype(int), step, bits)
