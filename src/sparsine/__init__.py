"""Sparse neural fields for collections of signals. Every public name with its home; loaded on first use.

The shortest way, with a start that comes with the package:

    start = load_start("photos-2k")
    field = fit_array(start, picture)        # (rows, columns, 3) in 0..1 -> FittedField
    code = encode(start, picture)            # -> bytes
    decode(start, code).render((1024, 1024))

Learning a start: recipe, open_dataset, open_run, learn_sparse_start. Collections: fit_collection, encode_collection.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sparsine.version import __version__ as __version__

if TYPE_CHECKING:
    from sparsine.codec.calibrate import calibrate as calibrate
    from sparsine.codec.coder import Coder as Coder
    from sparsine.codec.config import CalibrationConfig as CalibrationConfig
    from sparsine.codec.config import EncodeConfig as EncodeConfig
    from sparsine.codec.encode import Encoded as Encoded
    from sparsine.codec.encode import decode as decode
    from sparsine.codec.encode import decode_vector as decode_vector
    from sparsine.codec.encode import encode as encode
    from sparsine.codec.encode import encode_batch as encode_batch
    from sparsine.codec.encode import encode_vector as encode_vector
    from sparsine.codec.files.collection import encode_collection as encode_collection
    from sparsine.codec.files.drawings import decode_collection as decode_collection
    from sparsine.codec.format.header import CodeHeader as CodeHeader
    from sparsine.codec.format.header import read_header as read_header
    from sparsine.engines.choose import make_engine as make_engine
    from sparsine.errors import BadInput as BadInput
    from sparsine.errors import UnreadableSignal as UnreadableSignal
    from sparsine.errors import WorkFailed as WorkFailed
    from sparsine.fields.activations import ACTIVATIONS as ACTIVATIONS
    from sparsine.fields.activations import Activation as Activation
    from sparsine.fields.encodings import ENCODINGS as ENCODINGS
    from sparsine.fields.encodings import Encoding as Encoding
    from sparsine.fields.mlp import MLP as MLP
    from sparsine.fields.pattern import Pattern as Pattern
    from sparsine.fields.siren import Siren as Siren
    from sparsine.fitting.collection import fit_collection as fit_collection
    from sparsine.fitting.collection import render as render
    from sparsine.fitting.fit import FitConfig as FitConfig
    from sparsine.fitting.fit import fit as fit
    from sparsine.fitting.fit_array import fit_array as fit_array
    from sparsine.fitting.fitted_field import FittedField as FittedField
    from sparsine.fitting.view import View as View
    from sparsine.measure.comparison.comparison import Comparison as Comparison
    from sparsine.measure.comparison.config import CompareConfig as CompareConfig
    from sparsine.measure.comparison.methods import METHODS as METHODS
    from sparsine.measure.comparison.methods import Method as Method
    from sparsine.measure.comparison.run import run_comparison as run_comparison
    from sparsine.measure.evaluation import EvaluationConfig as EvaluationConfig
    from sparsine.measure.evaluation import evaluate_run as evaluate_run
    from sparsine.meta.config import LearnConfig as LearnConfig
    from sparsine.meta.maml import meta_gradient as meta_gradient
    from sparsine.meta.run import open_run as open_run
    from sparsine.meta.sparse import learn_sparse_start as learn_sparse_start
    from sparsine.pruning.prune import prune as prune
    from sparsine.recipes import recipe as recipe
    from sparsine.report.run.page import write_report as write_report
    from sparsine.signals.dataset import Dataset as Dataset
    from sparsine.signals.grid import Grid as Grid
    from sparsine.signals.open import open_dataset as open_dataset
    from sparsine.signals.open import open_files as open_files
    from sparsine.starts.learnit import import_learnit as import_learnit
    from sparsine.starts.start import Start as Start
    from sparsine.starts.start import load_start as load_start
    from sparsine.starts.start import save_start as save_start

_HOME = {
    "CalibrationConfig": "codec.config",
    "calibrate": "codec.calibrate",
    "Coder": "codec.coder",
    "encode_collection": "codec.files.collection",
    "EncodeConfig": "codec.config",
    "decode_collection": "codec.files.drawings",
    "Encoded": "codec.encode",
    "decode": "codec.encode",
    "encode": "codec.encode",
    "encode_vector": "codec.encode",
    "decode_vector": "codec.encode",
    "encode_batch": "codec.encode",
    "fit_array": "fitting.fit_array",
    "FittedField": "fitting.fitted_field",
    "CodeHeader": "codec.format.header",
    "read_header": "codec.format.header",
    "View": "fitting.view",
    "Comparison": "measure.comparison.comparison",
    "CompareConfig": "measure.comparison.config",
    "METHODS": "measure.comparison.methods",
    "Method": "measure.comparison.methods",
    "run_comparison": "measure.comparison.run",
    "make_engine": "engines.choose",
    "BadInput": "errors",
    "UnreadableSignal": "errors",
    "WorkFailed": "errors",
    "EvaluationConfig": "measure.evaluation",
    "evaluate_run": "measure.evaluation",
    "write_report": "report.run.page",
    "ACTIVATIONS": "fields.activations",
    "Activation": "fields.activations",
    "ENCODINGS": "fields.encodings",
    "Encoding": "fields.encodings",
    "MLP": "fields.mlp",
    "Pattern": "fields.pattern",
    "Siren": "fields.siren",
    "fit_collection": "fitting.collection",
    "render": "fitting.collection",
    "FitConfig": "fitting.fit",
    "fit": "fitting.fit",
    "LearnConfig": "meta.config",
    "import_learnit": "starts.learnit",
    "meta_gradient": "meta.maml",
    "open_run": "meta.run",
    "learn_sparse_start": "meta.sparse",
    "Start": "starts.start",
    "load_start": "starts.start",
    "save_start": "starts.start",
    "prune": "pruning.prune",
    "recipe": "recipes",
    "Dataset": "signals.dataset",
    "Grid": "signals.grid",
    "open_dataset": "signals.open",
    "open_files": "signals.open",
}


__all__ = ["__version__", *_HOME]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'sparsine' has no attribute {name!r}")
    return getattr(import_module(f"sparsine.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
