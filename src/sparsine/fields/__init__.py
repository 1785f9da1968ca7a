"""HOW coordinates become values: field specs and patterns. Knows no data and no learning."""

from sparsine.fields.layers import layers as layers
from sparsine.fields.pattern import Pattern as Pattern
from sparsine.fields.siren import Siren as Siren
