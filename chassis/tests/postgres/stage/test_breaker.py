"""The breaker and the limit of the outbox: neither a defect of ours nor an outage of Kafka loses a message."""

import asyncio

import pytest
import toy
from toy_messages import ACCOUNT, added, command, count, opened, total
from toy_records import named, record

from didflow_chassis.backlog import Backlog
from didflow_chassis.database import Database, Outage
from didflow_chassis.stage import Stage
from didflow_chassis.stage.breaker import LIMIT, BreakerOpen


def poisoned(number: int) -> toy.Added:
    did_id, subject = named(number)
    return toy.Added(did_id=did_id, number=subject, account=ACCOUNT, amount=toy.POISONED)


async def test_a_release_that_cannot_decide_anything_gives_up_no_record(
    stage: Stage, database: Database
) -> None:
    """If every decision fails, the batch is rolled back: nothing is parked, and nothing becomes a dead letter."""
    await stage.records([record(opened(n), f"o{n}") for n in range(50)])
    with pytest.raises(BreakerOpen):
        await stage.records([record(poisoned(n), f"p{n}") for n in range(50)])
    assert (await count(database, "parked"), await count(database, "dead_letters")) == (0, 0)
    with pytest.raises(BreakerOpen):
        await stage.records([record(poisoned(n), f"p{n}") for n in range(50)])


async def test_failures_in_small_batches_add_up(stage: Stage, database: Database) -> None:
    """One record at a time: fewer than the limit are parked before the breaker opens."""
    await stage.records([record(opened(n), f"o{n}") for n in range(50)])
    for n in range(LIMIT - 1):
        await stage.records([record(poisoned(n), f"p{n}")])
    with pytest.raises(BreakerOpen):
        await stage.records([record(poisoned(LIMIT), "last")])
    assert await count(database, "parked") == LIMIT - 1


async def test_failures_of_parallel_batches_add_up(stage: Stage, database: Database) -> None:
    """Three batches of one partition run at the same time: still fewer than the limit are parked."""
    await stage.records([record(opened(n), f"o{n}") for n in range(50)])
    batches = [[record(poisoned(n), f"p{n}") for n in range(first, first + 6)] for first in (0, 6, 12)]
    ends = await asyncio.gather(*map(stage.records, batches), return_exceptions=True)
    assert [type(end) for end in ends].count(BreakerOpen) == 2
    assert await count(database, "parked") == 6


async def test_failures_between_successes_do_not_open_the_breaker(stage: Stage, database: Database) -> None:
    """Each decision that succeeds resets the count."""
    await stage.records([record(opened(n), f"o{n}") for n in range(60)])
    mixed = [record(poisoned(n) if n % 2 else added(n, 1), f"m{n}") for n in range(60)]
    await stage.records(mixed)
    assert await count(database, "parked", "reason = 'retry'") == 30
    assert await total(database, 0) == 1


async def test_a_full_outbox_refuses_records_and_commands(stage: Stage, database: Database) -> None:
    """At the limit they raise Outage. When the relay has made room, they are processed."""
    backlog = Backlog(database, cap=10)
    stage._backlog = backlog
    await stage.records([record(opened(n), f"o{n}") for n in range(10)])
    await backlog.measure()
    with pytest.raises(Outage, match="outbox"):
        await stage.records([record(opened(11), "o11")])
    with pytest.raises(Outage, match="outbox"):
        await command(stage, toy.SetLimit(entity_id="default", subject="", caller=None, most=1))
    await database.fetch("DELETE FROM outbox")
    await backlog.measure()
    await stage.records([record(opened(11), "o11")])
    assert await total(database, 11) == 0
