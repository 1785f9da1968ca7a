"""Which requests are answered at all, and what every answer says.

A page on another site can make this browser send requests to 127.0.0.1. It cannot read answers to them, unless its own
name is made to point here (DNS rebinding); then the Host header still carries that name. So: only hosts that are this
server, only this origin, nothing that the browser says comes from another site, and only GET and HEAD. A host
is this server by its name alone, whatever the port: a tunnel has a port of its own, and no page elsewhere can be called
localhost.
"""

import re
import sys
from collections.abc import Iterable

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_TARGET_LENGTH = 4096
"""Bytes of path and query."""
HOST = re.compile(rb"(\[[^\]]*\]|[^:]*)(?::[0-9]{1,5})?")
"""A name, and perhaps a port."""
SAME_SITE = (b"same-origin", b"none")
HEADERS = {
    b"content-security-policy": b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    b"media-src blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    b"sandbox allow-scripts allow-same-origin allow-downloads",  # no windows, no forms
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"permissions-policy": b"camera=(), microphone=(), geolocation=()",
    b"cache-control": b"no-store",
}


class Guard:
    """Wraps an app; answers refusals itself, and turns what the app did not foresee into one line."""

    def __init__(self, app: ASGIApp, hosts: Iterable[str]) -> None:
        """`hosts`: what a Host header may say, without the port, such as "127.0.0.1"."""
        self.app = app
        self.hosts = {host.encode() for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        begun = False

        async def send_guarded(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                message = {**message, "headers": _with_defaults(message["headers"])}
            await send(message)

        refusal = self._refusal(scope)
        if refusal:
            status, reason = refusal
            await _answer(status, reason, scope, receive, send_guarded)
            return
        try:
            await self.app(scope, receive, send_guarded)
        except Exception as error:  # ours: one line for the terminal, nothing about the inside for the client
            print(f"error: {scope['path']}: {type(error).__name__}: {error}".splitlines()[0], file=sys.stderr)
            if not begun:
                reason = "the viewer failed at this; its terminal says more"
                await _answer(500, reason, scope, receive, send_guarded)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        if scope["method"] not in ("GET", "HEAD"):
            return 405, "this page only answers GET and HEAD"
        if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > MAX_TARGET_LENGTH:
            return 414, "the address is too long"
        hosts = _all(headers, b"host")
        if len(hosts) != 1 or not self._is_ours(hosts[0]):
            return 403, "this is not the address of this page; use the one that the terminal shows, or one of localhost"
        if any(origin.lower() != b"http://" + hosts[0].lower() for origin in _all(headers, b"origin")):
            return 403, "another site may not ask here"
        if any(site not in SAME_SITE for site in _all(headers, b"sec-fetch-site")) and not _is_visit(scope):
            return 403, "another site may not ask here"
        if _all(headers, b"transfer-encoding") or any(n != b"0" for n in _all(headers, b"content-length")):
            return 413, "a request has no body"
        return None

    def _is_ours(self, host: bytes) -> bool:
        found = HOST.fullmatch(host.lower())
        return found is not None and found[1] in self.hosts


def _is_visit(scope: Scope) -> bool:
    """Somebody followed a link to the page itself."""
    headers = scope["headers"]
    asked = _all(headers, b"sec-fetch-mode"), _all(headers, b"sec-fetch-dest")
    return scope["path"] == "/" and asked == ([b"navigate"], [b"document"])


async def _answer(status: int, reason: str, scope: Scope, receive: Receive, send: Send) -> None:
    headers = {"allow": "GET, HEAD"} if status == 405 else None
    await JSONResponse({"error": reason}, status, headers=headers)(scope, receive, send)


def _all(headers: list[tuple[bytes, bytes]], name: bytes) -> list[bytes]:
    return [value for key, value in headers if key.lower() == name]


def _with_defaults(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    given = list(headers)
    names = {key.lower() for key, _ in given}
    return given + [(key, value) for key, value in HEADERS.items() if key not in names]
