"""A socket of this machine alone, and uvicorn on it."""

import logging
import socket
from typing import Any

import uvicorn

from sparsine.errors import BadInput
from sparsine.viewer.app import make_app
from sparsine.viewer.catalogue import Catalogue
from sparsine.viewer.connections import MAX_CONNECTIONS, PATIENCE_SECONDS, Connection

ADDRESS = "127.0.0.1"
USUAL_PORT = 8765
SEND_BUFFER_BYTES = 1 << 16
"""What the system keeps of an answer that is not taken: little, so that a slow reader is soon seen to take some."""


class OneLine(logging.Formatter):
    """Faults of the libraries below, as ours are told: in one line."""

    def format(self, record: logging.LogRecord) -> str:
        fault = record.exc_info[1] if record.exc_info else None
        told = f" ({type(fault).__name__}: {fault})" if fault else ""
        return " ".join(f"error: the viewer's server: {record.getMessage()}{told}".split())


LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"one line": {"()": OneLine}},
    "handlers": {"terminal": {"class": "logging.StreamHandler", "level": "ERROR", "formatter": "one line"}},
    "loggers": {name: {"handlers": ["terminal"], "propagate": False} for name in ("uvicorn", "asyncio")},
}
"""Warnings say what a client did wrong, which it is told itself."""


def bind(port: int | None) -> socket.socket:
    """A socket that only this machine reaches, on `port`; without one, on the usual port or else on any free one.

    Raises:
        BadInput: the port is taken, or may not be used.
    """
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
    for wanted in (USUAL_PORT, 0) if port is None else (port,):
        try:
            listening.bind((ADDRESS, wanted))
            listening.listen(128)  # from now on a browser may come, and waits
            return listening
        except OSError as error:
            reason = error.strerror or str(error)
    listening.close()
    raise BadInput(f"port {port} cannot be used ({reason}); give another --port, or none")


def hosts_of(listening: socket.socket) -> list[str]:
    """The names that this socket is reached by on this machine, and at the other end of a tunnel."""
    return [listening.getsockname()[0], "localhost", "[::1]"]


def make_server(catalogue: Catalogue, listening: socket.socket) -> uvicorn.Server:
    """What answers for a folder once it is run on the socket."""
    config = uvicorn.Config(
        make_app(catalogue, hosts_of(listening)), http=Connection, ws="none", lifespan="off", log_config=LOGGING,
        access_log=False, server_header=False, proxy_headers=False, limit_concurrency=MAX_CONNECTIONS + 1,
        h11_max_incomplete_event_size=16_384, timeout_keep_alive=int(PATIENCE_SECONDS), timeout_graceful_shutdown=1,
    )  # fmt: skip
    return uvicorn.Server(config)


def serve(catalogue: Catalogue, listening: socket.socket) -> None:
    """Answer until interrupted."""
    make_server(catalogue, listening).run(sockets=[listening])
