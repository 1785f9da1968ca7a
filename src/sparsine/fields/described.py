"""Values with a name and constants, as plain JSON: {"name": "gauss", "sigma": 0.1}."""

from collections.abc import Callable
from dataclasses import asdict, is_dataclass
from typing import Any, ClassVar, TypeVar

from sparsine.errors import BadInput
from sparsine.registry import Registry


class Described:
    """A part of a field. Subclasses are frozen dataclasses, so that equal constants make equal fields."""

    name: ClassVar[str]

    def to_dict(self) -> dict[str, Any]:
        """The name and all constants. Plain JSON values."""
        return {"name": self.name, **_constants(self)}

    @property
    def description(self) -> str:
        """'gauss (sigma 0.2)', for people."""
        constants = {key: value for key, value in _constants(self).items() if value is not None}
        options = ", ".join(f"{key} {value:g}" if isinstance(value, float) else f"{key} {value}"
                         for key, value in constants.items())  # fmt: skip
        return f"{self.name} ({options})" if options else self.name


T = TypeVar("T", bound=Described)
WANTED = "a frozen dataclass whose `name` is that"
"""What an entry of their registries must be, for people."""


def suits(kind: type[Described]) -> Callable[[str, Any], bool]:
    """Whether (name, value) can stand in a registry of such parts."""
    return lambda name, value: (
        isinstance(value, type) and issubclass(value, kind) and is_dataclass(value) and value.name == name
    )


def from_description(data: Any, known: Registry[type[T]]) -> T:
    """What `to_dict` described. Raises BadInput for a name that is not in `known`, and for other constants."""
    if not isinstance(data, dict) or not isinstance(data.get("name"), str):
        raise BadInput(f"this is not the description of an {known.what}: {data!r}")
    constants = {key: value for key, value in data.items() if key != "name"}
    kind = known.named(data["name"])
    try:
        return kind(**constants)
    except BadInput:
        raise
    except (TypeError, ValueError) as error:
        raise BadInput(f"{constants} are not the constants of {known.what} {data['name']!r} ({error})") from error


def check_described(value: Any, kind: type[Described], what: str) -> None:
    """Raises BadInput unless `value` is of `kind` and can be compared and written down."""
    if not isinstance(value, kind):
        raise BadInput(f"{what} must be of the class {kind.__name__}, but got {value!r}")
    if not is_dataclass(value) or not isinstance(getattr(value, "name", None), str):
        raise BadInput(f"{what} {type(value).__name__} must be a frozen dataclass with a `name`: a field is compared, "
                       "copied and written down by its constants")  # fmt: skip


def check_positive(name: str, value: float) -> None:
    """Raises BadInput unless `value` is a positive and finite number."""
    if isinstance(value, bool) or not 0 < value < float("inf"):
        raise BadInput(f"{name} must be positive and finite, but got {value}")


def _constants(value: Described) -> dict[str, Any]:
    constants: dict[str, Any] = asdict(value)  # type: ignore[call-overload]  # every subclass is a dataclass
    return constants
