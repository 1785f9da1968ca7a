"""Choices that bring options of their own: a score, a distribution, a schedule.

An entry of their registries is a function, which has none, or a frozen dataclass, whose fields are its options: then
what is called is one that was made with them. A configuration holds the name and, beside it, all of its options, so
that a record says what was done.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sparsine.errors import BadInput
from sparsine.registry import Registry


def can_be_chosen(name: str, value: Any) -> bool:
    """Whether an entry is a function, or a frozen dataclass that can be called and needs no option to be given."""
    if not isinstance(value, type):
        return callable(value)
    calls = any("__call__" in vars(kind) for kind in value.__mro__ if kind is not object)
    return calls and dataclasses.is_dataclass(value) and all(_has_default(field) for field in _options(value))


CHOSEN = "a function, or a frozen dataclass with a default for every field whose instances are called"
"""What such an entry must be, for people."""


@dataclass(frozen=True, eq=False)
class Choice:
    """Marks, by `Annotated`, the options of what was chosen from a registry: a mapping from names to values.

    Example:
        >>> score_options: Annotated[Mapping[str, Any], Choice(SCORES)]
    """

    registry: Registry[Any]
    shared: tuple[str, ...] = ()
    """Fields that are options beside the mapping, by the same name, for whichever entries have them."""

    @property
    def what(self) -> str:
        """The field of a configuration that holds the name."""
        return self.registry.what

    @property
    def options(self) -> str:
        """The field of a configuration that holds the mapping."""
        return f"{self.what}_options"

    def complete(self, config: Any) -> None:
        """Make the options in `config` all of them. Raises BadInput as `completed` does."""
        whole = self.completed(getattr(config, self.what), getattr(config, self.options))
        object.__setattr__(config, self.options, whole)

    def made_for(self, config: Any) -> Any:
        """What `config` chooses, made with its options; None leaves one of the shared its default."""
        shared = {name: value for name in self.shared if (value := getattr(config, name)) is not None}
        return self.made(getattr(config, self.what), getattr(config, self.options), **shared)

    def completed(self, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """The options of the entry `name`, all of them: those that are given, else their defaults.

        Raises:
            BadInput: there is no such entry, or it has no such option, or not with such a value.
        """
        entry = self.registry.named(name)
        own = self.own(entry)
        if unknown := [option for option in given if option not in own]:
            has = f"it has {', '.join(own)}" if own else "it has none"
            raise BadInput(f"{self.what} {name} has no option {unknown[0]!r}; {has}")
        if not own:
            return {}
        made = self.made(name, given)
        return {option: getattr(made, option) for option in own}

    def own(self, entry: Any) -> list[str]:
        """Names of the options that the entry alone has."""
        return [field.name for field in _options(entry) if field.name not in self.shared]

    def made(self, name: str, options: Mapping[str, Any], **shared: Any) -> Any:
        """What is called: the function of that name, or the dataclass made with `options`, and with those of `shared`
        that it has. Raises BadInput as `completed` does."""
        entry = self.registry.named(name)
        if not isinstance(entry, type):
            return entry
        fields = {field.name: field for field in _options(entry)}
        given = {option: _as_in(fields.get(option), value) for option, value in options.items()}
        given |= {option: value for option, value in shared.items() if option in fields}
        try:
            return entry(**given)
        except (TypeError, ValueError) as error:
            raise BadInput(f"{self.what} {name}: {error}") from error


def _options(entry: Any) -> list[dataclasses.Field[Any]]:
    is_kind = isinstance(entry, type) and dataclasses.is_dataclass(entry)
    return [field for field in dataclasses.fields(entry) if field.init] if is_kind else []


def _has_default(field: dataclasses.Field[Any]) -> bool:
    return field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING


def _as_in(field: dataclasses.Field[Any] | None, value: Any) -> Any:
    """JSON has lists where a field has a tuple."""
    return tuple(value) if isinstance(value, list) and field and isinstance(field.default, tuple) else value
