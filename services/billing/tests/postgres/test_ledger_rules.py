"""What the database itself holds about the ledger, whatever the code does."""

import asyncio
import json
import random
from collections import defaultdict
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from harness.postgres import owner_dsn_of

from didflow_billing.domain.ledger import LedgerEntry
from didflow_chassis.database import BadStatement
from didflow_contracts.accounts import lineage
from didflow_contracts.ids import uuid7

OTHER = UUID("0190a5b6-7c00-7000-8000-000000000002")
OTHER_NUMBER = "+35319609037"
COPY = """
INSERT INTO ledger SELECT (jsonb_populate_record(l, $1::jsonb || jsonb_build_object('entry_id', gen_random_uuid()))).*
FROM ledger l WHERE did_id = $2 AND position = $3
"""
SETUP, FIRST, REFUND = 1, 2, 3
"""The positions of a purchase that was refused."""


async def copied(billing: Any, did: UUID, copy_of: int, **changes: Any) -> None:
    """Insert a copy of an entry with other values, as the service's own role."""
    await billing.fetch(COPY, json.dumps(changes), did, copy_of)


@pytest.mark.parametrize(
    ("copy_of", "changes", "rule"),
    [
        (SETUP, {}, "ledger_did"),
        (FIRST, {"position": 9}, "ledger_charged_once"),
        (FIRST, {"position": 9, "kind": "renewal"}, "ledger_charged_once"),
        (REFUND, {"position": 9}, "ledger_reverses"),
        (FIRST, {"position": 9, "period_start": None}, "ledger_periods"),
        (SETUP, {"position": 9, "amount": -1}, "ledger_signs"),
        (SETUP, {"position": 9, "reverses": str(OTHER)}, "ledger_signs"),
        (REFUND, {"position": 9, "amount": 1}, "ledger_signs"),
        (REFUND, {"position": 9, "reverses": None}, "ledger_signs"),
        (REFUND, {"position": 9, "reverses": str(OTHER)}, "ledger_refund_fits"),
    ],
)
async def test_the_database_refuses_a_wrong_entry(
    billing: Any, make: Any, copy_of: int, changes: dict[str, Any], rule: str
) -> None:
    """A repeated position, a second charge for a period, a second refund, wrong signs, a refund of nothing."""
    await billing.receive(make.purchased(), make.purchase_refused())
    with pytest.raises(asyncpg.IntegrityConstraintViolationError) as refused:
        await copied(billing, make.did, copy_of, **changes)
    assert refused.value.constraint_name == rule
    assert await billing.count("ledger") == 4


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": -5.01},
        {"currency": "USD"},
        {"did_id": str(OTHER)},
        {"payer": "master/other"},
    ],
)
async def test_a_refund_never_exceeds_its_charge_and_is_of_the_same_did_payer_and_currency(
    active: Any, make: Any, changes: dict[str, Any]
) -> None:
    """A part of the charge may be refunded, once."""
    about = {"kind": "refund", "amount": -5, "position": 9, "period_start": None}
    (entry,) = await active.fetch("SELECT entry_id FROM ledger WHERE position = 2")
    about["reverses"] = str(entry["entry_id"])
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await copied(active, make.did, FIRST, **about | changes)
    assert refused.value.constraint_name == "ledger_refund_fits"
    await copied(active, make.did, FIRST, **about | {"amount": -4})
    with pytest.raises(asyncpg.UniqueViolationError, match="ledger_reverses"):
        await copied(active, make.did, FIRST, **about | {"amount": -1, "position": 10})


async def test_nobody_changes_the_ledger_and_only_its_triggers_write_totals(active: Any) -> None:
    """Not even the role that owns the tables changes an entry. The service's own role only reads totals."""
    owner = await asyncpg.connect(owner_dsn_of(active.database.dsn))
    try:
        for statement in ("UPDATE ledger SET amount = 0", "DELETE FROM ledger", "TRUNCATE ledger"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="never changed"):
                await owner.execute(statement)
    finally:
        await owner.close()
    for table in ("account_totals", "order_totals"):
        assert await active.count(table)
        for statement in (f"UPDATE {table} SET charged = 0", f"DELETE FROM {table}"):
            with pytest.raises(BadStatement, match="InsufficientPrivilege"):
                await active.fetch(statement)
    (may,) = await active.fetch("SELECT has_function_privilege('add_to_totals()', 'EXECUTE')")
    assert may[0] is False  # else a trigger of a table of its own could run it


