"""Billing on the real stage: what is stored and published equals what was decided."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from didflow_billing.domain.ledger import LedgerEntry
from didflow_billing.domain.term import Term
from didflow_billing.store.tables import METADATA, TERM

DAY = timedelta(days=1)


async def test_a_purchase_is_stored_and_published_once(billing: Any, make: Any) -> None:
    """A purchase gives a term, two entries and three events. Repeats of the record add nothing."""
    purchase = make.purchased()
    await billing.receive(purchase)
    await billing.receive(purchase)
    await billing.receive(purchase, purchase)
    assert await billing.topics() == ["term.changed", "ledger.posted", "ledger.posted"]
    assert [str(line.money.amount) for line in await billing.rows(LedgerEntry)] == ["3.00", "5.00"]


async def test_a_stored_term_equals_the_decided_one(billing: Any, new_billing: Any, make: Any) -> None:
    """A term comes back from its row unchanged, with the charges that it keeps."""
    events = [make.purchased(), make.registration("awaiting"), make.did_changed(), make.porting_started()]
    in_memory = new_billing()
    await billing.receive(*events)
    in_memory.receive(*events)
    assert await billing.state(Term, make.did) == in_memory.term
    stored = [line.money for line in await billing.rows(LedgerEntry)]
    assert stored == [entry.money for entry in in_memory.ledger]


async def test_events_before_the_purchase_are_parked_until_it_arrives(billing: Any, make: Any) -> None:
    """A refusal and a registration arrive in batches of their own, before the purchase."""
    await billing.receive(make.purchase_refused())
    await billing.receive(make.registration("not_required"))
    assert await billing.count("parked") == 2
    await billing.receive(make.purchased())
    term = await billing.state(Term, make.did)
    assert (term.state, term.registration, await billing.count("parked")) == ("closed", "not_required", 0)
    assert sum(line.amount for line in await billing.rows(LedgerEntry)) == 0


async def test_an_entry_is_recorded_at_the_time_of_the_service(billing: Any, make: Any) -> None:
    """Renewals that run 40 days late have the instant that they are for, and that at which they were written."""
    await billing.receive(make.purchased(), make.did_changed(), make.registration("not_required"))
    await billing.set_time(make.zero + 100 * DAY)
    await billing.run_due_timers()
    rows = await billing.fetch("SELECT posted_at, recorded_at FROM ledger WHERE kind = 'renewal' ORDER BY 1")
    assert [row["posted_at"].month for row in rows] == [2, 3, 4]
    assert len({row["recorded_at"] for row in rows}) == 1
    assert timedelta() <= rows[0]["recorded_at"] - (make.zero + 100 * DAY) < timedelta(minutes=1)


async def test_a_refused_event_is_neither_parked_nor_a_dead_letter(billing: Any, make: Any) -> None:
    """The inbox keeps the code of the refusal."""
    await billing.receive(make.purchased(), make.did_changed(), make.purchase_refused())
    rows = await billing.fetch("SELECT decision FROM inbox WHERE decision LIKE 'refused%'")
    assert [row["decision"] for row in rows] == ["refused:purchase_accepted"]
    assert (await billing.count("parked"), await billing.count("dead_letters")) == (0, 0)


async def test_a_refused_event_reaches_the_history_as_message_refused(billing: Any, make: Any) -> None:
    """The event has the code, the field and the account of the holder. A repeat publishes nothing more."""
    foreign = make.purchased(account="master/other", source="/orders/other")
    await billing.receive(make.purchased(), make.did_changed(account="master/acme/shop"))
    await billing.receive(foreign)
    await billing.receive(foreign)
    (event,) = await billing.published("message.refused")
    data = event.data
    assert (data.code, data.field, data.account) == ("not_yours", "account", "master/acme/shop")
    assert (data.refused_type, data.refused_source) == ("didflow.did.purchased.v1", "/orders/other")
    assert (data.refused_id, event.causationid) == (foreign.id, foreign.id)


async def test_a_due_term_is_renewed(billing: Any, make: Any) -> None:
    """After a month the next period is charged and published, each at its own instant."""
    await billing.receive(make.purchased(), make.did_changed(), make.registration("not_required"))
    end = (await billing.state(Term, make.did)).expires_at
    await billing.set_time(end - timedelta(minutes=1))
    await billing.run_due_timers()
    assert len(await billing.rows(LedgerEntry)) == 2
    await billing.set_time(end)
    await billing.run_due_timers()
    renewal = (await billing.rows(LedgerEntry))[-1]
    assert (renewal.kind, renewal.posted_at, renewal.period_start) == ("renewal", end, end)
    assert (await billing.topics())[-3:] == ["cycle.expired", "term.changed", "ledger.posted"]


async def test_timers_that_were_stopped_for_a_year_give_the_same_events_and_entries(
    billing: Any, new_billing: Any, make: Any
) -> None:
    """Entries and events are the same, at the same instants, as with timers that never stopped."""
    in_memory = new_billing()
    for message in (make.purchased(), make.did_changed(), make.registration("not_required")):
        await billing.receive(message)
        in_memory.receive(message)
    year = make.zero + 365 * DAY
    await billing.set_time(year)
    await billing.run_due_timers()
    for day in range(366):
        in_memory.run_timers(make.zero + day * DAY)
    assert await billing.state(Term, make.did) == in_memory.term
    assert await billing.rows(LedgerEntry) == in_memory.ledger
    published = await billing.published()
    assert [event.data for event in published] == in_memory.published_data()
    assert [event.time for event in published[3:]] == [event.time for event in in_memory.published()[3:]]
    assert [event.sequence for event in published] == list(range(1, len(published) + 1))


@pytest.mark.parametrize("workers", [1, 4])
async def test_reminders_are_published_once_by_workers_that_were_stopped_for_400_days(
    billing: Any, new_billing: Any, make: Any, workers: int
) -> None:
    """Times, data and sequences are those of timers that never stopped. Repeats of the events publish nothing more."""
    in_memory = new_billing()
    events = make.purchased(billing_cycles=1), make.did_changed(), make.registration("not_required")
    for event in events:
        await billing.receive(event)
        in_memory.receive(event)
    await billing.set_time(make.zero + 400 * DAY)
    for _ in range(2):
        await asyncio.gather(*(billing.run_due_timers() for _ in range(workers)))
        await asyncio.gather(*(billing.receive(event) for event in events))
    for day in range(401):
        in_memory.run_timers(make.zero + day * DAY)
    assert await billing.state(Term, make.did) == in_memory.term
    published, expected = await billing.published("term.expiring"), in_memory.published("term.expiring")
    assert [(e.time, e.sequence, e.data) for e in published] == [
        (e.time, e.sequence, e.data) for e in expected
    ]
    assert [e.data.days for e in published] == [30, 7, 1, 7, 1]


async def test_nothing_is_due_until_verification_has_answered(billing: Any, make: Any) -> None:
    """The term stays in its first period, however much time passes."""
    await billing.receive(make.purchased(), make.did_changed())
    await billing.set_time(make.zero + 400 * DAY)
    await billing.run_due_timers()
    assert (await billing.state(Term, make.did)).period == 1


async def test_an_event_settles_only_what_was_due_before_it(billing: Any, make: Any) -> None:
    """A withdrawal of day 40 arrives after a year. One renewal is posted, and then the term is closed."""
    await billing.receive(make.purchased(), make.did_changed(), make.registration("not_required"))
    await billing.set_time(make.zero + 365 * DAY)
    await billing.receive(make.withdrawn(make.zero + 40 * DAY))
    assert [line.kind for line in await billing.rows(LedgerEntry)] == ["setup", "recurring", "renewal"]
    assert (await billing.state(Term, make.did)).state == "closed"


async def test_a_purchase_and_its_refusal_received_at_the_same_time_leave_no_charge(
    billing: Any, make: Any
) -> None:
    """Two workers process them at the same time."""
    await asyncio.gather(billing.receive(make.purchased()), billing.receive(make.purchase_refused()))
    assert (await billing.state(Term, make.did)).state == "closed"
    assert sum(line.amount for line in await billing.rows(LedgerEntry)) == 0


async def test_the_migration_creates_the_tables_that_the_code_describes(billing: Any) -> None:
    """Columns, their order and nullability, and indexes are the same."""
    query = (
        "SELECT column_name, is_nullable FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name = $1 ORDER BY ordinal_position"
    )
    for table in METADATA.sorted_tables:
        rows = await billing.fetch(query, table.name)
        described = [(c.name, "YES" if c.nullable else "NO") for c in table.columns]
        assert [(row[0], row[1]) for row in rows] == described
        indexes = await billing.fetch(
            "SELECT indexname FROM pg_indexes WHERE tablename = $1 AND indexname NOT LIKE '%_pkey'",
            table.name,
        )
        assert {row[0] for row in indexes} == {index.name for index in table.indexes}
    assert TERM.due == "due_at"
