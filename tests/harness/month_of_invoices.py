"""A month of many DIDs over the movable clock: purchases, renewals and refunds through the stage of billing.

The payers are accounts in three levels, and the currencies have no, two and three decimal places.
"""

import csv
import hashlib
import io
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from didflow_chassis.testing import ServiceOnPostgres
from didflow_contracts.accounts import lineage
from didflow_contracts.envelope import Event
from didflow_contracts.event_data import EventData
from didflow_contracts.events import DidPurchased, PurchaseRefused, VerificationNotRequired

BATCH: Final = 500
BEGIN: Final = datetime(2027, 1, 30, 12, tzinfo=UTC)
"""The second month is February: terms that begin on the last two days of January end on its last day."""
MONTHS: Final = ("2027-01", "2027-02")
CLOSED: Final = datetime(2027, 3, 1, 1, tzinfo=UTC)
PRICES: Final = (("EUR", "0.335"), ("EUR", "1.99"), ("JPY", "150.5"), ("KWD", "0.3335"))
"""Some are no whole minor units: what is charged is rounded, and everything else adds up what was charged."""

Sums = dict[tuple[str, str], Decimal]
"""The sum of entries by payer and currency."""


def payer(n: int) -> str:
    """Return the account that purchases a DID: the root, one of 3 resellers, or one of 30 shops."""
    if n % 40 == 0:
        return "master"
    reseller = f"master/r{n % 3}"
    return reseller if n % 7 == 0 else f"{reseller}/s{n % 10}"


def event(n: int, name: str, model: type[EventData], at: datetime, source: str, **data: Any) -> Event[Any]:
    """Return an event about DID n."""
    about = {"did_id": UUID(int=n + 1), "number": f"+4420{n:08}", "account": payer(n)}
    sequence = None if source.startswith("/orders") else {"refused": 2, "answered": 1}[name]
    return Event(
        id=f"{name}-{n}", source=source, time=at, data=model.model_validate(about | data), sequence=sequence
    )


def events_of(n: int, at: datetime) -> Iterator[Event[Any]]:
    """Yield the purchase of DID n, and that it needs no registration. One of ten is refused."""
    currency, recurring = PRICES[n % len(PRICES)]
    price = {
        "setup": {"amount": "2", "currency": currency},
        "recurring": {"amount": recurring, "currency": currency},
    }
    order = {
        "order_id": f"order {n // 7}",
        "number_type": "local",
        "features": ["voice_in"],
        "end_user_type": "business",
        "price": price,
        "billing_period": 3 if n % 11 == 0 else 1,
    }
    yield event(n, "purchased", DidPurchased, at, "/orders/shop", **order)
    if n % 10 == 0:
        refusal = {"order_id": order["order_id"], "code": "number_taken", "message": ""}
        yield event(n, "refused", PurchaseRefused, at, "/didflow/inventory", **refusal)
    else:
        answered = {"registration": "not_required"}
        yield event(n, "answered", VerificationNotRequired, at, "/didflow/verification", **answered)


async def live(billing: ServiceOnPostgres, dids: int) -> None:
    """Purchase DIDs over ten days, and run the timers until March has begun and February is closed."""
    days = 10
    for day in range(days):
        now = BEGIN + timedelta(days=day, seconds=day)
        await billing.set_time(now)
        numbers = range(day, dids, days)
        for first in range(0, len(numbers), BATCH):
            batch = numbers[first : first + BATCH]
            await billing.receive(*(each for n in batch for each in events_of(n, now)))
    for end in (datetime(2027, 2, 28, 12, tzinfo=UTC), datetime(2027, 2, 28, 23, 59, 50, tzinfo=UTC)):
        await billing.set_time(end)
        await renewed(billing)
    await billing.set_time(CLOSED)


async def renewed(billing: ServiceOnPostgres) -> None:
    """Run all timers that are due, chunk by chunk."""
    while await billing.timers.run_due():
        pass
    await billing.run_due_timers()


