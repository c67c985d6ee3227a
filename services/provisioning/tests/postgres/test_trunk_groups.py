"""Voice trunk groups over HTTP, and two transactions at the same instant."""

from collections import Counter
from typing import Any
from uuid import UUID, uuid4

import pytest
from harness.routing_calls import on_dids
from harness.two_transactions import in_this_order

from didflow_contracts.ids import derived_id

NUMBERS = [f"+3531960{n:04}" for n in range(250)]
ADDRESSES = "SELECT voice -> 'delivery' -> 'endpoints' -> 0 ->> 'address' AS address FROM routings"
NEW = {"sip": {"uri": "sip:new.example.com"}}


async def create_group(client: Any, *trunk_ids: str, **changes: Any) -> str:
    """Create a group of these trunks and return its id."""
    trunks = [{"voice_trunk_id": trunk_id} for trunk_id in trunk_ids]
    answer = await client.post("/v1/voice-trunk-groups", json={"name": "Ireland", "trunks": trunks} | changes)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["voice_trunk_group_id"])


async def set_group(client: Any, numbers: list[str], group_id: str) -> dict[str, Any]:
    """Deliver the calls of numbers to a group. Return the answer of the batch."""
    return await on_dids(client, "set-voice", numbers, voice_trunk_group_id=group_id)


async def addresses(provisioning: Any) -> Counter[str]:
    """Return how many DIDs deliver their calls to each first address."""
    return Counter(row["address"] for row in await provisioning.fetch(ADDRESSES))


async def test_a_group_is_created_changed_listed_and_deleted(provisioning: Any, create_trunk: Any) -> None:
    """The trunks are in the order of the request. A group without a use is changed at once."""
    client = provisioning.client()
    first, second = [await create_trunk(client) for _ in range(2)]
    group_id = await create_group(client, first, second)
    path = f"/v1/voice-trunk-groups/{group_id}"
    trunks = [{"voice_trunk_id": second, "priority": 2, "weight": 5}]
    changed = await client.patch(path, json={"trunks": trunks})
    assert (changed.status_code, changed.json()["trunks"], changed.json()["name"]) == (200, trunks, "Ireland")
    assert (await client.get(path)).json() == changed.json()
    assert (await client.get("/v1/voice-trunk-groups")).json()["items"] == [changed.json()]
    assert (await client.delete(path)).status_code == 204
    assert (await client.get(path)).status_code == 404


@pytest.mark.parametrize(
    ("trunks", "field"),
    [([], "trunks"), (["<own>"] * 2, "trunks"), (["<own>"] + [str(uuid4()) for _ in range(50)], "trunks")],
)
async def test_a_group_with_no_too_many_or_repeated_trunks_is_refused(
    provisioning: Any, create_trunk: Any, trunks: list[str], field: str
) -> None:
    """422 with the field. Nothing is created."""
    client = provisioning.client()
    own = await create_trunk(client)
    named = [{"voice_trunk_id": trunk.replace("<own>", own)} for trunk in trunks]
    answer = await client.post("/v1/voice-trunk-groups", json={"name": "x", "trunks": named})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    assert await provisioning.count("voice_trunk_groups") == 0


async def test_a_group_serves_its_account_and_the_accounts_below(
    provisioning: Any, create_trunk: Any
) -> None:
    """Callers below see it without its trunks and cannot change it. Callers beside do not see it."""
    client = provisioning.client()
    path = f"/v1/voice-trunk-groups/{await create_group(client, await create_trunk(client))}"
    below, beside = provisioning.client("master/acme/shop"), provisioning.client("master/acme2")
    assert (await below.get(path)).json()["trunks"] is None
    assert len((await below.get("/v1/voice-trunk-groups")).json()["items"]) == 1
    assert (await beside.get("/v1/voice-trunk-groups")).json()["items"] == []
    for other in (below, beside):
        assert (await other.patch(path, json={"name": "x"})).status_code == 404
        assert (await other.delete(path)).status_code == 404
    assert (await beside.get(path)).status_code == 404


async def test_both_targets_or_none_are_refused(purchased: Any, messages: Any, create_trunk: Any) -> None:
    """422, and the field is the first of the two."""
    client = purchased.client()
    trunk_id = await create_trunk(client)
    group_id = await create_group(client, trunk_id)
    for target in ({}, {"voice_trunk_id": trunk_id, "voice_trunk_group_id": group_id}):
        body = {"dids": [messages.number], **target}
        answer = await client.post("/v1/routing/batch/set-voice", json=body)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "voice_trunk_id")


