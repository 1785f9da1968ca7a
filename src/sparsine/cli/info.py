"""`sparsine info FILE`: what is in a start or a code. `sparsine info --engines`: what computes on this machine."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import torch
import tyro
from rich.markup import escape
from rich.table import Table

from sparsine.cli.code_info import is_code, show_code, show_fitted
from sparsine.cli.console import console, tell
from sparsine.cli.find_start import find_start, find_start_of
from sparsine.cli.options import Reporting
from sparsine.cli.outputs import Output
from sparsine.engines.choose import ENGINES
from sparsine.engines.native import VARIABLE, can_draw_half, chosen_instructions, instruction_sets, is_built
from sparsine.errors import BadInput
from sparsine.fitting.fitted_files import is_fitted_file
from sparsine.shown import shown
from sparsine.signals.own_folders import holds_fits

TOLD = ("data", "description", "recipe", "round", "steps", "learn_seconds")
"""Of what a start says of itself."""


@dataclass(frozen=True, kw_only=True)
class Options(Reporting):
    file: Annotated[Path | None, tyro.conf.Positional, tyro.conf.arg(metavar="[FILE]")] = None
    """A start file, the folder of a run, a code, or a fitted vector of `fit`."""
    start: Path | None = None
    """Of a code: the start that it was encoded with, or its run; then bits are also told layer by layer."""
    sparsity: float | None = None
    """Of a run folder: the start whose fraction of removed weights is nearest; without, the sparsest, or the one that
    the code names."""
    engines: bool = False
    """Say which engines there are and which instruction set the sparse one uses here."""


def run(options: Options, result: Output) -> int:
    if options.file is None and not options.engines:
        raise BadInput("say of what: a start file, the folder of a run or a code, or --engines")
    engines = _show_engines() if options.engines else None
    file = None if options.file is None else _show(options.file, options)
    result.write_json({"kind": "info", "record_version": 1, "file": file, "engines": engines})
    return 0


def _show(file: Path, options: Options) -> dict[str, Any]:
    """Print what it is, and return the same for a program."""
    if is_code(file):
        return show_code(file, find_start_of([file], options.start, options.sparsity)[1] if options.start else None)
    if file.is_dir() and holds_fits(file):
        raise BadInput(f"{file} holds fits; name one of them, such as {file}/fields/NAME.safetensors")
    if is_fitted_file(file):
        return show_fitted(file)
    if options.start is not None:
        raise BadInput(f"--start goes with a code, but {file} is none")
    return _show_start(file, options.sparsity)


def _show_engines() -> dict[str, Any]:
    facts = Table(show_header=False, box=None)
    for name, engine in ENGINES.items():
        facts.add_row(name, (engine.__doc__ or "").splitlines()[0].replace("`", ""))
    console.print(facts)
    if is_built():
        tell(f"sparse uses {chosen_instructions()} on this processor, which has {', '.join(instruction_sets())} "
            f"({VARIABLE} forces one)")  # fmt: skip
    else:
        tell("sparse is not part of this installation: install from a wheel, or with a C++ compiler")
    tell(f"half precision (--half): {'yes' if can_draw_half() else 'no'}")
    tell(f"threads: {torch.get_num_threads()}")
    built = is_built()
    return {"names": list(ENGINES), "instructions": chosen_instructions() if built else None,
            "instruction_sets": list(instruction_sets()) if built else [], "half": can_draw_half(),
            "threads": torch.get_num_threads()}  # fmt: skip


def _show_start(where: Path, sparsity: float | None) -> dict[str, Any]:
    path, start = find_start(where, sparsity)
    info = start.info
    tell((str(path), "bold"), f" ({path.stat().st_size} bytes)")
    facts = Table(show_header=False, box=None)
    facts.add_row("field", escape(start.field.description))
    facts.add_row("parameters", f"{start.pattern.counts}; {start.pattern.density:.2%} of the weights survive")
    facts.add_row("draws", f"{start.kind.name}, {start.field.out_features} channels")
    facts.add_row("samples", start.domain.summary)
    for name in TOLD:
        if name in info:
            facts.add_row(name, shown(info[name]))
    console.print(facts)
    layers = Table("layer", "shape", "surviving weights", "of", "density", "biases")
    for number, keep in enumerate(start.pattern.layer_keeps()):
        alive = int(keep.sum())
        layers.add_row(str(number), f"{keep.shape[0]} x {keep.shape[1]}", str(alive), str(keep.numel()),
                       f"{alive / keep.numel():.2%}", str(keep.shape[0]))  # fmt: skip
    console.print(layers)
    pattern = start.pattern
    return {"what": "start", "path": str(path), "bytes": path.stat().st_size, "sha256": start.digest,
            "field": start.field.description, "weights": pattern.num_weights, "biases": pattern.num_biases,
            "sparsity": pattern.sparsity, "draws": start.kind.name, "shape": list(start.domain.shape),
            "layers": [{"shape": list(keep.shape), "weights": int(keep.sum())} for keep in pattern.layer_keeps()],
            "info": {name: info[name] for name in TOLD if name in info}}  # fmt: skip
