"""How long a connection may say nothing or take nothing, and which one goes when there are too many.

uvicorn knows neither: it waits for ever for the first request of a connection and for somebody to read an answer.
"""

from asyncio import Transport
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

MAX_CONNECTIONS = 100
PATIENCE_SECONDS = 20.0
"""For a whole request, from the beginning of a connection or the end of the last answer; and for an answer of which
nothing is taken."""
LOOK_SECONDS = 0.5


class Connection(H11Protocol):
    """One connection. `moved_at` is when it was last the server's turn, or when something of an answer was last taken:
    bytes of a request that does not end are no movement."""

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.moved_at, self.unsent = self.loop.time(), 0
        if len(self.connections) > MAX_CONNECTIONS:
            self._make_room()
        self._look()

    def send_400_response(self, msg: str) -> None:
        # what came behind a request that is being answered was nonsense: nothing more of the answer must be written
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        try:
            super().send_400_response(msg)
        except h11.LocalProtocolError:  # the answer had begun
            self.transport.abort()

    def on_response_complete(self) -> None:
        self.moved_at = self.loop.time()
        super().on_response_complete()

    @property
    def waits_for_us(self) -> bool:
        """A request is here, and what there is of the answer was taken."""
        return self.cycle is not None and not self.cycle.response_complete and not self.flow.write_paused

    def _look(self) -> None:
        if self.transport.is_closing():
            return
        now, unsent = self.loop.time(), self.transport.get_write_buffer_size()
        if self.waits_for_us or unsent != self.unsent:
            self.moved_at, self.unsent = now, unsent
        if now - self.moved_at > PATIENCE_SECONDS:
            self.transport.abort()
        else:
            self.loop.call_later(LOOK_SECONDS, self._look)

    def _make_room(self) -> None:
        """End the connection that has not moved for the longest. Where all wait for us, uvicorn tells the new one that
        there are too many."""
        others: Any = self.connections - {self}  # type: ignore[operator]
        idle = [other for other in others if not other.waits_for_us and not other.transport.is_closing()]
        if idle:
            min(idle, key=lambda other: other.moved_at).transport.abort()
