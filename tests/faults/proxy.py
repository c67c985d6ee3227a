"""A TCP proxy that misbehaves on command: it passes on, waits before it does, swallows, or cuts.

What it swallowed is not lost: healing lets it land late, even when who sent it is long gone.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

from harness.broken import JOURNAL

_CHUNK: Final = 64 * 1024


@dataclass(kw_only=True)
class Proxy:
    """Stands before one server. `port` is where clients connect; `delay_s` is waited before each piece."""

    host: str
    target: int
    port: int = 0
    delay_s: float = 0.0
    swallowed: bytearray = field(default_factory=bytearray)
    _open: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def swallow(self) -> None:
        """Be a half-open connection from now on: take everything, pass nothing on, close nothing."""
        self._open.clear()
        JOURNAL.begin("half-open network", f"port {self.target}")

    def heal(self) -> None:
        """Pass on again, first of all what was swallowed."""
        self._open.set()
        JOURNAL.lift(f"port {self.target}")

    def cut(self) -> None:
        """Break every connection; new ones are taken."""
        JOURNAL.once("connections cut", f"port {self.target}")
        self.end()

    def end(self) -> None:
        """Break what is left of all connections."""
        for task in self._tasks:
            task.cancel()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until both of its ends have closed, or it is cut."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            back, forth = await asyncio.open_connection(self.host, self.target)
        except OSError:
            writer.close()
            return
        with suppress(asyncio.CancelledError):
            await asyncio.gather(self._pump(reader, forth, told=True), self._pump(back, writer, told=False))
        for end in (writer, forth):
            end.close()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, told: bool) -> None:
        with suppress(OSError):
            while data := await source.read(_CHUNK):
                if told and not self._open.is_set():
                    self.swallowed += data
                await self._open.wait()
                await asyncio.sleep(self.delay_s)
                sink.write(data)
                await sink.drain()
        await self._open.wait()
        with suppress(OSError):
            sink.write_eof()


@asynccontextmanager
async def proxy(target: int, host: str = "127.0.0.1") -> AsyncIterator[Proxy]:
    """Run a healthy proxy to a port of a host for as long as the block lasts."""
    made = Proxy(host=host, target=target)
    made.heal()
    server = await asyncio.start_server(made.accept, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        made.heal()
        server.close()
        made.end()
