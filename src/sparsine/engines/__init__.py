"""WHO computes: engines with one small contract."""

from sparsine.engines.autograd import AutogradEngine as AutogradEngine
from sparsine.engines.choose import ENGINES as ENGINES
from sparsine.engines.choose import make_engine as make_engine
from sparsine.engines.contract import Engine as Engine
from sparsine.engines.dense import DenseEngine as DenseEngine
from sparsine.engines.forks import make_forks_safe
from sparsine.engines.fused import TritonEngine as TritonEngine
from sparsine.engines.reference import ReferenceEngine as ReferenceEngine
from sparsine.engines.sparse import SparseEngine as SparseEngine

make_forks_safe()
