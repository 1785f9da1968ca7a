"""Numbers with their nouns, and lists, in words."""

from collections.abc import Iterable


def counted(number: int, noun: str, plural: str = "") -> str:
    """'1 signal', '3 signals', '2,500 points'.

    Example:
        >>> counted(2, "axis", "axes")
        '2 axes'
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def in_words(names: Iterable[str], before_last: str = "and") -> str:
    """'JPEG, WebP and AVIF'.

    Example:
        >>> in_words(["JPEG", "WebP"])
        'JPEG and WebP'
    """
    *first, last = names
    return f"{', '.join(first)} {before_last} {last}" if first else last
