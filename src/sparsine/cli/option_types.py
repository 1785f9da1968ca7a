"""What an option may be: rules for tyro, which say how a type is named in the help and how its text is read.

{adam,sgd}     a Literal, or a text marked with `OneOf`
INT, FLOAT     numbers; where None is possible too, it is written None
[INT ...]      any number of them
[ADDRESS]      of a Ray cluster, or nothing for one of this machine
SIZE           samples along each axis, as in 96x128
REGION         the first corner and the last, as in 0.25,0,0.5,1
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from tyro.conf import UseAppendAction
from tyro.constructors import ConstructorRegistry, PrimitiveConstructorSpec, PrimitiveTypeInfo

from sparsine.addresses import Address, as_place
from sparsine.checks import one_of
from sparsine.signals.paths import expanded
from sparsine.spread.ray_address import RayAddress, ray_address

T = TypeVar("T")
Size = Sequence[int]
Region = Sequence[float]
Spec = PrimitiveConstructorSpec[Any]


def choice(words: Sequence[str]) -> Spec:
    """One of some words; anything else is refused with all of them."""

    def read(text: str) -> str:
        if text not in words:
            raise ValueError(f"got {text!r}, but it must be {one_of(words)}")
        return text

    return _one("{" + ",".join(words) + "}", read, str, lambda value: value in words)


def parse_size(text: str) -> Size:
    """'96x128' as (96, 128), for an image rows first."""
    try:
        return tuple(map(int, text.lower().split("x")))
    except ValueError:
        raise ValueError(f"a size is written as in 96x128, but got {text!r}") from None


def parse_region(text: str) -> Region:
    """'0.25,0,0.5,1' as four numbers."""
    try:
        corners = tuple(map(float, text.split(",")))
        if len(corners) % 2:
            raise ValueError
    except ValueError:
        raise ValueError(
            f"a region is written first corner, last corner (of an image Y0,X0,Y1,X1), as in 0.25,0.5,0.5,0.75, but "
            f"got {text!r}"
        ) from None
    return corners


def as_tuple(given: Sequence[T] | None) -> tuple[T, ...] | None:
    """A size or a region as the package takes it."""
    return None if given is None else tuple(given)


def option_types() -> ConstructorRegistry:
    """All of these rules."""
    registry = ConstructorRegistry()
    rules = (_path_rule, _number_rule, _literal_rule, _several_rule, _size_rule, _region_rule, _ray_rule, _address_rule,
             _union_rule)  # fmt: skip
    for rule in rules:
        registry.primitive_rule(rule)
    return registry


def _one(
    metavar: str, read: Callable[[str], T], show: Callable[[T], str], is_instance: Callable[[Any], bool]
) -> PrimitiveConstructorSpec[T]:
    """What is written as one word."""
    return PrimitiveConstructorSpec(
        nargs=1, metavar=metavar, instance_from_str=lambda given: read(given[0]), is_instance=is_instance,
        str_from_instance=lambda value: [show(value)],
    )  # fmt: skip


def _path_rule(info: PrimitiveTypeInfo) -> Spec | None:
    """The shell expands `--out ~/x`, but not `--out=~/x`."""
    if info.type is not Path:
        return None
    return _one("PATH", _path, str, lambda value: isinstance(value, Path))


def _path(text: str) -> Path:
    found = as_place(text)
    return expanded(text) if isinstance(found, Address) else expanded(found)


def _address_rule(info: PrimitiveTypeInfo) -> Spec | None:
    if info.type is not Address:
        return None

    def read(text: str) -> Address:
        if not isinstance(found := as_place(text), Address):
            raise ValueError(f"got {text!r}, which is no address as in s3://bucket/name")
        return found

    return _one("ADDRESS", read, str, lambda value: isinstance(value, Address))


def _ray_rule(info: PrimitiveTypeInfo) -> Spec | None:
    if info.type is not RayAddress:
        return None

    def read(given: list[str]) -> RayAddress:
        if len(given) > 1:
            raise ValueError(f"it takes one address or none, but got {' '.join(given)}; name files before it")
        return ray_address(given[0] if given else "local")

    return PrimitiveConstructorSpec(
        nargs=(0, 1), metavar="[ADDRESS]", instance_from_str=read,
        is_instance=lambda value: isinstance(value, RayAddress), str_from_instance=lambda value: [str(value)],
    )  # fmt: skip


def _number_rule(info: PrimitiveTypeInfo) -> Spec | None:
    if info.type not in (int, float):
        return None
    kind: type[float] = info.type
    wanted = "a whole number" if kind is int else "a number"

    def read(text: str) -> float:
        try:
            return kind(text)
        except ValueError:
            raise ValueError(f"got {text!r}, but it must be {wanted}") from None

    return _one(kind.__name__.upper(), read, str, lambda value: isinstance(value, int | kind))


def _literal_rule(info: PrimitiveTypeInfo) -> Spec | None:
    return choice(get_args(info.type)) if get_origin(info.type) is Literal else None


def _several_rule(info: PrimitiveTypeInfo) -> Spec | None:
    """tuple[X, ...], but for one that is given piece by piece, which tyro knows how to read."""
    if get_origin(info.type) is not tuple or get_args(info.type)[1:] != (...,) or UseAppendAction in info.markers:
        return None
    each = spec_of(get_args(info.type)[0], info)
    return PrimitiveConstructorSpec(
        nargs="*", metavar=f"[{each.metavar} ...]",
        instance_from_str=lambda given: tuple(each.instance_from_str([text]) for text in given),
        is_instance=lambda value: isinstance(value, tuple) and all(map(each.is_instance, value)),
        str_from_instance=lambda values: [text for value in values for text in each.str_from_instance(value)],
    )  # fmt: skip


def _size_rule(info: PrimitiveTypeInfo) -> Spec | None:
    if (get_origin(info.type), get_args(info.type)) != (Sequence, (int,)):
        return None
    return _one("SIZE", parse_size, lambda size: "x".join(map(str, size)), lambda value: isinstance(value, tuple))


def _region_rule(info: PrimitiveTypeInfo) -> Spec | None:
    if (get_origin(info.type), get_args(info.type)) != (Sequence, (float,)):
        return None
    return _one("REGION", parse_region, lambda region: ",".join(f"{x:g}" for x in region),
                lambda value: isinstance(value, tuple))  # fmt: skip


def _union_rule(info: PrimitiveTypeInfo) -> Spec | None:
    """One type after the other. None has no place in the help: the sentence says what it means, or it is what an
    option is that was left out."""
    if get_origin(info.type) not in (Union, UnionType):
        return None
    kinds = [kind for kind in get_args(info.type) if kind is not type(None)]
    specs, optional = [spec_of(kind, info) for kind in kinds], len(kinds) < len(get_args(info.type))

    def read(given: list[str]) -> Any:
        if optional and given == ["None"]:
            return None
        reasons = []
        for spec in specs:
            try:
                return spec.instance_from_str(given)
            except ValueError as error:
                reasons.append(str(error))
        raise ValueError("; or ".join(reasons))

    def show(value: Any) -> list[str]:
        return ["None"] if value is None else next(s for s in specs if s.is_instance(value)).str_from_instance(value)

    nargs = {spec.nargs for spec in specs}
    return PrimitiveConstructorSpec(
        nargs=nargs.pop() if len(nargs) == 1 else "*", metavar="|".join(spec.metavar for spec in specs),
        instance_from_str=read, str_from_instance=show,
        is_instance=lambda value: (optional and value is None) or any(s.is_instance(value) is True for s in specs),
    )  # fmt: skip


def spec_of(kind: Any, parent: PrimitiveTypeInfo) -> Spec:
    """How such a value is read and written, by the rules that are in force."""
    spec = ConstructorRegistry.get_primitive_spec(PrimitiveTypeInfo.make(kind, parent.markers))
    assert isinstance(spec, PrimitiveConstructorSpec), f"no option can be of type {kind}"
    return spec
