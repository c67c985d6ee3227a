"""What callers can do and see over HTTP."""

from typing import Any
from uuid import uuid4

import pytest

SIP = {"name": "Dublin", "sip": {"uri": "sip:pbx.example.com:5061", "transport": "tls", "codecs": ["opus"]}}


@pytest.fixture
async def bought(live: Any, say: Any) -> Any:
    """A live service with one DID of `master/acme`, waiting for its registration."""
    await live.feed(say.purchased(), say.holding())
    return live


async def trunk_of(client: Any, **changes: Any) -> str:
    """Make a trunk and give its id."""
    answer = await client.post("/v1/voice-trunks", json=SIP | changes)
    assert answer.status_code == 201, answer.text
    made: str = answer.json()["voice_trunk_id"]
    return made


async def test_a_trunk_is_made_listed_shown_and_deleted(live: Any) -> None:
    """The four things that can be done to a trunk."""
    async with live.client() as client:
        trunk = await trunk_of(client, priority=5, ring_timeout_s=20, failover={"forward_to": "+35319609000"})
        shown = (await client.get(f"/v1/voice-trunks/{trunk}")).json()
        listed = (await client.get("/v1/voice-trunks")).json()
        gone = await client.delete(f"/v1/voice-trunks/{trunk}")
        after = await client.get(f"/v1/voice-trunks/{trunk}")
    assert [item["voice_trunk_id"] for item in listed["items"]] == [trunk]
    assert (shown["account"], shown["name"]) == ("master/acme", "Dublin")
    sip, pstn = shown["endpoints"]
    assert (sip["kind"], sip["address"]) == ("sip", "sip:pbx.example.com:5061")
    assert sip["settings"] == {
        "transport": "tls",
        "codecs": ["opus"],
        "priority": 5,
        "weight": 1,
        "ring_timeout_s": 20,
    }
    assert (pstn["kind"], pstn["address"]) == ("pstn", "+35319609000")
    assert (gone.status_code, after.status_code) == (204, 404)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "x"},
        {"name": "x", "sip": {"uri": "sip:a.example"}, "forward_to": "+35319609000"},
        {"name": "x", "sip": {"uri": "http://a.example"}},
        {"name": "x", "sip": {"uri": "sip:user:secret@a.example"}},
        {"name": "x", "sip": {"uri": "sip:a.example", "transport": "smoke"}},
        {"name": "x", "forward_to": "12345"},
        {"name": "", "forward_to": "+35319609000"},
        {"name": "x", "forward_to": "+35319609000", "colour": "red"},
        {"name": "x", "forward_to": "+35319609000", "weight": -1},
    ],
)
async def test_a_trunk_that_leads_nowhere_is_not_made(live: Any, wrong: dict[str, Any]) -> None:
    """What is wrong with a body is said field by field, and nothing is made."""
    async with live.client() as client:
        answer = await client.post("/v1/voice-trunks", json=wrong)
    assert answer.status_code == 422
    assert answer.json()["errors"]
    assert await live.count("voice_trunks") == 0


async def test_a_retried_creation_makes_one_trunk(live: Any) -> None:
    """The same key and body give the first answer again."""
    async with live.client() as client:
        key = {"Idempotency-Key": "k1"}
        first = await client.post("/v1/voice-trunks", json=SIP, headers=key)
        again = await client.post("/v1/voice-trunks", json=SIP, headers=key)
    assert first.json() == again.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert await live.count("voice_trunks") == 1


async def test_a_trunk_serves_its_account_and_those_below_and_nobody_else(live: Any) -> None:
    """Below: seen without its endpoints and not to be deleted. Beside: 404. Above: seen whole."""
    async with live.client("master/acme") as owner:
        trunk = await trunk_of(owner)
    async with live.client("master/acme/shop", "enterprise_admin") as below:
        lent = (await below.get(f"/v1/voice-trunks/{trunk}")).json()
        assert lent["endpoints"] is None
        assert [t["voice_trunk_id"] for t in (await below.get("/v1/voice-trunks")).json()["items"]] == [trunk]
        assert (await below.delete(f"/v1/voice-trunks/{trunk}")).status_code == 404
    async with live.client("master/acme2") as beside:
        assert (await beside.get(f"/v1/voice-trunks/{trunk}")).status_code == 404
        assert (await beside.get("/v1/voice-trunks")).json()["items"] == []
        assert (await beside.delete(f"/v1/voice-trunks/{trunk}")).status_code == 404
    async with live.client("master", "master_reseller") as above:
        assert (await above.get(f"/v1/voice-trunks/{trunk}")).json()["endpoints"]


