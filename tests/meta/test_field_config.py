"""What `learn` can be told of its field, and what of it is refused."""

import json

import pytest
from kinds_of_fields import Quadratic, registered

from sparsine.errors import BadInput
from sparsine.fields import MLP, Siren
from sparsine.fields.activations import Finer, Gauss, Relu, Sine
from sparsine.fields.encodings import FourierFeatures
from sparsine.meta.config import FieldConfig, LearnConfig

SIZES = (2, 9, 9, 3)


def config(**options):
    return FieldConfig(**{"width": 9, "hidden_layers": 2, "omega_0": 20.0, **options})


def test_without_a_word_it_is_the_papers_siren():
    assert config().field(2, 3) == Siren(sizes=SIZES, omega_0=20.0)


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"omega_first": 60.0}, MLP(sizes=SIZES, activation=Sine(omega_0=20.0, omega_first=60.0))),
        ({"activation": "finer"}, MLP(sizes=SIZES, activation=Finer(omega_0=20.0))),
        ({"activation": "finer", "first_bias": 2.0}, MLP(sizes=SIZES, activation=Finer(omega_0=20.0, first_bias=2.0))),
        ({"activation": "gauss"}, MLP(sizes=SIZES, activation=Gauss())),
        ({"activation": "gauss", "sigma": 0.2}, MLP(sizes=SIZES, activation=Gauss(sigma=0.2))),
        (
            {"activation": "relu", "encoding": "fourier", "num_frequencies": 5, "frequency_scale": 1.5},
            MLP(sizes=SIZES, activation=Relu(), encoding=FourierFeatures(num_frequencies=5, frequency_scale=1.5)),
        ),
        (
            {"encoding": "fourier"},
            MLP(sizes=SIZES, activation=Sine(omega_0=20.0), encoding=FourierFeatures()),
        ),
    ],
)
def test_options_become_constants(options, field):
    assert config(**options).field(2, 3) == field


def test_a_registered_activation_takes_its_constants_from_options_of_their_names():
    with registered(Quadratic):
        assert config(activation="quadratic").field(2, 3) == MLP(sizes=SIZES, activation=Quadratic())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"activation": "swish"}, "unknown activation 'swish'; known are sine, finer, gauss, relu"),
        ({"encoding": "hash"}, "unknown encoding 'hash'; known are none, fourier"),
        ({"sigma": 0.1}, "sigma is 0.1, but it belongs to gauss, and the field has activation sine and encoding none"),
        ({"activation": "gauss", "omega_first": 3.0}, "omega_first is 3.0, but it belongs to sine"),
        ({"activation": "sine", "first_bias": 3.0}, "first_bias is 3.0, but it belongs to finer"),
        ({"num_frequencies": 8}, "num_frequencies is 8, but it belongs to fourier"),
        ({"activation": "relu", "frequency_scale": 8.0}, "frequency_scale is 8.0, but it belongs to fourier"),
        ({"activation": "gauss", "sigma": 0.0}, "sigma must be positive"),
        ({"activation": "gauss", "sigma": float("nan")}, "sigma must be positive"),
        ({"encoding": "fourier", "num_frequencies": 0}, "num_frequencies is 0"),
        ({"omega_first": -1.0}, "omega_first must be positive"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options, words):
    with pytest.raises(BadInput, match=words) as error:
        config(**options)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("options", [{}, {"activation": "gauss", "sigma": 0.2}, {"encoding": "fourier"}])
def test_a_configuration_survives_json(options):
    learn = LearnConfig(field=config(**options))
    assert LearnConfig.from_dict(json.loads(json.dumps(learn.to_dict()))) == learn


def test_a_configuration_from_before_there_were_activations_is_that_of_a_siren():
    data = LearnConfig(field=config()).to_dict()
    data["field"] = {"width": 9, "hidden_layers": 2, "omega_0": 20.0}
    assert LearnConfig.from_dict(data) == LearnConfig(field=config())
