"""Options from dataclasses, by tyro: a field is an option, its docstring the help, `96x128` a size, `0,0,1,1` all."""

import contextlib
import dataclasses
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

import tyro
from tyro.constructors import (
    MISSING_NONPROP,
    ConstructorRegistry,
    StructConstructorSpec,
    StructFieldSpec,
    StructTypeInfo,
)

from sparsine.checks import Known, Named, OneOf
from sparsine.choices import Choice
from sparsine.cli.option_types import Region as Region
from sparsine.cli.option_types import Size as Size
from sparsine.cli.option_types import as_tuple as as_tuple
from sparsine.cli.option_types import choice, option_types
from sparsine.engines.choose import ENGINES
from sparsine.errors import BadInput

T = TypeVar("T")
Load = tyro.conf.UseAppendAction[Annotated[tuple[Path, ...], tyro.conf.arg(metavar="FILE")]]
EngineName = Annotated[str, OneOf(ENGINES, "auto")]
Json = Annotated[Path | None, tyro.conf.arg(metavar="FILE")]
Device = Annotated[str, tyro.conf.arg(metavar="DEVICE")]


@dataclass(frozen=True, kw_only=True)
class Common:
    """What every command has."""

    quiet: Annotated[bool, tyro.conf.arg(aliases=("-q",))] = False
    """Print results and errors alone: no progress, no notes, no advice."""


@dataclass(frozen=True, kw_only=True)
class Loading(Common):
    """Of commands with something to choose that may be yours."""

    load: Load = ()
    """Python file of yours that adds to what can be chosen, run before anything else. May be given several times."""


@dataclass(frozen=True, kw_only=True)
class Reporting(Loading):
    """Of commands that end with something to report."""

    json: Json = None
    """Write the result as JSON to this file; - is standard output, and whatever else is said then goes to standard
    error. docs/command-line.md says what is in it."""


@dataclass(frozen=True, kw_only=True)
class Working(Reporting):
    """Of commands whose options may stand in a file."""

    config: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """File of options, as --print-config prints them. Options here come before those of the file."""
    print_config: bool = False
    """Print all options as --config takes them, and do nothing else."""


def parse(options: type[T], args: list[str], command: str, defaults: Callable[[list[str]], T] | None) -> T:
    """The options of one command.

    Raises:
        BadInput: an option that does not exist, or a value of the wrong kind; in one line.
    """
    args = in_todays_words(options, args)
    registry = option_types()
    registry.struct_rule(OptionsRule())
    printed = io.StringIO()
    given: dict[str, Any] = {"default": defaults(args)} if defaults else {}
    try:
        with registry, contextlib.redirect_stderr(printed), contextlib.redirect_stdout(printed):
            parsed: T = tyro.cli(
                options, prog=f"sparsine {command}", args=args, add_help=False, use_underscores=False,
                config=(tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff), **given,
            )  # fmt: skip
            return parsed
    except SystemExit:
        said = by_their_options(options, _one_line(printed.getvalue()))
        raise BadInput(f"{said} (sparsine {command} --help lists the options)") from None


def in_todays_words(options: type, args: Sequence[str]) -> list[str]:
    """`args` with the names that options have now, where one of their earlier names is given."""
    today = names_now(options)
    found = [re.match(r"--([\w.-]+)(.*)", arg, re.DOTALL) for arg in args]
    return [
        f"--{today[name]}{word[2]}" if word and (name := word[1].replace("_", "-")) in today else arg
        for arg, word in zip(args, found, strict=True)
    ]


def by_their_options(options: type, said: str) -> str:
    """A refusal that begins with a field, by the name of its option."""
    for field, named in named_fields(options):
        said = re.sub(rf"^{field}(?= (is|has) )", named.name, said)
    return said


def names_now(options: type) -> dict[str, str]:
    """The names of options, by those that they had before."""
    return {before: named.name for _, named in named_fields(options) for before in named.before}


def bare(kind: Any) -> Any:
    """The type that `Annotated` marks, or the type itself."""
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def named_fields(options: type) -> Iterator[tuple[str, Named]]:
    """Fields whose options have names of their own, those of parts too."""
    for field, hint in get_type_hints(options, include_extras=True).items():
        if (named := mark(hint, Named)) is not None:
            yield field, named
        kind = bare(hint)
        if dataclasses.is_dataclass(kind) and isinstance(kind, type):
            yield from named_fields(kind)


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
    return re.sub(r"^Error parsing (?:(--[\w.-]+: )|\S+: )", r"\1", text) or title


