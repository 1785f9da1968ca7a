"""WHICH connections stay: scores, amounts and the step itself. Works on vectors and patterns only."""

from sparsine.pruning.prune import PruningConfig as PruningConfig
from sparsine.pruning.prune import prune as prune
from sparsine.pruning.saliency import Fits as Fits
from sparsine.pruning.schedules import geometric as geometric
from sparsine.pruning.schedules import geometric_to as geometric_to
from sparsine.pruning.scores import SCORES as SCORES
from sparsine.pruning.scores import Context as Context
