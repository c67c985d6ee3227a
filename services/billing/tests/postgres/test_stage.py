"""Billing's decisions on the real way: what is stored, said and posted is what the decisions say."""

import asyncio
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from didflow_billing.domain.ledger import LedgerEntry
from didflow_billing.domain.term import Term
from didflow_billing.store import METADATA, TERM

DAY = timedelta(days=1)


async def test_a_purchase_is_stored_posted_and_said_once(billing: Any, say: Any) -> None:
    """One batch: term, two lines, three events. The same records again: nothing more."""
    purchase = say.purchased()
    await billing.receive(purchase)
    await billing.receive(purchase)
    await billing.receive(purchase, purchase)
    assert await billing.topics() == ["term.changed", "ledger.posted", "ledger.posted"]
    assert [str(line.money.amount) for line in await billing.rows(LedgerEntry)] == ["3.00", "5.00"]


async def test_what_is_stored_is_what_was_decided(billing: Any, new_billing: Any, say: Any) -> None:
    """A term, its remembered charges and all, comes back from its row as it was in memory."""
    events = [say.purchased(), say.registration("awaiting"), say.holding(), say.porting_started()]
    in_memory = new_billing()
    await billing.receive(*events)
    in_memory.receive(*events)
    assert await billing.state(Term, say.did) == in_memory.term
    told = [line.money for line in await billing.rows(LedgerEntry)]
    assert told == [entry.money for entry in in_memory.ledger]


async def test_what_comes_too_early_waits_and_runs_with_its_purchase(billing: Any, say: Any) -> None:
    """Refusal, holding and registration before the purchase, in batches of their own."""
    await billing.receive(say.refused())
    await billing.receive(say.registration("not_required"))
    assert await billing.count("parked") == 2
    await billing.receive(say.purchased())
    term = await billing.state(Term, say.did)
    assert (term.state, term.registration, await billing.count("parked")) == ("closed", "not_required", 0)
    assert sum(line.amount for line in await billing.rows(LedgerEntry)) == 0


async def test_a_refused_decision_is_kept_with_its_code(billing: Any, say: Any) -> None:
    """Neither parked nor dead-lettered: the inbox knows what became of it."""
    await billing.receive(say.purchased(), say.holding(), say.refused())
    outcomes = await billing.fetch("SELECT outcome FROM inbox WHERE outcome LIKE 'refused%'")
    assert [row["outcome"] for row in outcomes] == ["refused:purchase_accepted"]
    assert (await billing.count("parked"), await billing.count("dead_letters")) == (0, 0)


async def test_the_clock_renews_what_is_due(billing: Any, say: Any) -> None:
    """A month later the clock strikes once: the next period, charged and said at its own instant."""
    await billing.receive(say.purchased(), say.holding(), say.registration("not_required"))
    end = (await billing.state(Term, say.did)).expires_at
    await billing.set_time(end - timedelta(minutes=1))
    await billing.run_due_timers()
    assert len(await billing.rows(LedgerEntry)) == 2
    await billing.set_time(end)
    await billing.run_due_timers()
    renewal = (await billing.rows(LedgerEntry))[-1]
    assert (renewal.kind, renewal.posted_at, renewal.period_start) == ("renewal", end, end)
    assert (await billing.topics())[-3:] == ["cycle.expired", "term.changed", "ledger.posted"]


async def test_a_clock_that_was_down_for_a_year_does_then_what_it_should_have_done(
    billing: Any, new_billing: Any, say: Any
) -> None:
    """One strike after a year: the same lines and events, at the same instants, as one that never stopped."""
    in_memory = new_billing()
    for message in (say.purchased(), say.holding(), say.registration("not_required")):
        await billing.receive(message)
        in_memory.receive(message)
    year = say.zero + 365 * DAY
    await billing.set_time(year)
    await billing.run_due_timers()
    for day in range(366):
        in_memory.run_timers(say.zero + day * DAY)
    assert await billing.state(Term, say.did) == in_memory.term
    lines = await billing.rows(LedgerEntry)
    assert [line.entry_id for line in lines] == [entry.entry_id for entry in in_memory.ledger]
    assert lines[2:] == in_memory.ledger[2:]
    published = await billing.published()
    assert [event.data for event in published] == in_memory.published_data()
    assert [event.time for event in published[3:]] == [event.time for event in in_memory.published()[3:]]
    assert [event.sequence for event in published] == list(range(1, len(published) + 1))


async def test_the_clock_is_deaf_until_verification_has_spoken(billing: Any, say: Any) -> None:
    """Nothing is due without its word, whatever the time."""
    await billing.receive(say.purchased(), say.holding())
    await billing.set_time(say.zero + 400 * DAY)
    await billing.run_due_timers()
    assert (await billing.state(Term, say.did)).period == 1


async def test_an_event_settles_what_was_due_before_it_and_no_more(billing: Any, say: Any) -> None:
    """A withdrawal of day 40 that is heard in a year: one renewal, then the end."""
    await billing.receive(say.purchased(), say.holding(), say.registration("not_required"))
    await billing.set_time(say.zero + 365 * DAY)
    await billing.receive(say.withdrawn(say.zero + 40 * DAY))
    assert [line.kind for line in await billing.rows(LedgerEntry)] == ["setup", "recurring", "renewal"]
    assert (await billing.state(Term, say.did)).state == "closed"


async def test_purchase_and_refusal_at_the_same_instant_both_take_effect(billing: Any, say: Any) -> None:
    """Two workers, one with the purchase and one with the refusal: never a charge that stays."""
    await asyncio.gather(billing.receive(say.purchased()), billing.receive(say.refused()))
    assert (await billing.state(Term, say.did)).state == "closed"
    assert sum(line.amount for line in await billing.rows(LedgerEntry)) == 0


async def test_the_ledger_cannot_hold_a_line_twice_nor_two_refunds_of_one_charge(
    billing: Any, say: Any
) -> None:
    """The last net: the table itself refuses."""
    await billing.receive(say.purchased(), say.refused())
    rest = "order_id, payer, kind, amount, currency, period_start, period_end, reverses, posted_at"
    select = f"SELECT gen_random_uuid(), did_id, number, %s, {rest} FROM ledger WHERE line = 3"
    for line, index in (("line", "ledger_did"), ("99", "ledger_reverses")):
        with pytest.raises(asyncpg.UniqueViolationError, match=index):
            await billing.fetch(f"INSERT INTO ledger {select % line}")


async def test_the_tables_are_as_the_code_describes_them(billing: Any) -> None:
    """Columns, their order, types and nullability: the migration and the store agree."""
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
