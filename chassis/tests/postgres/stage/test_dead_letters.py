"""Dead letters in an operator's hands, on a real PostgreSQL with the stage that wrote them."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import orjson
import pytest
import toy
from toy_records import named, raw, record

from didflow_chassis.database import Database
from didflow_chassis.dead_letters import DeadLetters, Truncated, connect
from didflow_chassis.stage import Stage
from didflow_contracts.envelope import CONTENT_TYPE

ACCOUNT = "master/acme"
ENTITY = {str(named(1)[0]): named(1)[1]}


def opened(number: int) -> toy.Opened:
    did_id, subject = named(number)
    return toy.Opened(did_id=did_id, number=subject, account=ACCOUNT)


def added(number: int, amount: int) -> toy.Added:
    did_id, subject = named(number)
    return toy.Added(did_id=did_id, number=subject, account=ACCOUNT, amount=amount)


@pytest.fixture
async def connection(dsn: str, database: Database) -> AsyncIterator[asyncpg.Connection]:
    opened_now = await connect(dsn)
    yield opened_now
    await opened_now.close()


@pytest.fixture
def letters(connection: asyncpg.Connection) -> DeadLetters:
    return DeadLetters(connection)


async def additions(database: Database) -> list[int]:
    rows = await database.fetch("SELECT additions FROM counters WHERE did_id = $1", named(1)[0])
    return orjson.loads(rows[0][0])


async def parked(database: Database) -> list[tuple[str, bool]]:
    rows = await database.fetch("SELECT reason, due_at IS NOT NULL FROM parked ORDER BY id")
    return [(row[0], row[1]) for row in rows]


async def strike(stage: Stage, database: Database) -> None:
    """Do what the clock does for messages that wait."""
    rows = await database.fetch("SELECT id, entity, subject FROM parked WHERE due_at <= clock_timestamp()")
    await stage.parked({r[1]: r[2] for r in rows if r[1]}, [r[0] for r in rows if not r[1]])


async def break_one(stage: Stage, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave a dead letter of a defect for entity 1, with a message waiting behind it."""
    await stage.records([record(opened(1), "1")])
    await stage.records([record(added(1, toy.POISONED), "2"), record(added(1, 7), "3")])
    for _ in range(3):
        await database.fetch("UPDATE parked SET due_at = clock_timestamp() WHERE due_at IS NOT NULL")
        await stage.parked(ENTITY)
    assert await parked(database) == [("dead", False), ("behind", False)]


async def test_a_letter_is_listed_as_it_came(stage: Stage, letters: DeadLetters) -> None:
    """Reason, place, key, value and headers of the record are what the broker gave, byte for byte."""
    headers = (("content-type", CONTENT_TYPE.encode()), ("x", b"\xff"), ("empty", None))
    bad = raw(b"\xff{", key=b"\x00k", headers=headers)
    await stage.records([bad])
    (letter,) = await letters.list()
    assert (letter.topic, letter.partition, letter.offset) == (bad.topic, bad.partition, bad.offset)
    assert (letter.key, letter.value, letter.headers) == (bad.key, bad.value, bad.headers)
    assert (letter.truncated, letter.entity) == (False, None)
    assert await letters.find(letter.id) == letter
    assert await letters.find(uuid4()) is None
    assert await letters.count() == {letter.reason: 1}
    assert await letters.list(reason="another") == []


