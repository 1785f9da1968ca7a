"""`sparsine info START`: what is in a start file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from rich.table import Table

from sparsine.cli.console import console
from sparsine.cli.starts import find_start


@dataclass(frozen=True, kw_only=True)
class Options:
    start: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="START")]
    """A start file, or the folder of a run."""
    sparsity: float | None = None
    """Of a run folder: the start whose fraction of removed weights is nearest; the sparsest without."""


def run(options: Options) -> int:
    path, start = find_start(options.start, options.sparsity)
    grid, info = start.grid, start.info
    console.print(f"[bold]{path}[/] ({path.stat().st_size} bytes)", soft_wrap=True)
    facts = Table(show_header=False, box=None)
    facts.add_row("field", f"SIREN {'-'.join(map(str, start.field.sizes))}, omega_0 {start.field.omega_0:g}, "
                           f"output offset {start.field.output_offset:g}")  # fmt: skip
    facts.add_row("parameters", f"{start.pattern.counts}; {start.pattern.density:.2%} of the weights survive")
    facts.add_row("grid", f"{' x '.join(map(str, grid.shape))} over {grid.axis_extents}, {grid.alignment}, "
                          f"axis order {grid.axis_order}")  # fmt: skip
    for name in ("data", "description", "recipe", "round", "steps", "learn_seconds"):
        if name in info:
            facts.add_row(name, str(info[name]))
    console.print(facts)
    layers = Table("layer", "shape", "surviving weights", "of", "density", "biases")
    for number, keep in enumerate(start.pattern.layer_keeps()):
        alive = int(keep.sum())
        layers.add_row(str(number), f"{keep.shape[0]} x {keep.shape[1]}", str(alive), str(keep.numel()),
                       f"{alive / keep.numel():.2%}", str(keep.shape[0]))  # fmt: skip
    console.print(layers)
    return 0
