"""Options from dataclasses, by tyro: a field is an option, its docstring the help, `96x128` a size, `0,0,1,1` all."""

import contextlib
import dataclasses
import io
import re
import sys
from collections.abc import Callable
from typing import Annotated, Any, TypeVar, get_args, get_origin

import tyro
from tyro.constructors import (
    MISSING_NONPROP,
    ConstructorRegistry,
    StructConstructorSpec,
    StructFieldSpec,
    StructTypeInfo,
)

from sparsine.checks import OneOf
from sparsine.cli.option_types import Region as Region
from sparsine.cli.option_types import Size as Size
from sparsine.cli.option_types import as_tuple as as_tuple
from sparsine.cli.option_types import choice, option_types
from sparsine.engines.choose import ENGINES
from sparsine.errors import BadInput

T = TypeVar("T")
EngineName = Annotated[str, OneOf(ENGINES, "auto")]
Device = Annotated[str, tyro.conf.arg(metavar="DEVICE")]


def parse(
    options: type[T], args: list[str], command: str, description: str, defaults: Callable[[list[str]], T] | None
) -> T:
    """The options of one command. `--help` prints and ends the process with 0.

    Raises:
        BadInput: an option that does not exist, or a value of the wrong kind; in one line.
    """
    registry = option_types()
    registry.struct_rule(_OptionsRule())
    wants_help = any(arg in ("-h", "--help") for arg in args)
    printed = io.StringIO()
    given: dict[str, Any] = {"default": defaults(args)} if defaults else {}
    try:
        with registry, contextlib.ExitStack() as stack:
            if not wants_help:
                stack.enter_context(contextlib.redirect_stderr(printed))
                stack.enter_context(contextlib.redirect_stdout(printed))
            parsed: T = tyro.cli(
                options, prog=f"sparsine {command}", args=args, description=description, use_underscores=False,
                config=(tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff), **given,
            )  # fmt: skip
            return parsed
    except SystemExit as stop:
        if stop.code in (0, None):
            sys.stdout.write(printed.getvalue())
            raise
        raise BadInput(f"{_one_line(printed.getvalue())} (sparsine {command} --help lists the options)") from None


def _one_line(box: str) -> str:
    """tyro explains itself in a box: a title, the error, and the help of the option. An error here is one line."""
    lines = [row.strip("│╭╮╰╯─|+ \t") for row in box.splitlines()]
    lines = [line.strip("- ") if re.match(r"-( |--)|-+$", line) else line for line in lines]
    title, *rest = [line for line in lines if line] or ["the options could not be understood"]
    said: list[str] = []
    for line in rest:
        if line.startswith(("Argument helptext", "For full helptext", "sparsine ")):
            break
        if said and said[-1] == "- perhaps you meant":
            said.append(line.split()[0])
            break
        said.append("- perhaps you meant" if line.startswith("Perhaps you meant") else line)
    text = " ".join(" ".join(said).split()).replace("Expected 1 values", "It needs one value")
    return re.sub(r"^Error parsing (?:(--[\w-]+: )|\S+: )", r"\1", text) or title


class _OptionsRule:
    """tyro's own rule for dataclasses; but a sentence is one paragraph, a text that is marked with `OneOf` a choice,
    and a default is told only where it tells something."""

    def __init__(self) -> None:
        self.asking = False

    def __call__(self, info: StructTypeInfo) -> StructConstructorSpec | None:
        if self.asking or not dataclasses.is_dataclass(info.type):
            return None
        self.asking = True
        try:
            found = ConstructorRegistry.get_struct_spec(info)
        finally:
            self.asking = False
        assert isinstance(found, StructConstructorSpec)
        return dataclasses.replace(found, fields=tuple(map(_option, found.fields)))


def _option(field: StructFieldSpec) -> StructFieldSpec:
    kind = get_args(field.type)[0] if get_origin(field.type) is Annotated else field.type
    if dataclasses.is_dataclass(kind):
        return field
    words, known = _words(field.type), next(filter(None, map(_words, get_args(kind))), None)
    sentence = _sentence(field) + (f" Known: {', '.join(known.words)}." if known else "")

    def hint(default: str) -> str:
        if default == "":
            return "(required)" if field.default is MISSING_NONPROP else "(default: nothing)"
        told = default not in ("False", "''") and (default != "None" or "None" in sentence)
        return f"(default: {default})" if told else ""

    marks = [tyro.conf.arg(help_behavior_hint=hint), *([choice(words.words)] if words else [])]
    return dataclasses.replace(field, type=Annotated[(field.type, *marks)], helptext=sentence)  # type: ignore[arg-type]


def _words(kind: Any) -> OneOf | None:
    """The mark of an `Annotated` type, if it has one."""
    return next((mark for mark in get_args(kind)[1:] if isinstance(mark, OneOf)), None)


def _sentence(field: StructFieldSpec) -> str:
    """Without the breaks that it has in the code."""
    text = field.helptext() if callable(field.helptext) else field.helptext
    return " ".join((text or "").split())
