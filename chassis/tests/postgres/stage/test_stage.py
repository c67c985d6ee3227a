"""The stage on PostgreSQL: atomic, each event once, in order, and each failure alone."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import orjson
import pytest
import toy
from toy_messages import CALLER, add, added, command, count, opened, published, total
from toy_records import named, raw, record

from didflow_chassis.database import Database
from didflow_chassis.stage import Answer, IdempotencyConflict, Stage


async def test_a_batch_is_decided_in_order_over_the_state_in_memory(stage: Stage, database: Database) -> None:
    """Messages of one entity in one batch see the effects of those before; their events are numbered 1, 2, 3."""
    batch = [record(opened(1), "1"), record(added(1, 5), "2"), record(added(1, 7), "3")]
    await stage.records(batch)
    assert await total(database, 1) == 12
    events = await published(database)
    assert [e["sequence"] for e in events] == ["1", "2", "3"]
    assert [e["data"]["total"] for e in events] == [0, 5, 12]
    assert {e["causationid"] for e in events} == {"1", "2", "3"}
    assert {e["correlationid"] for e in events} == {"1"}


async def test_a_batch_delivered_twice_changes_nothing(stage: Stage, database: Database) -> None:
    """The inbox has every record of the batch, so the second delivery writes nothing."""
    batch = [record(opened(1), "1"), record(added(1, 5), "2")]
    await stage.records(batch)
    before = await published(database)
    await stage.records(batch)
    await stage.records([*batch, *batch])
    assert await total(database, 1) == 5
    assert await published(database) == before


async def test_a_used_id_with_other_data_is_a_dead_letter(
    stage: Stage, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """A forged repeat is not applied. It becomes a dead letter with a log line marked `security`."""
    with caplog.at_level(logging.WARNING):
        await stage.records([record(opened(1), "1"), record(added(1, 5), "2"), record(added(1, 6), "2")])
    assert await total(database, 1) == 5
    assert await count(database, "dead_letters", "reason = 'id_reused'") == 1
    assert any(getattr(line, "security", False) for line in caplog.records)


async def test_a_forged_repeat_that_is_delivered_twice_is_one_dead_letter(
    stage: Stage, database: Database
) -> None:
    """A worker may die before it commits the offset. The record is then recognized by its position."""
    forged = record(added(1, 6), "2")
    await stage.records([record(opened(1), "1"), record(added(1, 5), "2")])
    await stage.records([forged])
    await stage.records([forged, record(added(1, 7), "3")])
    assert await count(database, "dead_letters", "reason = 'id_reused'") == 1
    assert await total(database, 1) == 12


async def test_another_event_under_a_used_sequence_is_a_dead_letter(
    stage: Stage, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """The source has lost its data. Its event is not applied, in the same batch or later, and is logged once."""
    source = "/didflow/other"
    first = record(added(1, 5), "2", source=source, sequence=7)
    second = record(added(1, 6), "3", source=source, sequence=7)
    with caplog.at_level(logging.WARNING):
        await stage.records([record(opened(1), "1"), first, second])
        await stage.records([second, first, record(added(1, 8), "4", source=source, sequence=7)])
        await stage.records([record(added(2, 9), "5", source=source, sequence=7), record(opened(2), "6")])
    assert await total(database, 1) == 5
    assert await total(database, 2) == 9
    assert await count(database, "dead_letters", "reason = 'sequence_reused'") == 2
    assert any(getattr(line, "code", "") == "sequence_reused" for line in caplog.records)


async def test_early_messages_are_parked_and_decided_in_order(stage: Stage, database: Database) -> None:
    """Additions before the opening are parked. They are decided when it arrives, in a later batch."""
    await stage.records([record(added(1, 5), "2")])
    await stage.records([record(added(1, 7), "3")])
    assert await count(database, "parked", "reason = 'early'") == 2
    await stage.records([record(opened(1), "1")])
    assert await total(database, 1) == 12
    rows = await database.fetch("SELECT additions FROM counters")
    assert orjson.loads(rows[0][0]) == [5, 7]
    assert await count(database, "parked") == 0


async def test_an_early_message_is_decided_in_a_batch_with_what_it_needs(
    stage: Stage, database: Database
) -> None:
    """Nothing remains parked."""
    await stage.records([record(added(1, 5), "2"), record(opened(1), "1")])
    assert await total(database, 1) == 5
    assert await count(database, "parked") == 0
    assert await count(database, "inbox", "decision in ('decided', 'early')") == 2


async def test_records_that_cannot_be_decoded_are_dead_letters_alone(
    stage: Stage, database: Database
) -> None:
    """Only they become dead letters, each once and with a copy for the dlq topic. The others are decided."""
    bad = [raw(b"\xff"), raw(None), raw(b"{}"), raw(b"[1]")]
    good = [record(opened(n), f"o{n}") for n in range(20)]
    batch = [*good[:10], *bad, *good[10:]]
    await stage.records(batch)
    await stage.records(batch)
    assert await count(database, "counters") == 20
    assert await count(database, "dead_letters") == 4
    assert await count(database, "outbox", "topic = 'counting.dlq'") == 4


async def test_a_decision_that_raises_is_retried_alone_and_holds_its_entity(
    stage: Stage, database: Database
) -> None:
    """Later messages of the entity wait behind it. Other entities are not affected."""
    await stage.records([record(opened(1), "1"), record(opened(2), "2")])
    poisoned = record(added(1, toy.POISONED), "3")
    await stage.records([poisoned, record(added(1, 1), "4"), record(added(2, 1), "5")])
    assert (await total(database, 1), await total(database, 2)) == (0, 1)
    reasons = await database.fetch("SELECT reason FROM parked ORDER BY id")
    assert [row[0] for row in reasons] == ["retry", "behind"]
    for _ in range(3):
        await database.fetch("UPDATE parked SET due_at = now() WHERE due_at IS NOT NULL")
        await stage.parked({str(named(1)[0]): named(1)[1]})
    assert await count(database, "dead_letters", "reason = 'defect'") == 1
    reasons = await database.fetch("SELECT reason FROM parked ORDER BY id")
    assert [row[0] for row in reasons] == ["dead", "behind"]
    await stage.records([record(added(1, 1), "6")])
    assert await count(database, "parked") == 3


async def test_a_row_that_the_database_refuses_fails_alone(stage: Stage, database: Database) -> None:
    """The batch is split until the row is alone. Its message is parked; all others are stored."""
    await stage.records([record(opened(n), f"o{n}") for n in range(8)])
    amounts = [toy.UNSTORABLE if n == 5 else 1 for n in range(8)]
    await stage.records([record(added(n, amount), f"a{n}") for n, amount in enumerate(amounts)])
    assert [await total(database, n) for n in range(8)] == [1, 1, 1, 1, 1, 0, 1, 1]
    assert await count(database, "parked", "reason = 'retry'") == 1


async def test_timers_that_were_due_before_a_message_run_first(stage: Stage, database: Database) -> None:
    """Each runs at its own instant. Timers that are due after the event's time do not run."""
    await stage.records([record(opened(1), "1")])
    start = datetime.now(UTC) - timedelta(hours=10)
    await database.fetch("UPDATE counters SET rings_at = $1, version = version", start)
    await stage.records([record(added(1, 1000), "2", time=start + timedelta(hours=2, minutes=30))])
    events = await published(database)
    assert [e["data"]["total"] for e in events] == [0, 1, 2, 3, 1003]
    times = [datetime.fromisoformat(str(e["time"])) for e in events[1:4]]
    assert times == [start, start + timedelta(hours=1), start + timedelta(hours=2)]


