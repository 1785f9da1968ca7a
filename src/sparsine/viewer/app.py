"""The routes: one request each, answered by the catalogue.

/                       the page, and /static/NAME its parts
/api/folder             what lies there, and what may be asked
/api/codes              a page of the list: search, sort, level, first, count
/api/code?name=         one signal with its levels
/thumbnail?name=        PNG: level, edge
Of pictures, which are zoomed into:
/draw?name=             level, region=y0,x0,y1,x1, size=ROWSxCOLUMNS: pixels, then milliseconds (see Bands)
/value?name=            at=y,x: coordinates, value, original
/original?name=         pixels at its own samples, then milliseconds
/error?name=            the same of the error, then its PSNR in dB
Of other signals, which are shown whole:
/picture?name=          PNG: level, of=fitted|original|error
/media?name=            what is played: level, of=fitted|original; nothing (204) where the kind plays nothing
/api/measured?name=     PSNR and what else the kind measures: level
"""

import hashlib
import json
from asyncio import Event
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from importlib.resources import files
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from sparsine.errors import BadInput
from sparsine.storage import json_value
from sparsine.viewer.bands import Bands
from sparsine.viewer.catalogue import SORTS, Catalogue
from sparsine.viewer.errors import BadRequest, Busy, NoPicture, NotFound, Stopped
from sparsine.viewer.folder import CodeFile
from sparsine.viewer.guard import Guard
from sparsine.viewer.request_parsing import Parameters
from sparsine.viewer.whole import SIDES
from sparsine.viewer.work_queue import Rank, WorkQueue

T = TypeVar("T")
KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
PICTURES = ("thumbnail", "draw", "value", "original", "error", "picture", "media")
STATUSES = ((NotFound, 404), (BadRequest, 400), (NoPicture, 501), (BadInput, 422), (Busy, 503), (Stopped, 499))
MOST_LISTED = 500
THUMBNAIL_EDGES = 16, 512


def make_app(catalogue: Catalogue, hosts: Iterable[str]) -> Guard:
    """The app of one folder. `hosts`: names that the Host header of a request may say, such as "localhost"."""
    answers = Answers(catalogue)
    routes = [
        Route("/", answers.page), Route("/static/{name}", answers.static),
        *(Route(f"/api/{name}", getattr(answers, name)) for name in ("folder", "codes", "code", "measured")),
        *(Route(f"/{name}", getattr(answers, name)) for name in PICTURES),
    ]  # fmt: skip
    handlers = {kind: refused for kind, _ in STATUSES} | {HTTPException: no_such_page}
    app = Starlette(routes=routes, exception_handlers=handlers)  # type: ignore[arg-type]
    app.router.redirect_slashes = False
    return Guard(app, hosts)


