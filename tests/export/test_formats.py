"""What other programs compute from an exported file is what the field draws."""

import io
import json
import sys

import numpy as np
import pytest
import torch
from export_problems import PATTERNS, WRITABLE, expected, exported, of_kind, of_pattern, small, some_coords
from kinds_of_fields import KINDS
from safetensors.torch import load
from small_problems import field_of, random_pattern

from sparsine.errors import BadInput
from sparsine.export import FORMATS, cut
from sparsine.export.torch_file import recipe
from sparsine.fields.liveness import leads_to_output, reached_from_input
from sparsine.signals.kind import VALUES

ALL = dict.fromkeys(WRITABLE, of_kind) | dict.fromkeys(PATTERNS, of_pattern)
every = pytest.mark.parametrize("what", [lambda n=n, made=made: made(n) for n, made in ALL.items()], ids=ALL)
FORMULAS = {"sin": np.sin, "exp": np.exp, "abs": np.abs, "max": np.maximum}


def by_numpy(data, coords):
    """As the README of the file says."""
    arrays = np.load(io.BytesIO(data))
    formula = str(arrays["README"]).split("h = ")[2].split(";")[0]
    h = coords.astype(np.float64)
    if "frequencies" in arrays:
        phase = 2 * np.pi * h @ arrays["frequencies"].T
        h = np.concatenate([np.cos(phase), np.sin(phase)], axis=-1)
    layers = sum(name.startswith("weight_") for name in arrays)
    for layer in range(layers):
        z = h @ arrays[f"weight_{layer}"].astype(np.float64).T + arrays[f"bias_{layer}"]
        h = eval(formula, {**FORMULAS, "z": arrays["scale"][layer] * z}) if layer + 1 < layers else z
    return h


def close(found, wanted, tolerance):
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max() <= tolerance * (1 + np.abs(wanted).max())


@every
def test_arrays_of_numpy_draw_the_field_as_their_text_says(what):
    what = what()
    coords = some_coords(what)
    data = FORMATS["npz"].write(what)
    close(by_numpy(data, coords), expected(what, coords), 1e-5)
    about = json.loads(str(np.load(io.BytesIO(data))["about"]))
    assert about["start"] == what.drawn.start.digest
    assert about["samples"] == what.drawn.domain.to_dict()


@every
def test_the_recipe_loads_the_state_dict_into_a_plain_sequential_that_draws_the_field(what, tmp_path):
    what, file = what(), tmp_path / "a.safetensors"
    data = FORMATS["torch"].write(what)
    file.write_bytes(data)
    text, names = recipe(what, str(file)), {}
    exec(text, names)
    assert len(text.splitlines()) <= 15
    assert type(names["field"]) is torch.nn.Sequential
    coords = some_coords(what)
    with torch.no_grad():
        found = names["field"].double()(torch.from_numpy(coords).double()).numpy()
    close(found, expected(what, coords), 1e-5)
    assert load(data).keys() == names["field"].state_dict().keys()


@every
def test_onnx_runtime_draws_the_field_to_a_millionth(what):
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    what = what()
    session = runtime.InferenceSession(FORMATS["onnx"].write(what), providers=["CPUExecutionProvider"])
    for count in (1, 53):
        coords = some_coords(what, count)
        (found,) = session.run(["values"], {"coords": coords})
        assert found.dtype == np.float32
        close(found, expected(what, coords), 1e-6)


def test_onnx_is_as_exact_at_the_papers_frequency():
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    what = exported(random_pattern(field_of(2, 64, 64, 64, 3, omega_0=200.0), 0.3))
    coords = some_coords(what)
    (found,) = runtime.InferenceSession(FORMATS["onnx"].write(what)).run(None, {"coords": coords})
    close(found, expected(what, coords), 1e-6)


def test_without_the_extra_onnx_is_refused_in_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(BadInput, match=r"^onnx is not part of this installation .*pip install 'sparsine\[onnx\]'$"):
        FORMATS["onnx"].write(small())


@pytest.mark.parametrize("name", PATTERNS)
def test_neurons_that_nothing_depends_on_are_cut_away_and_no_others(name):
    what = of_pattern(name)
    pattern = what.drawn.start.pattern
    keeps = list(pattern.layer_keeps())
    alive = [int((a & b).sum()) for a, b in zip(leads_to_output(keeps), reached_from_input(keeps), strict=True)][1:-1]
    sizes = [len(bias) for _, bias in cut(pattern, what.drawn.theta).layers[:-1]]
    assert sizes == [max(1, count) for count in alive]
    assert what.cut.num_weights <= pattern.num_weights


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in WRITABLE])
@pytest.mark.parametrize("format", FORMATS)
def test_a_field_without_a_formula_is_refused_in_one_line(kind, format):
    with pytest.raises(
        BadInput, match=rf"^{format} cannot hold this field, because the (activation|encoding) '\w+' has no"
    ):
        FORMATS[format].write(of_kind(kind))


@pytest.mark.parametrize(("format", "what", "because"), [
    ("glsl", lambda: exported(random_pattern(field_of(2, 5, 5), 0.9), kind=VALUES), "2 coordinates and 5 values"),
    ("html", lambda: of_pattern("three coordinates"), "it draws pictures"),
    ("html", lambda: of_pattern("one coordinate"), "it draws pictures"),
    ("glsl", lambda: exported(random_pattern(field_of(2, 200, 200, 3), 1.1)), "41,000; 20,000 are the most"),
    ("html", lambda: exported(random_pattern(field_of(2, 200, 200, 3), 1.1)), "20,000 are the most"),
])  # fmt: skip
def test_what_a_format_cannot_hold_is_refused_with_the_reason(format, what, because):
    made = what()
    with pytest.raises(BadInput, match=because) as refused:
        FORMATS[format].write(made)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("format", FORMATS)
def test_the_same_field_gives_the_same_bytes(format):
    assert FORMATS[format].write(small()) == FORMATS[format].write(small())
