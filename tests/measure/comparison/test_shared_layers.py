"""The control without meta-learning: hidden layers that training signals share."""

import tiny
import torch

from sparsine.engines import ReferenceEngine
from sparsine.fields import Siren
from sparsine.measure.comparison.comparison import stages_of
from sparsine.measure.comparison.methods.shared_layers import shared_layers
from sparsine.measure.comparison.plan import random_start
from sparsine.signals.grid import Grid
from sparsine.signals.kinds import Rgb
from sparsine.starts.start import load_start

FIELD, DOMAIN = Siren(sizes=(2, 7, 5, 3), omega_0=9.0), Grid(shape=(17, 15))
BEGIN = random_start(FIELD, DOMAIN, 4, Rgb())


def signals(count=4):
    rows, columns = torch.meshgrid(*(torch.linspace(-1, 1, n) for n in DOMAIN.shape), indexing="ij")
    waves = [torch.stack([torch.sin((k + c) * rows + c) * torch.cos(2 * columns) for c in range(3)], -1)
             for k in range(count)]  # fmt: skip
    return 0.5 + 0.4 * torch.stack(waves).flatten(1, 2)


def layers_of(theta):
    """(weights, biases) of each layer."""
    shapes, weights, biases = FIELD.layer_shapes, theta[: FIELD.num_weights], theta[FIELD.num_weights :]
    return list(zip(weights.split([a * b for a, b in shapes]), biases.split([a for a, _ in shapes]), strict=True))


def test_hidden_layers_are_learned_and_the_last_keeps_its_random_numbers():
    *hidden, last = zip(layers_of(shared_layers(BEGIN, signals(), 20).theta), layers_of(BEGIN.theta), strict=True)
    assert all(not torch.equal(a, b) for learned, random in hidden for a, b in zip(learned, random, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(*last, strict=True))


def test_every_signal_is_told_by_a_last_layer_on_the_shared_ones():
    """Features of the learned layers explain the signals better, in least squares, than random ones."""
    values = signals()

    def left(start):
        weights, biases = zip(*layers_of(start.theta), strict=True)
        values_of = DOMAIN.coords()
        for (rows, _), w, b in list(zip(FIELD.layer_shapes, weights, biases, strict=True))[:-1]:
            values_of = torch.sin(FIELD.activation.omega_0 * (values_of @ w.view(rows, -1).T + b))
        features = torch.cat([values_of, torch.ones(len(values_of), 1)], 1)
        targets = values.transpose(0, 1).flatten(1)
        return (features @ torch.linalg.lstsq(features, targets).solution - targets).square().mean()

    assert left(shared_layers(BEGIN, values, 400)) < 0.3 * left(BEGIN)


def test_the_same_comes_out_again():
    first, second = (shared_layers(BEGIN, signals(), 10).theta for _ in range(2))
    assert torch.equal(first, second)


def test_a_comparison_learns_it_once_for_each_width_and_measures_it(tmp_path):
    made = tiny.learned(tiny.comparison(tmp_path / "out", methods=("shared-layers",), levels=(1, 3)))
    assert {key.rsplit("/", 1)[1] for key in stages_of(made.cells())} == {"shared-layers-004", "shared-layers-006"}
    for cell in made.cells():
        record = cell.measure(made.root, lambda done: None)
        start = load_start(made.root / cell._learned[0].stage.key / "starts/round-00.safetensors")
        assert record["weights"] == start.pattern.num_weights
        drawn = ReferenceEngine(start.pattern).predict(start.theta[None], start.domain.coords())
        assert torch.isfinite(drawn).all()
        assert record["protocols"]["adam"]["signals"][0]["status"] == "ok"


def test_tuned_it_chooses_among_frequencies(tmp_path):
    made = tiny.learned(
        tiny.comparison(tmp_path / "out", methods=("shared-layers",), levels=(3,), tuned_signals=1,
                        tuned_effort="instant")
    )  # fmt: skip
    (cell,) = made.cells()
    tuned = cell.measure(made.root, lambda done: None)["protocols"]["tuned"]
    assert len({trial["omega_0"] for trial in tuned["trials"]}) == 4