async def test_nobody_makes_a_trunk_elsewhere(live: Any) -> None:
    """An account beyond the caller's subtree is not found; one below is taken."""
    async with live.client() as client:
        beyond = await client.post("/v1/voice-trunks", json=SIP | {"account": "master/other"})
        below = await client.post("/v1/voice-trunks", json=SIP | {"account": "master/acme/shop"})
    assert (beyond.status_code, beyond.json()["code"]) == (404, "not_found")
    assert below.status_code == 201


async def test_a_trunk_in_use_is_not_deleted(bought: Any, say: Any) -> None:
    """409 `in_use` with the count; once the number is cleared it can go."""
    async with bought.client() as client:
        trunk = await trunk_of(client)
        await client.post("/v1/routing/batch/set-voice", json={"dids": [say.number], "voice_trunk_id": trunk})
        kept = await client.delete(f"/v1/voice-trunks/{trunk}")
        await client.post("/v1/routing/batch/clear", json={"dids": [say.number]})
        gone = await client.delete(f"/v1/voice-trunks/{trunk}")
    assert (kept.status_code, kept.json()["code"]) == (409, "in_use")
    assert "1 " in kept.json()["detail"]
    assert gone.status_code == 204


async def test_routing_is_set_number_by_number(bought: Any, say: Any) -> None:
    """Each entry has its own outcome: done, repeated, unknown and malformed alike `not_found`."""
    names = [say.number, str(say.did), str(uuid4()), "nonsense", say.number.removeprefix("+")]
    async with bought.client() as client:
        trunk = await trunk_of(client)
        answer = await client.post(
            "/v1/routing/batch/set-voice", json={"dids": names, "voice_trunk_id": trunk}
        )
        said = answer.json()
        routing = (await client.get(f"/v1/routing/{say.did}")).json()
    assert [result["outcome"] for result in said["results"]] == [
        "done",
        "unchanged",
        "refused",
        "refused",
        "unchanged",
    ]
    assert {r["code"] for r in said["results"] if r["outcome"] == "refused"} == {"not_found"}
    assert (said["done"], said["unchanged"], said["refused"]) == (1, 2, 2)
    assert routing["voice"]["id"] == trunk


async def test_a_trunk_that_is_not_there_is_refused_for_each_number(bought: Any, say: Any) -> None:
    """`voice_trunk_not_found`, and nothing is set."""
    async with bought.client() as client:
        body = {"dids": [say.number], "voice_trunk_id": str(uuid4())}
        said = (await client.post("/v1/routing/batch/set-voice", json=body)).json()
    assert said["results"][0]["code"] == "voice_trunk_not_found"


@pytest.mark.parametrize("capacity", [-1, 1.5, "many", True])
async def test_a_capacity_is_a_count_or_unlimited(bought: Any, say: Any, capacity: Any) -> None:
    """Anything else is refused whole, before any number is looked at."""
    async with bought.client() as client:
        body = {"dids": [say.number], "capacity": capacity}
        answer = await client.post("/v1/routing/batch/set-capacity", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "input_invalid")


async def test_the_routing_reads_like_its_event(bought: Any, say: Any) -> None:
    """`GET /v1/routing/{did}` says what `routing.changed` last said, by id and by number."""
    async with bought.client() as client:
        body = {"dids": [say.number], "capacity": "unlimited"}
        await client.post("/v1/routing/batch/set-capacity", json=body)
        by_number = (await client.get(f"/v1/routing/%2B{say.number[1:]}")).json()
        by_id = (await client.get(f"/v1/routing/{say.did}")).json()
    last = (await bought.said())[-1].data
    assert by_number == by_id == last.wire()


