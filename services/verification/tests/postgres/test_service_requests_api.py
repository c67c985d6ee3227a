"""Additional services over HTTP: roles, reach, responses and events."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from harness.statements import statements_of

REASONS = [{"code": "other", "message": "The brand is not registered."}]
A2P = {
    "service": "a2p_sms",
    "brand": "Secretive Bakery",
    "use_case": "customer_care",
    "sample_messages": ["Your bread is ready."],
    "opt_in_text": "I agree to messages.",
}


@pytest.fixture
async def carrier(running: Any) -> AsyncIterator[httpx.AsyncClient]:
    """The back office of a carrier."""
    async with running.as_caller("desk", "master", "service") as client:
        yield client


@pytest.fixture
async def a2p(running: Any, ann: Any, rita: Any, build: Any, pending_id: str) -> dict[str, Any]:
    """The answer to an A2P SMS request for an approved number."""
    await running.receive(build.did_changed(features=["voice_in", "a2p_sms", "emergency", "cnam"]))
    await rita.post(f"/v1/verifications/{pending_id}/approve")
    answer = await ann.post("/v1/service-requests", json=A2P | {"did": build.number})
    assert answer.status_code == 201
    made: dict[str, Any] = answer.json()
    return made


async def test_a_request_goes_from_account_to_carrier(
    running: Any, ann: Any, carrier: Any, build: Any, a2p: Any
) -> None:
    """It is listed, read with its data, decided by the back office, and published without its data."""
    path = f"/v1/service-requests/{a2p['request_id']}"
    (listed,) = (await carrier.get("/v1/service-requests")).json()["items"]
    assert (listed["state"], listed["number"]) == ("new", build.number)
    assert "brand" not in listed
    assert (await carrier.get(path)).json()["brand"] == "Secretive Bakery"
    for body in ({"state": "in_process"}, {"state": "changes_required", "reasons": REASONS}):
        assert (await carrier.post(f"{path}/decide", json=body)).status_code == 200
    again = await ann.post(f"{path}/correct", json={"brand": "Bakery Ltd"})
    assert (again.json()["request_id"], again.json()["state"]) == (a2p["request_id"], "new")
    assert (await carrier.get(path)).json()["brand"] == "Bakery Ltd"
    for state in ("in_process", "active"):
        assert (await carrier.post(f"{path}/decide", json={"state": state})).json()["state"] == state
    events = [event for event in await running.outbox() if event["topic"] == "service.changed"]
    assert [event["data"]["state"] for event in events] == [
        "new", "in_process", "changes_required", "new", "in_process", "active",
    ]  # fmt: skip
    assert {event["data"]["request_id"] for event in events} == {a2p["request_id"]}
    assert all("Bakery" not in str(event) and "bread" not in str(event) for event in events)
    assert [int(event["sequence"]) for event in await running.outbox()] == list(range(1, 10))


async def test_a_canceled_request_has_no_data_any_more(running: Any, ann: Any, a2p: Any) -> None:
    """The data is deleted from the table."""
    path = f"/v1/service-requests/{a2p['request_id']}"
    assert (await ann.post(f"{path}/cancel")).json()["state"] == "not_configured"
    assert (await ann.get(path)).json()["brand"] is None
    assert await running.count("service_requests", "data IS NOT NULL") == 0
    assert (await ann.get("/v1/service-requests")).json()["items"] == []
    found = await ann.get("/v1/service-requests", params={"state": "all", "service": "a2p_sms"})
    assert len(found.json()["items"]) == 1


async def test_a_wrong_field_of_a_request_is_named(ann: Any, build: Any, bakery: Any, a2p: Any) -> None:
    """A conflict is 409, a wrong body 422."""
    assert a2p["state"] == "new"
    body = {"did": build.number, "service": "cnam", "display_name": "BAKERY"}
    other = await ann.post("/v1/service-requests", json=body)
    assert (other.status_code, other.json()["code"]) == (409, "not_supported")
    galway = {
        "did": build.number,
        "service": "emergency",
        "address_id": bakery.address_id,
        "caller_name": " ",
    }
    missing = await ann.post("/v1/service-requests", json=galway)
    assert (missing.status_code, missing.json()["errors"][0]["field"]) == (422, "caller_name")
    twice = await ann.post("/v1/service-requests", json=A2P | {"did": build.number})
    assert (twice.status_code, twice.json()["code"]) == (409, "request_open")
    for body in ({"service": "fax"}, A2P | {"sample_messages": []}, A2P | {"display_name": "X"}):
        answer = await ann.post("/v1/service-requests", json={"did": build.number} | body)
        code = "unknown_field" if "display_name" in body else "input_invalid"
        assert (answer.status_code, answer.json()["code"]) == (422, code)


@pytest.mark.parametrize(
    ("account", "role", "seen", "requested", "decided", "canceled"),
    [
        ("master/globex", "reseller", 404, 404, 403, 404),
        ("master/globex", "service", 404, 404, 404, 404),
        ("master/acme", "reseller", 200, 409, 403, 200),
        ("master", "reviewer", 200, 403, 200, 403),
        ("master", "service", 200, 409, 200, 200),
        ("master/acme", "user", 403, 403, 403, 403),
    ],
)
async def test_role_and_reach_decide_who_reads_and_who_moves_requests(
    running: Any,
    build: Any,
    a2p: Any,
    *,
    account: str,
    role: str,
    seen: int,
    requested: int,
    decided: int,
    canceled: int,
) -> None:
    """Reviewers and carriers decide, accounts request and cancel."""
    path = f"/v1/service-requests/{a2p['request_id']}"
    async with running.as_caller("bob", account, role) as bob:
        assert (await bob.get(path)).status_code == seen
        made = await bob.post("/v1/service-requests", json=A2P | {"did": build.number})
        assert made.status_code == requested
        moved = await bob.post(f"{path}/decide", json={"state": "in_process"})
        assert moved.status_code == decided
        assert (await bob.post(f"{path}/cancel")).status_code == canceled


async def test_requests_at_the_same_time_make_one_request(
    running: Any, ann: Any, build: Any, pending_id: str
) -> None:
    """A DID has one open request for each service."""

    assert pending_id
    await running.receive(build.did_changed(features=["a2p_sms"]))
    body = A2P | {"did": build.number}
    answers = await asyncio.gather(*(ann.post("/v1/service-requests", json=body) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert await running.count("service_requests") == 1


async def test_reads_of_a_request_are_recorded(running: Any, ann: Any, a2p: Any) -> None:
    """It has personal data."""
    await ann.get(f"/v1/service-requests/{a2p['request_id']}")
    assert await running.count("personal_reads", "kind = 'service_request' AND subject = 'ann'") == 1


async def test_a_service_is_requested_for_many_numbers_in_one_call(
    running: Any, ann: Any, build: Any, bakery: Any, a2p: Any
) -> None:
    """Each number has its own result. Wrong numbers, and one that has the service already, fail nothing else."""
    assert a2p["state"] == "new"
    others = [type(build)() for _ in range(20)]
    for index, one in enumerate(others):
        one.did, one.number = uuid4(), f"+3531961{index:04}"
    features = ["voice_in", "a2p_sms"]
    await running.receive(*(one.purchased(features=features) for one in others))
    await running.receive(*(one.assigned(bakery, bakery) for one in others))
    dids = [*(one.number for one in others), str(others[0].did), build.number, "+35319998888", "x"]
    body = {name: value for name, value in A2P.items() if name != "did"} | {"dids": dids}
    async with statements_of(running.database) as statements:
        answer = await ann.post(
            "/v1/service-requests/batch/request", json=body, headers={"Idempotency-Key": "b"}
        )
    found = answer.json()
    assert (answer.status_code, found["done"], found["unchanged"], found["refused"]) == (200, 20, 1, 3)
    assert [each["did"] for each in found["results"]] == dids
    assert [each["code"] for each in found["results"][-3:]] == ["request_open", "not_found", "not_found"]
    assert await running.count("service_requests", "state = 'new'") == 21
    assert len(statements) <= 25
    again = await ann.post("/v1/service-requests/batch/request", json=body, headers={"Idempotency-Key": "b"})
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (found, "true")
    none = await ann.post("/v1/service-requests/batch/request", json=body | {"dids": []})
    assert (none.status_code, none.json()["code"]) == (422, "too_few")


async def test_only_the_account_corrects_a_request(running: Any, ann: Any, carrier: Any, a2p: Any) -> None:
    """A reviewer may not, another account does not find it, and an unknown field is named."""
    path = f"/v1/service-requests/{a2p['request_id']}"
    unchanged = await ann.post(f"{path}/correct", json={})
    assert (unchanged.status_code, unchanged.json()["state"]) == (200, "new")
    await carrier.post(f"{path}/decide", json={"state": "in_process"})
    refused = await ann.post(f"{path}/correct", json={"brand": "Bakery Ltd"})
    assert (refused.status_code, refused.json()["code"]) == (409, "no_changes_required")
    await carrier.post(f"{path}/decide", json={"state": "changes_required", "reasons": REASONS})
    async with running.as_caller("rita", "master", "reviewer") as rita:
        assert (await rita.post(f"{path}/correct", json={})).status_code == 403
    async with running.as_caller("eve", "master/globex", "reseller") as eve:
        assert (await eve.post(f"{path}/correct", json={})).status_code == 404
    foreign = await ann.post(f"{path}/correct", json={"caller_name": "Bakery"})
    assert (foreign.status_code, foreign.json()["code"]) == (422, "unknown_field")
    unknown = await ann.post(f"{path}/correct", json={"brend": "Bakery"})
    assert (unknown.status_code, unknown.json()["code"]) == (422, "unknown_field")
    assert (await ann.post(f"{path}/correct", json={})).json()["state"] == "new"
