"""What can be said to a command, read from its options as they are now."""

from typing import Annotated, Any, NamedTuple, get_args, get_origin

import tyro
from tyro.conf import UseAppendAction
from tyro.constructors import MISSING_NONPROP, PrimitiveTypeInfo, StructFieldSpec, StructTypeInfo

from sparsine.checks import Known, OneOf
from sparsine.cli.catalogue import Option, Page
from sparsine.cli.option_types import Spec, option_types, spec_of
from sparsine.cli.options import OptionsRule, bare, mark, sentence_of

MISSING = MISSING_NONPROP
"""Where nothing decides the values: then each option has its own."""


class Leaf(NamedTuple):
    """An option, and where its value is."""

    option: Option
    path: tuple[str, ...]
    """Names of fields, from the options of the command inwards."""
    spec: Spec
    """How it is read and written."""


def page_of(options: type, default: Any = MISSING) -> Page:
    """The page of a command whose options are fields of the dataclass `options`; `default` holds its values."""
    groups: dict[str, str] = {}
    found = leaves_of(options, default, groups)
    return Page(options=tuple(leaf.option for leaf in found), groups=groups)


def leaves_of(options: type, default: Any = MISSING, groups: dict[str, str] | None = None) -> list[Leaf]:
    """All options that the fields of `options` and of its parts are; `groups` is told what parts are about."""
    registry, rule = option_types(), OptionsRule()
    registry.struct_rule(rule)
    with registry:
        return _of_struct(rule, options, default, "", {} if groups is None else groups)


def _of_struct(rule: OptionsRule, kind: type, default: Any, group: str, groups: dict[str, str]) -> list[Leaf]:
    found, parts = [], []
    struct = rule(StructTypeInfo.make(kind, default, False))
    assert struct is not None
    for field in struct.fields:
        inner = bare(field.type)
        if rule.is_part(inner):
            parts.append((field, inner))
        else:
            found.append(_leaf(field, group))
    for field, inner in parts:
        name = f"{group}.{field.name}".lstrip(".")
        groups[name] = sentence_of(field) or " ".join((inner.__doc__ or "").split())
        found += _of_struct(rule, inner, field.default, name, groups)
    return found


def _leaf(field: StructFieldSpec, group: str) -> Leaf:
    marks = get_args(field.type)[1:] if get_origin(field.type) is Annotated else ()
    told = {name: value for one in marks for name in ("name", "metavar", "aliases", "help_behavior_hint")
            if (value := getattr(one, name, None)) is not None}  # fmt: skip
    kind = bare(field.type)
    name = told.get("name") or field.name.replace("_", "-")
    spec = _spec(field, kind, marks)
    shown, metavar, several = _value(field, spec, kind, marks)
    option = Option(
        name=name, short=next((a.strip("-") for a in told.get("aliases", ())), None),
        metavar="" if kind is bool else told.get("metavar", metavar), sentence=sentence_of(field),
        hint=told["help_behavior_hint"](shown), words=_words(field.type), group=group,
        positional=tyro.conf.Positional in marks, several=several, path="PATH" in metavar,
    )  # fmt: skip
    return Leaf(option, (*filter(None, group.split(".")), field.name), spec)


def _spec(field: StructFieldSpec, kind: Any, marks: tuple[Any, ...]) -> Spec:
    each = get_args(kind)[0] if UseAppendAction in marks else field.type
    return spec_of(each, PrimitiveTypeInfo.make(each, set()))


def _value(field: StructFieldSpec, spec: Spec, kind: Any, marks: tuple[Any, ...]) -> tuple[str, str, bool]:
    """(the default as it is written, what it is called, whether there may be several)."""
    if kind is bool:
        return str(field.default), "", False
    several = spec.nargs == "*" or UseAppendAction in marks
    missing = field.default in (MISSING_NONPROP, tyro.MISSING) or UseAppendAction in marks
    shown = "" if missing else " ".join(text or "''" for text in spec.str_from_instance(field.default))
    return shown, spec.metavar, several


def _words(kind: Any) -> tuple[str, ...]:
    """Those that can be chosen; of what only begins with one, its beginnings."""
    for one in (kind, *get_args(kind), *(inner for part in get_args(kind) for inner in get_args(part))):
        if (words := mark(one, OneOf)) is not None:
            return words.words
        if (known := mark(one, Known)) is not None:
            return tuple(known.words())
        if str(get_origin(one)) == "typing.Literal":
            return get_args(one)
    return ()
