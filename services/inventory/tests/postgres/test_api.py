"""Inventory over HTTP on a real PostgreSQL: purchases, My Numbers, the story, end-user details, accounts."""

import json
from typing import Any
from uuid import UUID

import pytest

ELSE = str(UUID(int=7))


def body(say: Any, **changes: Any) -> dict[str, Any]:
    """A purchase as an order system writes it, without a did_id of its own."""
    order: dict[str, Any] = json.loads(json.dumps(say.order(**changes), default=str))
    if "did_id" not in changes:
        del order["did_id"]
    return order


async def buy(inventory: Any, say: Any, number: str, key: str | None = None, **changes: Any) -> Any:
    """Purchase a number and give the answer."""
    order = body(say, number=number, order_id=f"for {number}", **changes)
    response = await inventory.call("POST", "/v1/purchases", key=key or number, json=order)
    assert response.status_code == 201, response.text
    return response.json()


async def test_a_purchase_is_answered_with_the_did_and_said_to_all(inventory: Any, say: Any) -> None:
    """201, the DID by its number and by its id, and did.purchased before did.changed."""
    did = await buy(inventory, say, say.number)

    assert (did["number"], did["country"], did["stock"]) == (say.number, "IE", "assigned")
    assert (did["status"], did["status_label"], did["circle"]) == (
        "awaiting_registration",
        "Awaiting Registration",
        "yellow",
    )
    for name in (did["did_id"], say.number, say.number[1:]):
        assert (await inventory.get(f"/v1/dids/{name}"))["did_id"] == did["did_id"]
    said = await inventory.said()
    assert [(e["type"], e["sequence"]) for e in said] == [
        ("didflow.did.purchased.v1", "1"),
        ("didflow.did.changed.v1", "2"),
    ]
    assert said[1]["actor"] == "user:reseller@master/acme"


async def test_a_did_in_an_answer_has_exactly_the_fields_promised(inventory: Any, say: Any) -> None:
    """The shape of a DID is a contract. Source: spec http, "A DID in an answer"."""
    did = await buy(inventory, say, say.number)

    assert set(did) == {
        "did_id",
        "number",
        "country",
        "region",
        "number_type",
        "features",
        "account",
        "user",
        "description",
        "tags",
        "carrier",
        "stock",
        "status",
        "status_label",
        "circle",
        "next_step",
        "time_left_days",
        "registration",
        "identity",
        "services",
        "routing",
        "term",
    }
    assert set(did["next_step"]) == {"action", "who", "also"}
    assert set(did["registration"]) == {"state", "icon", "verification_id", "reference", "reasons"}
    assert set(did["identity"]) == {"identity_id", "address_id"}
    assert set(did["routing"]) == {
        "carrier_state",
        "voice",
        "capacity",
        "capacity_group",
        "sms",
        "voice_ready",
        "sms_ready",
        "missing",
    }
    assert set(did["term"]) == {"state", "cycles_left", "billing_period", "expires_at", "aging_until"}


