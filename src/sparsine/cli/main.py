"""`sparsine COMMAND ...`: finds the command, parses its options, turns errors into one line and an exit status."""

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from sparsine.cli.catalogue import VARIABLE, Page, stored_page
from sparsine.cli.commands import COMMANDS as COMMANDS
from sparsine.cli.help_text import help_text
from sparsine.cli.status import BAD_INPUT, DONE, INTERRUPTED, MEANINGS, NOT_ALL
from sparsine.cli.streams import lasting_streams
from sparsine.errors import BadInput, WorkFailed
from sparsine.folders import CannotLock
from sparsine.registry import LeftOut
from sparsine.shown import shown
from sparsine.torchrun import local_rank, number_of_ranks, rank
from sparsine.version import __version__

HELP = ("-h", "--help")
ONLY_SAYS = ("info", "starts", "completion", "help", *HELP, "--version")
"""What leaves nothing behind but what it says."""
GO_ON = ("encode", "decode", "compare", "report", "tune")
"""What goes on where it ended when it is given again; `learn` wants --resume."""


def main(args: list[str] | None = None) -> int:
    """Run one command; returns its exit status, which is that of the work, whoever reads what is printed."""
    args = list(sys.argv[1:] if args is None else args)
    if VARIABLE in os.environ:
        from sparsine.cli.complete import answer

        answer()
    with lasting_streams() as (out, _), _notes_for_warnings():
        code = _main(args)
        out.flush()
        says = args[:1] and (args[0] in ONLY_SAYS or asks_for_help(args))
        if code == DONE and says and out.lost and not isinstance(out.lost, BrokenPipeError):
            why = getattr(out.lost, "strerror", None) or out.lost
            print(f"error: standard output cannot be written: {why}", file=sys.stderr)
            return NOT_ALL
        return code


def _main(args: list[str]) -> int:
    debug = "--debug" in args
    args = [arg for arg in args if arg != "--debug"]
    if not args or args[0] in ("-h", "--help", "help"):
        print(_usage())
        return DONE if args else BAD_INPUT
    if args[0] == "--version":
        print(f"sparsine {__version__}")
        return DONE
    try:
        if args[0] not in COMMANDS:
            raise BadInput(f"unknown command {args[0]!r}; use one of: {', '.join(COMMANDS)}")
        return _run(args[0], args[1:])
    except (Exception, KeyboardInterrupt) as error:
        if debug:
            raise
        return explain(error)


@contextmanager
def _notes_for_warnings() -> Iterator[None]:
    """What our own code warns of is a line for people, without a place in the code."""
    usual = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *place: Any) -> None:
        if issubclass(category, CannotLock | LeftOut):
            print(f"note: {shown(message)}", file=sys.stderr)
        else:
            usual(message, category, *place)

    warnings.showwarning = show  # type: ignore[assignment]
    try:
        yield
    finally:
        warnings.showwarning = usual


def asks_for_help(args: list[str]) -> bool:
    """Whether help is wanted, rather than work."""
    return any(arg in HELP for arg in args)


def _help(command: str, page: Page) -> int:
    print(help_text(command, COMMANDS[command], page), end="")
    return DONE


def _run(command: str, args: list[str]) -> int:
    changed = "sparsine.cli.options" in sys.modules  # who has loaded all may have added to it
    if args and set(args) <= set(HELP) and not changed and (page := stored_page(command)):
        return _help(command, page)
    if command != "bench":  # a benchmark leaves PyTorch as others have it
        # PyTorch's threads would spin for milliseconds after each of its operations, on the cores that the sparse
        # engine is computing on. Read by OpenMP when torch is loaded.
        os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    if "RANK" in os.environ:  # a connection that breaks is told in one line, without the stack of C++ beside it
        os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    from sparsine.cli.described import MISSING, page_of
    from sparsine.cli.early import load_named  # brings torch: not needed for the usage
    from sparsine.cli.given import given_command, note_command
    from sparsine.cli.options import Working, by_their_options, parse
    from sparsine.cli.options_file import options_bytes, with_file

    module: Any = import_module(f"sparsine.cli.{command.replace('-', '_')}")
    note_command(command, args)
    with _told_once():
        _check_ranks(command)
        load_named(module.Options, args)
        if asks_for_help(args):
            usual = module.defaults(args) if hasattr(module, "defaults") else MISSING
            return _help(command, page_of(module.Options, usual))
        usual = getattr(module, "defaults", None)
        if issubclass(module.Options, Working):
            usual = with_file(module.Options, command, args, usual)
        options = parse(module.Options, args, command, usual)
    if isinstance(options, Working) and options.print_config:
        sys.stdout.write(options_bytes(options, command).decode())
        return DONE
    try:
        return _done(module, options)
    except BadInput as error:
        error.args = (by_their_options(module.Options, str(error)), *error.args[1:])
        raise
    except KeyboardInterrupt as stop:
        again = given_command() if command in GO_ON else ""
        raise Interrupted(module.to_go_on(options) if command == "learn" else again) from stop


def _done(module: Any, options: Any) -> int:
    """Its result as JSON may go to standard output; then all else goes elsewhere."""
    from sparsine.cli.console import quietly
    from sparsine.cli.outputs import DASH, output

    json = None if rank() else getattr(options, "json", None)
    if json == DASH == getattr(options, "out", None):
        raise BadInput("both --out and --json would be standard output; name a file for one of them")
    with quietly(options.quiet), output(json, "--json") as result:
        code: int = module.run(options, result)
        return code


@contextmanager
def _told_once() -> Iterator[None]:
    """What torchrun's processes on a machine cannot understand, since they have one command line, one of them tells."""
    try:
        yield
    except BadInput:
        if local_rank():
            raise SystemExit(BAD_INPUT) from None
        raise


def _check_ranks(command: str) -> None:
    if command != "learn" and (count := number_of_ranks()) > 1:
        raise BadInput(f"{command} works in one process, but torchrun started {count} of it; start it without: only "
                       "learn shares its work")  # fmt: skip


class Interrupted(KeyboardInterrupt):
    """By Ctrl-C; holds the command that goes on, if one does."""


def explain(error: BaseException) -> int:
    """Say in one line what went wrong; returns the exit status."""
    if isinstance(error, KeyboardInterrupt):
        print("interrupted" + (f"; go on with: {shown(error)}" if str(error) else ""), file=sys.stderr)
        return INTERRUPTED
    if isinstance(error, BadInput | WorkFailed):
        print(f"error: {shown(error)}", file=sys.stderr)
        return BAD_INPUT if isinstance(error, BadInput) else NOT_ALL
    what = f"{type(error).__name__}: {error}".splitlines()[0] if str(error) else type(error).__name__
    from sparsine.installed import unmet

    advice = "; ".join(unmet()) or "run again with --debug for the details"
    print(f"error: unexpected {shown(what)}; {advice}", file=sys.stderr)
    return NOT_ALL


def _usage() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {text}" for name, text in COMMANDS.items()]
    return "\n".join([
        f"sparsine {__version__}: sparse neural fields for collections of signals", "",
        "usage: sparsine COMMAND ...        sparsine COMMAND --help", "", *lines, "",
        *(f"exit status {status:<3}  {meaning}" for status, meaning in MEANINGS.items()), "",
        "--debug shows where an error came from.",
    ])  # fmt: skip
