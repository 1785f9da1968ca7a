"""The package's kinds of signals: every file of this folder enters its own in KINDS."""

from importlib import import_module
from pkgutil import iter_modules

from sparsine.signals.kinds.audio import Audio as Audio
from sparsine.signals.kinds.distance import Distance as Distance
from sparsine.signals.kinds.image import Grey as Grey
from sparsine.signals.kinds.image import Rgb as Rgb
from sparsine.signals.kinds.shape import Shape as Shape
from sparsine.signals.kinds.video import Video as Video

for module in iter_modules(__path__):
    import_module(f"{__name__}.{module.name}")
