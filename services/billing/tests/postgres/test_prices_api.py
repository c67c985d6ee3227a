"""The price list over HTTP, and purchases that take its prices, on a real PostgreSQL."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from harness.statements import statements_of
from pydantic import SecretStr

from didflow_billing.domain.prices.row import PriceRow, PriceSeries
from didflow_billing.service import service
from didflow_billing.settings import BillingSettings
from didflow_chassis import checks
from didflow_chassis.database import BadStatement
from didflow_contracts.numbers import is_valid

DAY = timedelta(days=1)
ROW = {"account": "master/acme", "country": "*", "number_type": "*", "effective_from": "2026-01-01T00:00:00Z"}


def eur(amount: str) -> dict[str, str]:
    """Return an amount in euro."""
    return {"amount": amount, "currency": "EUR"}


def row(setup: str, recurring: str, **changes: Any) -> dict[str, Any]:
    """Return the body of a row for acme."""
    return ROW | {"setup": eur(setup), "recurring": eur(recurring)} | changes


async def test_a_row_is_added_once_and_listed(billing: Any, make: Any) -> None:
    """A dry run and a refused row store nothing. What is stored equals what was answered."""
    async with billing.client("master", "master_reseller") as master:
        body = row("1.00", "2.5")
        dry = await master.post("/v1/prices", json=body, params={"dry_run": "true"})
        assert (dry.status_code, await billing.rows(PriceRow)) == (200, [])
        added = await master.post("/v1/prices", json=body, headers={"Idempotency-Key": "a"})
        replayed = await master.post("/v1/prices", json=body, headers={"Idempotency-Key": "a"})
        again = await master.post("/v1/prices", json=body)
        assert [answer.status_code for answer in (added, replayed, again)] == [201, 201, 200]
        assert added.json() == replayed.json() == again.json()
        at = ("recorded_at", None)
        assert dict([*added.json().items(), at]) == dict([*dry.json().items(), at])
        other = await master.post("/v1/prices", json=row("1", "3"))
        assert (other.status_code, other.json()["code"]) == (409, "price_exists")
        dry = await master.post("/v1/prices", json=row("1", "3"), params={"dry_run": "true"})
        assert (dry.status_code, dry.json()["code"]) == (409, "price_exists")
        own = await master.post("/v1/prices", json=row("0", "0", account="master"))
        assert (own.status_code, own.json()["code"]) == (409, "own_account")
        foreign = await master.post("/v1/prices", json=row("0", "0", account="rival"))
        assert (foreign.status_code, foreign.json()["code"]) == (404, "not_found")
        later = row("1", "3", effective_from="2026-02-01T00:00:00Z")
        answer = (await master.post("/v1/prices", json=later)).json()
        assert (answer["replaces"], answer["effective_until"]) == (
            {"setup": eur("1.00"), "recurring": eur("2.5")},
            None,
        )
        listed = (await master.get("/v1/prices", params={"sort": "-effective_from"})).json()["items"]
    shown = {name: value for name, value in added.json().items() if name in listed[0]}
    assert ([each["recurring"] for each in listed], listed[1]) == ([eur("3"), eur("2.5")], shown)
    stored = await billing.state(PriceSeries, "master/acme|*|*")
    assert [str(each.price.recurring.amount) for each in stored.prices] == ["2.5", "3"]


async def test_an_account_reads_its_own_rows_and_those_below(billing: Any, make: Any) -> None:
    """Rows of accounts above are not listed. The quote uses them and does not say whose row it is."""
    async with billing.client("root", "operator") as operator:
        for account in ("master", "master/acme/shop", "master/other", "master/acme-2"):
            assert (await operator.post("/v1/prices", json=row("1", "2", account=account))).status_code == 201
    async with billing.client("master/acme/shop", "reseller") as shop:
        (own,) = (await shop.get("/v1/prices")).json()["items"]
    assert (own["account"], own["recorded_by"]) == ("master/acme/shop", None)
    async with billing.client("master/acme", "reseller") as acme:
        listed = (await acme.get("/v1/prices")).json()["items"]
        body = {"numbers": [make.number, make.number[1:], "+35319", "nope"], "billing_period": 12}
        quoted = (await acme.post("/v1/prices/quote", json=body)).json()
        above = await acme.post("/v1/prices/quote", json=body | {"account": "master"})
        none = await acme.post("/v1/prices/quote", json=body | {"numbers": []})
        filtered = [
            len((await acme.get("/v1/prices", params=query)).json()["items"])
            for query in ({"account": "master/acme/shop"}, {"account": "master"}, {"country": "IE"})
        ]
    assert [(each["account"], each["recorded_by"]) for each in listed] == [("master/acme/shop", "user:ann")]
    assert [each["outcome"] for each in quoted["results"]] == ["done", "unchanged", "refused", "refused"]
    first = {name: value for name, value in quoted["results"][0].items() if value is not None}
    assert first == {
        "number": make.number,
        "outcome": "done",
        "country": "IE",
        "number_type": "local",
        "price": {"setup": eur("1"), "recurring": eur("2")},
        "charge": eur("25.00"),
    }
    assert [each["code"] for each in quoted["results"][2:]] == ["invalid_number", "invalid_number"]
    assert (quoted["done"], quoted["charges"]) == (1, [eur("25.00")])
    assert (above.status_code, above.json()["code"]) == (404, "not_found")
    assert (none.status_code, none.json()["code"]) == (422, "too_few")
    assert filtered == [1, 0, 0]


async def test_the_list_is_read_page_by_page_and_a_quote_by_as_many_statements_for_all_numbers(
    billing: Any,
) -> None:
    """Each row is listed once, in each order. A quote reads the time and the series, however many numbers it is for."""
    async with billing.client("root", "operator") as operator:
        for n, account in enumerate(("b", "a", "a/c", "a-c")):
            day = f"2026-01-0{n + 1}T00:00:00Z"
            await operator.post("/v1/prices", json=row("1", "2", account=account, effective_from=day))
        for sort, expected in (
            ("account", ["a", "a-c", "a/c", "b"]),
            ("-effective_from", ["a-c", "a/c", "a", "b"]),
        ):
            found, query = [], {"limit": "1", "sort": sort}
            while query.get("cursor", "") is not None:
                page = (await operator.get("/v1/prices", params=query)).json()
                found += [each["account"] for each in page["items"]]
                query["cursor"] = page["next"]
            assert found == expected
        counts = set()
        for size in (1, 1_000):
            numbers = [f"+3531960{1000 + n}" for n in range(size)]
            body = {"numbers": numbers, "billing_period": 1, "account": "a/c"}
            async with statements_of(billing.reads) as statements:
                quoted = (await operator.post("/v1/prices/quote", json=body)).json()
            assert (quoted["done"], quoted["refused"]) == (size, 0)
            counts.add(len([each for each in statements if each.lstrip().startswith("SELECT")]))
    assert counts == {2}


async def test_purchases_without_a_price_take_as_many_statements_in_a_large_batch_as_alone(
    billing: Any, make: Any
) -> None:
    """500 purchases by accounts of three levels, of numbers of several kinds, some of them without a row."""
    async with billing.client("root", "operator") as operator:
        for account, country, amount in (("master", "IE", "1"), ("master/acme", "*", "2")):
            body = row(amount, amount, account=account, country=country)
            assert (await operator.post("/v1/prices", json=body)).status_code == 201

    def purchase(n: int) -> Any:
        account = ("master", "master/acme", f"master/acme/shop-{n % 7}", "rival")[n % 4]
        number = f"+3531960{1000 + n}" if n % 3 else f"+4420719{40000 + n}"
        assert is_valid(number)
        kind = ("local", "national", "mobile")[n % 3]
        changes = {"did_id": uuid4(), "account": account, "number": number, "order_id": f"o-{n}"}
        return make.purchased(price=None, number_type=kind, **changes)

    counts = []
    for batch in ([purchase(1)], [purchase(n) for n in range(2, 502)]):
        async with statements_of(billing.database) as statements:
            await billing.receive(*batch)
        counts.append(len(statements))
    assert counts[0] == counts[1] < 12
    found = await billing.fetch(
        "SELECT account LIKE 'rival%' AS none, state, count(*) FROM terms GROUP BY 1, 2"
    )
    assert {(each["none"], each["state"]) for each in found} == {
        (True, "closed"),
        (False, "active"),
        (False, "closed"),
    }
    priced = await billing.fetch("SELECT count(DISTINCT did_id) FROM ledger")
    active = await billing.fetch("SELECT count(*) FROM terms WHERE state = 'active'")
    assert priced[0][0] == active[0][0] > 200


async def test_a_named_price_reads_no_price_list(billing: Any, make: Any) -> None:
    """Purchases with a price take no more statements than before there was a list."""
    async with statements_of(billing.database) as statements:
        await billing.receive(make.purchased())
    assert [each for each in statements if "price_series" in each] == []


async def test_rows_are_not_written_twice(billing: Any) -> None:
    """An index keeps the database from two rows for the same numbers and the same instant."""
    async with billing.client("root", "operator") as operator:
        await operator.post("/v1/prices", json=row("1", "2"))
    columns = (
        "account, country, number_type, effective_from, setup, recurring, currency, recorded_at, recorded_by"
    )
    with pytest.raises(asyncpg.UniqueViolationError, match="prices_row"):
        await billing.fetch(f"INSERT INTO prices SELECT gen_random_uuid(), {columns} FROM prices")
    for change in ("UPDATE prices SET setup = 0", "DELETE FROM prices"):
        with pytest.raises(BadStatement, match="InsufficientPrivilege"):
            await billing.fetch(change)


async def test_check_warns_until_there_is_a_row_for_every_number(billing: Any) -> None:
    """A row for one country is not enough."""
    settings = BillingSettings.placeholder().model_copy(update={"postgres": SecretStr(billing.database.dsn)})
    checked = service(settings)
    async with billing.client("root", "operator") as operator:
        await operator.post("/v1/prices", json=row("1", "2", country="IE"))
        (warning,) = await checks.check_stored(checked, settings)
        assert (warning.level, warning.what) == ("warning", "price list")
        await operator.post("/v1/prices", json=row("1", "2"))
        assert await checks.check_stored(checked, settings) == ()