async def test_a_change_of_a_trunk_reaches_the_dids_on_it_and_on_its_groups(
    provisioning: Any, messages: Any, create_trunk: Any
) -> None:
    """Each DID once, over several pages. A group without the trunk and a deleted group are not touched."""
    client = provisioning.client()
    await provisioning.receive(*(messages.purchased(derived_id(n), number=n) for n in NUMBERS))
    changed, other = [await create_trunk(client) for _ in range(2)]
    groups = [await create_group(client, changed, other) for _ in range(2)]
    without = await create_group(client, other)
    await client.delete(f"/v1/voice-trunk-groups/{await create_group(client, changed)}")
    body = {"dids": NUMBERS[:20], "voice_trunk_id": changed}
    await client.post("/v1/routing/batch/set-voice", json=body)
    for numbers, group in ((NUMBERS[20:150], groups[0]), (NUMBERS[150:240], groups[1])):
        await set_group(client, numbers, group)
    await set_group(client, NUMBERS[240:], without)
    before = len(await provisioning.published("routing.changed"))
    job_id = (await client.patch(f"/v1/voice-trunks/{changed}", json=NEW | {"name": "Cork"})).json()["job_id"]
    await provisioning.run_jobs()
    statement = "SELECT state, total, done, refused FROM jobs WHERE job_id = $1"
    assert tuple((await provisioning.fetch(statement, UUID(job_id)))[0]) == ("done", 240, 240, 0)
    items = await provisioning.fetch("SELECT DISTINCT item FROM job_results WHERE outcome = 'done'")
    assert {row["item"] for row in items} == set(NUMBERS[:240])
    assert await addresses(provisioning) == {"sip:new.example.com": 240, "sip:pbx.example.com:5061": 10}
    # The names of the trunks of a group are not in the axis: only the 20 DIDs on the trunk itself publish it.
    assert len((await provisioning.published("routing.changed"))[before:]) == 20
    in_use = await client.delete(f"/v1/voice-trunks/{changed}")
    assert in_use.json()["detail"].startswith("20 live DIDs and 2 voice trunk groups use this voice trunk.")


async def test_a_replacement_moves_the_dids_of_a_trunk_to_a_group_and_back(
    purchased: Any, messages: Any, create_trunk: Any
) -> None:
    """The former group can then be deleted, and the trunk stays in use by the other group only."""
    client = purchased.client()
    trunk_id = await create_trunk(client)
    group_id, other = [await create_group(client, trunk_id) for _ in range(2)]
    await set_group(client, [messages.number], group_id)
    for former, by in ((f"voice-trunk-groups/{group_id}", trunk_id), (f"voice-trunks/{trunk_id}", other)):
        started = await client.post(f"/v1/{former}/replace", json={"by": by})
        assert started.status_code == 202
        await purchased.run_jobs()
        shown = (await client.get(f"/v1/routing/{messages.number[1:]}")).json()
        assert shown["voice"]["id"] == by
    assert (await client.delete(f"/v1/voice-trunk-groups/{group_id}")).status_code == 204
    in_use = await client.delete(f"/v1/voice-trunks/{trunk_id}")
    assert in_use.json()["detail"].startswith("1 voice trunk group uses this voice trunk.")


async def test_a_group_does_not_take_a_trunk_while_it_is_deleted(
    provisioning: Any, create_trunk: Any
) -> None:
    """The trunk is deleted and that is not committed yet. The group waits and is refused."""
    client = provisioning.client()
    trunk_id = await create_trunk(client)
    body = {"name": "Ireland", "trunks": [{"voice_trunk_id": trunk_id}]}
    grouping = client.post("/v1/voice-trunk-groups", json=body)
    deleting = client.delete(f"/v1/voice-trunks/{trunk_id}")
    deleted, grouped, has_waited = await in_this_order(provisioning, deleting, grouping)
    assert has_waited
    assert (deleted.status_code, grouped.status_code) == (204, 404)
    assert grouped.json()["errors"][0]["field"] == "trunks"


async def test_a_did_that_takes_a_group_takes_its_trunks_as_they_are_now(
    purchased: Any, messages: Any, create_trunk: Any
) -> None:
    """A trunk of the group is changed and that is not committed yet. The DID waits for it."""
    client = purchased.client()
    trunk_id = await create_trunk(client)
    group_id = await create_group(client, trunk_id)
    changing = client.patch(f"/v1/voice-trunks/{trunk_id}", json=NEW)
    taking = set_group(client, [messages.number], group_id)
    changed, taken, has_waited = await in_this_order(purchased, changing, taking)
    assert (has_waited, changed.status_code, taken["done"]) == (True, 202, 1)
    assert await addresses(purchased) == {"sip:new.example.com": 1}
