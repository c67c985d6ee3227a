"""The breaker and the limit of the outbox: neither a defect of ours nor an outage of Kafka loses a message."""

from typing import Any

import pytest
import toy
from toy_messages import ACCOUNT, added, command, count, opened, total
from toy_operator import Operator
from toy_records import named, record

from didflow_chassis.backlog import Backlog
from didflow_chassis.database import Database, Outage, Transient
from didflow_chassis.records import Record
from didflow_chassis.stage import Stage

NOW_DUE = "UPDATE parked SET due_at = clock_timestamp() WHERE due_at IS NOT NULL"
DUE = "SELECT entity, subject FROM parked WHERE due_at <= clock_timestamp() ORDER BY id"
MANY = 40


def poisoned(number: int, account: str) -> Record:
    did_id, subject = named(number)
    data = toy.Added(did_id=did_id, number=subject, account=account, amount=toy.POISONED)
    return record(data, f"p{number}")


def of_one_account(records: int = MANY) -> list[Record]:
    return [poisoned(n, ACCOUNT) for n in range(records)]


def of_many_accounts(records: int = MANY) -> list[Record]:
    return [poisoned(n, f"{ACCOUNT}{n % 5}") for n in range(records)]


async def run_due(stage: Stage, database: Database) -> None:
    """Try the messages under retry, as if their instants had come."""
    await database.fetch(NOW_DUE)
    await stage.parked({row["entity"]: row["subject"] for row in await database.fetch(DUE)})


async def opened_counters(stage: Stage, counters: int = MANY) -> None:
    await stage.records([record(opened(n), f"o{n}") for n in range(counters)])


async def test_one_account_whose_data_makes_decisions_raise_stops_nobody(
    stage: Stage, database: Database
) -> None:
    """Its records are retried and become dead letters. Records of the same partition and batch are decided."""
    await opened_counters(stage, MANY + 10)
    await stage.records([*of_one_account(), *(record(added(MANY + n, 7), f"a{n}") for n in range(10))])
    assert [await total(database, MANY + n) for n in range(10)] == [7] * 10
    assert await count(database, "parked", "reason = 'retry' AND attempts = 1") == MANY
    for _ in range(3):
        await run_due(stage, database)
    assert await count(database, "dead_letters", "reason = 'defect'") == MANY
    assert stage.open_breakers == ()


async def test_a_release_that_cannot_decide_anything_gives_up_no_record(
    stage: Stage, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its messages stay under retry however often they are tried. A release without the defect decides all of them."""
    await opened_counters(stage)
    await stage.records(of_many_accounts())
    for _ in range(6):
        await run_due(stage, database)
    assert stage.open_breakers == ("didflow.counter.added.v1",)
    assert await count(database, "parked", "reason = 'retry'") == MANY
    assert await count(database, "dead_letters") == 0
    monkeypatch.setattr(toy, "POISONED", 0)
    await run_due(stage, database)
    assert [await total(database, n) for n in range(MANY)] == [666] * MANY
    assert stage.open_breakers == ()


async def test_messages_wait_longer_and_longer_while_the_breaker_is_open(
    stage: Stage, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each waits about as long as the breaker has been open, at most some minutes, and not all equally long."""
    seconds = 1_000.0
    monkeypatch.setattr("didflow_chassis.stage.breaker.monotonic", lambda: seconds)
    await opened_counters(stage)
    waits = []
    for later in (0, 60, 600):
        seconds += later
        await (stage.records(of_many_accounts()) if not later else run_due(stage, database))
        waits.append(
            await database.fetch("SELECT extract(epoch FROM due_at - clock_timestamp())::float8 FROM parked")
        )
    shortest = [min(row[0] for row in rows) for rows in waits]
    longest = [max(row[0] for row in rows) for rows in waits]
    assert shortest[0] < 2
    assert longest[0] < 7
    assert 55 < shortest[1] < longest[1] < 91
    assert 280 < shortest[2] < longest[2] < 451
    assert longest[2] - shortest[2] > 30


async def test_failures_in_small_batches_add_up(stage: Stage, database: Database) -> None:
    """One record at a time: those before the breaker opens are fewer than ten entities."""
    await opened_counters(stage)
    for one in of_many_accounts():
        await stage.records([one])
    for _ in range(5):
        await run_due(stage, database)
    assert await count(database, "dead_letters") < 10
    assert await count(database, "parked", "attempts = 0") == MANY - 9


async def test_failures_among_more_successes_do_not_open_the_breaker(
    stage: Stage, database: Database
) -> None:
    """While most decisions of the type succeed, the release is not broken."""
    await opened_counters(stage, 3 * MANY)
    good = [record(added(MANY + n, 1), f"m{n}") for n in range(2 * MANY)]
    bad = of_many_accounts()
    await stage.records(
        [one for n, failing in enumerate(bad) for one in (good[2 * n], good[2 * n + 1], failing)]
    )
    assert await count(database, "parked", "reason = 'retry' AND attempts = 1") == MANY
    assert stage.open_breakers == ()


async def test_only_what_failed_waits_while_the_breaker_is_open(stage: Stage, database: Database) -> None:
    """Messages of the type that can be decided are decided, and so are those of other types."""
    await opened_counters(stage)
    await stage.records(of_many_accounts())
    good = [record(opened(99), "o99"), record(added(99, 5), "a99")]
    await stage.records(good)
    assert await total(database, 99) == 5


async def test_a_batch_that_is_rolled_back_leaves_no_counts(
    stage: Stage, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nine entities fail. Their batch is run five times before it is committed, and they count once."""
    await opened_counters(stage)
    save, failures = stage_save(), iter(range(4))

    async def failing_save(*arguments: Any) -> None:
        await save(*arguments)
        if next(failures, None) is not None:
            raise Transient("again")

    monkeypatch.setattr("didflow_chassis.stage.transaction.save", failing_save)
    await stage.records([*of_many_accounts(9), record(added(MANY - 1, 1), "good")])
    assert stage.open_breakers == ()
    assert stage._breaker.counted("didflow.counter.added.v1") == (10, 9)


def stage_save() -> Any:
    from didflow_chassis.stage import transaction

    return transaction.save


async def test_an_operator_gives_up_messages_that_wait_for_a_release(
    stage: Stage, database: Database
) -> None:
    """They become dead letters at the next attempt, also while the breaker is open, and what waits behind goes on."""
    await opened_counters(stage)
    await stage.records([*of_many_accounts(), record(added(0, 3), "behind")])
    operator = Operator(database)
    rows = await database.fetch("SELECT id FROM parked WHERE reason = 'retry' ORDER BY id LIMIT 30")
    ids = [row[0] for row in rows]
    assert set((await operator.give_up([*ids, 10**9])).values()) == {"done", "not_found"}
    assert set((await operator.give_up(ids)).values()) == {"unchanged"}
    await run_due(stage, database)
    assert await count(database, "dead_letters", "reason = 'defect'") == 30
    assert await count(database, "parked", "reason = 'retry'") == MANY - 30
    await operator.drop([letter.id for letter in await operator.oldest()])
    await run_due(stage, database)
    assert await total(database, 0) == 3


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
