"""The dead letters of all services. Each one is handled by itself and has its own outcome."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from didflow_chassis.dead_letters import DeadLetter, DeadLetters, Done, WholeLetter, connect


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


Act = Callable[[DeadLetters, Sequence[UUID]], Awaitable[Mapping[UUID, Done]]]


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
    return await _handled(databases, ids, DeadLetters.retry)


async def drop(databases: Mapping[str, str], ids: Sequence[UUID]) -> list[Handled]:
    """Drop dead letters. Raises Outage."""
    return await _handled(databases, ids, DeadLetters.drop)


async def _handled(databases: Mapping[str, str], ids: Sequence[UUID], act: Act) -> list[Handled]:
    """Act on each dead letter in its service's database. One that no database has is `absent`."""
    outcomes = {one: Handled(id=one, service="", outcome="absent") for one in ids}
    for service, dsn in databases.items():
        left = [one for one, so_far in outcomes.items() if so_far.outcome == "absent"]
        async with _letters(dsn) as letters:
            done = await act(letters, left)
        for one, outcome in done.items():
            if outcome != "absent":
                outcomes[one] = Handled(id=one, service=service, outcome=outcome)
    return list(outcomes.values())


@asynccontextmanager
async def _letters(dsn: str) -> AsyncIterator[DeadLetters]:
    connection = await connect(dsn)
    try:
        yield DeadLetters(connection)
    finally:
        await connection.close()
