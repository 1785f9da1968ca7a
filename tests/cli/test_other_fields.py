"""Fields that are no SIRENs, from the command line: learned, gone on with, fitted, coded, drawn, told."""

import pytest

from sparsine import load_start
from sparsine.cli.main import main
from sparsine.fields.activations import Finer, Gauss, Relu, Sine
from sparsine.fields.encodings import FourierFeatures, Identity

SMALL = ["--recipe", "quick", "--resolution", "9x7", "--width", "8", "--hidden-layers", "2", "--points", "40",
         "--dense-steps", "6", "--steps-per-round", "3", "--rounds", "1", "--val-signals", "1"]  # fmt: skip
FIELDS = {
    "sine": (["--omega-first", "90"], Sine(omega_0=30.0, omega_first=90.0), Identity()),
    "finer": (["--omega-0", "20", "--first-bias", "2"], Finer(omega_0=20.0, first_bias=2.0), Identity()),
    "gauss": (["--sigma", "0.3"], Gauss(sigma=0.3), Identity()),
    "relu": (
        ["--encoding", "fourier", "--num-frequencies", "6", "--frequency-scale", "1.5"],
        Relu(),
        FourierFeatures(num_frequencies=6, frequency_scale=1.5),
    ),
}
OF_MY_OWN = """
from dataclasses import dataclass
from typing import ClassVar
from sparsine.fields import ACTIVATIONS, Activation

@dataclass(frozen=True, kw_only=True)
class Quadratic(Activation):
    name: ClassVar[str] = "quadratic"
    sigma: float = 0.2

    def scale(self, layer):
        return 1 / self.sigma

    def value(self, z):
        return 1 / (1 + z * z)

    def slope(self, z, h):
        return -2 * z * h * h

    def curvature(self, z, h, slope):
        return -2 * h * (h + 2 * z * slope)

    def initial_bounds(self, layer, n_in):
        return n_in**-0.5, n_in**-0.5

ACTIVATIONS["quadratic"] = Quadratic
"""


def run(*words):
    return main([str(word) for word in words])


def learn(out, *words):
    return run("learn", "curves", "--out", out, *SMALL, *words)


@pytest.mark.parametrize("activation", FIELDS)
def test_a_field_is_learned_gone_on_with_fitted_coded_drawn_and_told(activation, tmp_path, capsys):
    options, made, encoding = FIELDS[activation]
    options = ["--activation", activation, *options]
    assert learn(tmp_path / "run", *options) == 0
    (start,) = (tmp_path / "run" / "starts").glob("round-01.safetensors")
    field = load_start(start).field
    assert (field.activation, field.encoding, field.sizes) == (made, encoding, (2, 8, 8, 1))
    assert run("learn", "curves", "--out", tmp_path / "run", "--resume") == 0  # the options are the run's own
    assert run("fit", start, "curves", "--limit", "1", "--steps", "3", "--out", tmp_path / "fitted") == 0
    assert run("encode", start, "curves", "--limit", "1", "--steps", "3", "--out", tmp_path / "codes") == 0
    assert run("decode", tmp_path / "codes", "--start", start, "--size", "18x14", "--out", tmp_path / "drawn") == 0
    assert list((tmp_path / "drawn").rglob("*.png"))
    capsys.readouterr()
    assert run("info", start) == 0
    assert field.description in " ".join(capsys.readouterr().out.split())


def test_an_activation_of_a_file_of_ones_own_goes_the_same_way(tmp_path, monkeypatch, capsys):
    from sparsine import plugins
    from sparsine.fields import ACTIVATIONS

    file = tmp_path / "mine.py"
    file.write_text(OF_MY_OWN)
    mine = ["--load", file]
    try:
        options = [*mine, "--activation", "quadratic", "--sigma", "0.3", "--engine", "dense"]
        assert learn(tmp_path / "run", *options) == 0
        start = tmp_path / "run" / "starts" / "round-01.safetensors"
        assert load_start(start).field.activation.to_dict() == {"name": "quadratic", "sigma": 0.3}
        assert run("fit", start, "curves", "--limit", "1", "--steps", "3", "--out", tmp_path / "fitted", *mine) == 0
        assert learn(tmp_path / "other", *mine, "--activation", "quadratic", "--engine", "sparse") == 2
        assert "engine 'sparse' computes sine and gauss" in capsys.readouterr().err
    finally:
        ACTIVATIONS.pop("quadratic", None)
        plugins._files.clear()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--activation", "swish"], "--activation: got 'swish', but it must be one of: sine, finer, gauss, relu"),
        (["--encoding", "hash"], "--encoding: got 'hash', but it must be one of: none, fourier"),
        (["--sigma", "0.1"], "sigma is 0.1, but it belongs to gauss"),
        (["--activation", "gauss", "--omega-first", "3"], "omega_first is 3.0, but it belongs to sine"),
        (["--activation", "gauss", "--sigma", "0"], "sigma must be positive"),
        (["--activation", "finer", "--engine", "sparse"], "engine 'sparse' computes sine and gauss"),
    ],
)
def test_what_does_not_go_together_is_refused_before_anything_is_written(options, words, tmp_path, capsys):
    assert learn(tmp_path / "run", *options) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert words in line
    assert not (tmp_path / "run").exists()
