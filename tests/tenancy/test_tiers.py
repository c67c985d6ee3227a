"""Rules of tenancy that the matrix cannot generate: two tiers with a stock each, persons, and tokens of no account."""

from typing import Any

import pytest
from tenancy.callers import NOBODY, ONE_LOOP, send, things_of
from tenancy.checks import markers
from tenancy.estate import CHILD, OWNER, PARENT, UNRELATED, USER, Estate
from tenancy.requests import all_operations, plain_requests

SIBLING, HOLDER = UNRELATED


async def upload(estate: Estate, account: str) -> str:
    """Add a number to the stock of an account. Return it."""
    number = estate.new_things()["new_number"]
    await estate.do("inventory", account, "reseller", "/v1/stock", {"numbers": [number]})
    return number


async def deleted(estate: Estate, account: str, role: str, number: str) -> tuple[str, str]:
    """Delete a number, by itself and in a batch. Return both codes."""
    client = estate.client("inventory", account, role)
    batch = await client.post("/v1/stock/batch/delete", json={"numbers": [number]})
    single = await client.delete(f"/v1/stock/{number}")
    return single.json()["code"], batch.json()["results"][0]["code"]


@ONE_LOOP
@pytest.mark.parametrize("role", ["master_reseller", "reseller", "enterprise_admin", "service"])
async def test_neither_tier_deletes_what_the_other_uploaded(estate: Estate, role: str) -> None:
    """The master sees the reseller's number and the reseller may have the master's. A sibling knows neither."""
    of_master, of_reseller = await upload(estate, PARENT), await upload(estate, OWNER)
    assert await deleted(estate, PARENT, role, of_reseller) == ("not_uploader", "not_uploader")
    assert await deleted(estate, OWNER, role, of_master) == ("not_uploader", "not_uploader")
    assert await deleted(estate, CHILD, role, of_reseller) == ("not_uploader", "not_uploader")
    absent = estate.new_things()["new_number"]
    for number in (of_reseller, absent):
        assert await deleted(estate, SIBLING, role, number) == ("not_found", "not_found")
    for account, number in ((PARENT, of_master), (OWNER, of_reseller)):
        answer = await estate.client("inventory", account, role).delete(f"/v1/stock/{number}")
        assert answer.status_code == 204, answer.text


@ONE_LOOP
async def test_a_person_sees_the_numbers_of_its_user_and_changes_only_their_description(
    estate: Estate,
) -> None:
    """Other numbers of its enterprise, and those of the user with the same subject elsewhere, are absent."""
    own, others = estate.things[HOLDER], estate.things[SIBLING]
    person = estate.client("inventory", f"{HOLDER}/firm", "user", USER)
    listed = (await person.get("/v1/dids")).json()["items"]
    assert [one["did_id"] for one in listed] == [own["users_did"]]
    assert (await person.get("/v1/dids/summary")).json()["all"] == 1
    path = f"/v1/dids/{own['users_did']}"
    assert (await person.get(path)).status_code == 200
    assert (await person.patch(path, json={"description": "Desk"})).status_code == 200
    for change in ({"notes": "x"}, {"description": "x", "tags": ["x"]}):
        refused = await person.patch(path, json=change)
        assert (refused.status_code, refused.json()["code"]) == (403, "role_not_allowed")
    for foreign in (
        own["firm_did"],
        own["firm_number"],
        own["did"],
        others["users_did"],
        others["users_number"],
    ):
        for answer in (
            await person.get(f"/v1/dids/{foreign}"),
            await person.get(f"/v1/dids/{foreign}/history"),
            await person.patch(f"/v1/dids/{foreign}", json={"description": "x"}),
        ):
            assert answer.status_code == 404, answer.text


@ONE_LOOP
async def test_a_token_of_an_account_that_does_not_exist_reaches_nothing(estate: Estate) -> None:
    """Whatever it sends, no answer has anything of an account, and no other account sees what it made."""
    found: list[Any] = []
    caller = (NOBODY, "service")
    for operation in all_operations():
        if "service" not in operation.roles or operation.is_stream:
            continue
        for request in plain_requests(operation):
            answer = (await send(estate, caller, request, things_of(estate, OWNER))).answer
            sent = f"{answer.request.url} {answer.request.read()!r}"
            secrets = [text for text in markers(estate, caller) if text in answer.text and text not in sent]
            if answer.status_code >= 500 or secrets:
                found.append((operation.route, answer.text, secrets))
    assert found == []
