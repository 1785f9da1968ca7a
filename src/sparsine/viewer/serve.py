"""A socket of this machine alone, and uvicorn on it."""

import socket

import uvicorn

from sparsine.errors import BadInput
from sparsine.viewer.app import make_app
from sparsine.viewer.shelf import Shelf

ADDRESS = "127.0.0.1"
USUAL_PORT = 8765
MAX_CONNECTIONS = 100


def bind(port: int | None) -> socket.socket:
    """A socket that only this machine reaches, on `port`; without one, on the usual port or else on any free one.

    Raises:
        BadInput: the port is taken, or may not be used.
    """
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
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
    """What the Host header of a request to this socket may be."""
    port = listening.getsockname()[1]
    names = [ADDRESS, "localhost"]
    return [f"{name}:{port}" for name in names] + (names if port == 80 else [])


def serve(shelf: Shelf, listening: socket.socket) -> None:
    """Answer until interrupted."""
    config = uvicorn.Config(
        make_app(shelf, hosts_of(listening)), http="h11", ws="none", lifespan="off", log_level="warning",
        access_log=False, server_header=False, proxy_headers=False, limit_concurrency=MAX_CONNECTIONS,
        h11_max_incomplete_event_size=16_384, timeout_keep_alive=30, timeout_graceful_shutdown=1,
    )  # fmt: skip
    uvicorn.Server(config).run(sockets=[listening])
