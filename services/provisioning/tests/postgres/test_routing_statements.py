"""What it costs to set and to move targets: one statement for each table and batch, whatever the number of DIDs."""

import re
from collections import Counter
from typing import Any
from uuid import uuid4

import pytest
from harness.statements import statements_of

from didflow_contracts.ids import derived_id

NUMBERS = [f"+3531960{n:04}" for n in range(220)]
ON_BOTH = {"features": ["voice_in", "sms_in"], "sms_carrier": "texter"}
TABLES: tuple[str, ...] = (
    "routings",
    "number_queues",
    "carrier_commands",
    "voice_trunks",
    "voice_trunk_groups",
)
TABLES += ("sms_trunks", "capacity_groups", "configuration_profiles")


async def create(client: Any, path: str, **body: Any) -> str:
    """Create a thing and return its id."""
    answer = await client.post(f"/v1/{path}", json={"name": "x"} | body)
    assert answer.status_code == 201, answer.text
    return next(str(value) for name, value in answer.json().items() if name.endswith("_id"))


async def things(client: Any) -> dict[str, tuple[str, dict[str, Any]]]:
    """Create one thing of each kind. Return the action that sets it and the body, by kind."""
    trunk = await create(client, "voice-trunks", sip={"uri": "sip:pbx.example.com"})
    group = await create(client, "voice-trunk-groups", trunks=[{"voice_trunk_id": trunk}])
    sms = await create(client, "sms-trunks", email={"address": "sms@example.com"})
    shared = await create(client, "capacity-groups", channels=1_000)
    profile = {"voice_trunk_group_id": group, "sms_trunk_id": sms, "capacity_group_id": shared}
    applied = await create(client, "configuration-profiles", **profile)
    return {
        "voice trunk": ("set-voice", {"voice_trunk_id": trunk}),
        "group": ("set-voice", {"voice_trunk_group_id": group}),
        "SMS trunk": ("set-sms", {"sms_trunk_id": sms}),
        "capacity group": ("set-capacity", {"capacity_group_id": shared}),
        "profile": ("apply-profile", {"configuration_profile_id": applied}),
    }


def counted(statements: list[str]) -> Counter[str]:
    """Count the transactions, and the reads and writes of each table."""
    found = Counter[str]()
    for statement in statements:
        found["transactions"] += statement.startswith("BEGIN")
        for table in TABLES:
            found[f"write {table}"] += bool(re.search(rf"INSERT INTO \"?{table}\b", statement))
            found[f"read {table}"] += bool(re.search(rf"SELECT .* FROM \"?{table}\b", statement, re.DOTALL))
    return +found


@pytest.mark.parametrize("kind", ["voice trunk", "group", "SMS trunk", "capacity group", "profile"])
async def test_setting_a_target_costs_one_statement_for_each_table_and_runs_once(
    provisioning: Any, messages: Any, kind: str
) -> None:
    """220 DIDs cost as many statements as 20, and each table is written once.

    What only stored states name, such as the trunks of a group, is locked and read too, in the same transaction.
    """
    client = provisioning.client()
    await provisioning.receive(*(messages.purchased(uuid4(), number=n, **ON_BOTH) for n in NUMBERS))
    action, body = (await things(client))[kind]
    counts = []
    for numbers in (NUMBERS[:20], NUMBERS[20:]):
        async with statements_of(provisioning.database) as found:
            answer = await client.post(f"/v1/routing/batch/{action}", json={"dids": numbers} | body)
        assert answer.json()["done"] == len(numbers)
        counts.append(len(found))
    assert counts[0] == counts[1]
    costs = counted(found)
    assert costs["transactions"] == 1, found
    assert {name: count for name, count in costs.items() if name.startswith("write") and count != 1} == {}
    assert {name: count for name, count in costs.items() if name.startswith("read") and count > 1} == {}


async def test_the_events_of_a_batch_have_the_same_ids_whatever_is_found_under_its_locks(
    provisioning: Any, messages: Any
) -> None:
    """One DID is a member of a capacity group, which only its row names. The event of the other one is the first."""
    numbers = ["+35319600001", "+35319600002"]
    await provisioning.receive(*(messages.purchased(derived_id(n), number=n) for n in numbers))
    client = provisioning.client()
    group_id = await create(client, "capacity-groups", channels=5)
    for number, group in zip(numbers, (None, group_id), strict=True):
        body = {"dids": [number], "capacity": 1, "capacity_group_id": group}
        assert (await client.post("/v1/routing/batch/set-capacity", json=body)).json()["done"] == 1
    before = len(await provisioning.published("routing.changed"))
    key = {"Idempotency-Key": "k1"}
    cleared = await client.post("/v1/routing/batch/clear", json={"dids": numbers}, headers=key)
    assert cleared.json()["done"] == 2
    events = (await provisioning.published("routing.changed"))[before:]
    call = ("master/acme", "ann", "POST /v1/routing/batch/clear", "k1")
    expected = [str(derived_id(*call, event.data.type(), str(event.data.did_id))) for event in events]
    assert [event.id for event in events] == expected


@pytest.mark.parametrize("kind", ["voice-trunks", "sms-trunks"])
async def test_a_chunk_of_a_job_costs_as_many_statements_for_20_dids_as_for_90(
    provisioning: Any, messages: Any, kind: str
) -> None:
    """A replacement of a trunk by a group, and of an SMS trunk. The decisions of a chunk have one transaction."""
    client = provisioning.client()
    await provisioning.receive(*(messages.purchased(uuid4(), number=n, **ON_BOTH) for n in NUMBERS))
    action, field, other = {
        "voice-trunks": ("set-voice", "voice_trunk_id", "group"),
        "sms-trunks": ("set-sms", "sms_trunk_id", "SMS trunk"),
    }[kind]
    body = (
        {"sip": {"uri": "sip:x.example.com"}}
        if kind == "voice-trunks"
        else {"email": {"address": "x@example.com"}}
    )
    by = next(iter((await things(client))[other][1].values()))
    costs = []
    for numbers in (NUMBERS[:20], NUMBERS[20:110]):
        former = await create(client, kind, **body)
        await client.post(f"/v1/routing/batch/{action}", json={"dids": numbers, field: former})
        assert (await client.post(f"/v1/{kind}/{former}/replace", json={"by": by})).status_code == 202
        async with statements_of(provisioning.database) as found:
            assert await provisioning.run_job_chunk()
        costs.append(counted(found))
        await provisioning.run_jobs()
    assert costs[0] == costs[1]
    assert costs[1]["write routings"] == 1


async def test_new_dids_take_their_automatic_profile_in_one_transaction(
    provisioning: Any, messages: Any
) -> None:
    """60 new DIDs cost as many statements as 6, and the group of the profile and its trunks are read once."""
    client = provisioning.client()
    named = (await things(client))["group"][1]
    await create(client, "configuration-profiles", **named, automatic_for="master/acme")
    counts = []
    for numbers in (NUMBERS[:6], NUMBERS[6:66]):
        dids = [{"did_id": uuid4(), "number": number} for number in numbers]
        await provisioning.receive(*(messages.purchased(**did) for did in dids))
        async with statements_of(provisioning.database) as found:
            await provisioning.receive(*(messages.did_changed(**did) for did in dids))
        counts.append(len(found))
    assert counts[0] == counts[1]
    costs = counted(found)
    assert costs["transactions"] == 1
    assert (costs["read voice_trunk_groups"], costs["read voice_trunks"], costs["write routings"]) == (
        1,
        1,
        1,
    )
    assert await provisioning.count("routings", "voice IS NOT NULL") == 66