class Answers:
    """One method for each route."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue, self.queue = catalogue, WorkQueue(catalogue.config.max_waiting)
        folder = files("sparsine.viewer") / "static"
        self.parts = {part.name: part.read_bytes() for part in folder.iterdir() if _suffix(part.name) in KINDS}

    async def page(self, request: Request) -> Response:
        return self._part("index.html")

    async def static(self, request: Request) -> Response:
        return self._part(request.path_params["name"])

    async def folder(self, request: Request) -> Response:
        return as_json(await self._do(request, Rank.FACTS, lambda: self.catalogue.about()))

    async def codes(self, request: Request) -> Response:
        ask = Parameters(request.query_params)
        search, sort = ask.text("search", "", 200), ask.choice("sort", SORTS)
        level = ask.text("level", "") if "level" in ask.query else None
        first, count = ask.whole("first", 0, 10**9, 0), ask.whole("count", 1, MOST_LISTED, 100)
        return as_json(
            await self._do(request, Rank.FACTS, lambda: self.catalogue.page(search, sort, level, first, count))
        )

    async def code(self, request: Request) -> Response:
        name = Parameters(request.query_params).text("name")
        return as_json(await self._do(request, Rank.FACTS, lambda: self.catalogue.code(name)))

    async def thumbnail(self, request: Request) -> Response:
        edge = Parameters(request.query_params).whole("edge", *THUMBNAIL_EDGES, 192)
        file = await self._file(request)
        tag = f'"{hashlib.sha256(f"{file}{edge}{sorted(self.catalogue.starts.drawers)}".encode()).hexdigest()[:32]}"'
        headers = {"etag": tag, "cache-control": "private, no-cache"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        png = await self._do(request, Rank.THUMBNAIL, lambda: self.catalogue.thumbnail(file, edge))
        return Response(png, media_type="image/png", headers=headers)

    async def draw(self, request: Request) -> Response:
        window = Parameters(request.query_params).window(self.catalogue.config)
        file = await self._file(request)
        return await self._drawn(request, lambda: self.catalogue.draw(file, window))

    async def value(self, request: Request) -> Response:
        y, x = Parameters(request.query_params).fractions("at", 2)
        file = await self._file(request)
        return as_json(await self._do(request, Rank.FACTS, lambda: self.catalogue.value(file, y, x)))

    async def original(self, request: Request) -> Response:
        file = await self._file(request)
        return await self._drawn(request, lambda: self.catalogue.draw_original(file))

    async def error(self, request: Request) -> Response:
        file = await self._file(request)
        return await self._drawn(request, lambda: self.catalogue.draw_error(file))

    async def picture(self, request: Request) -> Response:
        side = Parameters(request.query_params).choice("of", SIDES)
        file = await self._file(request)
        png = await self._do(request, Rank.VIEW, lambda: self.catalogue.picture(file, side))
        return Response(png, media_type="image/png")

    async def media(self, request: Request) -> Response:
        side = Parameters(request.query_params).choice("of", SIDES[:2])
        file = await self._file(request)
        media = await self._do(request, Rank.VIEW, lambda: self.catalogue.media(file, side))
        return Response(media.data, media_type=media.mime) if media else Response(status_code=204)

    async def measured(self, request: Request) -> Response:
        file = await self._file(request)
        return as_json(await self._do(request, Rank.VIEW, lambda: self.catalogue.measured(file)))

    async def _file(self, request: Request) -> CodeFile:
        ask = Parameters(request.query_params)
        name, level = ask.text("name"), ask.text("level") if "level" in ask.query else None
        listed = self.catalogue.listed(name, level)
        if listed is not None:
            return listed
        return await self._do(request, Rank.FACTS, lambda: self.catalogue.file(name, level))

    async def _do(self, request: Request, rank: Rank, work: Callable[[], T]) -> T:
        return await self.queue.run(rank, work, _leaving(request))

    async def _drawn(self, request: Request, begin: Callable[[], Bands]) -> Response:
        """The first band comes before the answer begins: what cannot be drawn is refused, not cut off."""
        bands, first = await self._do(request, Rank.VIEW, lambda: _begun(begin()))
        parts = self._parts(bands, first) if request.method == "GET" else _nothing()
        headers = {"content-length": str(bands.num_bytes)}
        return StreamingResponse(parts, media_type="application/octet-stream", headers=headers)

    async def _parts(self, bands: Bands, first: bytes) -> AsyncIterator[bytes]:
        """Each is drawn when the one before was taken. Whoever leaves has this cancelled by Starlette."""
        yield first
        for work in list(bands)[1:]:
            yield await self.queue.run(Rank.VIEW, work, _staying, admitted=True)

    def _part(self, name: str) -> Response:
        if name not in self.parts:
            raise NotFound("there is no such page")
        return Response(self.parts[name], media_type=KINDS[_suffix(name)], headers={"cache-control": "no-cache"})


async def refused(request: Request, error: Exception) -> Response:
    """A refusal is one line of JSON."""
    status = next(status for kind, status in STATUSES if isinstance(error, kind))
    headers = {"retry-after": "1"} if status == 503 else None
    return as_json({"error": str(error)}, status, headers)


async def no_such_page(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return as_json({"error": "there is no such page"}, error.status_code)


def as_json(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Numbers that are not finite become null, since JSON has none."""
    text = json.dumps(json_value(value), allow_nan=False)
    return Response(text, status, headers, media_type="application/json")


def _leaving(request: Request) -> Callable[[], Awaitable[None]]:
    """Returns when the browser no longer waits for the answer."""

    async def gone() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    return gone


async def _staying() -> None:
    await Event().wait()


def _begun(bands: Bands) -> tuple[Bands, bytes]:
    return bands, next(iter(bands))()


async def _nothing() -> AsyncIterator[bytes]:
    """What a HEAD request gets."""
    return
    yield b""


def _suffix(name: str) -> str:
    return name[name.rfind(".") :] if "." in name else ""
