import pytest
import torch
from small_problems import field_of, random_pattern

from sparsine.engines import DenseEngine, SparseEngine, choose, make_engine
from sparsine.engines.native import VARIABLE, instruction_sets
from sparsine.errors import BadInput
from sparsine.fields import Pattern

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
