"""The dead letters of all services. A record that several services gave up is shown and handled as one.

Each of its dead letters is retried or dropped by itself, in its service's database, and has its own outcome.
"""

import asyncio
import getpass
import os
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from didflow.errors import Ambiguous
from didflow.id_prefix import IdPrefix
from didflow_chassis.database import Database, Outage
from didflow_chassis.dead_letter_operations import NOT_FOUND, Action, Result, handle
from didflow_chassis.dead_letters import DeadLetter, DeadLetters, WholeLetter
from didflow_chassis.decision import Decided, Refused

MOST: Final = 100_000
"""The most dead letters that one call lists or handles."""
CONNECT_S: Final = 10.0
_MOST_MATCHES: Final = 100
_DONE: Final[Mapping[Action, str]] = {"retry": "retried", "drop": "dropped"}


@dataclass(frozen=True, kw_only=True)
class Found:
    """A dead letter and its service."""

    service: str
    letter: DeadLetter


@dataclass(frozen=True, kw_only=True)
class DeadRecord:
    """A record and its dead letters, oldest first: one for each service that gave it up."""

    letters: tuple[Found, ...]

    @property
    def first(self) -> DeadLetter:
        """The oldest dead letter. Its id is the one that is shown; the ids of the others mean the same record."""
        return self.letters[0].letter

    @property
    def id(self) -> UUID:
        """The id that is shown."""
        return self.first.id

    @property
    def services(self) -> list[str]:
        """The services that gave the record up."""
        return sorted({one.service for one in self.letters})

    @property
    def reasons(self) -> list[str]:
        """Their reasons. Services can have different ones."""
        return sorted({one.letter.reason for one in self.letters})

    @property
    def waiting(self) -> int:
        """The number of messages that wait behind the record, in all services."""
        return sum(one.letter.waiting for one in self.letters)


@dataclass(frozen=True, kw_only=True)
class Handled:
    """What was done with one dead letter: `retried`, `dropped`, `unchanged`, or the code of a refusal."""

    id: UUID
    service: str
    outcome: str


async def listed(databases: Mapping[str, str], *, reason: str | None, limit: int) -> list[Found]:
    """Return the dead letters of these services, oldest first. Raises Outage."""
    return (await _oldest_of_each(databases, reason, limit))[:limit]


async def records(databases: Mapping[str, str], *, reason: str | None, limit: int) -> list[DeadRecord]:
    """Return the records with dead letters of this reason, oldest first, each with all its dead letters."""
    chosen = _grouped(await _oldest_of_each(databases, reason, limit))[:limit]
    return _grouped(await _everywhere(databases, [one for record in chosen for one in record.letters]))


async def matching(databases: Mapping[str, str], prefix: IdPrefix) -> DeadRecord | None:
    """Return the record whose dead letter has this id, or an id that begins so; None if there is none.

    Raises Ambiguous if there are several records, Outage.
    """
    found: list[Found] = []
    for service, dsn in databases.items():
        async with letters_of(dsn) as letters:
            rows = await letters.between(prefix.first, prefix.last, limit=_MOST_MATCHES)
            found += [Found(service=service, letter=letter) for letter in rows]
    matches = _grouped(found)
    if len(matches) > 1:
        raise Ambiguous(prefix.text, [str(record.id) for record in matches])
    return _grouped(await _everywhere(databases, found))[0] if matches else None


async def content(databases: Mapping[str, str], record: DeadRecord) -> WholeLetter | None:
    """Return the first dead letter with the bytes of its record; None if it was handled meanwhile. Raises Outage."""
    async with letters_of(databases[record.letters[0].service]) as letters:
        return await letters.find(record.id)


async def counted(databases: Mapping[str, str]) -> dict[str, dict[str, int]]:
    """Return service -> reason -> count. Raises Outage."""
    counts: dict[str, dict[str, int]] = {}
    for service, dsn in databases.items():
        async with letters_of(dsn) as letters:
            counts[service] = await letters.count()
    return counts


async def retry(databases: Mapping[str, str], ids: Sequence[UUID]) -> list[Handled]:
    """Retry dead letters. One that was cut stays, with the outcome `truncated`. Raises Outage."""
    return await _handled(databases, ids, "retry")


async def drop(databases: Mapping[str, str], ids: Sequence[UUID]) -> list[Handled]:
    """Drop dead letters. Raises Outage."""
    return await _handled(databases, ids, "drop")


@asynccontextmanager
async def letters_of(dsn: str) -> AsyncIterator[DeadLetters]:
    """Open the dead letters of one service. Raises Outage."""
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


async def _handled(databases: Mapping[str, str], ids: Sequence[UUID], action: Action) -> list[Handled]:
    """Act on each dead letter in its service's database. One that no database knows is `not_found`."""
    outcomes = {one: Handled(id=one, service="", outcome=NOT_FOUND.code) for one in ids}
    for service, dsn in databases.items():
        left = [one for one, so_far in outcomes.items() if not so_far.service]
        async with opened(dsn) as database:
            results = await handle(database, action, left, actor=f"user:{login()}")
        for one, result in results.items():
            if result != NOT_FOUND:
                outcomes[one] = Handled(id=one, service=service, outcome=_outcome(result, action))
    return list(outcomes.values())


def _outcome(result: Result, action: Action) -> str:
    if isinstance(result, Decided):
        return _DONE[action]
    return result.code if isinstance(result, Refused) else "unchanged"


def login() -> str:
    """Return the name of the person at the command line, as the operating system knows it."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


async def _oldest_of_each(databases: Mapping[str, str], reason: str | None, limit: int) -> list[Found]:
    found: list[Found] = []
    for service, dsn in databases.items():
        async with letters_of(dsn) as letters:
            rows = await letters.oldest(reason=reason, limit=limit)
            found += [Found(service=service, letter=letter) for letter in rows]
    return sorted(found, key=_age)


async def _everywhere(databases: Mapping[str, str], found: Sequence[Found]) -> list[Found]:
    """Add the dead letters that other services have of the same records."""
    wanted = {_same(one): one for one in found}
    letters_wanted = [one.letter for one in wanted.values() if one.letter.topic is not None]
    everything = {one.letter.id: one for one in found}
    for service, dsn in databases.items():
        async with letters_of(dsn) as letters:
            for rows in (await letters.at_places(letters_wanted)).values():
                others = [Found(service=service, letter=letter) for letter in rows]
                everything |= {one.letter.id: one for one in others if _same(one) in wanted}
    return list(everything.values())


def _grouped(found: Iterable[Found]) -> list[DeadRecord]:
    groups: dict[Any, list[Found]] = {}
    for one in sorted(found, key=_age):
        groups.setdefault(_same(one), []).append(one)
    return [DeadRecord(letters=tuple(letters)) for letters in groups.values()]


def _same(one: Found) -> Any:
    """Return what dead letters of one record have in common. A timer belongs to one service.

    A position alone is not enough: an embedded Kafka counts from zero again at each start.
    """
    letter = one.letter
    if letter.topic is None:
        return letter.id
    return letter.topic, letter.partition, letter.offset, letter.key, letter.digest


def _age(one: Found) -> tuple[datetime, UUID]:
    return one.letter.at, one.letter.id
