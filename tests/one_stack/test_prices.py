"""Purchases that name no price, over HTTP and over Kafka: rows of three accounts and of several dates, and no row."""

import asyncio
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Any, Final

import pytest
from aiokafka import AIOKafkaProducer
from harness.outside_records import record

from didflow_contracts.ids import uuid7
from one_stack.caller import PATIENCE_S, PAUSE_S, Caller, order_of

pytestmark = pytest.mark.asyncio(loop_scope="package")

NOW: Final = datetime.now(UTC).replace(microsecond=0)
DAY: Final = timedelta(days=1)
CHANGE: Final = NOW - 10 * DAY
"""From this instant on, there are other prices."""
ROOT, RESELLER, SHOP, OTHER = "priced", "priced/acme", "priced/acme/shop", "unpriced"
ROWS: Final = [
    (ROOT, "*", "*", NOW - 300 * DAY, "10"),
    (ROOT, "GB", "local", NOW - 300 * DAY, "11"),
    (ROOT, "*", "*", CHANGE, "12"),
    (RESELLER, "IE", "*", NOW - 300 * DAY, "20"),
    (RESELLER, "*", "*", CHANGE, "22"),
    (SHOP, "IE", "local", CHANGE, "30"),
]
"""Account, country, number type, from when on, and the amount of the setup and of each month."""

CASES: Final = [
    (ROOT, "IE", CHANGE - timedelta(seconds=1), "10"),
    (ROOT, "IE", CHANGE, "12"),
    (ROOT, "GB", CHANGE, "11"),
    (RESELLER, "IE", CHANGE, "20"),
    (RESELLER, "GB", CHANGE - timedelta(seconds=1), "11"),
    (RESELLER, "GB", CHANGE, "22"),
    (SHOP, "IE", CHANGE - timedelta(seconds=1), "20"),
    (SHOP, "IE", CHANGE, "30"),
    (SHOP, "GB", CHANGE, "22"),
    (OTHER, "IE", CHANGE, None),
]
"""The buyer, the country of the number, the instant of the purchase, and the price; None if no row is in force."""


DECIDED: Final = {"didflow.ledger.posted.v1", "didflow.did.removed.v1"}


def money(amount: str) -> dict[str, str]:
    """Return an amount in euro."""
    return {"amount": amount, "currency": "EUR"}


def order(n: int, account: str, country: str, at: datetime) -> dict[str, Any]:
    """Return the data of a purchase for three months that names no price."""
    number = f"+35319603{n:03}" if country == "IE" else f"+44207194{n:04}"
    bought = {"did_id": str(uuid7()), "account": account, "order_id": f"listed {n}"}
    found = order_of(number) | bought | {"billing_period": 3, "purchased_at": at.isoformat()}
    del found["price"]
    return found


async def prepare(caller: Caller) -> None:
    """Create the accounts, none of which may set prices, and the rows."""
    for path in (ROOT, RESELLER, SHOP, OTHER):
        await caller.ask("POST", "/v1/accounts", {"path": path, "name": path}, role="operator")
    for account, country, number_type, since, amount in ROWS:
        body = {
            "account": account,
            "country": country,
            "number_type": number_type,
            "effective_from": since.isoformat(),
            "setup": money(amount),
            "recurring": money(amount),
        }
        await caller.ask("POST", "/v1/prices", body, role="operator")


async def charged(caller: Caller, data: dict[str, Any]) -> dict[str, str]:
    """Wait until inventory has received what billing decided about a purchase. Return the charges by kind."""
    began = perf_counter()
    while perf_counter() - began < PATIENCE_S:
        query = {"account": data["account"], "limit": 1000}
        history = (await caller.ask("GET", "/v1/history", role="operator", **query))["items"]
        of_did = [each for each in history if each["did_id"] == data["did_id"]]
        if DECIDED & {each["type"] for each in of_did}:
            entries = (await caller.ask("GET", "/v1/ledger", role="operator", did=data["did_id"]))["items"]
            return {each["kind"]: each["money"]["amount"] for each in entries}
        await asyncio.sleep(PAUSE_S)
    raise AssertionError(f"billing has not decided {data}")


async def test_purchases_without_a_price_are_charged_by_the_nearest_row_in_force(
    caller: Caller, producer: AIOKafkaProducer, topic_prefix: str
) -> None:
    """Over HTTP and over Kafka alike, and as the quote says. Without a row, the DID is removed and costs nothing."""
    await prepare(caller)
    orders = {}
    for n, (account, country, at, amount) in enumerate(CASES):
        for first, over_kafka in ((100, False), (200, True)):
            data = order(first + n, account, country, at)
            orders[first + n] = (data, amount, at)
            if over_kafka:
                made = record("did.purchased", data)
                await producer.send_and_wait(topic_prefix + made.topic, made.value, key=made.key)
            else:
                await caller.ask("POST", "/v1/purchases", data, role="operator")
    for data, amount, at in orders.values():
        expected = {} if amount is None else {"setup": f"{amount}.00", "recurring": f"{3 * int(amount)}.00"}
        assert await charged(caller, data) == expected, data
        if at == CHANGE:
            asked = {"numbers": [data["number"]], "billing_period": 3, "account": data["account"]}
            (quote,) = (await caller.ask("POST", "/v1/prices/quote", asked, role="operator"))["results"]
            total = None if amount is None else money(f"{4 * int(amount)}.00")
            assert (quote["charge"], quote["code"]) == (total, None if amount else "no_price")


async def test_a_number_that_was_removed_without_a_price_is_purchased_again_once_there_is_one(
    caller: Caller,
) -> None:
    """The number is free again when its carrier has released it. A row can be in force from an earlier instant on."""
    removed = order(300, OTHER, "IE", NOW - DAY)
    await caller.ask("POST", "/v1/purchases", removed, role="operator")
    assert await charged(caller, removed) == {}
    body = {"account": OTHER, "country": "*", "number_type": "*", "effective_from": CHANGE.isoformat()}
    amounts = {"setup": money("0"), "recurring": money("7")}
    await caller.ask("POST", "/v1/prices", body | amounts, role="operator")
    again = order(300, OTHER, "IE", NOW)
    await caller.eventually("POST", "/v1/purchases", again, role="operator")
    assert await charged(caller, again) == {"setup": "0.00", "recurring": "21.00"}
