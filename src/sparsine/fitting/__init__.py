"""HOW a start becomes many fitted signals."""

from sparsine.fitting.collection import FittedSignal as FittedSignal
from sparsine.fitting.collection import fit_collection as fit_collection
from sparsine.fitting.collection import render as render
from sparsine.fitting.fit import FitConfig as FitConfig
from sparsine.fitting.fit import FitResult as FitResult
from sparsine.fitting.fit import fit as fit
