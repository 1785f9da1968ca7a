"""Shapes and types written in signatures are checked while tests run."""

import os

from jaxtyping import install_import_hook

if not os.environ.get("JAXTYPING_DISABLE"):
    install_import_hook("sparsine", "beartype.beartype")
