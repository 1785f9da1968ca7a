"""Random Pruning, the paper's baseline: the same alternation, survivors drawn at random."""

from sparsine.measure.comparison.methods.meta_sparse import Alternation

RANDOM_PRUNING = Alternation("random-pruning", "Random Pruning", "baseline", "random")