async def test_a_retried_defect_runs_before_what_waits_behind_it(
    stage: Stage, database: Database, letters: DeadLetters, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once the defect is mended, the record is decided in its own place, and then its followers, in order."""
    await break_one(stage, database, monkeypatch)
    (letter,) = await letters.list()
    assert letter.reason == "defect"
    monkeypatch.setattr(toy, "POISONED", -1)
    assert await letters.retry(letter.id) == "retried"
    assert await parked(database) == [("retry", True), ("behind", False)]
    await strike(stage, database)
    assert await additions(database) == [666, 7]
    assert await parked(database) == []
    assert await letters.list() == []


async def test_a_retried_defect_that_is_not_mended_comes_back(
    stage: Stage, database: Database, letters: DeadLetters, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record gets all its attempts again, and then another letter; what waits behind it goes on waiting."""
    await break_one(stage, database, monkeypatch)
    (letter,) = await letters.list()
    await letters.retry(letter.id)
    for _ in range(4):
        await database.fetch("UPDATE parked SET due_at = clock_timestamp() WHERE due_at IS NOT NULL")
        await strike(stage, database)
    (again,) = await letters.list()
    assert again.id != letter.id
    assert await parked(database) == [("dead", False), ("behind", False)]


async def test_a_retry_twice_is_one_retry(
    stage: Stage, database: Database, letters: DeadLetters, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second time there is no such letter any more: nothing is done, and it is said."""
    await break_one(stage, database, monkeypatch)
    (letter,) = await letters.list()
    monkeypatch.setattr(toy, "POISONED", -1)
    assert await letters.retry(letter.id) == "retried"
    assert await letters.retry(letter.id) == "absent"
    await strike(stage, database)
    assert await letters.retry(letter.id) == "absent"
    assert await letters.drop(letter.id) == "absent"
    assert await additions(database) == [666, 7]


async def test_two_operators_at_once_retry_once(
    dsn: str, stage: Stage, database: Database, letters: DeadLetters, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The letter's row is locked: one of them retries, the other finds nothing."""
    await stage.records([raw(b"{")])
    (letter,) = await letters.list()
    other = await connect(dsn)
    done = await asyncio.gather(letters.retry(letter.id), DeadLetters(other).retry(letter.id))
    await other.close()
    assert sorted(done) == ["absent", "retried"]
    assert len(await parked(database)) == 1


async def test_a_retried_undecodable_record_is_taken_once_it_can_be_read(
    stage: Stage, database: Database, letters: DeadLetters, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A type that this release did not know is dead-lettered, and taken after the upgrade that knows it."""
    await stage.records([record(opened(1), "1")])
    known = stage._decoder._types
    stage._decoder._types = {}
    await stage.records([record(added(1, 5), "2")])
    (letter,) = await letters.list()
    assert (letter.reason, letter.entity) == ("unknown_type", None)
    stage._decoder._types = known
    assert await letters.retry(letter.id) == "retried"
    await strike(stage, database)
    assert await additions(database) == [5]
    assert await parked(database) == []


async def test_a_retried_undecodable_record_that_stays_so_is_a_letter_again(
    stage: Stage, database: Database, letters: DeadLetters
) -> None:
    """Nothing is lost by trying: the same bytes come back with the same reason, once."""
    await stage.records([raw(b"\xff")])
    (letter,) = await letters.list()
    await letters.retry(letter.id)
    await strike(stage, database)
    (again,) = await letters.list()
    assert (again.reason, again.value, again.offset) == (letter.reason, letter.value, letter.offset)
    assert await parked(database) == []


async def test_a_cut_record_cannot_be_retried(stage: Stage, letters: DeadLetters) -> None:
    """What is left of a record that was too large is refused as `truncated`, and can still be dropped."""
    await stage.records([raw(b"x" * 1_000_001)])
    (letter,) = await letters.list()
    assert letter.truncated
    with pytest.raises(Truncated):
        await letters.retry(letter.id)
    assert await letters.list() == [letter]
    assert await letters.drop(letter.id) == "dropped"
    assert await letters.list() == []


async def test_a_dropped_defect_lets_its_followers_go_on(
    stage: Stage, database: Database, letters: DeadLetters, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record is given up; what waited behind it is decided in order without it."""
    await break_one(stage, database, monkeypatch)
    await stage.records([record(added(1, 8), "4")])
    (letter,) = await letters.list()
    assert await letters.drop(letter.id) == "dropped"
    await strike(stage, database)
    assert await additions(database) == [7, 8]
    assert await parked(database) == []
    assert await letters.drop(letter.id) == "absent"


async def test_a_retry_counts_by_the_moved_clock(
    stage: Stage, database: Database, letters: DeadLetters
) -> None:
    """What is due again is due at the service's time, not at the machine's, so the clock finds it."""
    await database.fetch("UPDATE clock SET shift = interval '-31 days'")
    await stage.records([raw(b"{")])
    (letter,) = await letters.list()
    await letters.retry(letter.id)
    rows = await database.fetch("SELECT due_at <= clock_timestamp() - interval '31 days' FROM parked")
    assert rows[0][0]


async def test_a_retried_record_that_came_again_meanwhile_is_a_repeat(
    stage: Stage, database: Database, letters: DeadLetters
) -> None:
    """A producer that sent the same event again was heard; the retry of the old copy then changes nothing."""
    await stage.records([record(opened(1), "1")])
    known = stage._decoder._types
    stage._decoder._types = {}
    await stage.records([record(added(1, 5), "2")])
    (letter,) = await letters.list()
    stage._decoder._types = known
    await stage.records([record(added(1, 5), "2")])
    await letters.retry(letter.id)
    await strike(stage, database)
    assert await additions(database) == [5]
    assert await parked(database) == []
