"""Streams of server-sent events: a list in commit order is sent to each client as it grows.

A stream reads from the table what its client has missed, then it gets new rows from the reader of the process
(`follower`). It ends when the token expires, when the server stops, or when the client goes away.

The format of the events is FastAPI's. Its comments are not used: they come only while nothing is sent, and have no id.
Source: spec http, `GET /v1/dids/changes`; the chapter on server-sent events of the HTML standard.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, Final, Generic, NamedTuple, TypeVar

from fastapi.sse import format_sse_event
from pydantic import GetJsonSchemaHandler
from pydantic_core import CoreSchema
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from didflow_chassis.commit_order import Place
from didflow_chassis.database import Outage
from didflow_chassis.decision import Caller
from didflow_chassis.http.event_ids import KEPT_FOR, EventId, parse_id
from didflow_chassis.http.follower import End, Follower, Queue, Row
from didflow_chassis.http.streams import Streams
from didflow_chassis.servers import STOPPING, Stopping

MEDIA_TYPE: Final = "text/event-stream"

COMMENT_S: Final = 15.0
"""How often a comment is sent. It has the present id, so that the client of a quiet account keeps up too."""

RESET: Final = "reset"
"""The event that tells a client to read the list anew, because it may have missed something."""

_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)
_LOG: Final = logging.getLogger(__name__)

R = TypeVar("R")


class AsText:
    """Describes a field of an event in the OpenAPI document as a text that is JSON."""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Return the schema of the text."""
        return {"type": "string", "contentMediaType": "application/json", "contentSchema": handler(schema)}


class Sent(NamedTuple):
    """An event as a client gets it: its name, and its data as JSON."""

    event: str
    data: str


class View(Generic[R]):
    """How one client sees a list. A service has its own subclass."""

    PAGE: ClassVar[int] = 500
    """How many rows `page` reads at most."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.changed = asyncio.Event()
        """Set it after a change of `version`."""

    @property
    def version(self) -> str:
        """A short hash, or nothing. When it changes, the client is told to read anew."""
        return ""

    def event(self, row: R) -> Sent | None:
        """Return what the client gets for a row; None if it gets nothing."""
        raise NotImplementedError

    def concerns(self, row: R) -> bool:
        """Return whether `event` returns an event. It is called for each row of the caller's accounts."""
        raise NotImplementedError

    async def page(self, after: Place, until: Place) -> Sequence[Row[R]]:
        """Read the next rows that may concern the client, at most `PAGE`. Raises Outage."""
        raise NotImplementedError


