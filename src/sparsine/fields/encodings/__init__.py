"""What coordinates become before the first layer. One file each; `registry.py` has their names."""

from sparsine.fields.encodings.contract import Encoding as Encoding
from sparsine.fields.encodings.fourier import FourierFeatures as FourierFeatures
from sparsine.fields.encodings.identity import Identity as Identity
from sparsine.fields.encodings.registry import ENCODINGS as ENCODINGS
