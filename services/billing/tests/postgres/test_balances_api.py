"""Balances over HTTP."""

import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from harness.statements import statements_of
from msgspec.structs import replace

from didflow_billing.domain.ledger import LedgerEntry
from didflow_contracts.accounts import lineage
from didflow_contracts.ids import uuid7

ACCOUNTS = ("master", "master/acme", "master/acme/one", "master/acme/two", "master/acme-2", "rival/shop")
UNITS = {"EUR": "0.01", "JPY": "1", "KWD": "0.001"}
FIRST = datetime(2026, 1, 20, tzinfo=UTC)


def refund_of(charge: LedgerEntry, at: datetime) -> LedgerEntry:
    """Return the refund of a charge."""
    return replace(
        charge,
        entry_id=uuid7(),
        position=2,
        kind="refund",
        amount=-charge.amount,
        reverses=charge.entry_id,
        posted_at=at,
    )


@pytest.fixture
async def entries(billing: Any, make: Any) -> list[LedgerEntry]:
    """Charges over four months, at any second and at midnight, and some refunds."""
    chosen = random.Random(3)
    found: list[LedgerEntry] = []
    for n in range(120):
        at = FIRST + timedelta(seconds=chosen.randrange(110 * 86_400))
        currency = chosen.choice([*UNITS])
        charge = make.charge(
            ACCOUNTS[n % len(ACCOUNTS)],
            at if n % 5 else at.replace(hour=0, minute=0, second=0),
            currency=currency,
            order_id=chosen.choice([None, "o-1", "o-2"]),
            amount=chosen.randrange(1, 9_999) * Decimal(UNITS[currency]),
        )
        found.append(charge)
        if n % 4 == 0:
            found.append(refund_of(charge, at + timedelta(days=chosen.randrange(30))))
    await billing.store(*found)
    return found


async def items(client: Any, **query: Any) -> list[Any]:
    """Return all items of all pages. A page has eleven."""
    found: list[Any] = []
    following: str | None = ""
    while following is not None:
        cursor = {"cursor": following} if following else {}
        answer = await client.get("/v1/balances", params={"limit": "11", **query, **cursor})
        assert answer.status_code == 200, answer.text
        found += answer.json()["items"]
        following = answer.json()["next"]
    return found


def expected(entries: list[LedgerEntry], by: str, since: Any, until: Any, reach: str = "") -> list[Any]:
    """Return the same items, computed from the entries one by one."""
    sums: dict[Any, list[Decimal]] = defaultdict(lambda: [Decimal(), Decimal()])
    for entry in entries:
        for account in lineage(entry.payer) if by == "account" else (entry.payer,):
            if reach and not (account == reach or account.startswith(f"{reach}/")):
                continue
            thing = {"account": (), "order": (entry.order_id or "",), "did": (str(entry.did_id),)}[by]
            both = sums[account, *thing, entry.currency]
            if (since is None or entry.posted_at >= since) and (until is None or entry.posted_at < until):
                both[entry.kind == "refund"] += abs(entry.amount)
    found = []
    for (account, *thing, currency), (charged, refunded) in sorted(sums.items()):
        amounts = {"charged": charged, "refunded": refunded, "balance": charged - refunded}
        about = {"order": "order_id", "did": "did_id"}.get(by)
        money = {
            name: {"amount": str(amount.quantize(Decimal(UNITS[currency]))), "currency": currency}
            for name, amount in amounts.items()
        }
        named = {about: thing[0] or None} if about else {}
        found.append({"account": account, **named, "currency": currency, **money})
    return found


SPANS = [
    (None, None),
    ("2026-02-01T00:00:00Z", "2026-04-01T00:00:00Z"),
    ("2026-01-31T23:59:59Z", "2026-03-15T12:00:00Z"),
    (None, "2026-03-03T03:03:03Z"),
    ("2026-04-04T04:04:04Z", None),
    ("2026-02-14T01:00:00Z", "2026-02-14T23:00:00Z"),
    ("2030-01-01T00:00:00Z", None),
]


@pytest.mark.parametrize("by", ["account", "order", "did"])
async def test_balances_are_the_sums_of_the_entries(billing: Any, entries: Any, by: str) -> None:
    """For any span, page by page in both orders, in the decimal places of each currency.

    What has entries is always listed.
    """
    async with billing.client("elsewhere", "operator") as operator:
        for since, until in SPANS:
            query = {name: value for name, value in (("since", since), ("until", until)) if value}
            span = [value and datetime.fromisoformat(value) for value in (since, until)]
            sums = expected(entries, by, *span)
            assert await items(operator, by=by, **query) == sums
            assert await items(operator, by=by, sort="-account", **query) == sums[::-1]


@pytest.mark.parametrize("by", ["account", "order", "did"])
async def test_an_account_sees_itself_and_those_below_but_never_those_above(
    billing: Any, entries: Any, by: str
) -> None:
    """What other accounts pay, beside it or above it, is neither listed nor in a sum."""
    since = datetime(2026, 3, 3, 3, tzinfo=UTC)
    for reach in ("master/acme", "master/acme/two", "rival"):
        async with billing.client(reach, "reseller") as client:
            assert await items(client, by=by) == expected(entries, by, None, None, reach)
            found = await items(client, by=by, since=since.isoformat())
            assert found == expected(entries, by, since, None, reach)
            named = await items(client, by=by, account="master")
            assert named == ([] if reach == "rival" else expected(entries, by, None, None, reach))
            assert await items(client, by=by, account="master/none") == []


async def test_a_filter_by_account_selects_it_and_those_below(billing: Any, entries: Any) -> None:
    """The first balance is that of the account itself. Accounts whose names lie between are in no sum."""
    since = datetime(2026, 2, 1, 1, 30, tzinfo=UTC)
    async with billing.client("elsewhere", "operator") as operator:
        for at in (None, since):
            query = {} if at is None else {"since": at.isoformat()}
            found = await items(operator, account="master/acme", **query)
            assert found == expected(entries, "account", at, None, "master/acme")
    assert found[0]["account"] == "master/acme"


@pytest.mark.parametrize(("by", "at_most"), [("account", 4), ("order", 3), ("did", 1)])
async def test_a_page_takes_the_same_few_statements_whatever_its_size(
    billing: Any, entries: Any, by: str, at_most: int
) -> None:
    """The things of the page, the totals of its periods, and the entries of the parts at its two ends."""
    span = {"since": "2026-01-31T23:59:59Z", "until": "2026-03-15T12:30:00Z"}
    async with billing.client("elsewhere", "operator") as operator, statements_of(billing.reads) as sent:
        await operator.get("/v1/balances", params={"by": by, "limit": "1000", **span})
    selects = [text for text in sent if text.startswith("SELECT")]
    assert len(selects) == at_most


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"by": "number"}, "input_invalid"),
        ({"payer": "master"}, "unknown_parameter"),
        ({"account": "Master"}, "input_invalid"),
        ({"since": "yesterday"}, "input_invalid"),
        ({"sort": "balance"}, "sort_unknown"),
        ({"cursor": "x"}, "cursor_invalid"),
    ],
)
async def test_nonsense_is_an_input_error(billing: Any, query: dict[str, str], code: str) -> None:
    """Each is a 422 or 400 with its code."""
    async with billing.client() as acme:
        answer = await acme.get("/v1/balances", params=query)
    assert (answer.status_code, answer.json()["code"]) in {(422, code), (400, code)}
