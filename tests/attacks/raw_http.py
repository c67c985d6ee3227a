"""HTTP by hand over plain connections: requests that never end, connections that say nothing, and floods."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

STATUS: Final = re.compile(rb"HTTP/1\.1 (\d{3}) ")


@dataclass(kw_only=True)
class Connection:
    """One connection. `statuses` counts the answers by status."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    statuses: Counter[int] = field(default_factory=Counter)

    @classmethod
    async def open(cls, base: str) -> "Connection":
        """Connect to the address of a base URL."""
        parts = urlsplit(base)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        return cls(reader=reader, writer=writer)

    async def read(self) -> None:
        """Count answers until the server closes the connection."""
        rest = b""
        while True:
            try:
                found = await self.reader.read(65_536)
            except ConnectionError:
                return
            if not found:
                return
            for status in STATUS.findall(rest + found):
                self.statuses[int(status)] += 1
            rest = found[-12:] if STATUS.search(found[-12:]) is None else b""

    def close(self) -> None:
        """Close the connection."""
        self.writer.close()


def get(path: str, token: str) -> bytes:
    """Return the bytes of a GET request."""
    return f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode()


async def flood(base: str, requests: Sequence[bytes], *, per_second: int, seconds: float) -> Counter[int]:
    """Send requests at a rate over ten connections, in turn, whatever the answers are. Return the count by status."""
    connections = [await Connection.open(base) for _ in range(10)]
    reading = [asyncio.create_task(connection.read()) for connection in connections]
    began = time.perf_counter()
    total = int(per_second * seconds)
    for n in range(total):
        connections[n % len(connections)].writer.write(requests[n % len(requests)])
        await asyncio.sleep(max(0.0, began + n / per_second - time.perf_counter()))
    statuses: Counter[int] = Counter()
    for _ in range(100):
        statuses = sum((connection.statuses for connection in connections), Counter[int]())
        if statuses.total() >= total:
            break
        await asyncio.sleep(0.1)
    for connection, task in zip(connections, reading, strict=True):
        connection.close()
        task.cancel()
    await asyncio.gather(*reading, return_exceptions=True)
    return statuses
