"""Files and data sets to float32 arrays and back; knows no networks.

The heart is in `open.py`; each kind of data set has its own small file.
"""

from sparsine.signals.dataset import Dataset, SignalSet
from sparsine.signals.domain import Domain
from sparsine.signals.grid import Grid
from sparsine.signals.kind import KINDS, Kind, Media, Metric, to_picture
from sparsine.signals.kinds import Distance, Grey, Rgb
from sparsine.signals.open import dataset_kinds, open_dataset, open_files
from sparsine.signals.pictures import error_picture, save_picture, side_by_side
from sparsine.signals.points import Points
from sparsine.signals.source import SOURCES, Source
from sparsine.signals.sphere import Sphere

__all__ = [
    "KINDS",
    "SOURCES",
    "Dataset",
    "Distance",
    "Domain",
    "Grey",
    "Grid",
    "Kind",
    "Media",
    "Metric",
    "Points",
    "Rgb",
    "SignalSet",
    "Source",
    "Sphere",
    "dataset_kinds",
    "error_picture",
    "open_dataset",
    "open_files",
    "save_picture",
    "side_by_side",
    "to_picture",
]
