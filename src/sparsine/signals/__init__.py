"""Files and data sets to float32 arrays and back; knows no networks.

The heart is in `open.py`; each kind of data set has its own small file.
"""

from sparsine.signals.dataset import Dataset, SignalSet
from sparsine.signals.grid import Grid
from sparsine.signals.open import dataset_kinds, open_dataset, open_files
from sparsine.signals.pictures import error_picture, save_picture, side_by_side, to_picture

__all__ = [
    "Dataset",
    "Grid",
    "SignalSet",
    "dataset_kinds",
    "error_picture",
    "open_dataset",
    "open_files",
    "save_picture",
    "side_by_side",
    "to_picture",
]
