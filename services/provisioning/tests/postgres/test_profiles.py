"""Configuration profiles on PostgreSQL: over HTTP, for new DIDs, and while they are deleted."""

import re
from typing import Any

import httpx
import pytest
from harness.routing_calls import on_dids
from harness.two_transactions import in_this_order

from didflow_contracts.ids import derived_id
from didflow_provisioning.store.tables import PROFILE_USE

USED_PROFILES = """
INSERT INTO routings SELECT (jsonb_populate_record(r, jsonb_build_object(
    'did_id', gen_random_uuid(), 'profile', jsonb_build_object('profile_id', gen_random_uuid(), 'account', 'master')
))).* FROM routings r, generate_series(1, 2000)
"""


async def create(client: httpx.AsyncClient, **fields: Any) -> str:
    """Create a profile and return its id."""
    response = await client.post("/v1/configuration-profiles", json={"name": "Desk"} | fields)
    assert response.status_code == 201, response.text
    profile_id: str = response.json()["configuration_profile_id"]
    return profile_id


async def apply(client: httpx.AsyncClient, numbers: list[str], profile_id: str) -> dict[str, Any]:
    """Apply a profile to numbers. Return the answer of the batch."""
    return await on_dids(client, "apply-profile", numbers, configuration_profile_id=profile_id)


async def delete(client: httpx.AsyncClient, profile_id: str) -> httpx.Response:
    """Delete a profile."""
    return await client.delete(f"/v1/configuration-profiles/{profile_id}")


async def test_the_profile_is_over_http_what_was_created_and_changed(
    provisioning: Any, create_trunk: Any
) -> None:
    """It is created, listed, shown, changed and deleted. Null takes a setting out."""
    client = provisioning.client()
    trunk_id = await create_trunk(client)
    profile_id = await create(
        client, voice_trunk_id=trunk_id, capacity="unlimited", automatic_for="master/acme"
    )
    path = f"/v1/configuration-profiles/{profile_id}"
    shown = (await client.get(path)).json()
    assert shown.pop("created_at")
    assert shown == {
        "configuration_profile_id": profile_id,
        "account": "master/acme",
        "name": "Desk",
        "voice_trunk_id": trunk_id,
        "voice_trunk_group_id": None,
        "capacity": "unlimited",
        "capacity_group_id": None,
        "sms_trunk_id": None,
        "automatic_for": "master/acme",
    }
    changed = (await client.patch(path, json={"voice_trunk_id": None, "capacity": 0})).json()
    assert (changed["voice_trunk_id"], changed["capacity"], changed["name"]) == (None, 0, "Desk")
    listed = (await client.get("/v1/configuration-profiles")).json()["items"]
    assert [item["configuration_profile_id"] for item in listed] == [profile_id]
    both = await client.patch(path, json={"capacity": 1, "capacity_group_id": trunk_id})
    assert (both.status_code, [error["field"] for error in both.json()["errors"]]) == (422, ["capacity"])
    assert (await delete(client, profile_id)).status_code == 204
    assert (await client.get(path)).status_code == 404


async def test_a_profile_serves_its_account_and_the_accounts_below(provisioning: Any) -> None:
    """Callers below see it and cannot change it. Callers beside do not see it."""
    profile_id = await create(provisioning.client("master/acme"), capacity=1)
    path = f"/v1/configuration-profiles/{profile_id}"
    below = provisioning.client("master/acme/shop", "enterprise_admin")
    assert (await below.get(path)).status_code == 200
    beside = provisioning.client("master/acme2")
    assert (await beside.get(path)).status_code == 404
    assert (await beside.get("/v1/configuration-profiles")).json()["items"] == []
    for client in (below, beside):
        assert (await client.patch(path, json={"capacity": 2})).status_code == 404
        assert (await delete(client, profile_id)).status_code == 404


async def test_the_account_that_a_profile_is_automatic_for_is_hidden_from_accounts_beside_it(
    provisioning: Any,
) -> None:
    """An account beside that one sees the profile, which serves it too, and does not learn of the other account."""
    path = f"/v1/configuration-profiles/{await create(provisioning.client('master'), automatic_for='master/acme')}"
    for account, shown in (
        ("master", "master/acme"),
        ("master/acme", "master/acme"),
        ("master/acme/shop", "master/acme"),
        ("master/acme2", None),
    ):
        client = provisioning.client(account)
        assert (await client.get(path)).json()["automatic_for"] == shown
        (listed,) = (await client.get("/v1/configuration-profiles")).json()["items"]
        assert listed["automatic_for"] == shown


