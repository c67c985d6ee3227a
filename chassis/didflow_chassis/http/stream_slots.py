"""How many streams a caller may have open, in all API processes together.

A stream has one of the caller's slots. A slot is an advisory lock of the database, on a connection that one process
keeps for its streams. So a process that dies frees its slots, and none has to be renewed. If the connection breaks, the
slots are taken again with the next stream: until then another process could give them away.
"""

import asyncio
from typing import Any, Final

import asyncpg

from didflow_chassis.database import DRIVER_ERRORS, Outage, hash64
from didflow_chassis.decision import Caller
from didflow_chassis.http.problems import RETRY_AFTER, Problem

MAX_OF_SUBJECT: Final = 10
"""How many streams one subject of an account may have open. Source: spec http, `GET /v1/dids/changes`."""

RETRY_S: Final = 15
"""After how many seconds a refused caller should try again. A client that is gone is noticed in about this time."""

_TAKE: Final = "SELECT lock FROM unnest($1::bigint[]) AS lock WHERE pg_try_advisory_lock(lock) LIMIT 1"
_TAKE_AGAIN: Final = "SELECT pg_try_advisory_lock(lock) FROM unnest($1::bigint[]) AS lock"
_FREE: Final = "SELECT pg_advisory_unlock($1)"
_TIMEOUT_S: Final = 10.0


class StreamSlots:
    """The slots that this process has taken. `most` is the number of streams of the process."""

    def __init__(self, dsn: str, *, application: str, most: int) -> None:
        self._dsn = dsn
        self._application = application
        self._most = most
        self._connection: Any = None
        self._taken: set[int] = set()
        self._turn = asyncio.Lock()
        self._frees: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        """Return the number of taken slots."""
        return len(self._taken)

    async def take(self, caller: Caller) -> int:
        """Take a slot of a caller. Raises Problem `too_many_streams`, `unavailable`; Outage."""
        async with self._turn:
            if len(self) >= self._most:
                raise Problem("unavailable", "This process has too many streams.", headers=RETRY_AFTER)
            name = f"stream:{caller.account}:{caller.subject}"
            locks = [hash64(f"{name}:{number}") for number in range(MAX_OF_SUBJECT)]
            found = await self._fetch(_TAKE, [lock for lock in locks if lock not in self._taken])
            if not found:
                raise Problem(
                    "too_many_streams",
                    f"You have {MAX_OF_SUBJECT} streams open. Close one of them first.",
                    headers={"Retry-After": str(RETRY_S)},
                )
            lock: int = found[0][0]
            self._taken.add(lock)
            return lock

    def free(self, lock: int) -> None:
        """Free a slot soon."""
        task = asyncio.create_task(self._free(lock))
        self._frees.add(task)
        task.add_done_callback(self._frees.discard)

    async def close(self) -> None:
        """Close the connection, which frees all slots."""
        async with self._turn:
            if self._connection is not None:
                self._connection.terminate()
            self._connection = None
            self._taken.clear()

    async def _free(self, lock: int) -> None:
        async with self._turn:
            self._taken.discard(lock)
            if self._connection is None or self._connection.is_closed():
                return
            try:
                await self._connection.fetch(_FREE, lock)
            except DRIVER_ERRORS:
                self._connection.terminate()

    async def _fetch(self, statement: str, locks: list[int]) -> list[Any]:
        try:
            if self._connection is None or self._connection.is_closed():
                self._connection = await asyncpg.connect(
                    self._dsn,
                    timeout=_TIMEOUT_S,
                    command_timeout=_TIMEOUT_S,
                    server_settings={"application_name": self._application},
                )
                await self._connection.fetch(_TAKE_AGAIN, list(self._taken))
            rows: list[Any] = await self._connection.fetch(statement, locks)
        except DRIVER_ERRORS as error:
            raise Outage(f"{type(error).__name__}") from error
        return rows