async def test_others_see_nothing_of_a_number(bought: Any, say: Any) -> None:
    """Routing, wishes and commands of another tree's number: 404 and `not_found`, never 403."""
    async with bought.client("master/other") as other:
        assert (await other.get(f"/v1/routing/{say.did}")).status_code == 404
        body = {"dids": [say.number], "capacity": 1}
        said = (await other.post("/v1/routing/batch/set-capacity", json=body)).json()
        assert said["results"][0]["code"] == "not_found"
        assert (await other.get("/v1/commands")).json()["items"] == []


@pytest.mark.parametrize("role", ["user", "reviewer"])
async def test_routing_is_set_by_those_who_manage_numbers(bought: Any, say: Any, role: str) -> None:
    """Users and reviewers look, and do not set."""
    async with bought.client(role=role) as client:
        body = {"dids": [say.number], "capacity": 1}
        answer = await client.post("/v1/routing/batch/set-capacity", json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "role_not_allowed")
        assert (await client.get(f"/v1/routing/{say.did}")).status_code == 200


async def test_commands_show_their_last_failure_and_are_retried(bought: Any, say: Any) -> None:
    """A failed activation is found by its state, and ordered again by an operator as a new command."""
    await bought.feed(say.registration())
    order = (await bought.orders())[0]
    await bought.feed(say.failure(order, code="number_unknown", message="no such number"))
    async with bought.client("master", "operator") as operator:
        found = (await operator.get("/v1/commands", params={"state": "failed", "did": say.number})).json()
        (failed,) = found["items"]
        assert failed["last_failure"] == {"code": "number_unknown", "message": "no such number"}
        retried = await operator.post(f"/v1/commands/{failed['command_id']}/retry")
        again = await operator.post(f"/v1/commands/{failed['command_id']}/retry")
        latest = (await operator.get("/v1/commands")).json()["items"]
    assert retried.status_code == 200
    assert retried.json()["command_id"] == latest[0]["command_id"] != failed["command_id"]
    assert [item["state"] for item in latest] == ["out", "failed"]
    assert (again.status_code, again.json()["code"]) == (409, "not_failed")
    assert (await bought.orders())[-1].command_id != order.command_id


async def test_a_retry_is_for_operators(bought: Any, say: Any) -> None:
    """A reseller sees its commands, and cannot order again what a carrier refused."""
    await bought.feed(say.registration())
    order = (await bought.orders())[0]
    async with bought.client() as client:
        assert len((await client.get("/v1/commands")).json()["items"]) == 1
        assert (await client.post(f"/v1/commands/{order.command_id}/retry")).status_code == 403
    async with bought.client("master", "operator") as operator:
        assert (await operator.post(f"/v1/commands/{uuid4()}/retry")).status_code == 404


async def test_commands_are_listed_page_by_page(bought: Any, say: Any) -> None:
    """Latest first, each once, over pages of two."""
    await bought.feed(say.registration())
    for capacity in range(1, 6):
        await bought.feed(say.result((await bought.orders())[-1]))
        async with bought.client() as client:
            body = {"dids": [say.number], "capacity": capacity}
            await client.post("/v1/routing/batch/set-capacity", json=body)
    seen: list[str] = []
    async with bought.client() as client:
        page = (await client.get("/v1/commands", params={"limit": 2})).json()
        seen += [item["command_id"] for item in page["items"]]
        while page["next"]:
            page = (await client.get("/v1/commands", params={"limit": 2, "cursor": page["next"]})).json()
            seen += [item["command_id"] for item in page["items"]]
    assert seen == [str(order.command_id) for order in reversed(await bought.orders())]


async def test_a_removed_did_is_found_by_its_id_alone(bought: Any, say: Any) -> None:
    """The number means its live DID; the former one is shown by did_id and takes no wishes."""
    await bought.feed(say.removed())
    async with bought.client() as client:
        assert (await client.get(f"/v1/routing/{say.number}")).status_code == 404
        former = (await client.get(f"/v1/routing/{say.did}")).json()
        body = {"dids": [str(say.did)], "capacity": 1}
        said = (await client.post("/v1/routing/batch/set-capacity", json=body)).json()
    assert (former["carrier_state"], former["reason"]) == ("released", "aged_out")
    assert said["results"][0]["code"] == "not_found"