async def test_a_purchase_needs_a_key_and_is_made_once_under_it(inventory: Any, say: Any) -> None:
    """Without a key nothing happens; under the same key the first answer comes again, marked."""
    order = body(say)
    missing = await inventory.call("POST", "/v1/purchases", json=order)
    assert (missing.status_code, missing.json()["code"]) == (400, "idempotency_key_missing")

    first, again = [await inventory.call("POST", "/v1/purchases", key="k", json=order) for _ in range(2)]
    assert (first.status_code, again.status_code, again.content) == (201, 201, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(await inventory.said("did.purchased")) == 1


async def test_the_same_order_under_another_key_is_the_same_did(inventory: Any, say: Any) -> None:
    """200 with the DID that the order made, and nothing said."""
    first = await inventory.call("POST", "/v1/purchases", key="a", json=body(say))
    again = await inventory.call("POST", "/v1/purchases", key="b", json=body(say, did_id=ELSE))

    assert (again.status_code, again.json()["did_id"]) == (200, first.json()["did_id"])
    assert len(await inventory.said()) == 2


@pytest.mark.parametrize(
    ("changes", "who", "status_and_code"),
    [
        ({"order_id": "o-2"}, "reseller:master/acme", (409, "number_taken")),
        ({"number": "+35319999999999"}, "reseller:master/acme", (409, "invalid_number")),
        ({"country": "DE", "number": "+35319609037"}, "reseller:master/acme", (409, "invalid_number")),
        ({"account": "master/acme/none"}, "reseller:master/acme", (409, "account_unknown")),
        ({"account": "other"}, "reseller:master/acme", (404, "not_found")),
        ({"order_id": "o-2"}, "user:master/acme", (403, "role_not_allowed")),
        ({"acquired": "package"}, "reseller:master/acme", (422, "input_invalid")),
        ({"price": None}, "reseller:master/acme", (422, "input_invalid")),
        ({"colour": "red"}, "reseller:master/acme", (422, "unknown_field")),
        ({"number": "12345"}, "reseller:master/acme", (422, "input_invalid")),
    ],
)
async def test_a_refused_purchase_has_its_code_and_leaves_no_event(
    inventory: Any, say: Any, changes: dict[str, Any], who: str, status_and_code: tuple[int, str]
) -> None:
    """409 with the refusal's code, 404 out of reach, 422 for what is no purchase at all."""
    await inventory.call("POST", "/v1/purchases", key="first", json=body(say))
    before = await inventory.said()
    response = await inventory.call("POST", "/v1/purchases", who, key="second", json=body(say, **changes))

    assert (response.status_code, response.json()["code"]) == status_and_code
    assert await inventory.said() == before


async def test_my_numbers_shows_ones_own_subtree(inventory: Any, say: Any) -> None:
    """Those above see what is below; beside and below nothing is seen, by list, by number or by id."""
    did = await buy(inventory, say, say.number)
    for who, sees in (
        ("master_reseller:master", True),
        ("reseller:master/acme", True),
        ("enterprise_admin:master/acme/shop", False),
        ("reseller:other", False),
        ("operator:root", True),
    ):
        assert bool((await inventory.get("/v1/dids", who))["items"]) is sees
        assert bool(await inventory.get("/v1/dids/summary", who)) is sees
        for name in (say.number, did["did_id"], f"{say.number}/history"):
            response = await inventory.call("GET", f"/v1/dids/{name}", who)
            assert response.status_code == (200 if sees else 404)


async def test_my_numbers_is_paged_filtered_and_sorted(inventory: Any, say: Any) -> None:
    """Every number once over the pages, by any sort; what is asked for is what is shown."""
    numbers = [f"+3531960903{digit}" for digit in range(6)]
    for number in numbers:
        await buy(inventory, say, number, region="Dublin" if number.endswith("3") else None)
    seen, cursor = [], None
    while True:
        page = await inventory.get(
            "/v1/dids", limit=4, sort="-number", **({"cursor": cursor} if cursor else {})
        )
        seen += [did["number"] for did in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == sorted(numbers, reverse=True)

    async def found(**query: Any) -> list[str]:
        return [did["number"][-1] for did in (await inventory.get("/v1/dids", **query))["items"]]

    assert await found(numbers=f"{numbers[1]}, {numbers[4][1:]},nonsense") == ["1", "4"]
    assert await found(number_contains="09035") == ["5"]
    assert await found(region="Dublin") == ["3"]
    assert await found(account="master/acme/shop") == []
    assert await found(country="IE", status="awaiting_registration", sort="purchased_at") == list("012345")
    assert await found(filter="active") == await found(tag="x") == await found(description="%") == []
    assert await found(expires_after="2026-01-01T00:00:00Z", carrier="simulator") == []
    assert await found(service="emergency") == []
    for bad in ({"number_contains": "abc"}, {"service_state": "new"}, {"filter": "mine"}, {"sort": "colour"}):
        assert (await inventory.call("GET", "/v1/dids", params=bad)).status_code == 422
    many = ",".join(["+35319609030"] * 1_001)
    assert (await inventory.call("GET", "/v1/dids", params={"numbers": many})).json()["code"] == "too_many"


async def test_the_summary_counts_what_the_filters_show(inventory: Any, say: Any) -> None:
    """Each count is the length of its list, and a filter that shows nothing is absent."""
    for digit in range(3):
        await buy(inventory, say, f"+3531960903{digit}")
    summary = await inventory.get("/v1/dids/summary")

    assert summary == {"all": 3, "not_configured": 3, "awaiting_registration": 3}
    for name, count in summary.items():
        assert len((await inventory.get("/v1/dids", filter=name))["items"]) == count


async def test_assigning_end_users_answers_number_by_number(inventory: Any, say: Any) -> None:
    """In the order asked; unknown, foreign and malformed ones are not_found and fail no other."""
    did = await buy(inventory, say, say.number)
    names = [say.number, "nonsense", did["did_id"], ELSE, "+35319999999"]
    wish = {"dids": names, "identity_id": str(say.identity), "address_id": ELSE, "document_ids": [ELSE]}
    path = "/v1/dids/batch/assign-end-user"
    answer = (await inventory.call("POST", path, key="k", json=wish)).json()

    assert [(r["did"], r["outcome"], r["code"]) for r in answer["results"]] == [
        (say.number, "done", None),
        ("nonsense", "refused", "not_found"),
        (did["did_id"], "unchanged", None),
        (ELSE, "refused", "not_found"),
        ("+35319999999", "refused", "not_found"),
    ]
    said = await inventory.said("enduser.assigned")
    assert [(e["data"]["identity_id"], e["data"]["document_ids"]) for e in said] == [
        (str(say.identity), [ELSE])
    ]

    again = (await inventory.call("POST", path, json=wish)).json()
    assert (again["done"], again["unchanged"], again["refused"]) == (0, 2, 3)
    foreign = (await inventory.call("POST", path, "reseller:other", json=wish)).json()
    assert foreign["refused"] == 5


async def test_accounts_are_created_below_ones_own_and_listed(inventory: Any) -> None:
    """201, 200 for the same again, 409 for another, 404 outside, 403 for who may not."""

    async def create(path: str, who: str = "reseller:master/acme", **more: Any) -> int:
        response = await inventory.call("POST", "/v1/accounts", who, json={"path": path, "name": "n"} | more)
        return int(response.status_code)

    assert await create("master/acme/new", default_carrier="net") == 201
    assert await create("master/acme/new", default_carrier="net") == 200
    assert await create("master/acme/new") == 409
    assert await create("other/new") == 404
    assert await create("master/acme/new/x", "enterprise_admin:master/acme/new") == 403
    assert await create("Not A Path") == 422

    listed = (await inventory.get("/v1/accounts"))["items"]
    assert [account["path"] for account in listed] == ["master/acme", "master/acme/new", "master/acme/shop"]


async def test_the_openapi_document_can_be_read(inventory: Any) -> None:
    """It names every path and a DID's shape."""
    document = (await inventory.client.get("/openapi/inventory.json")).json()
    assert "/v1/dids/{did}/history" in document["paths"]
    assert "status_label" in document["components"]["schemas"]["DidShown"]["properties"]
