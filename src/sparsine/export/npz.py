"""`npz`: plain arrays for NumPy, and a text that says how they are used."""

import io
import json

import numpy as np

from sparsine.export.contract import Exported, check_formula
from sparsine.fields.activations import Finer, Gauss, Relu, Sine
from sparsine.fields.encodings import FourierFeatures
from sparsine.fields.mlp import MLP

README = """{name}: {description}
h = {encoded}; then for each hidden layer l: z = scale[l] * (weight_l @ h + bias_l), h = {formula};
values = weight_last @ h + bias_last. Coordinates are those of `about` (JSON): the extent along each axis, and in which
order. Neurons that no output depends on are left out."""
FORMULAS = {Sine: "sin(z)", Gauss: "exp(-z*z/2)", Relu: "max(z, 0)"}


def formula(field: MLP) -> str:
    """Of the activation, in NumPy's words."""
    if isinstance(field.activation, Finer):
        return f"sin({field.activation.omega_0!r} * (abs(z) + 1) * z)"
    return FORMULAS[type(field.activation)]  # type: ignore[index]


def write(exported: Exported) -> bytes:
    """weight_0, bias_0, weight_1, ...: float32; scale: one number for each hidden layer."""
    check_formula(exported, "npz")
    layers, field = exported.cut.layers, exported.cut.field
    fourier = isinstance(field.encoding, FourierFeatures)
    arrays = {"scale": np.array([exported.cut.scale(layer) for layer in range(len(layers) - 1)])}
    if isinstance(field.encoding, FourierFeatures):
        arrays["frequencies"] = field.encoding.frequencies(field.in_features).numpy()
    for number, (weight, bias) in enumerate(layers):
        arrays |= {f"weight_{number}": weight.astype(np.float32), f"bias_{number}": bias.astype(np.float32)}
    encoded = "[cos(p), sin(p)] with p = 2 pi frequencies @ coordinates" if fourier else "coordinates"
    text = README.format(name=exported.name, description=field.description, encoded=encoded, formula=formula(field))
    file = io.BytesIO()
    np.savez(file, README=np.array(text), about=np.array(json.dumps(exported.about)), **arrays)  # type: ignore[arg-type]
    return file.getvalue()
