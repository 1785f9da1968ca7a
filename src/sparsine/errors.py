"""The two kinds of failure that a caller can tell apart."""


class BadInput(ValueError):
    """The caller can mend it: says what was received, what was expected and what to do. Exit code 2."""


class UnreadableSignal(BadInput):
    """One signal of a collection cannot be used; the rest of the collection goes on without it."""


class WorkFailed(RuntimeError):
    """The request was sound but the work could not be finished: a full disk, a loss that is not finite. Exit code 1."""
