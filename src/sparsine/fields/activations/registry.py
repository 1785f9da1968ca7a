"""Activations by name: `--activation`, and what a start file says. One of your own is a class and one line."""

from sparsine.fields.activations.contract import Activation
from sparsine.fields.activations.finer import Finer
from sparsine.fields.activations.gauss import Gauss
from sparsine.fields.activations.relu import Relu
from sparsine.fields.activations.sine import Sine

ACTIVATIONS: dict[str, type[Activation]] = {kind.name: kind for kind in (Sine, Finer, Gauss, Relu)}
