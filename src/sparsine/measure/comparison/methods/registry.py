"""Every method by name, in the order of the paper's legend."""

from sparsine.measure.comparison.methods.contract import Method
from sparsine.measure.comparison.methods.dense_maml import DenseMaml
from sparsine.measure.comparison.methods.dense_narrow import DenseNarrow
from sparsine.measure.comparison.methods.linear_rows import BICUBIC_GRID, COMPONENTS, COSINES, OWN_COSINES
from sparsine.measure.comparison.methods.meta_sparse import CONNECTED, CONNECTED_LATE, META_SPARSE, SALIENCY
from sparsine.measure.comparison.methods.modulations import LatentModulations
from sparsine.measure.comparison.methods.pattern import PatternOnly
from sparsine.measure.comparison.methods.pruned_on_the_way import IterativeMagnitudePruning, OneShot
from sparsine.measure.comparison.methods.quantised import Coin
from sparsine.measure.comparison.methods.random_pruning import RANDOM_PRUNING
from sparsine.measure.comparison.methods.scratch import Scratch
from sparsine.measure.comparison.methods.shared_layers import SharedLayers
from sparsine.measure.comparison.methods.tickets import PrunedOnce, Reinitialised, Rewound
from sparsine.registry import Registry

TRANSFER = "transfer"
"""Stands for a start from each other data set of the comparison."""

OWN: tuple[Method, ...] = (
    META_SPARSE, SALIENCY, CONNECTED, CONNECTED_LATE, RANDOM_PRUNING, DenseNarrow(), OneShot(),
    IterativeMagnitudePruning(), Scratch(), PatternOnly(), DenseMaml(), SharedLayers(), LatentModulations(),
    Coin(16), Coin(8),
    COSINES, OWN_COSINES, COMPONENTS, BICUBIC_GRID, Rewound(), Reinitialised(), PrunedOnce(),
)  # fmt: skip
METHODS: Registry[Method] = Registry(
    "method", "sparsine.methods", {method.name: method for method in OWN},
    wanted="an instance of a subclass of Method, whose `name` is that",
    suits=lambda name, value: isinstance(value, Method) and value.name == name,
)  # fmt: skip
