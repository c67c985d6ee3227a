"""A voice trunk is changed over HTTP. A job carries the change to its DIDs, while others set and change trunks."""

from collections import Counter
from typing import Any
from uuid import UUID

import pytest
from harness.routing_calls import set_voice
from harness.two_transactions import in_this_order

from didflow_contracts.ids import derived_id

NUMBERS = [f"+3531960{n:04}" for n in range(250)]

ADDRESSES = "SELECT voice -> 'delivery' -> 'endpoints' -> 0 ->> 'address' AS address FROM routings"


async def addresses(provisioning: Any) -> Counter[str]:
    """Return how many DIDs deliver their calls to each address."""
    return Counter(row["address"] for row in await provisioning.fetch(ADDRESSES))


async def test_a_trunk_that_nothing_uses_is_changed_at_once(provisioning: Any, create_trunk: Any) -> None:
    """200 with the trunk. Fields that are not sent stay, `failover` null removes it, and the same again is 200."""
    client = provisioning.client()
    trunk_id = await create_trunk(client, priority=5, failover={"forward_to": "+35319609000"})
    path = f"/v1/voice-trunks/{trunk_id}"
    answer = await client.patch(path, json={"weight": 3, "failover": None, "name": "Cork"})
    (own,) = answer.json()["endpoints"]
    assert (answer.status_code, answer.json()["name"]) == (200, "Cork")
    assert own["address"] == "sip:pbx.example.com:5061"
    expected = {"transport": "tls", "codecs": ["opus"], "priority": 5, "weight": 3, "ring_timeout_s": None}
    assert own["settings"] == expected
    again = await client.patch(path, json={"weight": 3})
    assert (again.status_code, again.json()) == (200, answer.json())
    assert (await client.get(path)).json() == answer.json()
    assert await provisioning.count("jobs") == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"sip": None}, "sip"),
        ({"sip": {"uri": "sip:a.example"}, "forward_to": "+35319609000"}, "sip"),
        ({"name": None}, "name"),
        ({"priority": None}, "priority"),
        ({"account": "master"}, "account"),
    ],
)
async def test_an_invalid_change_is_refused_with_the_field_that_is_wrong(
    provisioning: Any, create_trunk: Any, body: dict[str, Any], field: str
) -> None:
    """Nothing is changed."""
    client = provisioning.client()
    path = f"/v1/voice-trunks/{await create_trunk(client)}"
    before = (await client.get(path)).json()
    answer = await client.patch(path, json=body)
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (422, [field])
    assert (await client.get(path)).json() == before


async def test_a_change_of_a_trunk_in_use_reaches_every_did_on_it(
    provisioning: Any, messages: Any, create_trunk: Any
) -> None:
    """Other DIDs keep their trunk. The events name the caller and the job. The second job finds nothing to do."""
    client = provisioning.client()
    await provisioning.receive(*(messages.purchased(derived_id(n), number=n) for n in NUMBERS))
    changed, other = [await create_trunk(client) for _ in range(2)]
    await set_voice(client, NUMBERS[10:], changed)
    await set_voice(client, NUMBERS[:10], other)
    before = len(await provisioning.published("routing.changed"))
    body = {"name": "Cork", "sip": {"uri": "sip:new.example.com"}}
    answer = await client.patch(f"/v1/voice-trunks/{changed}", json=body)
    job_id = answer.json()["job_id"]
    assert (answer.status_code, answer.headers["Location"]) == (202, f"/v1/provisioning/jobs/{job_id}")
    assert (answer.json()["kind"], answer.json()["state"]) == ("change_voice_trunk", "queued")
    await set_voice(client, NUMBERS[10:15], other)
    await provisioning.run_jobs()
    assert await addresses(provisioning) == {"sip:new.example.com": 235, "sip:pbx.example.com:5061": 15}
    statement = "SELECT state, total, done, refused FROM jobs WHERE job_id = $1"
    assert [tuple(row) for row in await provisioning.fetch(statement, UUID(job_id))] == [
        ("done", 235, 235, 0)
    ]
    events = (await provisioning.published("routing.changed"))[before + 5 :]
    assert len(events) == 235
    assert {(event.actor, event.causationid, event.data.voice.name) for event in events} == {
        ("user:ann", job_id, "Cork")
    }


async def test_a_did_that_takes_the_trunk_while_it_is_changed_takes_it_as_it_is_now(
    purchased: Any, messages: Any, create_trunk: Any
) -> None:
    """The change is not committed yet. The DID waits for it."""
    client = purchased.client()
    trunk_id = await create_trunk(client)
    changing = client.patch(f"/v1/voice-trunks/{trunk_id}", json={"sip": {"uri": "sip:new.example.com"}})
    taking = set_voice(client, [messages.number], trunk_id)
    changed, taken, has_waited = await in_this_order(purchased, changing, taking)
    assert has_waited
    assert (changed.status_code, taken["done"]) == (200, 1)
    assert await addresses(purchased) == {"sip:new.example.com": 1}


async def test_a_change_waits_for_the_did_that_takes_the_trunk(
    purchased: Any, messages: Any, create_trunk: Any
) -> None:
    """A DID has taken the trunk and is not committed yet. The change waits, counts it and starts the job."""
    client = purchased.client()
    trunk_id = await create_trunk(client)
    taking = set_voice(client, [messages.number], trunk_id)
    changing = client.patch(f"/v1/voice-trunks/{trunk_id}", json={"sip": {"uri": "sip:new.example.com"}})
    _, changed, has_waited = await in_this_order(purchased, taking, changing)
    assert (has_waited, changed.status_code) == (True, 202)
    await purchased.run_jobs()
    assert await addresses(purchased) == {"sip:new.example.com": 1}
