"""HTTP servers inside a process that handles its own signals."""

import asyncio
import contextlib
import logging
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from didflow_chassis.connections import ConnectionLimits, Connections

_LOG = logging.getLogger(__name__)
BACKLOG = 2_048
GRACE_S = 5
UNANSWERED_S = 30
"""After how long without an acknowledgement of what was sent a connection ends: its client is gone. On Linux only."""

KEEP_ALIVE_S = 75
"""How long a connection may be idle: longer than in the usual proxies, so that the proxy closes first."""


STOPPING = "didflow.stopping"
"""Where the scope of a request has the `Stopping` of its server."""


class Stopping:
    """What is called when a server stops, before it waits for the answers under way: it ends those without an end."""

    def __init__(self) -> None:
        self._ends: set[Callable[[], None]] = set()
        self._is_stopping = False

    def add(self, end: Callable[[], None]) -> None:
        """Call `end` when the server stops; at once if it is stopping already."""
        self._ends.add(end)
        if self._is_stopping:
            end()

    def remove(self, end: Callable[[], None]) -> None:
        """Call `end` no more."""
        self._ends.discard(end)

    def stop(self) -> None:
        """Call all ends."""
        self._is_stopping = True
        for end in tuple(self._ends):
            end()


class _Server(uvicorn.Server):
    """A server that leaves signals to the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture no signal."""
        yield


def listen(host: str, port: int) -> socket.socket:
    """Listen on an address. Port 0 takes a free port. Raises OSError if the port is in use.

    Accepted connections inherit the options. A client whose network is gone would keep a stream of events open for a
    quarter of an hour: nothing is received from it, and what is sent gets no acknowledgement (TCP_USER_TIMEOUT).
    Without TCP_NODELAY, each response on a kept-alive connection would wait 40 ms for the client's delayed
    acknowledgement.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if sys.platform == "linux":
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNANSWERED_S * 1_000)
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except BaseException:
        listening.close()
        raise
    return listening


@contextlib.asynccontextmanager
async def serving(
    app: ASGIApp,
    listening: socket.socket,
    name: str,
    limits: ConnectionLimits = ConnectionLimits(),  # noqa: B008 - frozen
) -> AsyncIterator[int]:
    """Serve an application for the duration of the block, and yield its port. Closes the socket.

    The address of a client is that of its connection. What proxies write into headers is not read here.
    """
    connections = Connections(limits)
    protocol: Any = connections.protocol
    stopping = Stopping()

    async def stoppable(scope: Scope, receive: Receive, send: Send) -> None:
        scope[STOPPING] = stopping
        await app(scope, receive, send)

    config = uvicorn.Config(
        stoppable,
        http=protocol,
        ws="none",
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        log_config=None,
        access_log=False,
        lifespan="off",
        backlog=BACKLOG,
        timeout_graceful_shutdown=GRACE_S,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listening]))
    watching = asyncio.create_task(connections.watch())
    port: int = listening.getsockname()[1]
    _LOG.info("The server is listening", extra={"server": name, "port": port})
    try:
        yield port
    finally:
        stopping.stop()
        server.should_exit = True
        await task
        watching.cancel()
        listening.close()


def stop_signal() -> asyncio.Event:
    """Return an event that SIGTERM and SIGINT set."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    return stopping
