"""Completion of the whole command: commands, options, choices, built-in starts, kinds of data, files.

argcomplete talks to the shells (how words break at colons, what is quoted); what there is to say comes from the
catalogue, so that nothing else is loaded.
"""

import argparse
import os
import shlex
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sparsine.cli.catalogue import Option, stored_page
from sparsine.cli.commands import COMMANDS
from sparsine.cli.help_text import ALWAYS

STARTS = ("start", "source", "more-starts", "start-from")
"""What may be the name of a built-in start."""
PLACES = ("signals", "inputs", "dataset", "data", "originals", "codes", "run", "file", *STARTS)
"""What may be a path although its type does not say so."""


def script(shell: str) -> str:
    """What the shell runs once."""
    from argcomplete.shell_integration import shellcode

    return shellcode(["sparsine"], shell=shell)


def answer() -> None:
    """Tell the shell what may stand at its cursor, and end the process."""
    from argcomplete import autocomplete

    line = os.environ.get("COMP_LINE", "")
    autocomplete(parser_of(_first_words(line)), always_complete_options="long")


def parser_of(words: Sequence[str]) -> argparse.ArgumentParser:
    """What may be said, with the options of the command that is among the first words."""
    parser = argparse.ArgumentParser(prog="sparsine")
    parser.add_argument("--version", action="store_true", help="show the version and exit")
    commands = parser.add_subparsers()
    for command, sentence in COMMANDS.items():
        own = commands.add_parser(command, help=sentence, add_help=False)
        page = stored_page(command) if command in words[1:3] else None
        for option in (*page.options, *ALWAYS) if page else ():
            _add(own, option)
    return parser


def _add(parser: argparse.ArgumentParser, option: Option) -> None:
    flags = [f"-{option.short}"] * bool(option.short) + [f"--{option.name}"]
    more: dict[str, Any] = {"help": option.sentence.replace("%", "%%")}
    if not option.metavar:
        more["action"] = "store_true"
    elif option.several:
        more["nargs"] = "*"
    action = parser.add_argument(*([option.name] if option.positional else flags), **more)
    if option.metavar:
        action.completer = _completer(option)  # type: ignore[attr-defined]


def _completer(option: Option) -> Callable[..., list[str]]:
    words = [_beginning(word) for word in option.words]
    starts = built_in_names() if option.name in STARTS else []
    if not option.path and option.name not in PLACES:
        return lambda **_: words
    return lambda prefix, **_: [*words, *starts, *_files(prefix, words)]


def _files(prefix: str, kinds: Sequence[str]) -> list[str]:
    """Files and folders, also after celeba: and its like."""
    from argcomplete.completers import FilesCompleter

    kind, colon, rest = prefix.partition(":")
    before, path = (kind + colon, rest) if kind + colon in kinds else ("", prefix)
    return [before + found for found in FilesCompleter()(path)]


def built_in_names() -> list[str]:
    """Of starts and of their families; sparsine.starts, which knows them too, would bring all of torch."""
    names = [path.stem for path in (Path(__file__).parents[1] / "starts" / "built_in").glob("*.safetensors")]
    families = Counter(name.rpartition("-")[0] for name in names)
    return sorted([*names, *(family for family, count in families.items() if count > 1)])


def _beginning(word: str) -> str:
    """'celeba:' of celeba:DIR; 'leaves' of 'leaves or leaves:SEED'."""
    kind, colon, rest = word.split(" or ")[0].partition(":")
    return kind + colon if rest else word.split(" or ")[0]


def _first_words(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError:  # a quotation that is not closed yet
        return line.split()
