"""What `calibrate` and `plan` ask alike: a start, signals to try it on, and a file for the start that knows more."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from sparsine.cli.find_start import find_start
from sparsine.cli.options import Device, EngineName, Size, Working, as_tuple
from sparsine.cli.outputs import Output, output
from sparsine.cli.signals import Split, open_signals
from sparsine.signals.dataset import SignalSet
from sparsine.starts.start import Start


@dataclass(frozen=True, kw_only=True)
class StartAndSignals(Working):
    start: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="START")]
    """A start file, or the folder of a run (then --sparsity chooses the round)."""
    inputs: Annotated[tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="SIGNALS")]
    """Image files and folders, or one data set as in celeba:DIR or curves. Not those that will be judged."""
    out: Path
    """File of the start that comes of it."""
    resolution: Size | None = None
    """Size that signals are brought to; None is that of the start's grid. Best the size of those to be encoded."""
    sparsity: float | None = None
    """Of a run folder: the start whose fraction of removed weights is nearest; the sparsest without."""
    split: Split = "val"
    """Of a data set: the part that is tried on."""
    overwrite: bool = False
    """Replace --out if it is there."""
    engine: EngineName = "auto"
    """Who computes: auto is the fastest of them that can."""
    device: Device = "cpu"
    """cpu, cuda, or one of several GPUs, as in cuda:1."""

    def opened(self, what: str) -> tuple[Path, Start, SignalSet]:
        """The start, where it lies, and the signals; `what` is done with them, for an error."""
        path, start = find_start(self.start, self.sparsity)
        shape = as_tuple(self.resolution) or start.domain.shape
        signals, _ = open_signals(self.inputs, start, self.split, shape, what)
        return path, start, signals

    def out_file(self) -> AbstractContextManager[Output]:
        """--out, looked at before the work."""
        return output(self.out, "--out", instead="" if self.overwrite else "say --overwrite", text=False)
