"""WHICH connections stay: scores, amounts and the step itself. Works on vectors and patterns; scores that look at fits
are handed an engine and the values of signals."""

from sparsine.pruning.contract import Context as Context
from sparsine.pruning.contract import TrainingSignals as TrainingSignals
from sparsine.pruning.distributions import DISTRIBUTIONS as DISTRIBUTIONS
from sparsine.pruning.prune import PruningConfig as PruningConfig
from sparsine.pruning.prune import prune as prune
from sparsine.pruning.saliency import Saliency as Saliency
from sparsine.pruning.schedules import SCHEDULES as SCHEDULES
from sparsine.pruning.schedules import geometric as geometric
from sparsine.pruning.schedules import geometric_to as geometric_to
from sparsine.pruning.scores import SCORES as SCORES
