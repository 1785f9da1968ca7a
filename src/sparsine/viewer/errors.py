"""Why a request gets no answer. A damaged code is a plain BadInput."""

from sparsine.errors import BadInput


class NotFound(BadInput):
    """Nothing of that name is in the folder."""


class BadRequest(BadInput):
    """The request itself makes no sense, or asks for too much."""


class NoPicture(BadInput):
    """The code is sound, but signals of its kind are not shown, or not in this way."""


class Busy(RuntimeError):
    """Too many are waiting already."""


class Stopped(RuntimeError):
    """Nobody waits for the drawing any more."""
