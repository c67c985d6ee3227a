"""What an operator can do with dead letters: list, retry and drop them, on PostgreSQL with the real stage."""

import asyncio
from hashlib import sha256
from uuid import uuid4

import orjson
import pytest
import toy
from harness.processes import until
from held_commit import Held
from toy_messages import added, opened
from toy_operator import Operator
from toy_records import named, raw, record

from didflow_chassis import failpoints
from didflow_chassis.database import Database
from didflow_chassis.stage import Stage
from didflow_contracts.envelope import CONTENT_TYPE

ENTITY = {str(named(1)[0]): named(1)[1]}


@pytest.fixture
def dead_letters(database: Database) -> Operator:
    return Operator(database)


async def additions(database: Database) -> list[int]:
    rows = await database.fetch("SELECT additions FROM counters WHERE did_id = $1", named(1)[0])
    return orjson.loads(rows[0][0])


async def parked(database: Database) -> list[tuple[str, bool]]:
    rows = await database.fetch("SELECT reason, due_at IS NOT NULL FROM parked ORDER BY id")
    return [(row[0], row[1]) for row in rows]


async def run_due(stage: Stage, database: Database) -> None:
    """Try the parked messages that are due, as `Timers` does."""
    rows = await database.fetch("SELECT id, entity, subject FROM parked WHERE due_at <= clock_timestamp()")
    await stage.parked({r[1]: r[2] for r in rows if r[1]}, [r[0] for r in rows if not r[1]])


