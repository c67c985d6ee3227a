"""Users over HTTP on a real PostgreSQL, and what a token of role user sees."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

FIRM = "master/acme/firm"
ADMIN = f"enterprise_admin:{FIRM}"
OTHER_NUMBER = "+35319609037"


@pytest.fixture
async def firm(inventory: Any) -> Any:
    """An inventory with an enterprise that may add numbers of its own."""
    body = {"path": FIRM, "name": "Firm", "kind": "enterprise", "allow_external_numbers": True}
    assert (await inventory.call("POST", "/v1/accounts", json=body)).status_code == 201
    return inventory


async def create(inventory: Any, by: str = ADMIN, status: int = 201, **body: Any) -> Any:
    """Create a user, and return the body of the answer."""
    answer = await inventory.call("POST", "/v1/users", by, json={"name": "Desk", "kind": "pbx"} | body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_a_user_gets_a_number_that_nobody_has_in_one_step(firm: Any, make: Any) -> None:
    """The DID is external, of the caller's account, and shows its user."""
    user = await create(firm, default_did=make.number, email="desk@firm.example", subject="eve")
    did = await firm.get(f"/v1/dids/{make.number}", ADMIN)
    assert (did["user"], did["origin"], did["account"]) == (user["user_id"], "external", FIRM)
    assert (user["default_did"], user["default_number"]) == (did["did_id"], make.number)
    shown = await firm.get(f"/v1/users/{user['user_id']}", ADMIN)
    data = {"name": "Desk", "email": "desk@firm.example", "subject": "eve", "extension": None}
    assert shown == user | data
    assert (await firm.get("/v1/users", ADMIN))["items"] == [shown]


async def test_a_user_is_listed_changed_and_deleted_within_the_reach_only(firm: Any, make: Any) -> None:
    """A sibling is answered as if there were no such user; the role user may do nothing of it."""
    user = await create(firm)
    path = f"/v1/users/{user['user_id']}"
    for method, body in (("GET", None), ("PATCH", {"name": "x"}), ("DELETE", None)):
        assert (await firm.call(method, path, "reseller:other", json=body)).status_code == 404
        assert (await firm.call(method, path, f"user:{FIRM}", json=body)).status_code == 403
    assert (await firm.get("/v1/users", "reseller:other"))["items"] == []
    changed = await firm.call("PATCH", path, ADMIN, json={"name": "Front desk", "default_did": make.number})
    assert changed.json()["default_number"] == make.number
    assert (await firm.get(path, ADMIN))["name"] == "Front desk"
    refused = await firm.call("DELETE", path, ADMIN)
    assert (refused.status_code, refused.json()["code"]) == (409, "in_use")
    spare = await create(firm)
    assert (await firm.call("DELETE", f"/v1/users/{spare['user_id']}", ADMIN)).status_code == 204
    assert (await firm.call("GET", f"/v1/users/{spare['user_id']}", ADMIN)).status_code == 404


async def test_a_user_without_its_former_default_did_shows_none(firm: Any, make: Any) -> None:
    """The DID that another user got is no longer the default of the first one."""
    first = await create(firm, default_did=make.number)
    await create(firm, default_did=make.number)
    shown = await firm.get(f"/v1/users/{first['user_id']}", ADMIN)
    assert (shown["default_did"], shown["default_number"]) == (None, None)


async def test_the_answers_of_a_refused_user_name_the_field(firm: Any, make: Any) -> None:
    """No enterprise, an extension, a foreign DID by its id, and fields of a wrong form."""
    assert (await create(firm, "reseller:master/acme", 409))["code"] == "not_an_enterprise"
    assert (await create(firm, status=409, extension="+353123"))["code"] == "extension_not_allowed"
    foreign = await firm.purchase(make, OTHER_NUMBER)
    assert (await create(firm, status=404, default_did=foreign["did_id"]))["code"] == "not_found"
    path = f"/v1/users/{(await create(firm))['user_id']}"
    for absent in (str(make.other_id), "no number", ""):
        assert (await create(firm, status=404, default_did=absent))["code"] == "not_found"
        changed = await firm.call("PATCH", path, ADMIN, json={"name": "x", "default_did": absent})
        assert (changed.status_code, changed.json()["code"]) == (404, "not_found"), absent
    assert (await firm.get(path, ADMIN))["name"] == "Desk"
    for wrong in ({"email": "desk"}, {"kind": "fax"}, {"extension": "123"}, {"name": ""}):
        await create(firm, status=422, **wrong)


