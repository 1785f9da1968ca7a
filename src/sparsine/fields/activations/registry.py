"""Activations by name: `--activation`, and what a start file says. One of your own is a class and one line."""

from sparsine.fields.activations.contract import Activation
from sparsine.fields.activations.finer import Finer
from sparsine.fields.activations.gauss import Gauss
from sparsine.fields.activations.relu import Relu
from sparsine.fields.activations.sine import Sine
from sparsine.fields.described import WANTED, suits
from sparsine.registry import Registry

ACTIVATIONS: Registry[type[Activation]] = Registry(
    "activation", "sparsine.activations", {kind.name: kind for kind in (Sine, Finer, Gauss, Relu)},
    wanted=f"a subclass of Activation, {WANTED}", suits=suits(Activation),
)  # fmt: skip
