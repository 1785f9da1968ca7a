"""The one place that turns a name, or anything else that comes from outside, into something to show.

Names of files are bytes: they may be no text at all, or hold what moves a cursor, opens a link or turns a line around.
"""

import re

# Python stands for a byte that is no text by half of a pair, which no file and no terminal takes.
_NO_TEXT = re.compile("[\ud800-\udfff]")
# What a terminal would obey: C0, DEL and C1; and what turns or ends a line: marks of direction, two separators.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def as_text(name: object) -> str:
    """`name` as it may be written into any file: bytes that are no text become a replacement character."""
    return _NO_TEXT.sub("\N{REPLACEMENT CHARACTER}", str(name))


def shown(name: object) -> str:
    r"""`name` as it may be shown anywhere, in one line: as `as_text`, and control characters are written out.

    Example:
        >>> print(shown("a\x1b[31m\n.png"))
        a\x1b[31m\n.png
    """
    return _CONTROL.sub(_written_out, as_text(name))


def without_control(text: str) -> str:
    """As `shown`, for a text of ours that may have several lines."""
    return "\n".join(map(shown, text.split("\n")))


def _written_out(found: re.Match[str]) -> str:
    return repr(found[0])[1:-1]
