"""Engines that are in use, by a text that says what they compute: operators of torch take no other objects.

The text is the same in every process, so that what torch.compile keeps on disk never names another engine's numbers.
"""

import hashlib
import json
from threading import Lock
from weakref import WeakSet

from sparsine.engines.contract import Engine
from sparsine.errors import WorkFailed
from sparsine.locks import kept_over_forks

_LIVING: dict[str, WeakSet[Engine]] = {}
_LOCK = kept_over_forks(Lock())


def keep(engine: Engine) -> str:
    """The name by which `living` finds it, or one that computes the same, as long as anybody holds it."""
    name = _name(engine)
    with _LOCK:
        for old in [old for old, engines in _LIVING.items() if not engines]:
            del _LIVING[old]
        _LIVING.setdefault(name, WeakSet()).add(engine)
    return name


def living(name: str) -> Engine:
    """Raises WorkFailed when nobody holds it any more."""
    with _LOCK:
        engine = next(iter(_LIVING.get(name, ())), None)
    if engine is None:
        raise WorkFailed(
            f"engine {name} is gone: keep its AutogradEngine, or the module, while what was compiled with it is used"
        )
    return engine


def _name(engine: Engine) -> str:
    """What it computes, and how."""
    how = [engine.name, type(engine).__qualname__, str(engine.device), str(engine.dtype), engine.field.to_dict(),
           getattr(engine, "instructions", "")]  # fmt: skip
    digest = hashlib.sha256(json.dumps(how, sort_keys=True).encode())
    digest.update(engine.pattern.to_bits().numpy().tobytes())
    return f"{engine.name}-{digest.hexdigest()[:32]}"
