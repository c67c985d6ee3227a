"""A client of the stream of changes, over a real connection."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import httpx

from didflow_chassis.servers import listen, serving

SOON_S = 10.0
"""How long a test waits for something that happens at once."""


class Event(NamedTuple):
    """One block of a stream. `event` is None for a block that has only an id, or a comment."""

    id: str
    event: str | None = None
    data: Any = None
    comment: str | None = None


class Stream:
    """An open stream. `first` is its first block; `last_id` is what a client would resume with."""

    def __init__(self, response: httpx.Response) -> None:
        self.first = Event("")
        self.last_id = ""
        self._lines = response.aiter_lines()

    async def block(self) -> Event | None:
        """Return the next block, or None at the end of the stream."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(SOON_S):
            async for line in self._lines:
                if line == "":
                    break
                name, _, value = line.partition(": ")
                fields[name] = value
        if not fields:
            return None
        self.last_id = fields["id"]
        data = json.loads(fields["data"]) if "data" in fields else None
        return Event(fields["id"], fields.get("event"), data, fields.get(""))

    async def event(self) -> Event:
        """Return the next event. Blocks without one are passed over."""
        while (found := await self.block()) is not None:
            if found.event is not None:
                return found
        raise AssertionError("the stream has ended")

    async def events(self, count: int) -> list[Event]:
        """Return the next events."""
        return [await self.event() for _ in range(count)]

    async def rest(self) -> list[Event]:
        """Return the events up to the end of the stream."""
        found = []
        while (block := await self.block()) is not None:
            if block.event is not None:
                found.append(block)
        return found


class Api:
    """The API of inventory on a real port."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/v1/dids/changes"

    @asynccontextmanager
    async def stream(
        self, by: str = "reseller:master/acme", last_id: str = "", subject: str = "ann"
    ) -> AsyncIterator[Stream]:
        """Open a stream and read its first block. A caller is written as `role:account`."""
        async with self.request(by, last_id, subject) as response:
            assert response.status_code == 200, await response.aread()
            opened = Stream(response)
            first = await opened.block()
            assert first is not None
            opened.first = first
            yield opened

    @asynccontextmanager
    async def request(
        self, by: str = "reseller:master/acme", last_id: str = "", subject: str = "ann"
    ) -> AsyncIterator[httpx.Response]:
        """Send the request of a stream."""
        role, _, account = by.partition(":")
        headers = {"Authorization": f"Bearer {subject}:{account}:{role}"}
        if last_id:
            headers["Last-Event-ID"] = last_id
        async with (
            httpx.AsyncClient(timeout=SOON_S) as client,
            client.stream("GET", self.url, headers=headers) as response,
        ):
            yield response


@asynccontextmanager
async def api_of(application: Any) -> AsyncIterator[Api]:
    """Serve an application on a free port for the duration of the block."""
    async with serving(application, listen("127.0.0.1", 0), "api") as port:
        yield Api(port)
