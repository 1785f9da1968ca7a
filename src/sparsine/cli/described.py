"""What can be said to a command, read from its options as they are now."""

from typing import Annotated, Any, get_args, get_origin

import tyro
from tyro.conf import UseAppendAction
from tyro.constructors import MISSING_NONPROP, PrimitiveTypeInfo, StructFieldSpec, StructTypeInfo

from sparsine.checks import Known, OneOf
from sparsine.cli.catalogue import Option, Page
from sparsine.cli.option_types import option_types, spec_of
from sparsine.cli.options import OptionsRule, mark

MISSING = MISSING_NONPROP
"""Where nothing decides the values: then each option has its own."""


def page_of(options: type, default: Any = MISSING) -> Page:
    """The page of a command whose options are fields of the dataclass `options`; `default` holds its values."""
    registry, rule = option_types(), OptionsRule()
    registry.struct_rule(rule)
    groups: dict[str, str] = {}
    with registry:
        found = _of_struct(rule, options, default, "", groups)
    return Page(options=tuple(found), groups=groups)


def _of_struct(rule: OptionsRule, kind: type, default: Any, group: str, groups: dict[str, str]) -> list[Option]:
    found, parts = [], []
    struct = rule(StructTypeInfo.make(kind, default, False))
    assert struct is not None
    for field in struct.fields:
        inner = get_args(field.type)[0] if get_origin(field.type) is Annotated else field.type
        if rule.is_part(inner):
            parts.append((field, inner))
        else:
            found.append(_option(field, group))
    for field, inner in parts:
        name = f"{group}.{field.name}".lstrip(".")
        groups[name] = " ".join((_text(field) or inner.__doc__ or "").split())
        found += _of_struct(rule, inner, field.default, name, groups)
    return found


def _option(field: StructFieldSpec, group: str) -> Option:
    marks = get_args(field.type)[1:] if get_origin(field.type) is Annotated else ()
    told = {name: value for one in marks for name in ("name", "metavar", "aliases", "help_behavior_hint")
            if (value := getattr(one, name, None)) is not None}  # fmt: skip
    kind = get_args(field.type)[0] if marks else field.type
    name = told.get("name") or field.name.replace("_", "-")
    shown, metavar, several = _value(field, kind, marks)
    return Option(
        name=name, short=next((a.strip("-") for a in told.get("aliases", ())), None),
        metavar="" if kind is bool else told.get("metavar", metavar), sentence=_text(field),
        hint=told["help_behavior_hint"](shown), words=_words(field.type), group=group,
        positional=tyro.conf.Positional in marks, several=several, path="PATH" in metavar,
    )  # fmt: skip


def _value(field: StructFieldSpec, kind: Any, marks: tuple[Any, ...]) -> tuple[str, str, bool]:
    """(the default as it is written, what it is called, whether there may be several)."""
    if kind is bool:
        return str(field.default), "", False
    each = get_args(kind)[0] if UseAppendAction in marks else field.type
    spec = spec_of(each, PrimitiveTypeInfo.make(each, set()))
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


def _text(field: StructFieldSpec) -> str:
    text = field.helptext() if callable(field.helptext) else field.helptext
    return text or ""
