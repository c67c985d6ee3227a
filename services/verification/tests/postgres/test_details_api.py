"""Identities and addresses over HTTP: they are created once, and only accounts above see them."""

from typing import Any
from uuid import uuid4

BUSINESS = {"type": "business", "company_name": "Example Bakery Ltd", "vat_number": "2813105O"}
NOT_STATED = [
    "company_registration_number",
    "tax_id",
    "first_name",
    "last_name",
    "birth_date",
    "national_id",
    "passport_number",
    "contact_email",
    "contact_phone",
]
PLACE = {"street": "1 Quay Street", "city": "Dublin", "postal_code": "D02 X000", "country": "IE"}


async def test_an_identity_is_created_and_read(ann: Any) -> None:
    """The answer has its id. Only `GET` returns the personal data."""
    made = await ann.post("/v1/identities", json=BUSINESS)
    assert made.status_code == 201
    entered = made.json()
    assert set(entered) == {"identity_id", "account", "type", "revision", "created_at"}
    shown = (await ann.get(f"/v1/identities/{entered['identity_id']}")).json()
    assert shown == entered | BUSINESS | dict.fromkeys(NOT_STATED)


async def test_a_retried_creation_creates_nothing_more(running: Any, ann: Any) -> None:
    """It gets the first answer. Another body with the same key is refused."""
    key = {"Idempotency-Key": "k-1"}
    first = await ann.post("/v1/identities", json=BUSINESS, headers=key)
    again = await ann.post("/v1/identities", json=BUSINESS, headers=key)
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (first.json(), "true")
    other = await ann.post("/v1/identities", json=BUSINESS | {"vat_number": None}, headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert await running.count("identities") == 1


async def test_an_address_belongs_to_an_identity(ann: Any) -> None:
    """It has the account of the identity. Without an identity it cannot be created."""
    identity = (await ann.post("/v1/identities", json=BUSINESS)).json()["identity_id"]
    made = await ann.post("/v1/addresses", json=PLACE | {"identity_id": identity})
    assert made.status_code == 201
    shown = (await ann.get(f"/v1/addresses/{made.json()['address_id']}")).json()
    assert shown == made.json() | PLACE | {"region": ""}
    unknown = await ann.post("/v1/addresses", json=PLACE | {"identity_id": str(uuid4())})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")


async def test_only_accounts_above_see_an_identity(running: Any, ann: Any) -> None:
    """Siblings and accounts below get the same answer as for an unknown id."""
    identity = (await ann.post("/v1/identities", json=BUSINESS)).json()["identity_id"]
    seen = {}
    for account in ("master", "master/acme", "master/globex", "master/acme/shop"):
        async with running.as_caller("bob", account) as bob:
            one = await bob.get(f"/v1/identities/{identity}")
            listed = (await bob.get("/v1/identities")).json()["items"]
            added = await bob.post("/v1/addresses", json=PLACE | {"identity_id": identity})
            seen[account] = (one.status_code, len(listed), added.status_code)
            if one.status_code == 404:
                nothing = (await bob.get(f"/v1/identities/{uuid4()}")).json()
                assert one.json() == nothing
    assert seen == {
        "master": (200, 1, 201),
        "master/acme": (200, 1, 201),
        "master/globex": (404, 0, 404),
        "master/acme/shop": (404, 0, 404),
    }


async def test_an_identity_can_only_be_created_in_an_account_within_reach(ann: Any) -> None:
    """Another account is not found."""
    below = await ann.post("/v1/identities", json=BUSINESS | {"account": "master/acme/shop"})
    assert below.json()["account"] == "master/acme/shop"
    aside = await ann.post("/v1/identities", json=BUSINESS | {"account": "master/globex"})
    assert (aside.status_code, aside.json()["code"]) == (404, "not_found")


async def test_identities_are_listed_page_by_page_and_by_ids(ann: Any) -> None:
    """They are listed in the order of creation."""
    made = [(await ann.post("/v1/identities", json=BUSINESS)).json()["identity_id"] for _ in range(5)]
    first = (await ann.get("/v1/identities", params={"limit": "3"})).json()
    rest = (await ann.get("/v1/identities", params={"limit": "3", "cursor": first["next"]})).json()
    assert [item["identity_id"] for item in first["items"] + rest["items"]] == made
    assert rest["next"] is None
    some = (await ann.get("/v1/identities", params={"ids": f"{made[3]},{made[1]},{uuid4()}"})).json()
    assert [item["identity_id"] for item in some["items"]] == [made[1], made[3]]
    bad = await ann.get("/v1/identities", params={"ids": "x"})
    assert (bad.status_code, bad.json()["code"]) == (422, "input_invalid")


async def test_addresses_are_listed_by_identity(ann: Any) -> None:
    """The list has the addresses of one end user."""
    one, other = [(await ann.post("/v1/identities", json=BUSINESS)).json()["identity_id"] for _ in range(2)]
    for identity in (one, one, other):
        await ann.post("/v1/addresses", json=PLACE | {"identity_id": identity})
    listed = (await ann.get("/v1/addresses", params={"identity_id": one})).json()["items"]
    assert [item["identity_id"] for item in listed] == [one, one]


async def test_every_wrong_field_is_named(ann: Any) -> None:
    """An unknown field, a blank name and an invalid country are named."""
    wrong = await ann.post("/v1/identities", json=BUSINESS | {"company_nam": "x", "company_name": " "})
    assert {error["field"] for error in wrong.json()["errors"]} == {"company_nam"}
    blank = await ann.post("/v1/identities", json=BUSINESS | {"company_name": " "})
    assert {error["field"] for error in blank.json()["errors"]} == {"company_name"}
    place = await ann.post("/v1/addresses", json=PLACE | {"identity_id": str(uuid4()), "country": "Ireland"})
    assert [error["field"] for error in place.json()["errors"]] == ["country"]


async def test_users_and_reviewers_create_no_identity(running: Any) -> None:
    """Reviewers can read identities, users cannot."""
    for role, entering, seeing in (
        ("user", 403, 403),
        ("reviewer", 403, 200),
        ("enterprise_admin", 201, 200),
    ):
        async with running.as_caller("bob", "master/acme", role) as bob:
            assert (await bob.post("/v1/identities", json=BUSINESS)).status_code == entering
            assert (await bob.get("/v1/identities")).status_code == seeing
