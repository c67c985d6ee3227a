"""One reader for all streams of a process: it follows a list in commit order and passes each row to whom it concerns.

The number of reads does not grow with the number of streams. The queue of a stream is bounded. If its client reads too
slowly, the queue is given up, and the stream reads the missed rows from the table.
"""

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final, Generic, NamedTuple, TypeVar

from didflow_chassis.commit_order import Place
from didflow_chassis.database import Outage
from didflow_chassis.decision import OPERATOR, Caller

POLL_S: Final = 0.5
"""How long the reader waits after it has read everything."""

MAX_WAITING: Final = 1_000
"""How many rows wait for one client. One more, and its queue is given up."""

ROWS_AT_ONCE: Final = 20
"""After how many rows other requests of the process have their turn."""

_LOG: Final = logging.getLogger(__name__)

R = TypeVar("R")


class Row(NamedTuple, Generic[R]):
    """A row with its place, and the service's time at which it was written."""

    place: Place
    at: datetime
    value: R


class End(NamedTuple):
    """The place up to which all rows were read, and the service's time then."""

    place: Place
    at: datetime


class Rows(NamedTuple, Generic[R]):
    """The rows that one statement has read, in order. `is_all` is False if there may be more already."""

    rows: Sequence[Row[R]]
    end: End
    is_all: bool


class Queue(Generic[R]):
    """The rows that wait for one client. `is_given_up` is True after there were too many of them.

    `concerns(row)` returns whether the client gets a row. `changed` is set when there is something to do.
    """

    def __init__(self, caller: Caller, concerns: Callable[[R], bool], changed: asyncio.Event) -> None:
        self.account = None if caller.role == OPERATOR else caller.account
        self.is_given_up = False
        self._concerns = concerns
        self._changed = changed
        self._rows: deque[Row[R]] = deque()

    def put(self, row: Row[R]) -> None:
        """Add a row if it concerns the client."""
        if self.is_given_up or not self._concerns(row.value):
            return
        self._rows.append(row)
        if len(self._rows) > MAX_WAITING:
            self.give_up()
        self._changed.set()

    def give_up(self) -> None:
        """Forget the rows. The stream reads them from the table."""
        self.is_given_up = True
        self._rows.clear()
        self._changed.set()

    def taken(self) -> Iterator[Row[R]]:
        """Take the rows one by one, until none is left."""
        while self._rows:
            yield self._rows.popleft()

    def __len__(self) -> int:
        """Return the number of rows that wait."""
        return len(self._rows)


class Follower(Generic[R]):
    """Reads new rows while at least one stream is open.

    `read(place)` returns the rows after a place; for None it returns the present end of the list, without rows.
    `accounts(row)` returns the accounts that the row belongs to: their callers and those above may get it.
    """

    def __init__(
        self, read: Callable[[Place | None], Awaitable[Rows[R]]], accounts: Callable[[R], Iterable[str]]
    ) -> None:
        self._read = read
        self._accounts = accounts
        self._streams = 0
        self._end: End | None = None
        self._task: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._queues: dict[str | None, set[Queue[R]]] = defaultdict(set)

    @property
    def end(self) -> End:
        """Where the reader is: all rows up to there are in the queues. Raises Outage if the reader has failed."""
        if self._end is None:
            raise Outage("the reader of changes has stopped")
        return self._end

    async def present_end(self) -> End:
        """Read where the list ends now. Raises Outage."""
        return (await self._read(None)).end

    async def open(self) -> None:
        """Let the reader run for one more stream. Raises Outage."""
        async with self._starting:
            if self._task is None:
                self._end = await self.present_end()
                self._task = asyncio.create_task(self._run())
        self._streams += 1

    def close(self) -> None:
        """End what `open` began. The reader stops with the last stream."""
        self._streams -= 1
        if self._streams == 0:
            self.stop()

    def add(self, queue: Queue[R]) -> None:
        """Pass the rows behind `end` to a queue. It MUST be added in the step in which the stream has reached `end`."""
        self._queues[queue.account].add(queue)

    def remove(self, queue: Queue[R]) -> None:
        """Pass nothing more to a queue."""
        self._queues[queue.account].discard(queue)
        if not self._queues[queue.account]:
            del self._queues[queue.account]

    def stop(self) -> None:
        """Stop the reader. All queues are given up."""
        task, self._task, self._end = self._task, None, None
        if task is not None:
            task.cancel()
        for queue in [queue for some in self._queues.values() for queue in some]:
            queue.give_up()

    async def _run(self) -> None:
        try:
            while True:
                if await self._pass_on():
                    await asyncio.sleep(POLL_S)
        except Exception:  # noqa: BLE001 - the streams must not wait for ever
            _LOG.exception("The reader of changes has failed. Its streams end")
            self.stop()

    async def _pass_on(self) -> bool:
        """Pass the next rows to the queues. Return True if there are no more now. An outage is waited for."""
        try:
            found = await self._read(self.end.place)
        except Outage as outage:
            _LOG.warning("The reader of changes waits for the database", extra={"error": str(outage)})
            return True
        for count, row in enumerate(found.rows, 1):
            for queue in self._queues_of(row.value):
                queue.put(row)
            self._end = End(row.place, row.at)
            if count % ROWS_AT_ONCE == 0:
                await asyncio.sleep(0)
        self._end = found.end
        return found.is_all

    def _queues_of(self, row: R) -> set[Queue[R]]:
        """Return the queues of operators, of the accounts of a row, and of the accounts above them."""
        places: set[Any] = {None}
        for account in self._accounts(row):
            parts = account.split("/")
            places.update("/".join(parts[:length]) for length in range(1, len(parts) + 1))
        return {queue for place in places for queue in self._queues.get(place, ())}