async def park_behind_a_dead_message(
    stage: Stage, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Leave a dead letter of entity 1 whose decision raised, and a message that is parked behind it."""
    await stage.records([record(opened(1), "1")])
    await stage.records([record(added(1, toy.POISONED), "2"), record(added(1, 7), "3")])
    for _ in range(3):
        await database.fetch("UPDATE parked SET due_at = clock_timestamp() WHERE due_at IS NOT NULL")
        await stage.parked(ENTITY)
    assert await parked(database) == [("dead", False), ("behind", False)]


async def test_a_dead_letter_is_listed_as_it_was_read(stage: Stage, dead_letters: Operator) -> None:
    """Position, key, value and headers are those of the record, byte for byte."""
    headers = (("content-type", CONTENT_TYPE.encode()), ("x", b"\xff"), ("empty", None))
    bad = raw(b"\xff{", key=b"\x00k", headers=headers)
    await stage.records([bad])
    (letter,) = await dead_letters.oldest()
    assert (letter.topic, letter.partition, letter.offset) == (bad.topic, bad.partition, bad.offset)
    assert (letter.truncated, letter.entity, letter.subject, letter.waiting) == (False, None, None, 0)
    whole = await dead_letters.find(letter.id)
    assert whole is not None
    assert (whole.key, whole.value, whole.headers) == (bad.key, bad.value, bad.headers)
    assert (whole.id, whole.at, whole.digest) == (letter.id, letter.at, sha256(bad.value).digest())
    assert await dead_letters.find(uuid4()) is None
    assert await dead_letters.count() == {letter.reason: 1}
    assert await dead_letters.oldest(reason="another") == []


async def test_a_retried_message_is_decided_before_those_behind_it(
    stage: Stage, database: Database, dead_letters: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the defect is corrected, the record is decided in its place, and then those behind it, in order."""
    await park_behind_a_dead_message(stage, database, monkeypatch)
    (letter,) = await dead_letters.oldest()
    assert letter.reason == "defect"
    monkeypatch.setattr(toy, "POISONED", -1)
    assert await dead_letters.retry([letter.id]) == {letter.id: "done"}
    assert await parked(database) == [("retry", True), ("behind", False)]
    await run_due(stage, database)
    assert await additions(database) == [666, 7]
    assert await parked(database) == []
    assert await dead_letters.oldest() == []


async def test_a_retried_message_whose_decision_still_raises_is_a_dead_letter_again(
    stage: Stage, database: Database, dead_letters: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It gets all its attempts again. The messages behind it remain parked."""
    await park_behind_a_dead_message(stage, database, monkeypatch)
    (letter,) = await dead_letters.oldest()
    await dead_letters.retry([letter.id])
    for _ in range(4):
        await database.fetch("UPDATE parked SET due_at = clock_timestamp() WHERE due_at IS NOT NULL")
        await run_due(stage, database)
    (again,) = await dead_letters.oldest()
    assert again.id != letter.id
    assert await parked(database) == [("dead", False), ("behind", False)]


async def test_a_retry_twice_is_one_retry(
    stage: Stage, database: Database, dead_letters: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second retry is `unchanged`, before and after the record is decided. A drop comes too late."""
    await park_behind_a_dead_message(stage, database, monkeypatch)
    (letter,) = await dead_letters.oldest()
    monkeypatch.setattr(toy, "POISONED", -1)
    assert await dead_letters.retry([letter.id]) == {letter.id: "done"}
    assert await dead_letters.retry([letter.id]) == {letter.id: "unchanged"}
    assert await dead_letters.drop([letter.id]) == {letter.id: "already_retried"}
    await run_due(stage, database)
    assert await dead_letters.retry([letter.id]) == {letter.id: "unchanged"}
    assert await additions(database) == [666, 7]


async def test_a_dead_letter_that_never_existed_is_not_found(dead_letters: Operator) -> None:
    """It differs from one that was retried or dropped before."""
    unknown = uuid4()
    assert await dead_letters.retry([unknown]) == {unknown: "not_found"}
    assert await dead_letters.drop([unknown]) == {unknown: "not_found"}


async def test_who_retried_or_dropped_a_dead_letter_is_noted(
    stage: Stage, database: Database, dead_letters: Operator
) -> None:
    """`handled_letters` has one row for each letter, of the first operator who handled it."""
    await stage.records([raw(b"{"), raw(b"[")])
    first, second = await dead_letters.oldest()
    for _ in range(2):
        await dead_letters.retry([first.id])
        await dead_letters.drop([second.id])
    rows = await database.fetch("SELECT id, action, actor FROM handled_letters ORDER BY id")
    assert [tuple(row) for row in rows] == [(first.id, "retry", "user:ann"), (second.id, "drop", "user:ann")]


async def test_two_operators_at_once_retry_once(
    stage: Stage, database: Database, dead_letters: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row is locked: one of them retries, for the other one nothing changes."""
    await stage.records([raw(b"{")])
    (letter,) = await dead_letters.oldest()
    done = await asyncio.gather(dead_letters.retry([letter.id]), dead_letters.retry([letter.id]))
    assert sorted(one[letter.id] for one in done) == ["done", "unchanged"]
    assert len(await parked(database)) == 1


async def test_a_retried_record_is_decided_when_it_can_be_decoded(
    stage: Stage, database: Database, dead_letters: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unknown type is a dead letter. After an upgrade that knows the type, the retry succeeds."""
    await stage.records([record(opened(1), "1")])
    known = stage._decoder._types
    stage._decoder._types = {}
    await stage.records([record(added(1, 5), "2")])
    (letter,) = await dead_letters.oldest()
    assert (letter.reason, letter.entity) == ("unknown_type", None)
    stage._decoder._types = known
    assert await dead_letters.retry([letter.id]) == {letter.id: "done"}
    await run_due(stage, database)
    assert await additions(database) == [5]
    assert await parked(database) == []


async def test_a_retried_record_that_cannot_be_decoded_is_a_dead_letter_again(
    stage: Stage, database: Database, dead_letters: Operator
) -> None:
    """The same bytes have the same reason, in one new dead letter."""
    await stage.records([raw(b"\xff")])
    (letter,) = await dead_letters.oldest()
    await dead_letters.retry([letter.id])
    await run_due(stage, database)
    (again,) = await dead_letters.oldest()
    assert (again.reason, again.digest, again.offset) == (letter.reason, letter.digest, letter.offset)
    assert await parked(database) == []


async def test_a_truncated_record_cannot_be_retried(stage: Stage, dead_letters: Operator) -> None:
    """The retry changes nothing and says `truncated`. The dead letter can still be dropped."""
    await stage.records([raw(b"x" * 1_000_001)])
    (letter,) = await dead_letters.oldest()
    assert letter.truncated
    assert await dead_letters.retry([letter.id]) == {letter.id: "truncated"}
    assert await dead_letters.oldest() == [letter]
    assert await dead_letters.drop([letter.id]) == {letter.id: "done"}
    assert await dead_letters.oldest() == []


async def test_after_a_drop_the_messages_behind_are_decided(
    stage: Stage, database: Database, dead_letters: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record is never decided. The messages behind it are decided in order."""
    await park_behind_a_dead_message(stage, database, monkeypatch)
    await stage.records([record(added(1, 8), "4")])
    (letter,) = await dead_letters.oldest()
    assert await dead_letters.drop([letter.id]) == {letter.id: "done"}
    await run_due(stage, database)
    assert await additions(database) == [7, 8]
    assert await parked(database) == []
    assert await dead_letters.drop([letter.id]) == {letter.id: "unchanged"}
    assert await dead_letters.retry([letter.id]) == {letter.id: "already_dropped"}


async def test_a_retry_is_due_at_the_time_of_the_service(
    stage: Stage, database: Database, dead_letters: Operator
) -> None:
    """If the clock has an offset, the due time has it too, so `Timers` finds the message."""
    await database.fetch("UPDATE clock SET shift = interval '-31 days'")
    await stage.records([raw(b"{")])
    (letter,) = await dead_letters.oldest()
    await dead_letters.retry([letter.id])
    rows = await database.fetch("SELECT due_at <= clock_timestamp() - interval '31 days' FROM parked")
    assert rows[0][0]


async def test_a_retried_record_that_was_published_again_meanwhile_is_a_repeat(
    stage: Stage, database: Database, dead_letters: Operator
) -> None:
    """The new copy was decided, so the retry of the old one changes nothing."""
    await stage.records([record(opened(1), "1")])
    known = stage._decoder._types
    stage._decoder._types = {}
    await stage.records([record(added(1, 5), "2")])
    (letter,) = await dead_letters.oldest()
    stage._decoder._types = known
    await stage.records([record(added(1, 5), "2")])
    await dead_letters.retry([letter.id])
    await run_due(stage, database)
    assert await additions(database) == [5]
    assert await parked(database) == []


async def test_a_message_that_is_parked_during_a_drop_does_not_wait_for_ever(
    stage: Stage, database: Database, dead_letters: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The drop waits for the batch that parks the message behind the dead letter, and then makes it due."""
    await stage.records([record(opened(1), "1"), record(added(1, toy.POISONED), "2")])
    for _ in range(3):
        await database.fetch("UPDATE parked SET due_at = clock_timestamp() WHERE due_at IS NOT NULL")
        await stage.parked(ENTITY)
    (letter,) = await dead_letters.oldest()
    held = Held()
    monkeypatch.setattr(failpoints, "hit", held.hit)
    parking = asyncio.create_task(stage.records([record(added(1, 8), "3")]))
    await held.reached.wait()
    dropping = asyncio.create_task(dead_letters.drop([letter.id]))
    await until_waiting_for_a_lock(database, dropping)
    held.go.set()
    await asyncio.gather(parking, dropping)
    await run_due(stage, database)
    assert await additions(database) == [8]
    assert await parked(database) == []


async def until_waiting_for_a_lock(database: Database, task: "asyncio.Task[object]") -> None:
    """Return when a session waits for an advisory lock, or the task has ended without waiting."""
    waiting = """
    SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    """

    async def is_waiting() -> bool:
        return task.done() or (await database.fetch(waiting))[0][0] > 0

    await until(is_waiting, within=10, what="the lock")


async def test_two_operators_with_the_same_letters_in_other_orders_handle_each_once(
    stage: Stage, database: Database, dead_letters: Operator
) -> None:
    """One retries and one drops a hundred letters at once. Neither fails, and each letter has one of both."""
    await stage.records([raw(b"%d" % n) for n in range(100)])
    ids = [letter.id for letter in await dead_letters.oldest()]
    await asyncio.gather(*(database.fetch("SELECT pg_sleep(0.1)") for _ in range(2)))
    retried, dropped = await asyncio.gather(dead_letters.retry(ids), dead_letters.drop(ids[::-1]))
    outcomes = {(retried[letter_id], dropped[letter_id]) for letter_id in ids}
    assert outcomes <= {("done", "already_retried"), ("already_dropped", "done")}
    rows = await database.fetch("SELECT count(*), count(DISTINCT id) FROM handled_letters")
    assert tuple(rows[0]) == (100, 100)
