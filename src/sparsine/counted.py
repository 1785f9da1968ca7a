"""Numbers with their nouns."""


def counted(number: int, noun: str, plural: str = "") -> str:
    """'1 signal', '3 signals', '2,500 points'.

    Example:
        >>> counted(2, "axis", "axes")
        '2 axes'
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
