"""`sparsine decode CODES --start START --out DIR`: codes become pictures of any size.

DIR/NAME.png         a drawing
DIR/request.json     what was asked for; the same command goes on where an interrupted one ended
DIR/journal.jsonl    what is done
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from sparsine.addresses import Address, Place
from sparsine.cli.console import Complaints, Waiting, counted, say, say_notes, tell
from sparsine.cli.find_start import find_start_of, starts_at
from sparsine.cli.options import Device, EngineName, Region, Size, Working, as_tuple
from sparsine.cli.outputs import Output
from sparsine.cli.status import status_of
from sparsine.cli.workers import workers
from sparsine.codec.files.code_files import list_codes
from sparsine.codec.files.drawings import decode_collection
from sparsine.codec.files.drawn import DrawnCode
from sparsine.fitting.view import View
from sparsine.signals.listing import all_in_reach
from sparsine.spread.ray_address import RayAddress


@dataclass(frozen=True, kw_only=True)
class Options(Working):
    codes: Annotated[tuple[Address | Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="CODES")]
    """Code files, and folders of them, by paths or addresses (s3://...); or fitted vectors, and folders that `fit`
    wrote."""
    start: Path
    """The start that they were encoded with: its file, or the folder of its run."""
    out: Address | Path
    """Folder for the pictures. Pictures of the same codes, size and region that are there already are kept."""
    size: Size | None = None
    """Samples of each drawing along each axis; None is the signal's own."""
    scale: float | None = None
    """So many times the signal's own size."""
    region: Region | None = None
    """Draw this part alone, as fractions of the picture, from top and left: 0.25,0.5,0.5,0.75. With --size or --scale
    at any magnification."""
    frames: bool = False
    """Of video: a ZIP of one PNG for each frame, instead of an MP4."""
    sparsity: float | None = None
    """Of a run folder: the start whose fraction of removed weights is nearest; without, the one that the first code
    names."""
    format: str | None = None
    """Of the files, where the kind of signals has several: ply (the usual one), obj, glb, stl or off of shapes."""
    half: bool = False
    """Draw in half precision: faster, and a little less exact. Takes a processor with AVX512-FP16."""
    overwrite: bool = False
    """Use --out even if it holds pictures of another request or other files, and replace pictures of changed codes."""
    engine: EngineName = "auto"
    """Who computes: auto is the fastest of them that can."""
    device: Device = "cpu"
    """cpu, cuda, or one of several GPUs, as in cuda:1."""
    ray: RayAddress | None = None
    """Draw on a Ray cluster (extra `ray`), a task for each CPU: without ADDRESS one that is started on this machine
    (local:N: with N workers), else HOST:PORT, ray://HOST:PORT, or auto for the one that this machine is a part of."""


def run(options: Options, result: Output) -> int:
    view = View(size=as_tuple(options.size), scale=options.scale, region=as_tuple(options.region))
    starts_at(options.start)  # refuses what is none before codes are looked for
    codes, notes = list_codes(options.codes)
    say_notes(notes)
    path, start = find_start_of(list(codes.values()), options.start, options.sparsity)
    written_as = start.kind.in_frames() if options.frames else None
    say(("decoding", "bold"), f" {counted(len(codes), 'code')} with {path}")
    drawn: list[DrawnCode] = []
    began, complaints = time.monotonic(), Complaints()
    with workers(options.ray, options.device) as executor, Waiting("drawing", len(codes)) as waiting:
        for one in decode_collection(start, codes, options.out, view, overwrite=options.overwrite,
                                     suffix=_suffix(options.format), engine=options.engine,
                                     device=options.device, half=options.half, written_as=written_as,
                                     executor=executor):  # fmt: skip
            drawn.append(one)
            waiting.at(len(drawn), f"{'kept' if one.kept else 'drew'} {one.input}")
            if one.reason:
                complaints.add(one.status, one.input, one.reason)
    complaints.end("see --json")
    place = {name: i for i, name in enumerate(codes)}
    drawn.sort(key=lambda one: place[one.input])
    _show(options.out, drawn, time.monotonic() - began)
    result.write_json([one.to_dict() for one in drawn])
    return status_of(all(one.status == "ok" for one in drawn) and all_in_reach(notes))


def _suffix(given: str | None) -> str | None:
    """'.obj', of obj and .obj alike."""
    return None if given is None else f".{given.strip().lower().removeprefix('.')}"


def _show(out: Place, drawn: list[DrawnCode], seconds: float) -> None:
    there = [one for one in drawn if one.picture]
    kept = sum(one.kept for one in there)
    made = len(there) - kept
    speed = f"; {made / seconds:.3g} a second" if made else ""
    tell(f"{len(there)} of {len(drawn)} drawn" + f" ({kept} kept)" * bool(kept) + speed + f"; pictures in {out}")