async def test_two_writers_at_the_same_instant_charge_a_period_once_and_refund_a_charge_once(
    active: Any, make: Any
) -> None:
    """The second waits for the first, and is refused. Each has its own transaction and its own positions."""
    (entry,) = await active.fetch("SELECT entry_id FROM ledger WHERE position = 2")
    renewal = {"kind": "renewal", "period_start": "2026-02-28T12:30:00Z"}
    refund = {"kind": "refund", "amount": -5, "reverses": str(entry["entry_id"])}
    for place, changes in ((10, renewal), (20, refund)):
        writes = (copied(active, make.did, FIRST, position=place + n, **changes) for n in range(4))
        results = await asyncio.gather(*writes, return_exceptions=True)
        refused = [each for each in results if isinstance(each, asyncpg.UniqueViolationError)]
        assert (len(refused), results.count(None)) == (3, 1)
    assert await active.count("ledger") == 4


@pytest.fixture
async def two(active: Any, make: Any) -> Any:
    """Billing with two active DIDs. The term of the first was lost: it does not know its last renewal."""
    about = {"did_id": OTHER, "number": OTHER_NUMBER}
    await active.receive(make.purchased(**about))
    before = await active.fetch("SELECT * FROM terms WHERE did_id = $1", make.did)
    async with active.client() as acme:
        renewed = await acme.post("/v1/terms/batch/renew", json={"dids": [make.number], "billing_period": 1})
    assert renewed.json()["done"] == 1
    forgotten = ("period_start", "expires_at", "anchor_months", "due_at")
    sets = ", ".join(f"{name} = ${n}" for n, name in enumerate(forgotten, 2))
    await active.fetch(
        f"UPDATE terms SET {sets} WHERE did_id = $1", make.did, *(before[0][n] for n in forgotten)
    )
    return active


async def test_a_batch_whose_entry_the_database_refuses_refuses_this_did_alone(two: Any, make: Any) -> None:
    """The renewal of the lost term would charge a period twice. The other DID is renewed."""
    body = {"dids": [make.number, OTHER_NUMBER], "billing_period": 1}
    async with two.client() as acme:
        answer = (await acme.post("/v1/terms/batch/renew", json=body)).json()
    found = [(each["outcome"], each.get("code")) for each in answer["results"]]
    assert found == [("refused", "internal_error"), ("done", None)]
    assert await two.count("ledger", f"did_id = '{make.did}' AND kind = 'renewal'") == 1
    assert await two.count("ledger", f"did_id = '{OTHER}' AND kind = 'renewal'") == 1


async def test_a_timer_whose_entry_the_database_refuses_waits_alone(two: Any, make: Any) -> None:
    """The timer of the lost term is tried again later. The other DID of the same batch is renewed."""
    about = {"did_id": OTHER, "number": OTHER_NUMBER}
    answered = make.registration("not_required").data.model_copy(update=about)
    other = make.event(answered, make.zero, "/didflow/verification", 1)
    await two.receive(other)
    await two.set_time(make.zero + timedelta(days=29))
    await two.run_due_timers()
    assert await two.count("ledger", f"did_id = '{make.did}' AND kind = 'renewal'") == 1
    assert await two.count("ledger", f"did_id = '{OTHER}' AND kind = 'renewal'") == 1
    assert [(each.entity, each.reason) for each in await two.parked()] == [(str(make.did), "retry")]


async def test_an_event_that_would_refund_twice_waits_alone(billing: Any, make: Any) -> None:
    """A term that has lost its refund gets a second refusal, beside the refusal of another DID."""
    other = {"did_id": OTHER, "number": OTHER_NUMBER}
    await billing.receive(make.purchased(), make.purchased(**other))
    columns = "state, charges, due_at"
    (before,) = await billing.fetch(f"SELECT {columns} FROM terms WHERE did_id = $1", make.did)
    await billing.receive(make.purchase_refused())
    await billing.fetch(
        "UPDATE terms SET state = $2, charges = $3, due_at = $4 WHERE did_id = $1", make.did, *before
    )
    second = make.purchase_refused(sequence=5)
    refused = make.purchase_refused().data.model_copy(update=other)
    beside = make.event(refused, make.zero, "/didflow/inventory", 1)
    await billing.receive(second, beside)
    assert await billing.count("ledger", f"did_id = '{make.did}' AND kind = 'refund'") == 2
    assert await billing.count("ledger", f"did_id = '{OTHER}' AND kind = 'refund'") == 2
    assert [(each.entity, each.reason) for each in await billing.parked()] == [(str(make.did), "retry")]


