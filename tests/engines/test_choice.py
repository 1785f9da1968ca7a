from dataclasses import dataclass

import pytest
import torch
from small_problems import field_of, random_pattern

from sparsine.engines import ENGINES, DenseEngine, Engine, ReferenceEngine, SparseEngine, choose, make_engine
from sparsine.engines.native import VARIABLE, instruction_sets, native
from sparsine.errors import BadInput
from sparsine.fields import MLP, Pattern
from sparsine.fields.activations import Finer, Gauss, Relu, Sine
from sparsine.fields.encodings import FourierFeatures

SMALL = field_of(2, 7, 5, 3)
WIDE = field_of(2, choose.WIDE, 3)


@pytest.fixture(autouse=True)
def fastest(monkeypatch):
    """Whatever the environment of the tests forces."""
    monkeypatch.delenv(VARIABLE, raising=False)


@pytest.mark.parametrize("density", [0.0, 0.05, 1.0])
def test_auto_is_the_sparse_engine_for_float32_on_the_cpu(density):
    if instruction_sets()[0] == "portable" and density > choose.PORTABLE_UP_TO:
        pytest.skip("this processor has neither AVX2 nor AVX-512")
    assert type(make_engine(random_pattern(SMALL, density))) is SparseEngine


def test_auto_is_the_dense_engine_for_float64():
    assert type(make_engine(random_pattern(SMALL, 0.05), dtype=torch.float64)) is DenseEngine


def test_auto_is_the_dense_engine_for_wide_fields_that_are_nearly_full():
    assert type(make_engine(Pattern.full(WIDE))) is DenseEngine
    assert type(make_engine(random_pattern(WIDE, 0.2))) is SparseEngine


def test_auto_is_the_dense_engine_for_full_patterns_without_long_vectors(monkeypatch):
    monkeypatch.setenv(VARIABLE, "portable")
    assert type(make_engine(Pattern.full(SMALL))) is DenseEngine
    sparse = make_engine(random_pattern(SMALL, 0.2))
    assert type(sparse) is SparseEngine
    assert sparse.instructions == "portable"


def test_auto_is_the_dense_engine_where_the_extension_was_not_built(monkeypatch):
    def missing():
        raise BadInput("not part of this installation")

    monkeypatch.setattr("sparsine.engines.native.native", missing)
    assert type(make_engine(random_pattern(SMALL, 0.05))) is DenseEngine
    with pytest.raises(BadInput, match="not part of this installation"):
        SparseEngine(Pattern.full(SMALL), instructions="avx2")


def test_auto_says_which_instruction_set_is_unknown(monkeypatch):
    monkeypatch.setenv(VARIABLE, "mmx")
    with pytest.raises(BadInput, match=rf"{VARIABLE}: instruction set 'mmx' cannot be used here; .*portable"):
        make_engine(Pattern.full(SMALL))


# what an engine says of itself

CPU = torch.device("cpu")
OTHERS = {
    "relu": MLP(sizes=(2, 7, 3), activation=Relu()),
    "finer": MLP(sizes=(2, 7, 3), activation=Finer()),
    "fourier": MLP(sizes=(2, 7, 3), encoding=FourierFeatures(num_frequencies=3)),
}
each_other = pytest.mark.parametrize("field", OTHERS.values(), ids=OTHERS.keys())


@each_other
def test_reference_and_dense_support_every_field_and_sparse_says_what_it_lacks(field):
    assert ReferenceEngine.supports(field, CPU, torch.float32) is None
    assert DenseEngine.supports(field, CPU, torch.float64) is None
    reason = SparseEngine.supports(field, CPU, torch.float32)
    assert reason is not None
    assert reason.startswith("engine 'sparse' computes ")
    assert field.description in reason
    assert "'dense' can" in reason
    for ask in (lambda: make_engine(Pattern.full(field), "sparse"), lambda: SparseEngine(Pattern.full(field))):
        with pytest.raises(BadInput) as error:
            ask()
        assert str(error.value) == reason


@each_other
def test_auto_asks_every_engine_and_takes_dense_where_sparse_cannot(field):
    assert type(make_engine(Pattern.full(field))) is DenseEngine


