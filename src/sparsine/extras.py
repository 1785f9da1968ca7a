"""Libraries that come with an extra, and are imported when they are needed."""

from importlib import import_module
from types import ModuleType

from sparsine.errors import BadInput


def optional(module: str, extra: str, what: str) -> ModuleType:
    """The library. Raises BadInput where it, or a C library of its own, is missing; `what`: "sound is read by
    soundfile"."""
    try:
        return import_module(module)
    except (ImportError, OSError) as error:
        raise BadInput(f"{what} ({error}); pip install 'sparsine[{extra}]'") from error
