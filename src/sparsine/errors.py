"""The two kinds of failure that a caller can tell apart."""


class BadInput(ValueError):
    """The caller can mend it: says what was received, what was expected and what to do. Exit code 2."""


class UnknownName(BadInput):
    """A name that no registry has: perhaps that of something of the user's own, which was not loaded."""

    def __init__(self, message: str, *, is_explained: bool = False):
        super().__init__(message)
        self.is_explained = is_explained
        """Whether it was said which file might be missing."""


class SeveralSizes(BadInput):
    """Signals of one collection that must be brought to one size first."""


class NotEnoughMemory(BadInput):
    """What was asked for is too large for the machine that it was asked of."""


class UnreadableSignal(BadInput):
    """One signal of a collection cannot be used; the rest of the collection goes on without it."""


class WorkFailed(RuntimeError):
    """The request was sound but the work could not be finished: a full disk, a loss that is not finite. Exit code 1."""
