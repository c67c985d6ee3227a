"""Open HTTP connections: how many there may be, and how slow a client may be.

uvicorn limits only how long a connection may be idle between two requests. A client that sends nothing, sends its
header or body byte by byte, or does not read its answer would keep a connection for ever. Here each wait for a client
has an end. When there are too many connections, the one that has waited longest for its client makes room.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count
from logging import ERROR, getLogger
from typing import Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from didflow_chassis.http.addresses import network_of
from didflow_chassis.http.problems import MEDIA_TYPE, RETRY_AFTER, Problem, document

INTERVAL_S: Final = 1.0
"""How often connections are looked at. All time limits are exact to this."""

LINGER_S: Final = 5.0
"""How long the rest of a body is read after the answer, so that the client can read the answer."""

_QUIET: Final = getLogger(f"{__name__}.client")
_QUIET.setLevel(ERROR)  # malformed requests are no warnings: anybody can send any number of them


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionLimits:
    """What a server allows. Times are in seconds.

    `per_address` is None for a server behind a proxy, whose connections all have the address of the proxy. The header
    of a request must be there `header_s` after its first byte or after the connection was opened. A body must bring at
    least `body_bytes` in each `body_s`. `answer_s` after the buffers are full, the client must have read enough of its
    answer.
    """

    total: int = 500
    per_address: int | None = 100
    header_s: float = 10.0
    body_s: float = 10.0
    body_bytes: int = 10_000
    answer_s: float = 30.0


class Connections:
    """The open connections of one server."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self.limits = limits
        self.now = 0.0
        self.numbers = count(1)
        self._by_network: dict[str, set[Connection]] = defaultdict(set)

    def __len__(self) -> int:
        """Return the number of open connections."""
        return sum(map(len, self._by_network.values()))

    def protocol(self, **arguments: Any) -> "Connection":
        """Return the protocol of a new connection. It has the parameters of uvicorn's own protocols."""
        return Connection(self, **arguments)

    def admit(self, new: "Connection") -> bool:
        """Add a connection if there is room or if another one can make room. Return False if it must be refused."""
        neighbours = self._by_network[new.network]
        limit = self.limits.per_address
        crowd: Iterable[Connection] = ()
        if limit is not None and len(neighbours) >= limit:
            crowd = neighbours
        elif len(self) >= self.limits.total:
            crowd = (one for some in self._by_network.values() for one in some)
        else:
            neighbours.add(new)
            return True
        waits = [(wait, one.number, one) for one in crowd if (wait := one.wait()) is not None]
        if not waits:
            self._forget_if_empty(new.network)
            return False
        min(waits)[2].make_room()
        self._by_network[new.network].add(new)
        return True

    def remove(self, connection: "Connection") -> None:
        """Remove a connection that is closed or about to be."""
        self._by_network[connection.network].discard(connection)
        self._forget_if_empty(connection.network)

    def _forget_if_empty(self, network: str) -> None:
        if not self._by_network[network]:
            del self._by_network[network]

    async def watch(self) -> None:
        """End the waits that are too long, until canceled.

        Time in which the event loop was blocked does not count: the clients may have sent what was not read yet.
        """
        loop = asyncio.get_running_loop()
        last = loop.time()
        while True:
            await asyncio.sleep(INTERVAL_S)
            self.now += min(loop.time() - last, 2 * INTERVAL_S)
            last = loop.time()
            for connection in [one for some in self._by_network.values() for one in some]:
                connection.check()


