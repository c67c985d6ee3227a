"""A TCP proxy that the test controls: it forwards, delays, withholds or cuts.

Withheld bytes are not lost. After `heal` they arrive late, even if the sender has closed its connection.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

from harness.fault_journal import JOURNAL

_CHUNK: Final = 64 * 1024


@dataclass(kw_only=True)
class Proxy:
    """A proxy before one server. Clients connect to `port`. It waits `delay_s` before it forwards."""

    host: str
    target: int
    port: int = 0
    delay_s: float = 0.0
    withheld: bytearray = field(default_factory=bytearray)
    _open: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def withhold(self) -> None:
        """Become a half-open connection: accept everything, forward nothing, close nothing."""
        self._open.clear()
        JOURNAL.begin("half-open network", f"port {self.target}")

    def heal(self) -> None:
        """Forward again, the withheld bytes first."""
        self._open.set()
        JOURNAL.lift(f"port {self.target}")

    def cut(self) -> None:
        """Close every connection. New ones are accepted."""
        JOURNAL.once("connections cut", f"port {self.target}")
        self.end()

    def end(self) -> None:
        """Close all remaining connections."""
        for task in self._tasks:
            task.cancel()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until both of its ends have closed, or it is cut."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            from_target, to_target_writer = await asyncio.open_connection(self.host, self.target)
        except OSError:
            writer.close()
            return
        with suppress(asyncio.CancelledError):
            await asyncio.gather(
                self._pump(reader, to_target_writer, to_target=True),
                self._pump(from_target, writer, to_target=False),
            )
        for end in (writer, to_target_writer):
            end.close()

    async def _pump(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, to_target: bool
    ) -> None:
        with suppress(OSError):
            while data := await source.read(_CHUNK):
                if to_target and not self._open.is_set():
                    self.withheld += data
                await self._open.wait()
                await asyncio.sleep(self.delay_s)
                sink.write(data)
                await sink.drain()
        await self._open.wait()
        with suppress(OSError):
            sink.write_eof()


@asynccontextmanager
async def proxy(target: int, host: str = "127.0.0.1") -> AsyncIterator[Proxy]:
    """Run a healthy proxy to a host and port for the duration of the block."""
    created = Proxy(host=host, target=target)
    created.heal()
    server = await asyncio.start_server(created.accept, "127.0.0.1", 0)
    created.port = server.sockets[0].getsockname()[1]
    try:
        yield created
    finally:
        created.heal()
        server.close()
        created.end()
