"""`sparsine import-learnit FILE.npz --out START`: use a start that Learnit published."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from sparsine.cli.console import say
from sparsine.cli.outputs import Output, output
from sparsine.signals.grid import Grid
from sparsine.starts.conventions import retold
from sparsine.starts.learnit import import_learnit
from sparsine.starts.start import start_bytes

Conventions = Literal["learnit", "paper"]


@dataclass(frozen=True, kw_only=True)
class Options:
    file: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="FILE.npz")]
    """npz with layers.{i}.weight (out, in) and layers.{i}.bias."""
    out: Path
    """Start file to write (.safetensors)."""
    omega_0: float = 200.0
    """Frequency of the sines that the start was learned with."""
    conventions: Conventions = "learnit"
    """learnit: coordinates arange(n)/n, 0.5 added to the output, as it was learned. paper: the same drawing with
    coordinates linspace(-1, 1, n) and nothing added."""


def run(options: Options) -> int:
    with output(options.out, "--out", instead="remove it first", text=False) as out:
        return _run(options, out)


def _run(options: Options, out: Output) -> int:
    start = import_learnit(options.file, omega_0=options.omega_0)
    if options.conventions == "paper":
        start = retold(start, Grid(shape=start.domain.shape))
    out.write(start_bytes(start))
    say(("done", "bold green"), f": {out.name} ({start.pattern.counts})")
    return 0
