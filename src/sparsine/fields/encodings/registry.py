"""Encodings by name: `--encoding`, and what a start file says. One of your own is a class and one line."""

from sparsine.fields.described import WANTED, suits
from sparsine.fields.encodings.contract import Encoding
from sparsine.fields.encodings.fourier import FourierFeatures
from sparsine.fields.encodings.identity import Identity
from sparsine.registry import Registry

ENCODINGS: Registry[type[Encoding]] = Registry(
    "encoding", "sparsine.encodings", {kind.name: kind for kind in (Identity, FourierFeatures)},
    wanted=f"a subclass of Encoding, {WANTED}", suits=suits(Encoding),
)  # fmt: skip
