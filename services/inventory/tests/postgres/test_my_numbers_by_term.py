"""My Numbers by the term: filters and sorts by the expiry, the quick filters, and their counts."""

from datetime import timedelta
from typing import Any

NUMBERS = [f"+3531960903{digit}" for digit in range(6)]
SECOND = timedelta(seconds=1)


async def numbered(inventory: Any, make: Any) -> None:
    """Purchase six numbers: active, last period, aging, canceled, active later, and one without a term."""
    end = make.zero
    terms = [
        ("active", {"expires_at": end}),
        ("delayed_removal", {"cycles_left": 0, "expires_at": end + SECOND}),
        ("aging", {"cycles_left": 0, "expires_at": end - SECOND, "aging_until": end + timedelta(days=33)}),
        ("canceled", {"cycles_left": 0, "expires_at": end + 2 * SECOND}),
        ("active", {"cycles_left": 1, "expires_at": end + SECOND}),
    ]
    dids = [await inventory.purchase(make, number) for number in NUMBERS]
    for did, (state, values) in zip(dids, terms, strict=False):
        mine = {"did_id": did["did_id"], "number": did["number"]}
        await inventory.receive(make.registration("not_required", **mine), make.term(state, **mine, **values))


async def found(inventory: Any, **query: Any) -> str:
    """Return the last digits of the numbers that are listed, in order, over all pages of two."""
    digits, cursor = "", {}
    while True:
        page = await inventory.get("/v1/dids", limit=2, **query, **cursor)
        digits += "".join(did["number"][-1] for did in page["items"])
        if page["next"] is None:
            return digits
        cursor = {"cursor": page["next"]}


async def test_dids_are_found_and_sorted_by_the_exact_instant_of_their_expiry(
    inventory: Any, make: Any
) -> None:
    """After is inclusive and before exclusive. A DID without a term is in neither, and last or first in the sort."""
    await numbered(inventory, make)
    end, later = make.zero.isoformat(), (make.zero + SECOND).isoformat()

    assert await found(inventory, expires_after=end) == "0134"
    assert await found(inventory, expires_before=end) == "2"
    assert await found(inventory, expires_before=later) == "02"
    assert await found(inventory, expires_after=end, expires_before=later) == "0"
    ascending = await found(inventory, sort="expires_at")
    assert (ascending[:2], {*ascending[2:4]}, ascending[4:]) == ("20", {"1", "4"}, "35")
    assert await found(inventory, sort="-expires_at") == ascending[::-1]
    assert await found(inventory, sort="expires_at", filter="expiring_soon") == "1"


async def test_expiring_soon_and_terminated_have_the_numbers_that_they_count(
    inventory: Any, make: Any
) -> None:
    """Without cycles left, a DID is expiring soon until its term has ended; then it is terminated alone."""
    await numbered(inventory, make)
    counts = await inventory.get("/v1/dids/summary")
    listed = {name: await found(inventory, filter=name) for name in counts}

    assert {name: len(numbers) for name, numbers in listed.items()} == counts
    assert (listed["expiring_soon"], listed["terminated"], listed["all"]) == ("1", "23", "012345")
    assert {"2", "3"}.isdisjoint(listed["not_configured"] + listed["awaiting_registration"])
