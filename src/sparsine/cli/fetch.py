"""`sparsine fetch NAME`: a public data set, checked and unpacked; `sparsine fetch` alone lists those that there are."""

import shlex
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from sparsine.checks import OneOf
from sparsine.cli.console import Waiting, console, say, tell
from sparsine.cli.options import Common, Json
from sparsine.cli.outputs import Output
from sparsine.download import download, unpack
from sparsine.errors import BadInput
from sparsine.public_data import DATA_SETS, PublicData


@dataclass(frozen=True, kw_only=True)
class Options(Common):
    name: Annotated[str | None, tyro.conf.Positional, tyro.conf.arg(metavar="[NAME]"), OneOf(DATA_SETS)] = None
    """Which; without, all are listed, with sizes and licences."""
    out: Path = Path("data")
    """Folder that the folder of the data set is made in."""
    json: Json = None
    """Write the result as JSON to this file; - is standard output, and whatever else is said then goes to standard
    error. docs/command-line.md says what is in it."""


def run(options: Options, result: Output) -> int:
    names = list(DATA_SETS) if options.name is None else [options.name]
    answer = _list if options.name is None else _fetch
    for name in names:
        answer(name, DATA_SETS[name], options.out / name)
    told = [_record(name, DATA_SETS[name], options.out / name) for name in names]
    result.write_json({"kind": "fetch-summary", "record_version": 1, "data": told})
    return 0


def _fetch(name: str, data: PublicData, folder: Path) -> None:
    """Its licence is said before anything is loaded."""
    tell((name, "bold"), f": {data.what}; {data.size}")
    tell(f"licence: {data.licence} ({data.home})")
    if data.url is None:
        raise BadInput(f"{name} is not fetched by this program; from {data.home}: {data.by_hand}. Then: "
                       f"{_next(data, folder)}")  # fmt: skip
    if folder.exists():
        tell(f"it is there already: {folder}")
    else:
        _load(name, data.url, data, folder)
        tell(("done", "bold green"), f": {folder}")
    say(f"next: {_next(data, folder)}")


def _load(name: str, url: str, data: PublicData, folder: Path) -> None:
    archive = folder.with_name(f"{name}.tar.gz")
    with Waiting(f"fetching {name}", 1, percent=True) as waiting:

        def on_progress(done: int, total: int) -> None:
            waiting.set_total(1, float(max(total, 1)))
            waiting.at(0, facts=f"{done / 2**20:,.1f} MiB", worked=float(done))

        download(url, archive, data.digest, on_progress)
    say(f"unpacking {archive}")
    unpack(archive, data.inside, folder)
    archive.unlink()


def _list(name: str, data: PublicData, folder: Path) -> None:
    tell((name, "bold"), f" ({data.size}) {data.what}")
    how = f"sparsine fetch {name} puts it in {folder}" if data.url else f"not fetched by us: {data.by_hand}"
    for line in (f"licence: {data.licence}", data.home, how):
        for row in textwrap.wrap(line, max(console.width, 40) - 4, break_long_words=False, break_on_hyphens=False):
            tell(f"    {row}")


def _record(name: str, data: PublicData, folder: Path) -> dict[str, Any]:
    return {"name": name, "what": data.what, "licence": data.licence, "home": data.home, "size": data.size,
            "url": data.url, "digest": data.digest or None, "folder": str(folder), "there": folder.exists(),
            "next": _next(data, folder)}  # fmt: skip


def _next(data: PublicData, folder: Path) -> str:
    return data.command.format(shlex.quote(str(folder)))
