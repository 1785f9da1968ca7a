"""What scripts beside the package share with its commands: files for results are looked at before the work, and written
as `cli/outputs.py` says; an error is one line and an exit status."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sparsine.cli.main import explain
from sparsine.cli.outputs import Output, output
from sparsine.errors import BadInput, WorkFailed


@contextmanager
def record_file(path: Path | None, option: str = "--json") -> Iterator[Output]:
    """The file that an option names. Ends the script where something expected goes wrong.

    Example:
        >>> with record_file(None) as json:
        ...     json.write_json({"kind": "benchmark"})
    """
    try:
        with output(path, option, text=option == "--json") as file:
            yield file
    except (BadInput, WorkFailed) as error:
        sys.exit(explain(error))