@pytest.mark.parametrize("activation", [Gauss(sigma=0.2), Sine(omega_0=20.0, omega_first=30.0)])
def test_auto_takes_sparse_for_what_was_compiled_in(activation):
    field = MLP(sizes=(2, 7, 3), activation=activation)
    assert type(make_engine(random_pattern(field, 0.2))) is SparseEngine


def test_the_sparse_engine_knows_an_activation_by_its_class_and_not_by_its_name():
    @dataclass(frozen=True)
    class Wider(Gauss):
        def value(self, z):
            return super().value(0.5 * z)

    field = MLP(sizes=(2, 7, 3), activation=Wider())
    assert Wider.name == "gauss"
    with pytest.raises(BadInput, match="engine 'sparse' computes sine and gauss without an encoding, but this field"):
        SparseEngine(Pattern.full(field))


@pytest.mark.parametrize("constants", [[], ["width"], ["sigma", "leak"]])
def test_an_activation_whose_constants_are_not_those_of_the_compiled_one_is_not_computed_by_it(constants, monkeypatch):
    assert native().constants("gauss") == ["sigma"]

    class Other:
        activations = staticmethod(native().activations)

    Other.constants = staticmethod(lambda activation: constants)
    monkeypatch.setattr("sparsine.engines.native.native", lambda: Other)
    with pytest.raises(BadInput, match="engine 'sparse' computes sine and gauss without an encoding, but this field"):
        SparseEngine(Pattern.full(MLP(sizes=(2, 7, 3), activation=Gauss())))


def test_an_extension_from_before_there_were_activations_still_computes_sirens(monkeypatch):
    class Old:
        Engine = native().Engine
        instruction_sets = staticmethod(native().instruction_sets)

    monkeypatch.setattr("sparsine.engines.native.native", lambda: Old)
    monkeypatch.setattr("sparsine.engines.sparse.native", lambda: Old)
    assert type(make_engine(random_pattern(SMALL, 0.2))) is SparseEngine
    with pytest.raises(BadInput, match="engine 'sparse' computes SIRENs, but this field is MLP 2-7-3, gauss"):
        SparseEngine(Pattern.full(MLP(sizes=(2, 7, 3), activation=Gauss())))


def test_an_engine_that_says_nothing_is_never_made_for_a_field_that_is_no_siren():
    class Quiet(DenseEngine):
        name = "quiet"
        supports = classmethod(Engine.supports.__func__)

    assert Quiet.supports(SMALL, CPU, torch.float32) is None
    with pytest.raises(BadInput, match="engine 'quiet' computes SIRENs, but this field is MLP 2-7-3, relu"):
        Quiet(Pattern.full(OTHERS["relu"]))


@pytest.fixture
def nobody(monkeypatch):
    """No engine of ours can compute anything."""
    for engine in (ReferenceEngine, DenseEngine, SparseEngine):
        reason = f"{engine.name} is on holiday"
        monkeypatch.setattr(engine, "supports", classmethod(lambda cls, field, device, dtype, reason=reason: reason))


def test_auto_says_every_reason_where_no_engine_can(nobody):
    with pytest.raises(BadInput, match="no engine can compute this: sparse is on holiday; dense is on holiday; ref"):
        make_engine(random_pattern(SMALL, 0.2))


def test_auto_takes_a_registered_engine_where_ours_cannot(nobody, monkeypatch):
    class Willing(DenseEngine):
        name = "willing"

        @classmethod
        def supports(cls, field, device, dtype):
            return None

    monkeypatch.setitem(ENGINES, "willing", Willing)
    monkeypatch.setattr(choose, "check_values", lambda engine: None)  # its referee is on holiday, too
    assert type(make_engine(Pattern.full(SMALL))) is Willing


def test_a_registered_engine_is_asked_for_values_before_it_is_used(monkeypatch):
    class Off(DenseEngine):
        name = "off"

        def _predict(self, theta, coords):
            return super()._predict(theta, coords) * self.factor

    monkeypatch.setitem(ENGINES, "off", Off)
    for factor, fine in ((1.0, True), (1.01, True), (1.2, False), (float("nan"), False)):
        Off.factor = factor
        for pattern in (Pattern.full(SMALL), random_pattern(SMALL, 0.3)):
            if fine:
                assert type(make_engine(pattern, "off")) is Off
            else:
                with pytest.raises(BadInput, match=r"engine 'off' does not compute the field .* SIREN 2-7-5-3"):
                    make_engine(pattern, "off")
