"""Sparse neural fields for collections of signals. Public names load on first use; `__init__.pyi` lists their homes.

The shortest way, with a start that comes with the package:

    start = load_start("photos-2k")
    field = fit_array(start, picture)        # (rows, columns, 3) in 0..1 -> FittedField
    code = encode(start, picture)            # -> bytes
    decode(start, code).render((1024, 1024))

Learning a start: recipe, open_dataset, open_run, learn_sparse_start. Collections: fit_collection, encode_collection.
"""

import lazy_loader

from sparsine.version import __version__ as __version__

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
