"""`torch`: the state dict of a plain `nn.Sequential`, as safetensors, and the few lines that load it."""

import json

import numpy as np
import torch
from safetensors.torch import save

from sparsine.export.contract import Exported, check_formula
from sparsine.fields.activations import Finer, Gauss, Relu, Sine
from sparsine.fields.encodings import FourierFeatures

CLASSES = {
    Sine: "class Sine(nn.Module):\n    def __init__(self, omega): super().__init__(); self.omega = omega\n"
          "    def forward(self, z): return torch.sin(self.omega * z)\n",
    Finer: "class Finer(nn.Module):\n    def __init__(self, omega): super().__init__(); self.omega = omega\n"
           "    def forward(self, z): return torch.sin(self.omega * (z.abs() + 1) * z)\n",
    Gauss: "class Gauss(nn.Module):\n    def __init__(self, sigma): super().__init__(); self.sigma = sigma\n"
           "    def forward(self, z): return torch.exp(-0.5 * (z / self.sigma) ** 2)\n",
    Relu: "",
}  # fmt: skip
FOURIER = """class Fourier(nn.Module):
    def __init__(self, count, dims): super().__init__(); self.weight = nn.Parameter(torch.empty(count, dims))
    def forward(self, x): phase = x @ self.weight.T; return torch.cat([phase.cos(), phase.sin()], dim=-1)
"""


def write(exported: Exported) -> bytes:
    """Keys "0.weight", "0.bias", "2.weight", ...; the recipe stands in the metadata too."""
    check_formula(exported, "torch")
    state, place = {}, 0
    encoding = exported.cut.field.encoding
    if isinstance(encoding, FourierFeatures):
        frequencies = encoding.frequencies(exported.cut.field.in_features)
        state["0.weight"], place = (2 * torch.pi * frequencies).float().contiguous(), 1
    for weight, bias in exported.cut.layers:
        state[f"{place}.weight"] = torch.from_numpy(weight.astype(np.float32))
        state[f"{place}.bias"] = torch.from_numpy(bias.astype(np.float32))
        place += 2
    # one text: safetensors writes several in any order
    return save(state, {"sparsine": json.dumps({**exported.about, "recipe": recipe(exported)})})


def recipe(exported: Exported, file: str = "FILE") -> str:
    """Python that makes `field`, a module from coordinates (points, dims) to values (points, channels)."""
    cut = exported.cut
    kind = type(cut.field.activation)
    parts = []
    if isinstance(cut.field.encoding, FourierFeatures):
        parts.append(f"Fourier({cut.field.encoding.num_frequencies}, {cut.field.in_features})")
    for number, (weight, _) in enumerate(cut.layers):
        parts.append(f"nn.Linear({weight.shape[1]}, {weight.shape[0]})")
        if number + 1 < len(cut.layers):
            parts.append(_module(exported, number))
    classes = CLASSES[kind] + FOURIER * isinstance(cut.field.encoding, FourierFeatures)  # type: ignore[index]
    return (f"import torch\nfrom torch import nn\nfrom safetensors.torch import load_file\n\n{classes}\n"
            f"field = nn.Sequential({', '.join(parts)})\nfield.load_state_dict(load_file({file!r}))\n")  # fmt: skip


def _module(exported: Exported, layer: int) -> str:
    activation = exported.cut.field.activation
    if isinstance(activation, Sine):
        return f"Sine({activation.scale(layer)!r})"
    if isinstance(activation, Finer):
        return f"Finer({activation.omega_0!r})"
    return f"Gauss({activation.sigma!r})" if isinstance(activation, Gauss) else "nn.ReLU()"
