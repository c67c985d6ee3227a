"""One tenant's data at the bounds of dates, amounts and counts. No service stands still for anybody else."""

from collections import Counter
from typing import Any

import pytest
from harness.outside_records import ATTACKER, numbers, purchase, record

from attacks.details import STRICT, approve, assign, created
from attacks.target import Target

MANY = 30
AMOUNT = {"amount": "999999999999999.99", "currency": "USD"}
EXTREMES: dict[str, dict[str, Any]] = {
    "purchased in the last year of the calendar": {"purchased_at": "9999-12-31T23:59:59Z"},
    "purchased in the first year of the calendar": {"purchased_at": "0001-01-01T00:00:00Z"},
    "a price that does not fit after multiplication": {
        "price": {"setup": AMOUNT, "recurring": AMOUNT},
        "billing_period": 12,
    },
    "more than ten thousand periods due": {"purchased_at": "1000-01-01T00:00:00Z", "billing_cycles": None},
}
IN_STATE = "SELECT count(*) FROM registrations WHERE number = ANY($1) AND state = $2"
NUMBERS = numbers("+12126")
KNOWN = "SELECT count(*) FROM dids WHERE number = ANY($1)"
DEAD = frozenset({"dead invalid_data", "dead out_of_range"})


@pytest.mark.parametrize("extreme", EXTREMES)
async def test_purchases_with_extreme_values_stop_nobody(target: Target, extreme: str) -> None:
    """Thirty on one partition become dead letters in each service. Ten over HTTP are refused as invalid."""
    bought = [purchase(next(NUMBERS), **EXTREMES[extreme]) for _ in range(MANY)]
    async with target.beside_bystanders(extreme):
        places = await target.publish([record("did.purchased", data) for data in bought])
        fates = await target.fates(places)
        again = [data | {"number": next(NUMBERS)} for data in bought[:10]]
        answers = [
            await target.call("inventory", "POST", "/v1/purchases", body, role="service", key=body["did_id"])
            for body in again
        ]
        assert {answer.status_code for answer in answers} == {422}, Counter(map(str, answers))
        assert all(set(of_service) <= DEAD for of_service in fates.values()), fates


async def test_documents_that_never_expire_stop_nobody(target: Target) -> None:
    """An end in the year 9999 means no end. Thirty DIDs on one partition wait for a reviewer, and are approved."""
    bought = [purchase(next(STRICT)) for _ in range(MANY)]
    held = [data["number"] for data in bought]
    async with target.beside_bystanders("documents that expire on 9999-12-31"):
        details = await created(target, ATTACKER, "9999-12-31")
        await target.publish([record("did.purchased", data) for data in bought])
        await target.becomes("verification", IN_STATE, held, "awaiting", expected=MANY)
        await target.becomes("inventory", KNOWN, held, expected=MANY)
        await assign(target, held, details, account=ATTACKER)
        await target.becomes("verification", IN_STATE, held, "pending", expected=MANY)
        await approve(target, held)
        await target.becomes("verification", IN_STATE, held, "approved", expected=MANY)