async def invoice(client: Any, month: str, **query: str) -> tuple[Sums, str]:
    """Return the sums of an invoice, which are the same in both formats, and a digest of both files."""
    by_format: list[Sums] = []
    digest = hashlib.sha256()
    for kind in ("csv", "jsonl"):
        answer = await client.get(f"/v1/invoices.{kind}", params={"month": month, **query})
        assert answer.status_code == 200, answer.text
        digest.update(answer.content)
        sums: Sums = defaultdict(Decimal)
        if kind == "csv":
            for row in csv.DictReader(io.StringIO(answer.text)):
                sums[row["payer"], row["currency"]] += Decimal(row["amount"])
        else:
            for entry in map(json.loads, answer.text.splitlines()):
                sums[entry["payer"], entry["money"]["currency"]] += Decimal(entry["money"]["amount"])
        by_format.append(sums)
    assert by_format[0] == by_format[1]
    return by_format[0], digest.hexdigest()


async def in_ledger(billing: ServiceOnPostgres, months: Sequence[str]) -> Sums:
    """Return the sums of the ledger itself, of what was recorded in these months."""
    rows = await billing.fetch(
        "SELECT payer, currency, sum(amount) FROM ledger "
        "WHERE to_char(recorded_at AT TIME ZONE 'UTC', 'YYYY-MM') = ANY($1) GROUP BY 1, 2",
        list(months),
    )
    return {(row[0], row[1]): row[2] for row in rows}


async def balances(client: Any, by: str) -> Sums:
    """Return the balances of all pages, added up by account and currency."""
    sums: Sums = defaultdict(Decimal)
    following: str | None = ""
    while following is not None:
        query = {"by": by, "limit": "1000"} | ({"cursor": following} if following else {})
        page = (await client.get("/v1/balances", params=query)).json()
        for item in page["items"]:
            sums[item["account"], item["currency"]] += Decimal(item["balance"]["amount"])
        following = page["next"]
    return sums


def with_those_below(sums: Sums) -> Sums:
    """Return sums by account, each with the accounts below it."""
    found: Sums = defaultdict(Decimal)
    for (account, currency), amount in sums.items():
        for path in lineage(account):
            found[path, currency] += amount
    return found


def is_in_minor_units(sums: Sums) -> bool:
    """Return True if every sum is a whole number of minor units of its currency."""
    units = {"EUR": Decimal("0.01"), "JPY": Decimal(1), "KWD": Decimal("0.001")}
    return all(amount % units[currency] == 0 for (_, currency), amount in sums.items())


async def check(billing: ServiceOnPostgres) -> None:
    """Compare invoices, ledger and balances, by payer and currency. Then write more, and read the invoices again."""
    operator = billing.client("elsewhere", "operator")
    invoices = {month: await invoice(operator, month) for month in MONTHS}
    whole: Sums = defaultdict(Decimal)
    for month, (sums, _) in invoices.items():
        assert sums == await in_ledger(billing, [month])
        assert is_in_minor_units(sums)
        for key, amount in sums.items():
            whole[key] += amount
    assert len(whole) > 40
    for by in ("order", "did"):
        assert await balances(operator, by) == whole
    assert await balances(operator, "account") == with_those_below(whole)
    for account in ("master", "master/r1", "master/r1/s1"):
        alone, _ = await invoice(operator, "2027-02", account=account)
        assert alone == {key: each for key, each in invoices["2027-02"][0].items() if key[0] == account}
        below = await balances(billing.client(account, "reseller"), "account")
        assert below[account, "EUR"] == with_those_below(whole)[account, "EUR"]
    before = await billing.count("ledger")
    await billing.set_time(CLOSED + timedelta(days=10))
    await renewed(billing)
    assert await billing.count("ledger") > before
    assert {month: await invoice(operator, month) for month in MONTHS} == invoices
