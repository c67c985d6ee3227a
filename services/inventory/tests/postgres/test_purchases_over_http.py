"""Purchases over HTTP on a real PostgreSQL."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest

OTHER_ID = str(UUID(int=7))


async def test_a_purchase_is_answered_with_the_did_and_published(inventory: Any, make: Any) -> None:
    """The answer is 201; `did.purchased` is published before `did.changed`."""
    did = await inventory.purchase(make, make.number)

    assert (did["number"], did["country"], did["stock"]) == (make.number, "IE", "assigned")
    assert (did["status"], did["status_label"], did["circle"]) == (
        "awaiting_registration",
        "Awaiting Registration",
        "yellow",
    )
    assert did["next_step"] == {"action": "await_requirement", "who": "nobody", "by": None, "also": []}
    for name in (did["did_id"], make.number, make.number[1:]):
        assert (await inventory.get(f"/v1/dids/{name}"))["did_id"] == did["did_id"]
    events = await inventory.published()
    assert [(event.type, event.sequence) for event in events] == [
        ("didflow.did.purchased.v1", 1),
        ("didflow.did.changed.v1", 2),
    ]
    assert events[1].actor == "user:ann"


async def test_a_purchase_needs_an_idempotency_key(inventory: Any, body_of: Any) -> None:
    """Nothing is published without it."""
    response = await inventory.call("POST", "/v1/purchases", json=body_of())
    assert (response.status_code, response.json()["code"]) == (400, "idempotency_key_missing")
    assert await inventory.published() == []


async def test_a_repeated_idempotency_key_is_answered_with_the_first_answer(
    inventory: Any, body_of: Any
) -> None:
    """The repeated answer is marked, and the purchase is made once."""
    body = body_of()
    first, again = [await inventory.call("POST", "/v1/purchases", key="k", json=body) for _ in range(2)]
    assert (first.status_code, again.status_code, again.content) == (201, 201, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(await inventory.published("did.purchased")) == 1


async def test_the_same_order_under_another_key_is_answered_with_the_same_did(
    inventory: Any, body_of: Any
) -> None:
    """The answer is 200, and nothing is published."""
    first = await inventory.call("POST", "/v1/purchases", key="a", json=body_of())
    again = await inventory.call("POST", "/v1/purchases", key="b", json=body_of(did_id=OTHER_ID))

    assert (again.status_code, again.json()["did_id"]) == (200, first.json()["did_id"])
    assert len(await inventory.published()) == 2


@pytest.mark.parametrize(
    ("changes", "by", "status_and_code"),
    [
        ({"order_id": "o-2"}, "reseller:master/acme", (409, "number_taken")),
        ({"number": "+35319999999999"}, "reseller:master/acme", (409, "invalid_number")),
        ({"country": "DE", "number": "+35319609037"}, "reseller:master/acme", (409, "invalid_number")),
        ({"account": "master/acme/none"}, "reseller:master/acme", (409, "account_unknown")),
        ({"account": "other"}, "reseller:master/acme", (404, "not_found")),
        ({"order_id": "o-2"}, "user:master/acme", (403, "role_not_allowed")),
        ({"acquired": "package"}, "reseller:master/acme", (422, "input_invalid")),
        ({"billing_period": None}, "reseller:master/acme", (422, "input_invalid")),
        ({"order_id": "o-2"}, "enterprise_admin:other", (404, "not_found")),
        ({"account": "other"}, "enterprise_admin:other", (403, "price_not_allowed")),
        ({"account": "other", "acquired": "external"}, "reseller:other", (403, "price_not_allowed")),
        ({"account": "ghost"}, "reseller:ghost", (409, "account_unknown")),
        ({"account": "ghost", "acquired": "external"}, "service:ghost", (409, "account_unknown")),
        ({"colour": "red"}, "reseller:master/acme", (422, "unknown_field")),
        ({"number": "12345"}, "reseller:master/acme", (422, "input_invalid")),
    ],
)
async def test_a_refused_purchase_is_answered_with_its_code_and_publishes_nothing(
    inventory: Any, body_of: Any, changes: dict[str, Any], by: str, status_and_code: tuple[int, str]
) -> None:
    """409 is a refusal, 404 an account out of reach, 403 a role, and 422 a body that is not valid."""
    await inventory.call("POST", "/v1/purchases", key="first", json=body_of())
    before = await inventory.published()
    response = await inventory.call("POST", "/v1/purchases", by, key="second", json=body_of(**changes))

    assert (response.status_code, response.json()["code"]) == status_and_code
    assert await inventory.published() == before


async def test_a_purchase_over_http_is_dated_at_most_31_days_back_and_not_ahead(
    inventory: Any, body_of: Any, make: Any
) -> None:
    """The bounds are those of the service's clock, and the error names the field."""
    number = count(35319609100)

    async def purchase(at: datetime) -> Any:
        name = f"+{next(number)}"
        body = body_of(number=name, order_id=name, purchased_at=at.isoformat())
        return await inventory.call("POST", "/v1/purchases", key=name, json=body)

    now = await inventory.now()
    for wrong in (
        now - timedelta(days=31, minutes=1),
        now + timedelta(minutes=1),
        datetime(1971, 1, 1, tzinfo=UTC),
        datetime(2199, 12, 31, tzinfo=UTC),
    ):
        response = await purchase(wrong)
        assert (response.status_code, response.json()["code"]) == (422, "out_of_range")
        assert [error["field"] for error in response.json()["errors"]] == ["purchased_at"]
    assert await inventory.published() == []
    for right in (now - timedelta(days=30, hours=23), now - timedelta(seconds=1)):
        response = await purchase(right)
        assert response.status_code == 201, response.text
        assert (await inventory.published("did.purchased"))[-1].data.purchased_at == right
