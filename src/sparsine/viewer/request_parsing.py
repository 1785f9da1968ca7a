"""What a request may ask: every number is finite and within its bounds before anything is done with it."""

from math import isfinite

from starlette.datastructures import QueryParams

from sparsine.viewer.config import ViewerConfig
from sparsine.viewer.errors import BadRequest
from sparsine.viewer.sampling import Window

MAX_NUMBER_LENGTH = 40


class Parameters:
    """The query of one request.

    Example:
        >>> Parameters(QueryParams("at=0.5,0.25")).fractions("at", 2)
        [0.5, 0.25]
    """

    def __init__(self, query: QueryParams) -> None:
        self.query = query

    def text(self, name: str, default: str | None = None, longest: int = 1024) -> str:
        """Raises BadRequest where it is missing, given twice or too long; so do all of these."""
        given = self.query.getlist(name)
        if not given and default is not None:
            return default
        if len(given) != 1:
            raise BadRequest(f"{name} must be given once, but came {len(given)} times")
        if len(given[0]) > longest:
            raise BadRequest(f"{name} has {len(given[0])} characters; {longest} are enough")
        return given[0]

    def choice(self, name: str, allowed: tuple[str, ...]) -> str:
        """One of a few words, by default the first."""
        given = self.text(name, allowed[0])
        if given not in allowed:
            raise BadRequest(f"{name} must be one of: {', '.join(allowed)}")
        return given

    def whole(self, name: str, low: int, high: int, default: int | None = None) -> int:
        """A whole number from `low` to `high`."""
        return _whole(name, self.text(name, None if default is None else str(default), MAX_NUMBER_LENGTH), low, high)

    def fractions(self, name: str, number: int) -> list[float]:
        """Numbers from 0 to 1, with commas between."""
        parts = self.text(name, longest=number * MAX_NUMBER_LENGTH).split(",")
        if len(parts) != number:
            raise BadRequest(f"{name} must be {number} numbers with commas between, but has {len(parts)}")
        return [_fraction(name, part) for part in parts]

    def window(self, config: ViewerConfig) -> Window:
        """region=y0,x0,y1,x1 and size=ROWSxCOLUMNS."""
        y0, x0, y1, x1 = self.fractions("region", 4)
        if not (y0 < y1 and x0 < x1):
            raise BadRequest("the region must be y0,x0,y1,x1 with y0 < y1 and x0 < x1")
        rows, times, columns = self.text("size", longest=2 * MAX_NUMBER_LENGTH).partition("x")
        if not times:
            raise BadRequest("size must be ROWSxCOLUMNS, as in 600x800")
        size = _whole("size", rows, 1, config.max_edge), _whole("size", columns, 1, config.max_edge)
        if size[0] * size[1] > config.max_points:
            raise BadRequest(f"a drawing may have {config.max_points:,} pixels, but {size[0]} x {size[1]} were asked")
        return Window((y0, x0, y1, x1), size)


def _whole(name: str, text: str, low: int, high: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19 and low <= int(text) <= high):
        raise BadRequest(f"{name} must be a whole number from {low} to {high}")
    return int(text)


def _fraction(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not (isfinite(value) and 0 <= value <= 1):
        raise BadRequest(f"{name} must hold numbers from 0 to 1")
    return value
