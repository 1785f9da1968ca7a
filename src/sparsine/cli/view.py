"""`sparsine view DIR`: a page on this machine that shows the codes or fits of a folder, or some fits of a run."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Annotated

import tyro

from sparsine.checks import check_range
from sparsine.cli.console import counted, say, say_notes, tell
from sparsine.cli.options import Loading
from sparsine.cli.outputs import Output
from sparsine.cli.viewed import fitted_run, is_run, starts_of
from sparsine.errors import BadInput
from sparsine.starts.start import load_start
from sparsine.viewer.browser import open_browser
from sparsine.viewer.catalogue import Catalogue
from sparsine.viewer.config import ViewerConfig
from sparsine.viewer.folder import CodeFolder
from sparsine.viewer.originals import Originals
from sparsine.viewer.starts import Starts


@dataclass(frozen=True, kw_only=True)
class Options(Loading):
    codes: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="DIR")]
    """Folder of codes, or one that `fit` wrote; codes of one name in several sub-folders are levels of one signal. Of a
    run some test signals are fitted and shown."""
    start: Path | None = None
    """The start that they were encoded with; for codes of several starts, the folder of their run or the name of their
    family. None: of a run around DIR, a file beside it, or one that comes with the package."""
    originals: Annotated[str | None, tyro.conf.arg(metavar="DIR|SPEC")] = None
    """What they were encoded from, to be shown beside them: a folder of files, or a data set as in celeba:DIR."""
    limit: int = 8
    """Of a run: so many of its test signals, from the front."""
    port: int | None = None
    """Of this machine; None is 8765, or any free one if that is taken."""
    no_browser: bool = False
    """Only print the address; so it is where nothing can open a window."""

    def __post_init__(self) -> None:
        check_range("limit", self.limit, 1, 100_000)
        if self.port is not None:
            check_range("port", self.port, 0, 65_535)


def run(options: Options, _: Output) -> int:
    server = _server()
    with _catalogue(options) as catalogue, server.bind(options.port) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        found, left_out = counted(len(catalogue.folder.codes()), "signal"), _left_out(catalogue.folder.num_links)
        tell(("viewing", "bold"), f" {found} of {options.codes} at {address} (Ctrl-C ends it){left_out}")
        say_notes([f"cannot list {options.codes / one}; it was passed over" for one in catalogue.folder.closed])
        if not options.no_browser:
            open_browser(address)
        with suppress(KeyboardInterrupt):  # the way to end it; where SIGINT was ignored at our start, serve returns
            server.serve(catalogue, listening)
        say("ended")
    return 0


def _left_out(links: int) -> str:
    if not links:
        return ""
    return f"; {counted(links, 'link')} {'was' if links == 1 else 'were'} left out: none is followed, so copy the codes"


@contextmanager
def _catalogue(options: Options) -> Iterator[Catalogue]:
    if options.start is None and is_run(options.codes):
        with fitted_run(options.codes, options.limit, options.originals) as (folder, start, data):
            yield _of(folder, Starts([(start.name, load_start(start))]), data)
    else:
        folder = CodeFolder(options.codes)
        yield _of(folder, starts_of(folder, options.start), options.originals)


def _of(folder: CodeFolder, starts: Starts, spec: str | None) -> Catalogue:
    config, start = ViewerConfig(), next(iter(starts.drawers.values())).start
    originals = Originals(spec, start, config.original_bytes) if spec is not None else None
    return Catalogue(folder, starts, originals, config)


def _server() -> ModuleType:
    try:
        return import_module("sparsine.viewer.serve")
    except ImportError as error:
        raise BadInput(
            f"the viewer needs Starlette and uvicorn ({error}); python -m pip install 'starlette>=1' 'uvicorn>=0.32'"
        ) from error
