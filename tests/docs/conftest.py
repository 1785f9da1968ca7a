"""What the examples of a document add to a table is there for that test alone."""

import pytest

from sparsine.engines.choose import ENGINES
from sparsine.fields.activations import ACTIVATIONS
from sparsine.fields.encodings import ENCODINGS
from sparsine.measure.comparison.methods import METHODS
from sparsine.pruning.distributions import DISTRIBUTIONS
from sparsine.pruning.schedules import SCHEDULES
from sparsine.pruning.scores import SCORES
from sparsine.recipes import RECIPES
from sparsine.signals import KINDS, SOURCES

TABLES = (ACTIVATIONS, DISTRIBUTIONS, ENCODINGS, ENGINES, KINDS, METHODS, RECIPES, SCHEDULES, SCORES, SOURCES)


@pytest.fixture(autouse=True)
def tables_as_they_were():
    before = [dict(table) for table in TABLES]
    yield
    for table, entries in zip(TABLES, before, strict=True):
        for name in set(table) - set(entries):
            del table[name]
        for name, entry in entries.items():
            if table[name] is not entry:
                table[name] = entry
