"""The batch routes: a result for each item, no more statements for more items, and the first answer again."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import httpx
import pytest
from harness.statements import statements_of

from didflow_chassis.testing import ServiceOnPostgres
from didflow_contracts.bounds import BATCH

SMALL, LARGE = 10, 200
UNKNOWN = "+35319699999"
ROUTING = "/v1/routing/batch"
CHANGES = (
    ("set-voice", ("voice_trunk_id",)),
    ("set-voice", ("voice_trunk_group_id",)),
    ("set-sms", ("sms_trunk_id",)),
    ("set-capacity", ("capacity",)),
    ("set-capacity", ("capacity_group_id",)),
    ("clear", ()),
    ("apply-profile", ("configuration_profile_id",)),
)
"""Each route with the fields of its body, in an order in which each changes what the former has set."""


@pytest.fixture
async def things(provisioning: ServiceOnPostgres) -> Mapping[str, Any]:
    """What the bodies name: a field and its value."""
    client = provisioning.client()

    async def made(path: str, key: str, body: Mapping[str, Any]) -> str:
        response = await client.post(f"/v1/{path}", json={"name": "A", **body})
        assert response.status_code == 201, response.text
        return str(response.json()[key])

    trunk = await made("voice-trunks", "voice_trunk_id", {"sip": {"uri": "sip:a.example"}})
    sms = await made("sms-trunks", "sms_trunk_id", {"email": {"address": "texts@mail.example.com"}})
    group = {"trunks": [{"voice_trunk_id": trunk}]}
    found = {
        "voice_trunk_id": trunk,
        "voice_trunk_group_id": await made("voice-trunk-groups", "voice_trunk_group_id", group),
        "sms_trunk_id": sms,
        "capacity": 3,
        "capacity_group_id": await made("capacity-groups", "capacity_group_id", {"channels": 1_000}),
    }
    profile = {"voice_trunk_id": trunk, "sms_trunk_id": sms, "capacity_group_id": found["capacity_group_id"]}
    key = "configuration_profile_id"
    return {**found, key: await made("configuration-profiles", key, profile)}


@pytest.fixture
async def numbers(provisioning: ServiceOnPostgres, messages: Any, issued: Any) -> tuple[list[str], list[str]]:
    """The numbers of a small and of a large batch, all active, for calls and messages."""
    features, events = ["voice_in", "sms_in"], []
    for n in range(SMALL + LARGE):
        about = {"did_id": uuid4(), "number": f"+35319{600000 + n}"}
        events += [
            messages.purchased(**about, features=features),
            messages.did_changed(**about, features=features),
        ]
        events += [messages.registration(**about)]
    await provisioning.receive(*events)
    await provisioning.receive(*(messages.result(command) for command in await issued()))
    found = [event.data.number for event in events[::3]]
    return found[:SMALL], found[SMALL:]


async def called(
    provisioning: ServiceOnPostgres, path: str, body: Any, key: str
) -> tuple[httpx.Response, int]:
    """Call a batch route with an idempotency key. Return the answer and the number of statements."""
    client = provisioning.client("master", "operator")
    async with statements_of(provisioning.database) as written, statements_of(provisioning.reads) as read:
        answer = await client.post(path, json=body, headers={"Idempotency-Key": key})
    return answer, len(written) + len(read)


async def check(provisioning: ServiceOnPostgres, path: str, item: str, batches: Any, body: Any) -> None:
    """Call a route with both batches, to which an unknown item and the first one again are added."""
    counts, replayed = [], []
    for names in batches:
        asked = {f"{item}s": [*names, UNKNOWN, names[0]], **body}
        key = str(uuid4())
        answer, count = await called(provisioning, path, asked, key)
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert [result[item] for result in found["results"]] == asked[f"{item}s"]
        outcomes = [(result["outcome"], result["code"]) for result in found["results"]]
        expected = [("done", None)] * len(names) + [("refused", "not_found"), ("unchanged", None)]
        assert outcomes == expected, (path, body)
        assert (found["done"], found["unchanged"], found["refused"]) == (len(names), 1, 1)
        published = await provisioning.count("outbox")
        again, repeated = await called(provisioning, path, asked, key)
        assert (again.json(), again.headers["Idempotent-Replayed"]) == (found, "true")
        assert await provisioning.count("outbox") == published
        other, _ = await called(provisioning, path, {**asked, f"{item}s": names[:1]}, key)
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
        counts.append(count)
        replayed.append(repeated)
    assert counts[0] == counts[1], (path, body, counts)
    assert replayed[0] == replayed[1] < counts[0]
    for names, code in (([], "too_few"), ([UNKNOWN] * (BATCH.most + 1), "too_many")):
        answer, _ = await called(provisioning, path, {f"{item}s": names, **body}, str(uuid4()))
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, code), path


async def test_a_batch_costs_as_many_statements_for_200_items_as_for_10(
    provisioning: ServiceOnPostgres, messages: Any, issued: Any, numbers: Any, things: Mapping[str, Any]
) -> None:
    """Each item has its result, in the order asked. The same key again answers the same and publishes nothing."""
    for action, fields in CHANGES:
        await check(
            provisioning, f"{ROUTING}/{action}", "did", numbers, {name: things[name] for name in fields}
        )
    out = {command.number: command for command in await issued()}
    await provisioning.receive(*(messages.failure(command) for command in out.values()))
    failed = [[str(out[number].command_id) for number in batch] for batch in numbers]
    await check(provisioning, "/v1/commands/batch/retry", "command", failed, {})
