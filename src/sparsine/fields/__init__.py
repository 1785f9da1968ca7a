"""HOW coordinates become values: field specs and patterns. Knows no data and no learning."""

from sparsine.fields.activations import ACTIVATIONS as ACTIVATIONS
from sparsine.fields.activations import Activation as Activation
from sparsine.fields.encodings import ENCODINGS as ENCODINGS
from sparsine.fields.encodings import Encoding as Encoding
from sparsine.fields.forward import forward as forward
from sparsine.fields.layers import layers as layers
from sparsine.fields.mlp import MLP as MLP
from sparsine.fields.pattern import Pattern as Pattern
from sparsine.fields.siren import Siren as Siren
