"""Where work on many items is done: in this process, or by the workers of a Ray cluster.

`Work` says what is done to an item, an `Executor` where: `Here` is this process and needs nothing. `ray_cluster`
(extra `ray`) yields one whose tasks run on every core of a machine or a cluster.
"""

from sparsine.spread.contract import Executor as Executor
from sparsine.spread.contract import Here as Here
from sparsine.spread.contract import Work as Work
from sparsine.spread.ray_cluster import ray_cluster as ray_cluster
