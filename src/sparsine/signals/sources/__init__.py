"""The package's sources of data sets: every file of this folder enters its own in SOURCES."""

from importlib import import_module
from pkgutil import iter_modules

for module in iter_modules(__path__):
    import_module(f"{__name__}.{module.name}")
