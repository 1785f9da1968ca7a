"""HOW a start becomes fitted signals, and what a fitted one draws."""

from sparsine.fitting.collection import FittedSignal as FittedSignal
from sparsine.fitting.collection import fit_collection as fit_collection
from sparsine.fitting.collection import render as render
from sparsine.fitting.fit import FitConfig as FitConfig
from sparsine.fitting.fit import FitResult as FitResult
from sparsine.fitting.fit import fit as fit
from sparsine.fitting.fit_array import fit_array as fit_array
from sparsine.fitting.fitted_field import FittedField as FittedField
from sparsine.fitting.view import View as View