async def test_an_enterprise_hands_its_numbers_to_its_users(firm: Any) -> None:
    """A PBX user gets one, an SMS user any number; nobody else's user, and not to the enterprise itself."""
    prefix = "+35319600"
    added = await firm.call("POST", "/v1/stock", ADMIN, json={"numbers": "100-109", "prefix": prefix})
    assert added.json()["done"] == 10
    desk, sms = await create(firm), await create(firm, kind="sms")

    async def hand_out(*numbers: int, by: str = ADMIN, **body: Any) -> list[Any]:
        json = {"numbers": [f"{prefix}{n}" for n in numbers]} | body
        answer = await firm.call("POST", "/v1/stock/batch/hand-out", by, json=json)
        assert answer.status_code == 200, answer.text
        return [result["code"] or result["outcome"] for result in answer.json()["results"]]

    assert await hand_out(100, 101, user_id=desk["user_id"]) == ["done", "user_has_default"]
    assert await hand_out(100, user_id=desk["user_id"]) == ["unchanged"]
    assert await hand_out(102, 103, user_id=sms["user_id"], account=FIRM) == ["done", "done"]
    assert await hand_out(104) == ["not_below"]
    assert await hand_out(104, user_id=str(UUID(int=5))) == ["not_found"]
    assert await hand_out(104, by="reseller:master/acme", user_id=sms["user_id"]) == ["not_found"]
    assert await hand_out(104, by="reseller:master/acme", account=FIRM, user_id=sms["user_id"]) == ["done"]
    shown = await firm.get(f"/v1/users/{desk['user_id']}", ADMIN)
    assert shown["default_number"] == f"{prefix}100"
    found = (await firm.get("/v1/dids", ADMIN))["items"]
    numbers = [did["number"] for did in found if did["user"] == sms["user_id"]]
    assert numbers == [f"{prefix}102", f"{prefix}103", f"{prefix}104"]


async def test_a_token_of_a_user_sees_the_dids_of_its_user_alone(firm: Any, make: Any) -> None:
    """The token names the user by its subject, and a DID names it by its id. A deleted user has no token."""
    mine = await create(firm, default_did=make.number, subject="ann")
    await create(firm, default_did=OTHER_NUMBER, subject="eve")
    by = f"user:{FIRM}"
    assert [did["number"] for did in (await firm.get("/v1/dids", by))["items"]] == [make.number]
    assert (await firm.get("/v1/dids/summary", by))["all"] == 1
    assert (await firm.get(f"/v1/dids/{make.number}", by))["user"] == mine["user_id"]
    assert (await firm.call("GET", f"/v1/dids/{OTHER_NUMBER}", by)).status_code == 404
    for path in ("/history", ""):
        assert (await firm.call("GET", f"/v1/dids/{make.number}{path}", by)).status_code == 200
        foreign = await firm.call("GET", f"/v1/dids/{OTHER_NUMBER}{path}", by)
        absent = await firm.call("GET", f"/v1/dids/+35319609039{path}", by)
        assert (foreign.status_code, foreign.text) == (404, absent.text)
    assert [place["count"] for place in (await firm.get("/v1/dids/places", by))["items"]] == [1]
    body = {"description": "x"}
    assert (await firm.call("PATCH", f"/v1/dids/{OTHER_NUMBER}", by, json=body)).status_code == 404
    for fields in ({"notes": "x"}, {"tags": ["x"]}, {"description": "x", "features": ["voice_in"]}):
        refused = await firm.call("PATCH", f"/v1/dids/{make.number}", by, json=fields)
        assert (refused.status_code, refused.json()["code"]) == (403, "role_not_allowed")
    edit = await firm.call("PATCH", f"/v1/dids/{make.number}", by, json={"description": "Desk"})
    assert (edit.status_code, edit.json()["description"]) == (200, "Desk")
    assert (await firm.get("/v1/dids", "user:other"))["items"] == []


async def test_of_many_calls_at_once_one_gives_a_pbx_user_its_number(firm: Any, make: Any) -> None:
    """Every decision about a user holds its lock, whichever DID it is about. The others are refused."""
    user = await create(firm)
    numbers = [f"+353196090{n}" for n in range(40, 46)]
    for number in numbers:
        await firm.purchase(make, number, account=FIRM)

    async def assign(number: str) -> Any:
        body = {"dids": [number], "user_id": user["user_id"]}
        answer = await firm.call("POST", "/v1/dids/batch/assign-user", ADMIN, json=body)
        return answer.json()["results"][0]["code"]

    codes = await asyncio.gather(*map(assign, numbers))
    assert sorted(codes, key=str) == [None, *["user_has_default"] * 5]
    refused = await firm.call("DELETE", f"/v1/users/{user['user_id']}", ADMIN)
    assert refused.json()["code"] == "in_use"
