"""The package's kinds of signals, a file each. A file of your own enters its kind in KINDS just so."""

from sparsine.signals.kind import KINDS as KINDS
from sparsine.signals.kinds.distance import Distance as Distance
from sparsine.signals.kinds.image import Grey as Grey
from sparsine.signals.kinds.image import Rgb as Rgb

for kind in (Rgb, Grey, Distance):
    KINDS[kind.name] = kind