async def test_missed_timers_run_in_order(stage: Stage, database: Database) -> None:
    """After a pause, every timer that was missed runs once."""
    await stage.records([record(opened(1), "1")])
    start = datetime.now(UTC) - timedelta(hours=3, minutes=30)
    await database.fetch("UPDATE counters SET rings_at = $1", start)
    await stage.due(toy.Counter, [(named(1)[0], named(1)[1])])
    assert await total(database, 1) == 4
    await stage.due(toy.Counter, [(named(1)[0], named(1)[1])])
    assert await total(database, 1) == 4


async def test_two_workers_that_create_one_entity_keep_both_effects(stage: Stage, database: Database) -> None:
    """A row that does not exist cannot be locked, but its key can: of 1,000 entities none loses an effect."""
    for chunk in range(0, 1000, 50):
        numbers = range(chunk, chunk + 50)
        first = [record(opened(n), f"o{n}") for n in numbers]
        second = [record(added(n, 3), f"a{n}") for n in reversed(numbers)]
        halves = (first[:25], second[:25], first[25:], second[25:])
        await asyncio.gather(*(stage.records(half) for half in halves))
    assert await count(database, "counters", "total = 3") == 1000
    assert await count(database, "parked") == 0


async def test_commands_are_decided_in_order_and_alone(stage: Stage, database: Database) -> None:
    """One refused command does not fail the others. The decisions are in the order of the commands."""
    await stage.records([record(opened(1), "1"), record(opened(2), "2")])
    await command(stage, toy.SetLimit(entity_id="default", subject="", caller=CALLER, most=10))
    answer = await command(stage, add(1, 5), add(3, 1), add(2, 50), add(1, 2))
    assert orjson.loads(answer.body) == [5, "not_ready", "over_limit", 7]
    assert (await published(database))[-1]["actor"] == "user:ana"


