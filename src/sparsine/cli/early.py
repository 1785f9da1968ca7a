"""What must be known of a command line before its options are: files to load, and choices that bring options."""

import argparse
import dataclasses
import os
import re
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn, TypeVar, get_type_hints

from sparsine.choices import Choice
from sparsine.errors import BadInput
from sparsine.meta.config import OLD_OPTIONS
from sparsine.plugins import load_files

T = TypeVar("T")


class _Refused(Exception):
    pass


class _Early(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _Refused


def load_named(options: type, args: Sequence[str]) -> None:
    """Run the files that `--load` names, for a command that has it. Raises BadInput when one fails."""
    if any(field.name == "load" for field in dataclasses.fields(options)):
        load_files([os.path.expanduser(path) for path in values_of(args, "load")])


def with_chosen(config: T, args: Sequence[str]) -> T:
    """`config` with what `args` choose where a choice brings options of its own, and with the usual values of these.

    Raises:
        BadInput: an option of another choice, or one that has another name now.
    """
    for choice in _choices(config):
        names = [name for name in values_of(args, choice.what) if name in choice.registry]
        if names and names[-1] != getattr(config, choice.what):
            config = dataclasses.replace(config, **{choice.what: names[-1], choice.options: {}})  # type: ignore
        _check_options(choice, getattr(config, choice.what), args)
    for word in _words(args):
        if (option := OLD_OPTIONS.get(word.replace("-", "_"))) is not None:
            raise BadInput(f"--{word} is --score.{option.replace('_', '-')} now, and goes with --score saliency")
    return config


def _check_options(choice: Choice, chosen: str, args: Sequence[str]) -> None:
    own = choice.own(choice.registry[chosen])
    for word in _words(args):
        what, dot, option = word.partition(".")
        if dot and what == choice.what and option.replace("-", "_") not in own:
            has = ", ".join(f"--{what}.{name.replace('_', '-')}" for name in own)
            raise BadInput(f"{what} {chosen} has no option --{word}; " + (f"it has {has}" if has else "it has none"))


def _choices(config: Any) -> Iterator[Choice]:
    """The marks of its fields."""
    for hint in get_type_hints(type(config), include_extras=True).values():
        yield from (mark for mark in getattr(hint, "__metadata__", ()) if isinstance(mark, Choice))


def values_of(args: Sequence[str], option: str) -> list[str]:
    """Every value of an option; of a command line that cannot be understood none, since that is said later."""
    early = _Early(add_help=False, allow_abbrev=False)
    early.add_argument(f"--{option}", action="append", default=[])
    try:
        found: list[str] = getattr(early.parse_known_args(args)[0], option)
    except _Refused:
        return []
    return found


def _words(args: Sequence[str]) -> Iterator[str]:
    """Names of options, without dashes and values."""
    return (found[1] for found in (re.match(r"--([\w.-]+)", arg) for arg in args) if found)
