"""A batch of 1,000 renewals over HTTP: results, quote, charges and statements."""

from collections import Counter
from collections.abc import Awaitable
from typing import Any

from harness.statements import statements_of

from didflow_billing.domain.ledger import LedgerEntry
from didflow_contracts.ids import derived_id

CANCELED, UNKNOWN, FOREIGN, DONE = 50, 20, 10, 920


def number(n: int) -> str:
    """Return the number of the DID `n`."""
    return f"+3531960{n:04}"


def of_did(make: Any, event: Any, n: int) -> Any:
    """Return the event about the DID `n`."""
    data = event.data.model_copy(update={"did_id": derived_id(number(n)), "number": number(n)})
    return make.event(data, event.time, event.source, event.sequence)


def refusal(result: Any) -> tuple[Any, ...]:
    """Return the outcome of a result, and the code and text of its refusal."""
    return result["outcome"], result["code"], result["message"] if result["code"] else None


async def renew(client: Any, names: list[str], path: str = "batch/renew", **body: Any) -> Any:
    """Send a renewal, or its quote, for these names."""
    answer = await client.post(f"/v1/terms/{path}", json={"dids": names, "billing_period": 3, **body})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def counted(billing: Any, request: Awaitable[Any]) -> tuple[Any, tuple[int, int]]:
    """Return the answer to a request, and how many statements the database and its readers got for it."""
    async with statements_of(billing.database) as writes, statements_of(billing.reads) as reads:
        answer = await request
    return answer, (len(writes), len(reads))


async def test_a_batch_of_1000_renewals_refuses_only_the_wrong_ones_and_does_what_its_quote_said(
    billing: Any, make: Any
) -> None:
    """Results have the order of the request. An unknown number and one of another account are refused alike."""
    own = range(DONE + CANCELED)
    foreign = range(2000, 2000 + FOREIGN)
    events = [of_did(make, make.purchased(), n) for n in own]
    events += [of_did(make, make.purchased(account="master/other"), n) for n in foreign]
    events += [of_did(make, make.registration("not_required"), n) for n in range(CANCELED)]
    await billing.receive(*events)
    acme = billing.client()
    await acme.post("/v1/terms/batch/cancel", json={"dids": [number(n) for n in range(CANCELED)]})
    expected = {number(n): (None if n >= CANCELED else "restore_first") for n in own}
    expected |= dict.fromkeys([number(n) for n in foreign], "not_found")
    expected |= dict.fromkeys([number(n) for n in range(3000, 3000 + UNKNOWN)], "not_found")
    names = sorted(expected, key=lambda name: name[::-1])

    quote = await renew(acme, names, "quote", action="renew")
    done, sent = await counted(billing, renew(acme, names))
    assert (quote["refunds"], quote["charges"]) == ([], [{"amount": f"{DONE * 15}.00", "currency": "EUR"}])
    results = done["results"]
    assert [(result["did"], result["code"]) for result in results] == [
        (name, expected[name]) for name in names
    ]
    assert [refusal(result) for result in quote["results"]] == [refusal(result) for result in results]
    assert (done["done"], done["unchanged"], done["refused"]) == (DONE, 0, CANCELED + UNKNOWN + FOREIGN)
    codes = Counter(result["code"] for result in results)
    assert codes == {None: DONE, "restore_first": CANCELED, "not_found": UNKNOWN + FOREIGN}
    assert len({result["message"] for result in results if result["code"] == "not_found"}) == 1
    rows = await billing.rows(LedgerEntry)
    assert Counter(row.kind for row in rows)["renewal"] == DONE
    assert sum(row.amount for row in rows if row.kind == "renewal") == DONE * 15

    few = [number(60), number(0), number(2000), "nope", str(derived_id(number(60)))]
    small, few_sent = await counted(billing, renew(acme, few))
    assert [result["outcome"] for result in small["results"]] == [
        "done",
        "refused",
        "refused",
        "refused",
        "unchanged",
    ]
    assert few_sent == sent