async def test_a_profile_is_applied_to_many_dids_and_the_second_time_all_are_unchanged(
    provisioning: Any, messages: Any, create_trunk: Any
) -> None:
    """Each DID has the trunk and a channel of the group. One more than there are channels is refused."""
    numbers = [f"+3531960{n:04}" for n in range(50)]
    await provisioning.receive(*(messages.purchased(derived_id(n), number=n) for n in numbers))
    client = provisioning.client()
    body = {"name": "Shared", "channels": 49}
    group_id = (await client.post("/v1/capacity-groups", json=body)).json()["capacity_group_id"]
    profile_id = await create(client, voice_trunk_id=await create_trunk(client), capacity_group_id=group_id)
    first = await apply(client, numbers, profile_id)
    assert (first["done"], first["refused"]) == (49, 1)
    assert first["results"][-1]["code"] == "capacity_exhausted"
    second = await apply(client, numbers, profile_id)
    assert (second["done"], second["unchanged"], second["refused"]) == (0, 49, 1)
    events = len(await provisioning.published())
    third = await apply(client, numbers[:49], profile_id)
    assert (third["done"], third["unchanged"], third["refused"]) == (0, 49, 0)
    assert {result["outcome"] for result in third["results"]} == {"unchanged"}
    assert len(await provisioning.published()) == events
    assert (await client.get(f"/v1/capacity-groups/{group_id}")).json()["free"] == 0
    assert await provisioning.count("routings", "voice IS NOT NULL AND capacity IS NOT NULL") == 49
    refused = await delete(client, profile_id)
    assert (refused.status_code, refused.json()["code"]) == (409, "in_use")
    assert refused.json()["detail"].startswith("49 live DIDs use this configuration profile.")


async def test_a_purchase_with_an_automatic_profile_becomes_active_with_no_further_call(
    provisioning: Any, messages: Any, create_trunk: Any, issued: Any
) -> None:
    """All its events can come in one batch, and in any order."""
    client = provisioning.client()
    trunk_id = await create_trunk(client)
    await create(client, voice_trunk_id=trunk_id, capacity=2, automatic_for="master/acme")
    await provisioning.receive(messages.registration(), messages.did_changed(), messages.purchased())
    (command,) = await issued()
    assert (str(command.parameters.voice.id), command.parameters.capacity) == (trunk_id, 2)
    await provisioning.receive(messages.result(command))
    axis = (await provisioning.published("routing.changed"))[-1].data
    assert (axis.carrier_state, axis.voice_ready, axis.unapplied) == ("active", True, ())


@pytest.mark.parametrize("is_deleted_first", [True, False])
async def test_a_new_did_and_the_deletion_of_its_automatic_profile_wait_for_each_other(
    provisioning: Any, messages: Any, is_deleted_first: bool
) -> None:
    """Either the profile is deleted and the DID has none, or the DID has it and the deletion is refused."""
    client = provisioning.client()
    profile_id = await create(client, capacity=3, automatic_for="master/acme")
    await provisioning.receive(messages.purchased())
    deleting, arriving = delete(client, profile_id), provisioning.receive(messages.did_changed())
    order = (deleting, arriving) if is_deleted_first else (arriving, deleting)
    first, second, has_waited = await in_this_order(provisioning, *order)
    assert has_waited
    deleted = first if is_deleted_first else second
    routing = (await client.get(f"/v1/routing/{messages.did_id}")).json()
    expected = (204, None) if is_deleted_first else (409, 3)
    assert (deleted.status_code, routing["capacity"]) == expected


async def test_the_dids_of_a_profile_are_counted_by_one_index(purchased: Any) -> None:
    """Among 2,000 DIDs with profiles of their own, PostgreSQL chooses the index by itself."""
    await purchased.fetch(USED_PROFILES)
    await purchased.fetch("ANALYZE routings")
    rows = await purchased.fetch(f"EXPLAIN {PROFILE_USE.load_sql}", [derived_id("profile")])
    plan = "\n".join(row[0] for row in rows)
    assert re.search(r"routings_profile\b", plan), plan
    assert "Seq Scan" not in plan
