"""What follows each hidden layer. Every file of this folder is one, and may enter its own in `ACTIVATIONS`;
`registry.py` has the names of those that are here."""

from importlib import import_module
from pkgutil import iter_modules

from sparsine.fields.activations.contract import Activation as Activation
from sparsine.fields.activations.finer import Finer as Finer
from sparsine.fields.activations.gauss import Gauss as Gauss
from sparsine.fields.activations.registry import ACTIVATIONS as ACTIVATIONS
from sparsine.fields.activations.relu import Relu as Relu
from sparsine.fields.activations.sine import Sine as Sine

for module in iter_modules(__path__):
    import_module(f"{__name__}.{module.name}")
