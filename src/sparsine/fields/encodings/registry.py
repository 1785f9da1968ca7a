"""Encodings by name: `--encoding`, and what a start file says. One of your own is a class and one line."""

from sparsine.fields.encodings.contract import Encoding
from sparsine.fields.encodings.fourier import FourierFeatures
from sparsine.fields.encodings.identity import Identity

ENCODINGS: dict[str, type[Encoding]] = {kind.name: kind for kind in (Identity, FourierFeatures)}
