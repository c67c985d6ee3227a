"""The bounds of parked messages: what an entity or an account has too many of becomes a dead letter, and no other."""

import asyncio
from typing import Final

import pytest
import toy
from harness.statements import statements_of
from toy_messages import ACCOUNT, added, count, opened, total
from toy_operator import Operator
from toy_records import named, padded, record

from didflow_chassis import parked_bounds
from didflow_chassis.database import Database
from didflow_chassis.records import Record
from didflow_chassis.stage import Stage

DUE: Final = "SELECT id, entity, subject FROM parked WHERE due_at <= clock_timestamp() ORDER BY id"
SMALL: Final = parked_bounds.Bounds(
    entity_rows=20, entity_bytes=60_000, account_rows=50, account_bytes=200_000
)
FULL: Final = "reason = 'parked_full'"


@pytest.fixture
def small_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the bounds so small that a test reaches them at once."""
    monkeypatch.setattr(parked_bounds, "BOUNDS", SMALL)


async def run_due(stage: Stage, database: Database) -> None:
    """Try what is due, as the timers do."""
    rows = await database.fetch(DUE)
    await stage.parked({row[1]: row[2] for row in rows if row[1]}, [row[0] for row in rows if not row[1]])


def early(number: int, event: int, account: str = ACCOUNT) -> Record:
    did_id, subject = named(number)
    data = toy.Added(did_id=did_id, number=subject, account=account, amount=1)
    return record(data, f"{number} {event}")


def test_the_bounds_are_those_of_the_spec() -> None:
    """Source: spec events, Parked."""
    assert (
        parked_bounds.Bounds(
            entity_rows=1_000, entity_bytes=5_000_000, account_rows=20_000, account_bytes=100_000_000
        )
        == parked_bounds.BOUNDS
    )


@pytest.mark.usefixtures("small_bounds")
async def test_an_entity_with_too_many_early_messages_fills_nothing_more(
    stage: Stage, database: Database
) -> None:
    """The first ones are parked, the others are dead letters with the bound in words. Their neighbours go on."""
    batch = [early(1, n) for n in range(30)]
    await stage.records([*batch[:25], record(opened(2), "o2"), *batch[25:], record(added(2, 5), "a2")])
    assert await count(database, "parked") == 20
    assert await count(database, "dead_letters", FULL) == 10
    assert await total(database, 2) == 5
    (row,) = await database.fetch("SELECT DISTINCT detail, entity, subject FROM dead_letters")
    assert row["detail"] == "20 messages of this entity are parked. That is the most that may be."
    assert (row["entity"], row["subject"]) == (None, named(1)[1])
    await stage.records([record(opened(1), "o1")])
    assert await total(database, 1) == 20


@pytest.mark.usefixtures("small_bounds")
async def test_the_bytes_of_an_entity_are_bounded(stage: Stage, database: Database) -> None:
    """Seven messages of 9 kB: six are parked."""
    for n in range(7):
        await stage.records([padded(early(1, n), 9_000)])
    assert await count(database, "parked") == 6
    (row,) = await database.fetch("SELECT detail FROM dead_letters")
    assert row["detail"] == "60,000 bytes of this entity may be parked. This message would exceed them."


@pytest.mark.usefixtures("small_bounds")
async def test_an_account_with_too_many_parked_messages_fills_nothing_more(
    stage: Stage, database: Database
) -> None:
    """All its entities count together, and all reasons. Other accounts still park."""
    await stage.records([record(opened(n), f"o{n}") for n in range(100, 110)])
    poison = [record(added(n, toy.POISONED), f"p{n}") for n in range(100, 110)]
    behind = [record(added(n, 1), f"b{n}") for n in range(100, 110)]
    await stage.records([*poison, *behind])
    for n in range(60):
        await stage.records([early(n, 0)])
    await stage.records([early(70, 0, "master/other")])
    reasons = await database.fetch("SELECT account, reason, count(*) FROM parked GROUP BY 1, 2 ORDER BY 1, 2")
    assert [tuple(row) for row in reasons] == [
        (ACCOUNT, "behind", 10),
        (ACCOUNT, "early", 30),
        (ACCOUNT, "retry", 10),
        ("master/other", "early", 1),
    ]
    assert await count(database, "dead_letters", FULL) == 30
    (row,) = await database.fetch("SELECT DISTINCT detail FROM dead_letters")
    assert row["detail"] == "50 messages of this account are parked. That is the most that may be."


@pytest.mark.usefixtures("small_bounds")
async def test_the_bytes_of_an_account_are_bounded(stage: Stage, database: Database) -> None:
    """Of 25 messages of 9 kB for 25 entities, 200,000 bytes are parked."""
    await stage.records([padded(early(n, 0), 9_000) for n in range(25)])
    (row,) = await database.fetch("SELECT count(*), sum(size) FROM parked")
    assert row[0] == 21
    assert 190_000 < row[1] <= 200_000
    assert await count(database, "dead_letters", FULL) == 4


@pytest.mark.usefixtures("small_bounds")
async def test_what_waits_behind_a_message_that_does_not_fit_does_not_wait_for_ever(
    stage: Stage, database: Database
) -> None:
    """If a failed message does not fit, the messages of its batch behind it do not stay without it."""
    await stage.records([record(opened(1), "o1"), *(early(n, 0) for n in range(2, 52))])
    await stage.records([record(added(1, toy.POISONED), "p1"), record(added(1, 5), "a1")])
    assert await count(database, "parked", "reason <> 'early'") == 0
    assert await count(database, "dead_letters", FULL) == 2
    await stage.records([record(added(1, 7), "a2")])
    assert await total(database, 1) == 7


@pytest.mark.usefixtures("small_bounds")
async def test_a_batch_makes_room_for_what_it_parks(stage: Stage, database: Database) -> None:
    """Messages that the batch decides do not count against those that it parks."""
    await stage.records([early(1, n) for n in range(20)])
    failing = [record(added(1, toy.POISONED), "p"), *(record(added(1, 1), f"b{n}") for n in range(10))]
    await stage.records([record(opened(1), "o"), *failing])
    assert await total(database, 1) == 20
    assert await count(database, "parked") == 11
    assert await count(database, "dead_letters") == 0


@pytest.mark.usefixtures("small_bounds")
async def test_a_redelivery_of_what_did_not_fit_is_one_dead_letter(stage: Stage, database: Database) -> None:
    """It is recognized by its position in Kafka, in the same batch with others that are new."""
    batch = [early(1, n) for n in range(22)]
    await stage.records(batch)
    await stage.records(batch)
    assert await count(database, "dead_letters", FULL) == 2
    assert await count(database, "parked") == 20
    assert await count(database, "outbox", "topic = 'counting.dlq'") == 2


@pytest.mark.usefixtures("small_bounds")
async def test_dead_letters_that_did_not_fit_are_retried(stage: Stage, database: Database) -> None:
    """While the entity is full, they are dead letters again. When it has what it waited for, they are decided."""
    await stage.records([early(1, n) for n in range(25)])
    operator = Operator(database)
    before = await operator.oldest()
    await operator.retry([letter.id for letter in before])
    await run_due(stage, database)
    after = await operator.oldest()
    assert len(after) == 5
    assert not {letter.id for letter in before} & {letter.id for letter in after}
    await stage.records([record(opened(1), "o1")])
    await operator.retry([letter.id for letter in after])
    await run_due(stage, database)
    assert await total(database, 1) == 25
    assert (await count(database, "parked"), await count(database, "dead_letters")) == (0, 0)


async def test_what_is_parked_is_counted_by_one_statement_and_only_by_a_batch_that_parks(
    stage: Stage, database: Database
) -> None:
    """One statement more than the insert needs, whatever the number of messages, entities and accounts."""
    await stage.records([record(opened(n), f"o{n}") for n in range(100)])
    nothing = [record(added(n, 1), f"a{n}") for n in range(100)]
    many = [early(300 + n, 0, f"{ACCOUNT}{n}") for n in range(100)]
    statements = []
    for batch in (nothing, [early(200, 0)], many):
        async with statements_of(database) as found:
            await stage.records(batch)
            statements.append(list(found))
    assert [found.count(parked_bounds.USED) for found in statements] == [0, 1, 1]
    assert len(statements[1]) == len(statements[2]) <= len(statements[0]) + 1


@pytest.mark.usefixtures("small_bounds")
async def test_parallel_batches_of_one_entity_do_not_exceed_its_bound(
    stage: Stage, database: Database
) -> None:
    """They take turns under the lock of the entity."""
    await asyncio.gather(*(stage.records([early(1, 10 * k + n) for n in range(10)]) for k in range(4)))
    assert await count(database, "parked") == 20
    assert await count(database, "dead_letters", FULL) == 20
