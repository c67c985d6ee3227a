"""The dead letters of all services. Each one is handled by itself and has its own outcome."""

import asyncio
import getpass
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from didflow_chassis.database import Database, Outage
from didflow_chassis.dead_letter_operations import TRUNCATED, Action, Result, handle
from didflow_chassis.dead_letters import DeadLetter, DeadLetters, WholeLetter
from didflow_chassis.decision import Decided

CONNECT_S: Final = 10.0
_DONE: Final[Mapping[Action, str]] = {"retry": "retried", "drop": "dropped"}


@dataclass(frozen=True, kw_only=True)
class Found:
    """A dead letter and its service."""

    service: str
    letter: DeadLetter


@dataclass(frozen=True, kw_only=True)
class Handled:
    """The outcome for one dead letter: retried, dropped, absent or truncated."""

    id: UUID
    service: str
    outcome: str


async def listed(databases: Mapping[str, str], *, reason: str | None, limit: int) -> list[Found]:
    """Return the dead letters of these services, oldest first. Raises Outage."""
    found: list[Found] = []
    for service, dsn in databases.items():
        async with _letters(dsn) as letters:
            rows = await letters.oldest(reason=reason, limit=limit)
            found += [Found(service=service, letter=letter) for letter in rows]
    return sorted(found, key=lambda one: one.letter.at)[:limit]


async def counted(databases: Mapping[str, str]) -> dict[str, dict[str, int]]:
    """Return service -> reason -> count. Raises Outage."""
    counts: dict[str, dict[str, int]] = {}
    for service, dsn in databases.items():
        async with _letters(dsn) as letters:
            counts[service] = await letters.count()
    return counts


async def found(databases: Mapping[str, str], letter_id: UUID) -> tuple[str, WholeLetter] | None:
    """Return the service and the content of one dead letter. Raises Outage."""
    for service, dsn in databases.items():
        async with _letters(dsn) as letters:
            letter = await letters.find(letter_id)
            if letter is not None:
                return service, letter
    return None


async def retry(databases: Mapping[str, str], ids: Sequence[UUID]) -> list[Handled]:
    """Retry dead letters. One that was cut stays, with the outcome `truncated`. Raises Outage."""
    return await _handled(databases, ids, "retry")


async def drop(databases: Mapping[str, str], ids: Sequence[UUID]) -> list[Handled]:
    """Drop dead letters. Raises Outage."""
    return await _handled(databases, ids, "drop")


async def _handled(databases: Mapping[str, str], ids: Sequence[UUID], action: Action) -> list[Handled]:
    """Act on each dead letter in its service's database. One that no database has is `absent`."""
    outcomes = {one: Handled(id=one, service="", outcome="absent") for one in ids}
    for service, dsn in databases.items():
        left = [one for one, so_far in outcomes.items() if so_far.outcome == "absent"]
        async with opened(dsn) as database:
            results = await handle(database, action, left, actor=f"user:{_login()}")
        for one, result in results.items():
            outcome = _outcome(result, action)
            if outcome != "absent":
                outcomes[one] = Handled(id=one, service=service, outcome=outcome)
    return list(outcomes.values())


def _outcome(result: Result, action: Action) -> str:
    if isinstance(result, Decided):
        return _DONE[action]
    return result.code if result == TRUNCATED else "absent"


def _login() -> str:
    """Return the name of the person at the command line, as the operating system knows it."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


@asynccontextmanager
async def _letters(dsn: str) -> AsyncIterator[DeadLetters]:
    async with opened(dsn) as database:
        yield DeadLetters(database)


@asynccontextmanager
async def opened(dsn: str) -> AsyncIterator[Database]:
    """Open a service's database for the duration of the block. Raises Outage."""
    database = Database(dsn, application="didflow", size=1)
    try:
        async with asyncio.timeout(CONNECT_S):
            await database.start()
    except TimeoutError:
        raise Outage(f"the database did not answer within {CONNECT_S:g} s") from None
    try:
        yield database
    finally:
        await database.stop()