async def test_totals_equal_the_ledger_after_concurrent_writes(billing: Any, make: Any) -> None:
    """Purchases and refusals of accounts in three levels and of three currencies, in batches side by side."""
    chosen = random.Random(7)
    accounts = ["master", "master/acme", "master/acme/shop", "master/acme-2", "other/deep/er/still"]
    batches = []
    for batch in range(12):
        events: list[Any] = []
        for n in range(10):
            number = f"+3531960{batch:02}{n:02}"
            currency, unit = chosen.choice([("EUR", "0.01"), ("JPY", "1"), ("KWD", "0.001")])
            money = {"amount": str(chosen.randrange(1, 9_999) * Decimal(unit)), "currency": currency}
            about = {"did_id": uuid7(), "number": number, "account": chosen.choice(accounts)}
            order = chosen.choice(["o-1", "o-2"])
            at = make.zero - timedelta(hours=chosen.randrange(24 * 20))
            price = {"setup": money, "recurring": money}
            events.append(make.purchased(at, **about, order_id=order, price=price, purchased_at=at))
            if chosen.random() < 0.3:
                refused = make.purchase_refused().data.model_copy(update=about)
                events.append(make.event(refused, at, "/didflow/inventory", 1))
        batches.append(events)
    await asyncio.gather(*(billing.receive(*events) for events in batches))
    await copied(billing, batches[0][0].data.did_id, SETUP, position=99, order_id=None)
    await totals_equal_the_ledger(billing)
    assert await billing.count("ledger") > 240
    assert {row[0] for row in await billing.fetch("SELECT DISTINCT stripe FROM account_totals")} > {0}


async def test_a_rebuild_of_totals_waits_for_writers_and_later_writers_wait_for_it(
    active: Any, make: Any
) -> None:
    """One entry is written but not committed when it begins, and one comes while it waits. Both are added up once."""
    dsn = active.database.dsn
    owner, writer = await asyncpg.connect(owner_dsn_of(dsn)), await asyncpg.connect(dsn)
    try:
        with pytest.raises(BadStatement, match="InsufficientPrivilege"):
            await active.fetch("SELECT rebuild_totals()")
        with pytest.raises(asyncpg.InvalidTransactionStateError):
            await owner.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT rebuild_totals()")
        await owner.execute("ROLLBACK; UPDATE account_totals SET charged = 0; DELETE FROM order_totals")
        async with writer.transaction():
            await writer.execute(COPY, json.dumps({"position": 8}), make.did, SETUP)
            rebuild = asyncio.create_task(owner.execute("SELECT rebuild_totals()"))
            await asyncio.sleep(0.1)
            later = asyncio.create_task(copied(active, make.did, SETUP, position=9))
            await asyncio.sleep(0.1)
            assert not rebuild.done()
            assert not later.done()
        await asyncio.gather(rebuild, later)
    finally:
        await owner.close()
        await writer.close()
    assert await active.count("ledger") == 4
    await totals_equal_the_ledger(active)


async def totals_equal_the_ledger(billing: Any) -> None:
    """Compare both tables of totals with the entries."""
    entries = await billing.rows(LedgerEntry)
    by_account = await billing.fetch(
        "SELECT period, account, currency, sum(charged), sum(refunded), min(first_at), max(last_at) "
        "FROM account_totals GROUP BY 1, 2, 3"
    )
    assert {tuple(row[:3]): tuple(row[3:]) for row in by_account} == expected(entries, by_order=False)
    by_order = await billing.fetch(
        "SELECT day::text, account, order_id, currency, sum(charged), sum(refunded) "
        "FROM order_totals GROUP BY 1, 2, 3, 4"
    )
    whole = {key: sums[:2] for key, sums in expected(entries, by_order=True).items()}
    assert {tuple(row[:4]): tuple(row[4:]) for row in by_order} == whole


def expected(entries: list[LedgerEntry], *, by_order: bool) -> dict[Any, Any]:
    """Return the same sums, computed from the entries one by one."""
    found: dict[Any, list[LedgerEntry]] = defaultdict(list)
    for entry in entries:
        at = entry.posted_at
        day = f"{at:%Y-%m-%d}"
        periods = [day] if by_order else ["all", f"{at:%Y-%m}", day, f"{at:%Y-%m-%dT%H}"]
        for period in periods:
            for account in (entry.payer,) if by_order else lineage(entry.payer):
                key = (period, account, entry.order_id or "") if by_order else (period, account)
                found[*key, entry.currency].append(entry)
    return {
        key: (
            sum(each.amount for each in those if each.kind != "refund"),
            -sum(each.amount for each in those if each.kind == "refund"),
            min(each.posted_at for each in those),
            max(each.posted_at for each in those),
        )
        for key, those in found.items()
    }
