"""WHAT is shared by a collection: a start, the tables its codes are made with, and where starts of others come from."""

from sparsine.starts.start import Start as Start
from sparsine.starts.start import load_start as load_start
from sparsine.starts.start import save_start as save_start
