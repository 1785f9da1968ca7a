"""Fields that are no SIRENs are compared like any other."""

from dataclasses import replace

import pytest
from tiny import LEARN, comparison, learned

from sparsine.errors import BadInput
from sparsine.fields import MLP
from sparsine.fields.activations import Gauss, Relu
from sparsine.fields.encodings import FourierFeatures
from sparsine.measure.comparison.plan import Plan
from sparsine.meta.config import FieldConfig
from sparsine.report.comparison.page import write_comparison_page
from sparsine.report.comparison.published import published_for

FIELD = FieldConfig(width=6, hidden_layers=2, activation="gauss", sigma=0.3, encoding="fourier", num_frequencies=3)
METHODS = ("meta-sparse", "dense-narrow", "scratch", "modulations", "coin-8")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    learn = replace(LEARN, field=FIELD)
    return learned(comparison(tmp_path_factory.mktemp("made"), learn=learn, methods=METHODS, levels=(2,)))


@pytest.fixture(scope="module")
def records(made):
    return [cell.measure(made.root, lambda fraction: None) for cell in made.cells()]


def test_every_method_keeps_activation_and_encoding_and_says_so(records):
    assert {record["method"] for record in records} == set(METHODS)
    for record in records:
        field = record["field"]
        assert "omega_0" not in field
        assert field["activation"] == {"name": "gauss", "sigma": 0.3}
        assert field["encoding"]["num_frequencies"] == 3
        assert all(signal["status"] == "ok" for signal in record["protocols"]["adam"]["signals"])


def test_narrow_baselines_are_narrow_and_otherwise_the_same_field(made):
    plan = made.plan("curves", 0)
    assert plan.narrow_field(4) == MLP(
        sizes=(2, 4, 4, 1), activation=Gauss(sigma=0.3), encoding=FourierFeatures(num_frequencies=3)
    )
    relu = replace(made.config.learn, field=replace(FIELD, activation="relu", sigma=None))
    cheaper = Plan(replace(made.config, learn=relu), made.datasets, "curves", 0)
    assert type(cheaper.field.activation) is Relu
    assert cheaper.fit_cost(100, 1.0) < plan.fit_cost(100, 1.0)


def test_the_page_says_which_field_it_was(made, records):
    text = write_comparison_page(made.root, records).read_text()
    assert "gauss, 0.3" in text
    assert "fourier, 3" in text


def test_published_figures_of_sirens_are_not_set_beside_it(records):
    celeba = [record | {"data": record["data"] | {"spec": "celeba:somewhere"}} for record in records]
    points, note = published_for(celeba)
    assert points is None
    assert "the activation is gauss, not sine" in note


def test_an_engine_that_cannot_compute_it_is_refused_before_anything_is_learned(tmp_path):
    learn = replace(LEARN, field=replace(FIELD, activation="relu", sigma=None), engine="sparse")
    with pytest.raises(BadInput, match="engine 'sparse' computes"):
        comparison(tmp_path / "new", learn=learn).cells()