class Connection(H11Protocol):
    """One connection: uvicorn's protocol with an end of each wait for the client."""

    def __init__(self, connections: Connections, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.logger = _QUIET
        self.network = ""
        self.number = next(connections.numbers)
        self._all = connections
        self._limits = connections.limits
        self._header_since: float | None = None
        self._idle_since: float | None = None
        self._answered_at: float | None = None
        self._unread_since: float | None = None
        self._closing_since: float | None = None
        self._received = 0
        self._measured = (0.0, 0)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start to wait for a header, or refuse the connection."""
        super().connection_made(transport)
        self.network = network_of({"type": "http", "client": self.client, "headers": []}, None)
        self._header_since = self._all.now
        if not self._all.admit(self):
            self._end(Problem("unavailable", "There are too many connections.", headers=RETRY_AFTER))

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._all.remove(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Process what the client sent."""
        if self.transport.is_closing():
            return
        was_reading_body = self.conn.their_state is h11.SEND_BODY
        self._received += len(data)
        self._idle_since = None
        super().data_received(data)
        if self.conn.their_state is h11.IDLE:
            self._header_since = self._all.now if self._header_since is None else self._header_since
        else:
            self._header_since = None
        if self.conn.their_state is not h11.SEND_BODY:
            self._answered_at = None
        elif not was_reading_body:
            self._measured = (self._all.now, self._received)

    def on_response_complete(self) -> None:
        """Wait for the next request, or a short time for the rest of the body."""
        if self.conn.their_state is h11.SEND_BODY:
            self._answered_at = self._all.now
        super().on_response_complete()
        self._idle_since = self._all.now if self.conn.their_state is h11.IDLE else None

    def pause_writing(self) -> None:
        """Start to wait for the client to read."""
        self._unread_since = self._all.now
        super().pause_writing()

    def resume_writing(self) -> None:
        """The client has read."""
        self._unread_since = None
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """Answer a request that is not HTTP."""
        self._end(Problem("request_malformed", msg))

    def wait(self) -> tuple[int, float] | None:
        """Return how readily the connection can make room, least first; None if a request is being processed.

        Those whose client owes a header or the rest of an answered body come first, then idle ones; the oldest first.
        """
        if self._header_since is not None:
            return 0, self._header_since
        if self._answered_at is not None:
            return 0, self._answered_at
        return None if self._idle_since is None else (1, self._idle_since)

    def make_room(self) -> None:
        """Close the connection at once."""
        self._all.remove(self)
        self.transport.abort()

    def check(self) -> None:
        """Close the connection if its client is too slow."""
        now, limits = self._all.now, self._limits
        if self.transport.is_closing():
            self._closing_since = now if self._closing_since is None else self._closing_since
        if _is_over(self._closing_since, LINGER_S, now) or _is_over(self._unread_since, limits.answer_s, now):
            self.transport.abort()
        elif _is_over(self._answered_at, LINGER_S, now):
            self.transport.close()
        elif _is_over(self._header_since, limits.header_s, now):
            self._end(Problem("request_timeout", "The header of the request did not arrive in time."))
        elif self._has_slow_body():
            self._end(Problem("request_timeout", "The body of the request arrives too slowly."))

    def _has_slow_body(self) -> bool:
        """Return True if too little of a body has arrived. Time in which this side does not read does not count."""
        if self.conn.their_state is not h11.SEND_BODY or self._answered_at is not None:
            return False
        now, (since, received) = self._all.now, self._measured
        if self.flow.read_paused or self.cycle.waiting_for_100_continue:
            self._measured = (now, self._received)
        elif now - since >= self._limits.body_s:
            self._measured = (now, self._received)
            return self._received - received < self._limits.body_bytes
        return False

    def _end(self, problem: Problem) -> None:
        """Answer with a problem if no answer has begun, and close the connection."""
        if (
            self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE, h11.ERROR)
            and not self.transport.is_closing()
        ):
            if self.cycle is not None:
                self.cycle.disconnected = True
                self.cycle.message_event.set()
            self.transport.write(_as_bytes(problem))
        self.transport.close()


def _is_over(since: float | None, limit_s: float, now: float) -> bool:
    return since is not None and now - since >= limit_s


def _as_bytes(problem: Problem) -> bytes:
    body = document(problem)
    given = {"Content-Type": MEDIA_TYPE, "Content-Length": str(len(body)), "Connection": "close"}
    lines = [f"{name}: {value}" for name, value in {**given, **(problem.headers or {})}.items()]
    head = "\r\n".join([f"HTTP/1.1 {problem.status_code} {problem.title}", *lines])
    return head.encode() + b"\r\n\r\n" + body
