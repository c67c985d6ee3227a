"""Quotes and the ledger over HTTP."""

from datetime import timedelta
from typing import Any

import pytest

from didflow_billing.domain.ledger import LedgerEntry
from didflow_billing.domain.term import Term

DAY = timedelta(days=1)


async def test_a_quote_equals_what_the_action_then_charges(acme: Any, active: Any, make: Any) -> None:
    """This holds for each DID and for the totals. A quote changes nothing."""
    dids = [make.number, "nope", str(make.did)]
    body = {"dids": dids, "billing_period": 6}
    result = (await acme.post("/v1/terms/quote", json={"action": "renew", **body})).json()
    assert len(await active.rows(LedgerEntry)) == 2
    done = (await acme.post("/v1/terms/batch/renew", json=body)).json()
    outcomes = [entry["outcome"] for entry in result["results"]]
    assert outcomes == [entry["outcome"] for entry in done["results"]] == ["done", "refused", "unchanged"]
    charge = result["results"][0]["charge"]
    assert (charge["amount"], charge["currency"]) == ("30.00", "EUR")
    assert (charge["period_start"], charge["period_end"]) == ("2026-02-28T12:30:00Z", "2026-08-31T12:30:00Z")
    assert result["results"][0]["after"]["expires_at"] == charge["period_end"]
    assert (result["charges"], result["refunds"]) == ([{"amount": "30.00", "currency": "EUR"}], [])
    assert str((await active.rows(LedgerEntry))[-1].amount) == "30.00"


async def test_the_quote_of_a_cancellation_shows_the_refund(billing: Any, make: Any) -> None:
    """If the registration was never completed, every charge is refunded."""
    await billing.receive(make.purchased(), make.did_changed(), make.registration("awaiting"))
    async with billing.client() as acme:
        answer = await acme.post("/v1/terms/quote", json={"action": "cancel", "dids": [make.number]})
    assert answer.json()["refunds"] == [{"amount": "8.00", "currency": "EUR"}]
    assert (await billing.state(Term, make.did)).state == "active"


async def test_a_quote_for_an_unknown_action_is_an_input_error(acme: Any, make: Any) -> None:
    """Only the four actions on terms can be quoted."""
    answer = await acme.post("/v1/terms/quote", json={"action": "erase", "dids": [make.number]})
    assert (answer.status_code, answer.json()["code"]) == (422, "input_invalid")


async def test_the_ledger_is_read_page_by_page(acme: Any, active: Any, make: Any) -> None:
    """The newest or the oldest entries come first, and each entry is returned once."""
    await active.set_time(make.zero + 100 * DAY)
    await active.run_due_timers()
    pages: list[Any] = []
    query = {"limit": "2", "sort": "-posted_at", "did": make.number}
    while not pages or pages[-1]["next"]:
        cursor = {"cursor": pages[-1]["next"]} if pages else {}
        pages.append((await acme.get("/v1/ledger", params=query | cursor)).json())
    kinds = [line["kind"] for page in pages for line in page["items"]]
    assert (len(pages), sorted(kinds)) == (3, ["recurring", "renewal", "renewal", "renewal", "setup"])
    assert kinds[:3] == ["renewal"] * 3
    newest = pages[0]["items"][0]
    assert (newest["money"], newest["period_start"]) == (
        {"amount": "5.00", "currency": "EUR"},
        "2026-04-30T12:30:00Z",
    )


@pytest.mark.parametrize(
    ("query", "lines"),
    [
        ({}, 4),
        ({"kind": "refund"}, 2),
        ({"order_id": "o-1"}, 4),
        ({"order_id": "o-2"}, 0),
        ({"did": "35319609036"}, 4),
        ({"did": "nope"}, 0),
        ({"account": "master/acme"}, 4),
        ({"account": "master"}, 0),
        ({"since": "2026-01-31T12:30:00Z"}, 4),
        ({"until": "2026-01-31T12:30:00Z"}, 0),
    ],
)
async def test_the_ledger_can_be_filtered(billing: Any, make: Any, query: dict[str, str], lines: int) -> None:
    """The filters are DID, order number, payer, kind and time. Refunds are entries of their own."""
    await billing.receive(make.purchased(), make.purchase_refused())
    async with billing.client() as acme:
        answer = await acme.get("/v1/ledger", params=query)
    assert len(answer.json()["items"]) == lines


async def test_the_payer_sees_the_entries_and_the_holder_does_not(active: Any, make: Any) -> None:
    """A shop that was given a number sees its term but none of the charges."""
    await active.receive(make.did_changed(make.zero, 2, account="master/acme/shop"))
    seen = {}
    for account in ("master/acme/shop", "master/acme", "master", "master/other"):
        async with active.client(account) as client:
            term = (await client.get(f"/v1/terms/{make.number}")).status_code
            seen[account] = (term, len((await client.get("/v1/ledger")).json()["items"]))
    assert seen == {
        "master/acme/shop": (200, 0),
        "master/acme": (200, 2),
        "master": (200, 2),
        "master/other": (404, 0),
    }
