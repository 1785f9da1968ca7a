"""Values that an object makes when they are first asked for."""

import functools
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or sys.version_info >= (3, 12):
    cached_property = functools.cached_property
else:

    class cached_property(functools.cached_property):
        """functools.cached_property as of Python 3.12: without the lock that all objects of a class share before.

        A child that is forked while another thread of its parent holds that lock would wait for it for ever.
        """

        def __get__(self, instance: Any, owner: Any = None) -> Any:
            if instance is None:
                return self
            known, name = instance.__dict__, self.attrname
            return known[name] if name in known else known.setdefault(name, self.func(instance))
