"""HOW the start is learned: inner steps and meta-gradient, the outer loop, the paper's loop (sparse.py)."""

from sparsine.meta.config import LearnConfig as LearnConfig
from sparsine.meta.maml import InnerConfig as InnerConfig
from sparsine.meta.maml import Samples as Samples
from sparsine.meta.maml import Tasks as Tasks
from sparsine.meta.maml import adapt as adapt
from sparsine.meta.maml import meta_gradient as meta_gradient
from sparsine.meta.run import open_run as open_run
from sparsine.meta.sparse import learn_sparse_start as learn_sparse_start
