"""Rules of tenancy that the matrix cannot generate: two tiers with a stock each, persons, and tokens of no account."""

import re
from typing import Any

import pytest
from tenancy.callers import NOBODY, ONE_LOOP, send, things_of
from tenancy.checks import markers
from tenancy.estate import CHILD, OWNER, PARENT, UNRELATED, USER, Estate
from tenancy.requests import absent, all_operations, comparable, plain_requests
from tenancy.things import purchase_body

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


@ONE_LOOP
async def test_a_did_with_foreign_details_becomes_the_same_as_one_with_absent_details(estate: Estate) -> None:
    """Inventory takes the ids. What verification then says is alike: on the DID, in its history, in verifications."""
    foreign, nothing = estate.things[OWNER], absent(estate.things[OWNER])
    dids = [await purchase(estate, HOLDER) for _ in range(2)]
    await estate.deliver()
    for did, named in zip(dids, (foreign, nothing), strict=True):
        details = {"identity_id": named["identity"], "address_id": named["address"]}
        body = {"dids": [did["did_id"]], **details, "document_ids": [named["document"]]}
        await estate.do("inventory", HOLDER, "reseller", "/v1/dids/batch/assign-end-user", body)
    await estate.deliver()
    seen = []
    for did, named in zip(dids, (foreign, nothing), strict=True):
        reader = estate.client("inventory", HOLDER, "reseller")
        reviews = estate.client("verification", HOLDER, "reviewer")
        answers = [
            await reader.get(f"/v1/dids/{did['did_id']}"),
            await reader.get(f"/v1/dids/{did['did_id']}/history", params={"limit": "1000"}),
            await reviews.get("/v1/verifications", params={"did_id": did["did_id"]}),
        ]
        own = {"did": did["did_id"], "number": did["number"], "order": f"order {did['number']}"}
        said = str([comparable(answer, named | own, foreign) for answer in answers])
        seen.append(re.sub(r'"position":\d+', "", said))
    assert seen[0] == seen[1]
    assert "not_yours" in seen[0]


async def purchase(estate: Estate, account: str) -> dict[str, Any]:
    """Buy a number. Return the DID."""
    number = estate.new_things()["new_number"]
    body, key = purchase_body(number, account), {"Idempotency-Key": number}
    bought: dict[str, Any] = await estate.do(
        "inventory", account, "service", "/v1/purchases", body, headers=key
    )
    return bought
