"""Small ASGI servers inside a process that handles its own signals."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator, Iterator

import uvicorn
from starlette.types import ASGIApp

_LOG = logging.getLogger(__name__)
GRACE_S = 5


class _Server(uvicorn.Server):
    """A server that leaves signals to the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


@contextlib.asynccontextmanager
async def serving(app: ASGIApp, host: str, port: int, what: str) -> AsyncIterator[int]:
    """Serve an application for as long as the block runs; gives the port. Raises OSError where it is taken."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=GRACE_S,
    )
    server = _Server(config)
    socket = config.bind_socket()
    task = asyncio.create_task(server.serve(sockets=[socket]))
    taken: int = socket.getsockname()[1]
    _LOG.info("listening", extra={"what": what, "port": taken})
    try:
        yield taken
    finally:
        server.should_exit = True
        await task
        socket.close()


def stop_signal() -> asyncio.Event:
    """Return an event that SIGTERM and SIGINT set."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    return stopping
