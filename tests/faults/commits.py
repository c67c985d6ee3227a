"""A proxy before PostgreSQL that cuts a connection at its COMMIT: before the server gets it, or before it can answer.

In both cases the client does not learn the result of its transaction. Each `arm` cuts one COMMIT.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import urlsplit, urlunsplit

from harness.fault_journal import JOURNAL

Cut = Literal["applied", "dropped"]
"""What becomes of the transaction: it was committed, or it never was."""

CUTS: Final[tuple[Cut, ...]] = ("applied", "dropped")
_COMMIT: Final = b"COMMIT;\x00"
_CHUNK: Final = 64 * 1024


def _nothing() -> None:
    return


@dataclass(kw_only=True)
class CommitCutter:
    """A proxy before one database. `strike` is called immediately before the cut."""

    dsn: str
    cut: Cut = "dropped"
    struck: asyncio.Event = field(default_factory=asyncio.Event)
    strike: Callable[[], None] = _nothing
    _armed: bool = False
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def arm(self, cut: Cut, strike: Callable[[], None] = _nothing) -> None:
        """Cut the next COMMIT."""
        self.cut, self.strike, self._armed = cut, strike, True
        self.struck.clear()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        server = urlsplit(self.dsn)
        back, forth = await asyncio.open_connection(server.hostname, server.port)
        answers = asyncio.create_task(_pump(back, writer))
        with suppress(OSError, asyncio.CancelledError):
            while data := await reader.read(_CHUNK):
                if self._armed and _COMMIT in data:
                    self._armed = False
                    await self._cut(data, back, forth, answers)
                    break
                forth.write(data)
                await forth.drain()
        answers.cancel()
        for end in (writer, forth):
            end.transport.abort()

    async def _cut(
        self,
        data: bytes,
        back: asyncio.StreamReader,
        forth: asyncio.StreamWriter,
        answers: asyncio.Task[None],
    ) -> None:
        answers.cancel()
        await asyncio.wait({answers})
        self.strike()
        if self.cut == "applied":
            forth.write(data)
            await forth.drain()
            await back.read(_CHUNK)
        JOURNAL.once(f"COMMIT cut, {self.cut}")
        self.struck.set()

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
    made = CommitCutter(dsn=dsn)
    server = await asyncio.start_server(made.accept, "127.0.0.1", 0)
    parts = urlsplit(dsn)
    before = f"{parts.username}:{parts.password}@127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield made, urlunsplit(parts._replace(netloc=before))
    finally:
        server.close()
        made.end()
