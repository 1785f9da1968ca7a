"""A field's description: as JSON, as one canonical text, and for people."""

import copy
import json
import pickle

import jaxtyping
import pytest
from kinds_of_fields import KINDS, Quadratic, Radius, field_like, registered

from sparsine.errors import BadInput
from sparsine.fields import MLP, Siren
from sparsine.fields.activations import Finer, Gauss, Relu, Sine
from sparsine.fields.encodings import FourierFeatures


@pytest.fixture(autouse=True)
def unchecked(monkeypatch):
    """As for a user: what lies in a file is not refused by the checker of annotations."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


def test_a_siren_is_a_field_of_sines_and_is_written_down_as_it_always_was():
    field = Siren(sizes=(2, 5, 3), omega_0=31.5, output_offset=0.5)
    assert field == MLP(sizes=(2, 5, 3), activation=Sine(omega_0=31.5), output_offset=0.5)
    assert (field.is_siren, field.omega_0) == (True, 31.5)
    assert json.dumps(field.to_dict()) == (
        '{"kind": "siren", "sizes": [2, 5, 3], "omega_0": 31.5, "output_offset": 0.5}'
    )


def test_omega_0_is_there_where_the_activation_has_one():
    assert MLP(sizes=(2, 5, 3), activation=Finer(omega_0=7.0)).omega_0 == 7.0
    with pytest.raises(AttributeError, match="omega_0"):
        _ = MLP(sizes=(2, 5, 3), activation=Gauss()).omega_0


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_survives_its_description_pickle_and_copy(kind):
    field = field_like(kind, (3, 5, 7, 2), output_offset=0.25)
    with registered(Quadratic, Radius):
        assert MLP.from_dict(json.loads(json.dumps(field.to_dict()))) == field
    assert pickle.loads(pickle.dumps(field)) == field
    assert copy.deepcopy(field) == field
    assert field.is_siren == (kind == "sine, none")


@pytest.mark.parametrize(
    ("field", "told"),
    [
        (Siren(sizes=(2, 64, 64, 3), omega_0=30.0), "SIREN 2-64-64-3, omega_0 30, output offset 0"),
        (
            MLP(sizes=(2, 8, 1), activation=Sine(omega_0=30.0, omega_first=60.0), output_offset=0.5),
            "MLP 2-8-1, sine (omega_0 30, omega_first 60), output offset 0.5",
        ),
        (MLP(sizes=(2, 8, 1), activation=Finer(omega_0=30.0)), "MLP 2-8-1, finer (omega_0 30), output offset 0"),
        (
            MLP(sizes=(2, 8, 1), activation=Relu(), encoding=FourierFeatures(num_frequencies=9, frequency_scale=2.5)),
            "MLP 2-8-1, relu, encoding fourier (num_frequencies 9, frequency_scale 2.5, frequency_seed 0), "
            "output offset 0",
        ),
    ],
)
def test_a_description_for_people_says_what_decides_the_field(field, told):
    assert field.description == told


WHOLE = MLP(sizes=(2, 5, 3), activation=Gauss(sigma=0.2), encoding=FourierFeatures()).to_dict()


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "siren"}, {"kind": "tree"}, {"kind": ["mlp"]}, {"sizes": [2, 3]}, {"sizes": ["two", 5, 3]},
        {"activation": "gauss"}, {"activation": {"name": "swish"}}, {"activation": {"name": "gauss", "sigma": "wide"}},
        {"activation": {"name": "gauss", "width": 1.0}}, {"activation": {"name": {}}}, {"activation": None},
        {"encoding": {"name": "fourier", "num_frequencies": 10**12}}, {"encoding": {"name": "sine"}}, {"encoding": []},
        {"output_offset": None}, {"output_offset": float("inf")},
    ],
)  # fmt: skip
def test_a_description_of_something_else_is_refused(change):
    with pytest.raises(BadInput) as error:
        MLP.from_dict({**WHOLE, **change})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("missing", WHOLE)
def test_a_description_that_lacks_something_is_refused(missing):
    with pytest.raises(BadInput, match="not the description of a field"):
        MLP.from_dict({name: value for name, value in WHOLE.items() if name != missing})
