"""What is done to many items, and who does it. The two know nothing of each other."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import Generic, TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")


class Work(ABC, Generic[Given, Made]):
    """What is done to each item. Other processes of ours get a copy of it: it must be one that can be pickled, and what
    it makes of an item must follow from the item alone."""

    @abstractmethod
    def __call__(self, item: Given) -> Made:
        """Raises BadInput or WorkFailed: that ends all of the work."""

    @abstractmethod
    def give_up(self, item: Given, why: str) -> Made:
        """What becomes of an item that no worker survives."""

    def set_up(self) -> None:
        """Once in each other process, before its first item. Raises BadInput: that ends all of the work."""

    def at_once(self, item: Given) -> Made | None:
        """What takes no computing, and is not sent anywhere; None where the item needs some."""
        return None

    def parts(self, item: Given) -> Sequence[Given]:
        """An item that no worker survived in smaller ones, so that few are given up; none where it cannot be cut."""
        return ()

    def here(self, items: Iterable[Given]) -> Iterator[Made]:
        """All of them in this process, in order."""
        return map(self, items)


class Executor(ABC):
    """Who does the work."""

    num_readers: int = 2
    """Threads that read ahead for it."""

    @abstractmethod
    def map(self, work: Work[Given, Made], items: Iterable[Given]) -> Iterator[Made]:
        """What becomes of every item, each as soon as it is known. `items` is asked for more only as fast as they are
        worked on: few are held at a time."""

    def together(self, asked: int, count: int) -> int:
        """How many of `count` signals to put into an item where `asked` would do, so that all who work have some."""
        return asked


class Here(Executor):
    """This process."""

    def map(self, work: Work[Given, Made], items: Iterable[Given]) -> Iterator[Made]:
        return work.here(items)