async def test_a_repeated_idempotency_key_returns_the_first_answer(stage: Stage, database: Database) -> None:
    """The second call changes nothing and returns the same bytes. With another body it is a conflict."""
    await stage.records([record(opened(1), "1")])
    first = await command(stage, add(1, 5), key="k1")
    again = await command(stage, add(1, 5), key="k1")
    assert (again.body, again.replayed, first.replayed) == (first.body, True, False)
    assert await total(database, 1) == 5
    with pytest.raises(IdempotencyConflict, match="idempotency_key_reused"):
        await command(stage, add(1, 6), key="k1", digest=b"e" * 32)


async def test_a_hundred_parallel_calls_under_one_key_have_one_effect(
    stage: Stage, database: Database
) -> None:
    """Each call gets the same body or the conflict `idempotency_in_progress`. The state changes once."""
    await stage.records([record(opened(1), "1")])
    answers = await asyncio.gather(
        *(command(stage, add(1, 5), key="k1") for _ in range(100)), return_exceptions=True
    )
    conflicts = [a for a in answers if isinstance(a, IdempotencyConflict)]
    bodies = {a.body for a in answers if isinstance(a, Answer)}
    assert {c.code for c in conflicts} <= {"idempotency_in_progress"}
    assert bodies == {b"[5]"}
    assert len(conflicts) + sum(isinstance(a, Answer) for a in answers) == 100
    assert await total(database, 1) == 5


async def test_the_number_of_statements_does_not_grow_with_the_batch(
    stage: Stage, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch of 400 records takes as many statements as a batch of 4: one for each table."""
    await stage.records([record(opened(n), f"o{n}") for n in range(404)])
    statements: list[str] = []
    real = database.transaction

    @asynccontextmanager
    async def counted() -> AsyncIterator[object]:
        async with real() as connection:
            with connection.query_logger(lambda query: statements.append(query.query)):
                yield connection

    monkeypatch.setattr(database, "transaction", counted)
    await stage.records([record(added(n, 1), f"a{n}") for n in range(4)])
    few = len(statements)
    await stage.records([record(added(n, 1), f"a{n}") for n in range(4, 404)])
    assert len(statements) - few == few <= 8


async def test_an_event_on_the_topic_of_another_type_is_a_dead_letter(
    stage: Stage, database: Database
) -> None:
    """A producer that may write to one topic cannot publish the events of another topic."""
    opening = record(opened(1), "1")
    await stage.records([raw(opening.value, topic="counter.added"), record(opened(2), "2")])
    assert (await total(database, 1), await total(database, 2)) == (None, 0)
    rows = await database.fetch("SELECT reason FROM dead_letters")
    assert [row[0] for row in rows] == ["unknown_type"]


async def test_a_retry_that_is_too_early_is_parked_as_early(stage: Stage, database: Database) -> None:
    """It then waits for the next decision about its entity, and has no due time."""
    await stage.records([record(added(1, 5), "a")])
    await database.fetch("UPDATE parked SET reason = 'retry', attempts = 1, due_at = now()")
    await stage.parked({str(named(1)[0]): named(1)[1]})
    rows = await database.fetch("SELECT reason, due_at FROM parked")
    assert [tuple(row) for row in rows] == [("early", None)]
    await stage.records([record(opened(1), "o")])
    assert await total(database, 1) == 5
    assert await count(database, "parked") == 0
