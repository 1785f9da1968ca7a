"""Tables of what there is to choose from, by name: the package's own, what a loaded file adds (`sparsine.plugins`), and
what installed packages offer.

A package offers by an entry point of the table's group, whose name is the name in the table, and whose object is what
stands there:

    [project.entry-points."sparsine.scores"]
    strongest = "my_package.scores:strongest"

Offers are looked for once, when a table is asked for a name that it lacks, or for all of its names: a program that asks
for neither imports no package of others.
"""

import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from sparsine.errors import BadInput, UnknownName
from sparsine.locks import kept_over_forks

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

T = TypeVar("T")
_ASKING = kept_over_forks(threading.RLock())
"""One for all tables: what is imported for one may ask another."""


class LeftOut(UserWarning):
    """A package offers something that cannot be used."""


class Registry(MutableMapping[str, T]):
    """A dict with something to say of every entry, and of every name that is not there.

    Args:
        what: what one entry is, such as "score".
        group: of the entry points, such as "sparsine.scores".
        known: the package's own.
        wanted: what an entry must be, for people: "a subclass of Engine".
        suits: whether (name, value) is that.
    """

    def __init__(
        self, what: str, group: str, known: Mapping[str, T], *, wanted: str, suits: Callable[[str, Any], bool]
    ):
        self.what, self.group, self.wanted, self.suits = what, group, wanted, suits
        self._known: dict[str, T] = dict(known)
        self._asked = False

    def named(self, name: str) -> T:
        """The entry of that name. Raises UnknownName where there is none."""
        if name not in self:
            self.refuse(name)
        return self[name]

    def refuse(self, name: object, *also: str) -> NoReturn:
        """Raises UnknownName, with the names that there are, `also` first."""
        raise UnknownName(
            f"unknown {self.what} {name!r}; known are {', '.join([*also, *self])}, and those that --load FILE adds"
        )

    def __getitem__(self, name: str) -> T:
        if name not in self._known:
            self._ask_packages()
        return self._known[name]

    def __setitem__(self, name: str, value: T) -> None:
        if not isinstance(name, str) or not self.suits(name, value):
            raise BadInput(f"{self.what} {name!r} must be {self.wanted}, but got {value!r}")
        self._known[name] = value

    def __delitem__(self, name: str) -> None:
        del self._known[name]

    def __iter__(self) -> Iterator[str]:
        self._ask_packages()
        return iter(self._known)

    def __len__(self) -> int:
        self._ask_packages()
        return len(self._known)

    def _ask_packages(self) -> None:
        with _ASKING:
            if not self._asked:
                self._asked = True  # now: what is imported below may ask this very table
                from importlib.metadata import entry_points  # slow to import

                for point in entry_points(group=self.group):
                    self._take(point)

    def _take(self, point: "EntryPoint") -> None:
        package = point.dist.name if point.dist else point.module
        if package in _left_out:
            return
        try:
            value = point.load()
            if self._known.get(point.name, value) is not value:
                raise BadInput("there is one of that name already")
            self[point.name] = value
        except (Exception, SystemExit) as error:
            _left_out.add(package)
            why = " ".join((str(error) if isinstance(error, BadInput) else f"{type(error).__name__}: {error}").split())
            warnings.warn(
                f"the package {package} is left out: its {self.what} {point.name!r} ({point.value}): {why}", LeftOut,
                stacklevel=2,
            )  # fmt: skip
        else:
            packages[package] = point.dist.version if point.dist else "unknown"


packages: dict[str, str] = {}
"""Versions of the packages whose offers were taken, by name."""
_left_out: set[str] = set()