class EventStream(Generic[R]):
    """One stream. Open it before its response begins, and close it behind the response."""

    def __init__(
        self, streams: Streams, follower: Follower[R], view: View[R], *, seconds_left: float
    ) -> None:
        self._slots = streams.slots
        self._follower = follower
        self._view = view
        self._ends_at = time.monotonic() + seconds_left
        self._comment_at = time.monotonic() + COMMENT_S
        self._slot: int | None = None
        self._is_following = False
        self._queue: Queue[R] | None = None
        self._version = view.version
        self._last = EventId(Place(0, 0), _LONG_AGO, self._version)
        self._must_reset = False
        self._is_stopping = False

    async def open(self, last_id: str) -> None:
        """Take a slot and find where to begin: behind the last id that the client has, if it has one.

        Raises Problem `too_many_streams`, `unavailable`; Outage.
        """
        try:
            self._slot = await self._slots.take(self._view.caller)
            await self._follower.open()
            self._is_following = True
            end = self._id_of(await self._follower.present_end() if last_id else self._follower.end)
            last = parse_id(last_id) if last_id else end
            self._must_reset = last is None or not last.can_resume(end)
            self._last = end if last is None or self._must_reset else last
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Free what the stream has."""
        self._leave()
        if self._is_following:
            self._is_following = False
            self._follower.close()
        if self._slot is not None:
            self._slots.free(self._slot)
            self._slot = None

    def stop(self) -> None:
        """End the stream soon, because the server stops."""
        self._is_stopping = True
        self._view.changed.set()

    async def blocks(self) -> AsyncIterator[bytes]:
        """Yield the stream. It begins with the id that a client resumes with if nothing happens."""
        try:
            yield self._reset() if self._must_reset else format_sse_event(id=str(self._last))
            while not self._is_over:
                async for block in self._missed():
                    yield block
                async for block in self._live():
                    yield block
        except Outage as outage:
            _LOG.warning("A stream ends because of an outage", extra={"error": str(outage)})

    @property
    def _is_over(self) -> bool:
        return self._is_stopping or time.monotonic() >= self._ends_at

    async def _missed(self) -> AsyncIterator[bytes]:
        """Yield what the table has, up to where the reader is."""
        while not self._is_over and self._last.place < self._follower.end.place:
            end = self._follower.end
            rows = await self._view.page(self._last.place, end.place)
            for row in rows:
                for block in self._of(row):
                    yield block
                if self._is_over:
                    return
            if len(rows) < self._view.PAGE:
                self._last = self._id_of(end)
            self._must_reset = self._follower.end.at - self._last.at > KEPT_FOR
            for block in self._notices():
                yield block

    async def _live(self) -> AsyncIterator[bytes]:
        """Yield what the reader passes on, until the stream is over or its client was too slow."""
        self._queue = queue = Queue(self._view.caller, self._view.concerns, self._view.changed)
        self._follower.add(queue)
        try:
            while not self._is_over:
                self._view.changed.clear()
                for row in queue.taken():
                    for block in self._of(row):
                        yield block
                    if self._is_over:
                        return
                if queue.is_given_up:
                    return
                self._last = max(self._last, self._id_of(self._follower.end))
                for block in self._notices():
                    yield block
                await self._wait()
        finally:
            self._leave()

    async def _wait(self) -> None:
        """Wait until there is something to do."""
        left = min(self._comment_at, self._ends_at) - time.monotonic()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, left)):
                await self._view.changed.wait()

    def _of(self, row: Row[R]) -> Iterator[bytes]:
        """Yield the event of a row, unless the client has it."""
        if row.place <= self._last.place:
            return
        self._last = EventId(row.place, row.at, self._version)
        sent = self._view.event(row.value)
        if sent is not None:
            yield format_sse_event(event=sent.event, data_str=sent.data, id=str(self._last))

    def _notices(self) -> Iterator[bytes]:
        """Yield a reset if the client has to read anew, and the comment that is due."""
        if self._must_reset or self._view.version != self._version:
            yield self._reset()
        now = time.monotonic()
        if now >= self._comment_at:
            self._comment_at = now + COMMENT_S
            yield format_sse_event(comment="keep-alive", id=str(self._last))

    def _reset(self) -> bytes:
        self._must_reset, self._version = False, self._view.version
        place, at, _ = max(self._last, self._id_of(self._follower.end))
        self._last = EventId(place, at, self._version)
        return format_sse_event(event=RESET, data_str="{}", id=str(self._last))

    def _id_of(self, end: End) -> EventId:
        return EventId(end.place, end.at, self._version)

    def _leave(self) -> None:
        """Let the reader pass nothing more on."""
        if self._queue is not None:
            self._follower.remove(self._queue)
            self._queue = None


class EventStreamResponse(StreamingResponse):
    """The response that sends a stream, and closes it at the end, however it ends.

    It is also the `response_class` of a route. FastAPI's own class is for routes that yield events themselves.
    """

    media_type = MEDIA_TYPE

    def __init__(self, stream: EventStream[Any]) -> None:
        super().__init__(stream.blocks(), headers={"X-Accel-Buffering": "no"})
        self._stream = stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream until it or the connection ends. Nothing buffers it."""
        stopping: Stopping = scope.get(STOPPING) or Stopping()
        stopping.add(self._stream.stop)
        try:
            await super().__call__(scope, receive, send)
        finally:
            stopping.remove(self._stream.stop)
            self._stream.close()
