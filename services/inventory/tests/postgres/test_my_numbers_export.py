"""My Numbers as a file: the current filter, with days left, cycles left and the exact expiry, for people."""

import csv
import io
from datetime import timedelta
from typing import Any

NUMBERS = [f"+3531960903{digit}" for digit in range(5)]
PATH = "/v1/dids.csv"
TERM = ("status_label", "time_left_days", "term_state", "cycles_left", "expires_at", "aging_until", "by")


async def export(inventory: Any, by: str = "reseller:master/acme", **query: Any) -> list[dict[str, str]]:
    """Return the rows of the file, by the names of the columns."""
    response = await inventory.call("GET", PATH, by, params=query)
    assert response.status_code == 200, response.text
    assert response.headers["content-disposition"] == 'attachment; filename="dids.csv"'
    return list(csv.DictReader(io.StringIO(response.text)))


async def test_the_file_says_unlimited_the_cycles_left_and_the_exact_expiry(
    inventory: Any, make: Any
) -> None:
    """Cycles left is Unlimited, a count, or empty without a term. A day that has begun counts, and passed is 0."""
    dids = [await inventory.purchase(make, number) for number in NUMBERS]
    soon, past = make.zero + timedelta(days=2, hours=1, seconds=1), make.zero - timedelta(days=1)
    removal = past + timedelta(days=34)
    terms = [
        ("active", {"expires_at": soon}),
        ("active", {"cycles_left": 999, "expires_at": make.zero}),
        ("delayed_removal", {"cycles_left": 0, "expires_at": soon}),
        ("aging", {"cycles_left": 0, "expires_at": past, "aging_until": removal}),
    ]
    for did, (state, values) in zip(dids, terms, strict=False):
        mine = {"did_id": did["did_id"], "number": did["number"]}
        await inventory.receive(make.registration("not_required", **mine), make.term(state, **mine, **values))

    rows = await export(inventory)
    assert [row["number"] for row in rows] == NUMBERS
    left, due, gone = "2026-03-03T10:00:01Z", "2026-03-01T09:00:00Z", "2026-02-28T09:00:00Z"
    assert [tuple(row[name] for name in TERM) for row in rows] == [
        ("Not Configured", "3", "active", "Unlimited", left, "", ""),
        ("Not Configured", "0", "active", "999", due, "", ""),
        ("Delayed Service Removal", "3", "delayed_removal", "0", left, "", left),
        ("Terminated", "0", "aging", "0", gone, "2026-04-03T09:00:00Z", "2026-04-03T09:00:00Z"),
        ("Awaiting Registration", "", "none", "", "", "", ""),
    ]


async def test_the_file_has_the_dids_of_the_filter_that_the_caller_sees(inventory: Any, make: Any) -> None:
    """It takes the parameters of the list, and an unknown one is refused."""
    await inventory.purchase(make, NUMBERS[0])
    await inventory.purchase(make, NUMBERS[1], account="master/acme/shop", region="=1+1")

    assert [row["number"] for row in await export(inventory)] == NUMBERS[:2]
    (shop,) = await export(inventory, account="master/acme/shop")
    assert (shop["number"], shop["region"]) == (NUMBERS[1], "'=1+1")
    assert shop["features"] == "voice_in sms_in"
    assert await export(inventory, "enterprise_admin:master/acme/shop") == [shop]
    assert await export(inventory, filter="terminated") == await export(inventory, "reseller:other") == []
    assert await export(inventory, "user:master/acme") == []
    refused = await inventory.call("GET", PATH, params={"acount": "master/acme"})
    assert (refused.status_code, refused.json()["code"]) == (422, "unknown_parameter")


async def test_a_file_is_read_page_by_page(inventory: Any, make: Any, monkeypatch: Any) -> None:
    """Each DID comes once, however many pages there are."""
    for number in NUMBERS:
        await inventory.purchase(make, number)
    monkeypatch.setattr("didflow_inventory.api.numbers.PAGE", 2)
    assert [row["number"] for row in await export(inventory)] == NUMBERS
