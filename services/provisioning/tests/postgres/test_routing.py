"""The routing of DIDs over HTTP."""

from typing import Any
from uuid import uuid4

import pytest


async def test_a_batch_returns_one_result_for_each_did(
    purchased: Any, messages: Any, create_trunk: Any
) -> None:
    """Unknown and malformed names are `not_found`. A DID that is named again is unchanged."""
    names = [
        messages.number,
        str(messages.did_id),
        str(uuid4()),
        "nonsense",
        messages.number.removeprefix("+"),
    ]
    client = purchased.client()
    trunk_id = await create_trunk(client)
    body = {"dids": names, "voice_trunk_id": trunk_id}
    answer = (await client.post("/v1/routing/batch/set-voice", json=body)).json()
    routing = (await client.get(f"/v1/routing/{messages.did_id}")).json()
    outcomes = [result["outcome"] for result in answer["results"]]
    assert outcomes == ["done", "unchanged", "refused", "refused", "unchanged"]
    refused = [result for result in answer["results"] if result["outcome"] == "refused"]
    assert {result["code"] for result in refused} == {"not_found"}
    assert (answer["done"], answer["unchanged"], answer["refused"]) == (1, 2, 2)
    assert routing["voice"]["id"] == trunk_id


async def test_an_unknown_trunk_is_refused_for_each_did(purchased: Any, messages: Any) -> None:
    """The code is `voice_trunk_not_found`."""
    body = {"dids": [messages.number], "voice_trunk_id": str(uuid4())}
    answer = (await purchased.client().post("/v1/routing/batch/set-voice", json=body)).json()
    assert answer["results"][0]["code"] == "voice_trunk_not_found"


@pytest.mark.parametrize("capacity", [-1, 1.5, "many", True])
async def test_a_capacity_must_be_a_count_or_unlimited(purchased: Any, messages: Any, capacity: Any) -> None:
    """Any other value refuses the whole request."""
    body = {"dids": [messages.number], "capacity": capacity}
    response = await purchased.client().post("/v1/routing/batch/set-capacity", json=body)
    assert (response.status_code, response.json()["code"]) == (422, "input_invalid")


async def test_the_routing_has_the_form_of_its_event(purchased: Any, messages: Any) -> None:
    """By id and by number, it equals the data of the last `routing.changed`."""
    client = purchased.client()
    body = {"dids": [messages.number], "capacity": "unlimited"}
    await client.post("/v1/routing/batch/set-capacity", json=body)
    by_number = (await client.get(f"/v1/routing/%2B{messages.number[1:]}")).json()
    by_id = (await client.get(f"/v1/routing/{messages.did_id}")).json()
    last = (await purchased.published("routing.changed"))[-1]
    assert by_number == by_id == last.data.wire()


async def test_a_foreign_did_is_not_found(purchased: Any, messages: Any) -> None:
    """A caller of another account sees neither its routing nor its commands, and never gets 403."""
    foreign = purchased.client("master/other")
    assert (await foreign.get(f"/v1/routing/{messages.did_id}")).status_code == 404
    body = {"dids": [messages.number], "capacity": 1}
    answer = (await foreign.post("/v1/routing/batch/set-capacity", json=body)).json()
    assert answer["results"][0]["code"] == "not_found"
    assert (await foreign.get("/v1/commands")).json()["items"] == []


@pytest.mark.parametrize("role", ["user", "reviewer"])
@pytest.mark.parametrize("path", ["/v1/voice-trunks", "/v1/routing/{did}", "/v1/commands"])
async def test_a_user_or_reviewer_cannot_read_the_account(
    purchased: Any, messages: Any, role: str, path: str
) -> None:
    """403 `role_not_allowed` comes before anything is looked up, so an unknown DID gives the same answer."""
    client = purchased.client(role=role)
    for did in (messages.did_id, uuid4()):
        response = await client.get(path.format(did=did))
        assert (response.status_code, response.json()["code"]) == (403, "role_not_allowed")


@pytest.mark.parametrize("role", ["user", "reviewer"])
async def test_a_user_or_reviewer_cannot_change_the_routing(purchased: Any, messages: Any, role: str) -> None:
    """The batch is refused as a whole."""
    body = {"dids": [messages.number], "capacity": 1}
    response = await purchased.client(role=role).post("/v1/routing/batch/set-capacity", json=body)
    assert (response.status_code, response.json()["code"]) == (403, "role_not_allowed")


async def test_a_removed_did_is_found_by_its_id_only(purchased: Any, messages: Any) -> None:
    """The number names the live DID. A removed DID cannot be changed."""
    await purchased.receive(messages.removed())
    client = purchased.client()
    assert (await client.get(f"/v1/routing/{messages.number}")).status_code == 404
    former = (await client.get(f"/v1/routing/{messages.did_id}")).json()
    body = {"dids": [str(messages.did_id)], "capacity": 1}
    answer = (await client.post("/v1/routing/batch/set-capacity", json=body)).json()
    assert (former["carrier_state"], former["reason"]) == ("released", "aged_out")
    assert answer["results"][0]["code"] == "not_found"
