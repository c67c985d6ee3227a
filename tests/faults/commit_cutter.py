"""A proxy before PostgreSQL that cuts a connection at its COMMIT: before the server receives it, or before it answers.

In both cases the client does not learn the result of its transaction. Each call of `arm` cuts one COMMIT.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import urlsplit, urlunsplit

from harness.fault_journal import JOURNAL

Cut = Literal["applied", "dropped"]
"""The result of the transaction: `applied` if the server commits it, `dropped` if it does not."""

CUTS: Final[tuple[Cut, ...]] = ("applied", "dropped")
_COMMIT: Final = b"COMMIT;\x00"
_CHUNK: Final = 64 * 1024


def _nothing() -> None:
    return


@dataclass(kw_only=True)
class CommitCutter:
    """A proxy before one database. It calls `before_cut` immediately before it cuts a connection."""

    dsn: str
    cut: Cut = "dropped"
    happened: asyncio.Event = field(default_factory=asyncio.Event)
    before_cut: Callable[[], None] = _nothing
    _armed: bool = False
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def arm(self, cut: Cut, before_cut: Callable[[], None] = _nothing) -> None:
        """Cut the next COMMIT."""
        self.cut, self.before_cut, self._armed = cut, before_cut, True
        self.happened.clear()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        server = urlsplit(self.dsn)
        from_server, to_server = await asyncio.open_connection(server.hostname, server.port)
        forwarding = asyncio.create_task(_pump(from_server, writer))
        with suppress(OSError, asyncio.CancelledError):
            while data := await reader.read(_CHUNK):
                if self._armed and _COMMIT in data:
                    self._armed = False
                    await self._cut(data, from_server, to_server, forwarding)
                    break
                to_server.write(data)
                await to_server.drain()
        forwarding.cancel()
        for end in (writer, to_server):
            end.transport.abort()

    async def _cut(
        self,
        data: bytes,
        from_server: asyncio.StreamReader,
        to_server: asyncio.StreamWriter,
        forwarding: asyncio.Task[None],
    ) -> None:
        forwarding.cancel()
        await asyncio.wait({forwarding})
        self.before_cut()
        if self.cut == "applied":
            to_server.write(data)
            await to_server.drain()
            await from_server.read(_CHUNK)
        JOURNAL.once(f"COMMIT cut, {self.cut}")
        self.happened.set()

    def end(self) -> None:
        """Close all remaining connections."""
        for task in self._tasks:
            task.cancel()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await source.read(_CHUNK):
            sink.write(data)
            await sink.drain()
        sink.close()


@asynccontextmanager
async def commit_cutter(dsn: str) -> AsyncIterator[tuple[CommitCutter, str]]:
    """Run a proxy before a database. Return it with the DSN that leads through it."""
    cutter = CommitCutter(dsn=dsn)
    server = await asyncio.start_server(cutter.accept, "127.0.0.1", 0)
    parts = urlsplit(dsn)
    address = f"{parts.username}:{parts.password}@127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield cutter, urlunsplit(parts._replace(netloc=address))
    finally:
        server.close()
        cutter.end()
