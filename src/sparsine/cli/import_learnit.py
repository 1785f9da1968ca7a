"""`sparsine import-learnit FILE.npz --out START`: use a start that Learnit published."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from sparsine.cli.console import tell
from sparsine.cli.options import Working
from sparsine.cli.outputs import Output, output
from sparsine.signals.grid import Grid
from sparsine.starts.conventions import reparametrised
from sparsine.starts.learnit import import_learnit
from sparsine.starts.start import start_bytes

Conventions = Literal["learnit", "paper"]


@dataclass(frozen=True, kw_only=True)
class Options(Working):
    file: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="FILE.npz")]
    """npz with layers.{i}.weight (out, in) and layers.{i}.bias."""
    out: Path
    """Start file to write (.safetensors)."""
    omega_0: float = 200.0
    """Frequency of the sines that the start was learned with."""
    conventions: Conventions = "learnit"
    """learnit: coordinates arange(n)/n, 0.5 added to the output, as it was learned. paper: the same drawing with
    coordinates linspace(-1, 1, n) and nothing added."""


def run(options: Options, result: Output) -> int:
    with output(options.out, "--out", instead="remove it first", text=False) as out:
        return _run(options, out, result)


def _run(options: Options, out: Output, result: Output) -> int:
    start = import_learnit(options.file, omega_0=options.omega_0)
    if options.conventions == "paper":
        start = reparametrised(start, Grid(shape=start.domain.shape))
    out.write(start_bytes(start))
    tell(("done", "bold green"), f": {out.name} ({start.pattern.counts})")
    result.write_json(
        {"kind": "import-summary", "record_version": 1, "start": out.name, "start_sha256": start.digest,
         "weights": start.pattern.num_weights, "biases": start.pattern.num_biases}
    )  # fmt: skip
    return 0
