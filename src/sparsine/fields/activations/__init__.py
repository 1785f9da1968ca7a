"""What follows each hidden layer. One file each; `registry.py` has their names."""

from sparsine.fields.activations.contract import Activation as Activation
from sparsine.fields.activations.finer import Finer as Finer
from sparsine.fields.activations.gauss import Gauss as Gauss
from sparsine.fields.activations.registry import ACTIVATIONS as ACTIVATIONS
from sparsine.fields.activations.relu import Relu as Relu
from sparsine.fields.activations.sine import Sine as Sine
