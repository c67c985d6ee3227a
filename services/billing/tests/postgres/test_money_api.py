"""Money over HTTP: what a quote promises, and the ledger that keeps it."""

from datetime import timedelta
from typing import Any

import pytest

from didflow_billing.domain.ledger import LedgerEntry
from didflow_billing.domain.term import Term

DAY = timedelta(days=1)


async def test_a_quote_is_what_the_action_then_charges(acme: Any, active: Any, say: Any) -> None:
    """Entry by entry and in sum; asking changes nothing."""
    dids = [say.number, "nope", str(say.did)]
    body = {"dids": dids, "billing_period": 6}
    quoted = (await acme.post("/v1/terms/quote", json={"action": "renew", **body})).json()
    assert len(await active.rows(LedgerEntry)) == 2
    done = (await acme.post("/v1/terms/batch/renew", json=body)).json()
    outcomes = [entry["outcome"] for entry in quoted["results"]]
    assert outcomes == [entry["outcome"] for entry in done["results"]] == ["done", "refused", "unchanged"]
    assert quoted["results"][0]["charge"] == {"amount": "30.00", "currency": "EUR"}
    assert (quoted["charges"], quoted["refunds"]) == ([{"amount": "30.00", "currency": "EUR"}], [])
    assert str((await active.rows(LedgerEntry))[-1].amount) == "30.00"


async def test_a_quote_says_what_a_cancellation_gives_back(billing: Any, say: Any) -> None:
    """Registration never completed: everything."""
    await billing.receive(say.purchased(), say.holding(), say.registration("awaiting"))
    async with billing.client() as acme:
        answer = await acme.post("/v1/terms/quote", json={"action": "cancel", "dids": [say.number]})
    assert answer.json()["refunds"] == [{"amount": "8.00", "currency": "EUR"}]
    assert (await billing.state(Term, say.did)).state == "active"


async def test_a_quote_for_an_unknown_action_is_an_input_error(acme: Any, say: Any) -> None:
    """Four actions, no other."""
    answer = await acme.post("/v1/terms/quote", json={"action": "erase", "dids": [say.number]})
    assert (answer.status_code, answer.json()["code"]) == (422, "input_invalid")


async def test_the_ledger_is_read_page_by_page(acme: Any, active: Any, say: Any) -> None:
    """The latest first or last, one line at a time, each line once."""
    await active.set_time(say.zero + 100 * DAY)
    await active.run_due_timers()
    pages: list[Any] = []
    query = {"limit": "2", "sort": "-posted_at", "did": say.number}
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
        ({"payer": "master/acme"}, 4),
        ({"payer": "master"}, 0),
        ({"since": "2026-01-31T12:30:00Z"}, 4),
        ({"before": "2026-01-31T12:30:00Z"}, 0),
    ],
)
async def test_the_ledger_can_be_narrowed_down(
    billing: Any, say: Any, query: dict[str, str], lines: int
) -> None:
    """By DID, order, payer, kind and time; refunds stand there as lines of their own."""
    await billing.receive(say.purchased(), say.refused())
    async with billing.client() as acme:
        answer = await acme.get("/v1/ledger", params=query)
    assert len(answer.json()["items"]) == lines


async def test_the_ledger_is_seen_by_who_pays_not_by_who_holds(active: Any, say: Any) -> None:
    """A shop that was handed a number sees its term and none of the charges; the payer sees them all."""
    await active.receive(say.holding(say.zero, 2, account="master/acme/shop"))
    seen = {}
    for account in ("master/acme/shop", "master/acme", "master", "master/other"):
        async with active.client(account) as client:
            term = (await client.get(f"/v1/terms/{say.number}")).status_code
            seen[account] = (term, len((await client.get("/v1/ledger")).json()["items"]))
    assert seen == {
        "master/acme/shop": (200, 0),
        "master/acme": (200, 2),
        "master": (200, 2),
        "master/other": (404, 0),
    }
