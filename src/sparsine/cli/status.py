"""What the exit status of a command means, the same for all of them."""

DONE, NOT_ALL, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
MEANINGS = {
    DONE: "all that was asked for is done, for every signal",
    NOT_ALL: "the work failed, or some signals were not done; the rest stays",
    BAD_INPUT: "bad input that you can mend: an option, a path, a damaged file",
    INTERRUPTED: "interrupted by Ctrl-C",
}


def status_of(all_done: bool) -> int:
    """Of a command that did its work, for all signals or not for all."""
    return DONE if all_done else NOT_ALL
