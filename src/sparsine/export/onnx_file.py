"""`onnx`: a graph from coordinates (points, dims) to values (points, channels), both float32.

It computes in float64: phases of sines are tens of turns, of which float32 would keep five digits. Weights are stored
in float32, without the neurons that no output depends on.
"""

import math
from typing import Any

import numpy as np

from sparsine.export.contract import Exported, check_formula
from sparsine.extras import optional
from sparsine.fields.activations import Finer, Gauss, Relu
from sparsine.fields.encodings import FourierFeatures
from sparsine.version import __version__

OPSET, IR_VERSION = 17, 8


def write(exported: Exported) -> bytes:
    """Raises BadInput without the extra `onnx`, and for fields whose formula it does not know."""
    check_formula(exported, "onnx")
    onnx = optional("onnx", "onnx", "onnx is not part of this installation")
    graph = _Graph(onnx)
    h = graph.cast("coords", onnx.TensorProto.DOUBLE)
    if isinstance(exported.cut.field.encoding, FourierFeatures):
        h = _fourier(graph, h, exported)
    last = len(exported.cut.layers) - 1
    for number, (weight, bias) in enumerate(exported.cut.layers):
        wide = graph.cast(graph.constant(np.ascontiguousarray(weight.T.astype(np.float32))), onnx.TensorProto.DOUBLE)
        h = graph.add("Add", graph.add("MatMul", h, wide), graph.constant(bias))
        if number < last:
            h = _activated(graph, graph.add("Mul", h, graph.constant(exported.cut.scale(number))), exported)
    graph.cast(h, onnx.TensorProto.FLOAT, "values")
    return graph.model(exported)


def _activated(graph: "_Graph", z: str, exported: Exported) -> str:
    activation = exported.cut.field.activation
    if isinstance(activation, Relu):
        return graph.add("Relu", z)
    if isinstance(activation, Gauss):
        return graph.add("Exp", graph.add("Mul", graph.add("Mul", z, z), graph.constant(-0.5)))
    if isinstance(activation, Finer):
        faster = graph.add("Add", graph.add("Abs", z), graph.constant(1.0))
        z = graph.add("Mul", graph.add("Mul", z, faster), graph.constant(activation.omega_0))
    return graph.add("Sin", z)


def _fourier(graph: "_Graph", coords: str, exported: Exported) -> str:
    """cos(p) is sin(p + pi / 2): runtimes have no cosine in float64."""
    encoding, dims = exported.cut.field.encoding, exported.cut.field.in_features
    assert isinstance(encoding, FourierFeatures)
    frequencies = (2 * math.pi * encoding.frequencies(dims)).numpy()
    phase = graph.add("MatMul", coords, graph.constant(np.ascontiguousarray(np.tile(frequencies, (2, 1)).T)))
    shift = np.repeat([math.pi / 2, 0.0], len(frequencies))
    return graph.add("Sin", graph.add("Add", phase, graph.constant(shift)))


class _Graph:
    """Nodes one after the other."""

    def __init__(self, onnx: Any) -> None:
        self.onnx, self.nodes, self.constants = onnx, [], []  # type: ignore[var-annotated]

    def add(self, kind: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        name = name or f"n{len(self.nodes)}"
        self.nodes.append(self.onnx.helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def cast(self, value: str, to: int, name: str = "") -> str:
        return self.add("Cast", value, name=name, to=to)

    def constant(self, value: Any) -> str:
        array = np.asarray(value)
        name = f"c{len(self.constants)}"
        self.constants.append(self.onnx.numpy_helper.from_array(array, name))
        return name

    def model(self, exported: Exported) -> bytes:
        helper, number, field = self.onnx.helper, self.onnx.TensorProto.FLOAT, exported.cut.field
        graph = helper.make_graph(
            self.nodes, "field",
            [helper.make_tensor_value_info("coords", number, ["points", field.in_features])],
            [helper.make_tensor_value_info("values", number, ["points", field.out_features])], self.constants,
        )  # fmt: skip
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION,
                                  producer_name="sparsine", producer_version=__version__)  # fmt: skip
        helper.set_model_props(model, {"name": exported.name, "field": field.description,
                                       "start": exported.drawn.start.digest})  # fmt: skip
        self.onnx.checker.check_model(model)
        written: bytes = model.SerializeToString()
        return written
