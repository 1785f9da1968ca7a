"""Options from dataclasses, by tyro: a field is an option, its docstring the help, `96x128` a size, `0,0,1,1` all."""

import contextlib
import io
import re
import sys
from collections.abc import Callable
from typing import Any, TypeVar, get_args, get_origin

import tyro
from tyro.constructors import ConstructorRegistry, PrimitiveConstructorSpec, PrimitiveTypeInfo

from sparsine.errors import BadInput

T = TypeVar("T")
Size = tuple[int, int]
Region = tuple[float, float, float, float]
# Of `Size | None` tyro tells why each of both did not fit; nobody who gave a value meant None.
_ONLY_ALTERNATIVE = re.compile(r"no type matching .* Got errors: .*tuple\[[\w, ]+\]: ")


def parse(
    options: type[T], args: list[str], command: str, description: str, defaults: Callable[[list[str]], T] | None
) -> T:
    """The options of one command. `--help` prints and ends the process with 0.

    Raises:
        BadInput: an option that does not exist, or a value of the wrong kind; in one line.
    """
    registry = ConstructorRegistry()
    registry.primitive_rule(_size_rule)
    registry.primitive_rule(_region_rule)
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
    text = re.sub(_ONLY_ALTERNATIVE, "", " ".join(" ".join(said).split()))
    return re.sub(r"^Error parsing [\w.]+: ", "", text) or title


def _size_rule(info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec[Any] | None:
    # not `!= tuple[int, int]`: where there is a default, tyro asks with typing's Tuple instead
    if (get_origin(info.type), get_args(info.type)) != (tuple, (int, int)):
        return None
    return PrimitiveConstructorSpec(
        nargs=1, metavar="HxW", instance_from_str=lambda given: parse_size(given[0]),
        is_instance=lambda value: isinstance(value, tuple) and len(value) == 2,
        str_from_instance=lambda size: [f"{size[0]}x{size[1]}"],
    )  # fmt: skip


def _region_rule(info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec[Any] | None:
    if (get_origin(info.type), get_args(info.type)) != (tuple, (float,) * 4):
        return None
    return PrimitiveConstructorSpec(
        nargs=1, metavar="Y0,X0,Y1,X1", instance_from_str=lambda given: parse_region(given[0]),
        is_instance=lambda value: isinstance(value, tuple) and len(value) == 4,
        str_from_instance=lambda region: [",".join(f"{x:g}" for x in region)],
    )  # fmt: skip


def parse_region(text: str) -> Region:
    """'0.25,0,0.5,1' as four numbers."""
    try:
        y0, x0, y1, x1 = map(float, text.split(","))
    except ValueError:
        raise ValueError(f"a region is written Y0,X0,Y1,X1, as in 0.25,0.5,0.5,0.75, but got {text!r}") from None
    return y0, x0, y1, x1


def parse_size(text: str) -> Size:
    """'96x128' as (96, 128), rows first; '96' as (96, 96)."""
    rows, _, columns = text.lower().partition("x")
    try:
        return int(rows), int(columns or rows)
    except ValueError:
        raise ValueError(f"a size is written HxW, as in 96x128, but got {text!r}") from None