class OptionsRule:
    """tyro's own rule for dataclasses; but a sentence is one paragraph, a text that is marked with `OneOf` a choice,
    and a default is told only where it tells something."""

    def __init__(self) -> None:
        self.asking = False

    @staticmethod
    def is_part(kind: Any) -> bool:
        """Whether a field of this type holds options of its own."""
        return dataclasses.is_dataclass(kind)

    def __call__(self, info: StructTypeInfo) -> StructConstructorSpec | None:
        if self.asking or not dataclasses.is_dataclass(info.type):
            return None
        found = self._usual(info)
        choices = {one.what: one for field in found.fields if (one := mark(field.type, Choice))}
        parts = [part for field in found.fields for part in self._parts(field, info.default)]
        fields = tuple(_option(part, choices.get(part.name)) for part in parts)
        return StructConstructorSpec(_from_parts(found.instantiate) if choices else found.instantiate, fields)

    def _usual(self, info: StructTypeInfo) -> StructConstructorSpec:
        self.asking = True
        try:
            found = ConstructorRegistry.get_struct_spec(info)
        finally:
            self.asking = False
        assert isinstance(found, StructConstructorSpec)
        return found

    def _parts(self, field: StructFieldSpec, config: Any) -> list[StructFieldSpec]:
        """Options of what was chosen in `config` are options of their own: `--score.signals`."""
        brings = mark(field.type, Choice)
        if brings is None:
            return [field]
        name = getattr(config, brings.what)
        entry = brings.registry[name]
        if not (own := brings.own(entry)):
            return []
        options = self._usual(StructTypeInfo.make(entry, brings.made(name, field.default), False))
        return [
            dataclasses.replace(option, name=f"{brings.what}.{option.name}")
            for option in options.fields
            if option.name in own
        ]


def _from_parts(make: Callable[..., Any]) -> Callable[..., Any]:
    """`make`, where score.signals=6 is an entry of `score_options`."""

    def made(**given: Any) -> Any:
        together = {name: value for name, value in given.items() if "." not in name}
        for name in given.keys() - together.keys():
            what, _, option = name.partition(".")
            together.setdefault(f"{what}_options", {})[option] = given[name]
        return make(**together)

    made.__doc__ = make.__doc__  # it stands in the help
    return made


def _option(field: StructFieldSpec, brings: Choice | None = None) -> StructFieldSpec:
    """`brings` knows the options of what this one chooses."""
    kind = bare(field.type)
    if dataclasses.is_dataclass(kind):
        return field
    words = mark(field.type, OneOf)
    sentence = sentence_of(field) + _known(field.type, kind) + _those_with_options(brings)

    def hint(default: str) -> str:
        if default == "":
            return "(required)" if field.default in (MISSING_NONPROP, tyro.MISSING) else "(default: nothing)"
        told = default not in ("False", "''") and (default != "None" or "None" in sentence)
        return f"(default: {default})" if told else ""

    named = mark(field.type, Named)
    marks = [
        tyro.conf.arg(help_behavior_hint=hint, name=named.name if named else None),
        *([choice(words.words)] if words else []),
    ]
    return dataclasses.replace(field, type=Annotated[(field.type, *marks)], helptext=sentence)  # type: ignore[arg-type]


def _known(marked: Any, kind: Any) -> str:
    """The words that may stand there, where they are too many for a choice, or only begin what is said."""
    each = next(filter(None, (mark(one, OneOf) for one in get_args(kind))), None)
    begins = mark(marked, Known)
    words = list(each.words if each else begins.words() if begins else ())
    return f" Known: {', '.join(words)}." if words else ""


def _those_with_options(brings: Choice | None) -> str:
    names = [name for name, entry in brings.registry.items() if brings.own(entry)] if brings else []
    if brings is None or not names:
        return ""
    have = "has options of its own" if len(names) == 1 else "have options of their own"
    return f" {', '.join(names)} {have}: --{brings.what} {names[0]} --help."


def mark(kind: Any, wanted: type[T]) -> T | None:
    """The mark of an `Annotated` type, if it has one of that class."""
    return next((mark for mark in get_args(kind)[1:] if isinstance(mark, wanted)), None)


def sentence_of(field: StructFieldSpec) -> str:
    """Without the breaks that it has in the code."""
    text = field.helptext() if callable(field.helptext) else field.helptext
    return " ".join((text or "").split())
