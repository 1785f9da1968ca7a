"""The formats of `sparsine export --to`, by name."""

from sparsine.export import glsl, glsl_packed, npz, onnx_file, page, torch_file
from sparsine.export.contract import Format
from sparsine.registry import Registry

FORMATS: Registry[Format] = Registry(
    "format", "sparsine.exports", {
        "npz": Format(".npz", npz.write),
        "torch": Format(".safetensors", torch_file.write, torch_file.recipe),
        "onnx": Format(".onnx", onnx_file.write),
        "glsl": Format(".glsl", glsl.write),
        "glsl-packed": Format(".glsl", glsl_packed.write),
        "html": Format(".html", page.write),
    },
    wanted="a Format", suits=lambda name, value: isinstance(value, Format),
)  # fmt: skip
