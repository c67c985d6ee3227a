"""A target, a capacity group or a profile is deleted at the instant at which something takes it.

Each round has a thing of its own. One side wins: either it is deleted and the other is refused, or it is taken and the
deletion is refused `in_use` with the count. `DIDFLOW_RACES` is the number of rounds of each kind.
"""

import asyncio
import os
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest
from harness.routing_calls import on_dids
from harness.two_transactions import in_this_order

ROUNDS: Final = int(os.environ.get("DIDFLOW_RACES", "12"))
AT_ONCE: Final = 4
ENOUGH: Final = 100
"""With so many rounds, both sides win at times."""
STEP_S: Final = 0.004
"""The later side of a round starts so much earlier in the next one."""
NUMBERS: Final = [f"+35319{600000 + n}" for n in range(ROUNDS)]
SMS_AND_VOICE: Final = {"features": ["voice_in", "sms_in"], "sms_carrier": "texter"}

DANGLING: Final = """
WITH deleted AS (
    SELECT trunk_id AS id FROM voice_trunks WHERE deleted
    UNION ALL SELECT group_id FROM voice_trunk_groups WHERE deleted
    UNION ALL SELECT trunk_id FROM sms_trunks WHERE deleted
    UNION ALL SELECT group_id FROM capacity_groups WHERE deleted
    UNION ALL SELECT profile_id FROM configuration_profiles WHERE deleted)
SELECT
    (SELECT count(*) FROM routings, deleted WHERE deleted.id IN ((voice -> 'delivery' ->> 'id')::uuid,
        (sms -> 'delivery' ->> 'id')::uuid, (capacity_group ->> 'group_id')::uuid, (profile ->> 'profile_id')::uuid))
    + (SELECT count(*) FROM configuration_profiles p, deleted WHERE NOT p.deleted
        AND deleted.id IN (voice_trunk_id, voice_trunk_group_id, sms_trunk_id, capacity_group_id))
    + (SELECT count(*) FROM voice_trunk_groups g, deleted WHERE NOT g.deleted
        AND g.trunks @> jsonb_build_array(jsonb_build_object('voice_trunk_id', deleted.id)))
"""
"""How many DIDs, profiles and groups name something that is deleted."""

Client = httpx.AsyncClient
Codes = tuple[int, str | None]


@dataclass(frozen=True)
class Thing:
    """What is deleted: what it is called, its path, the field of its id, and the body that creates it."""

    what: str
    path: str
    id_field: str
    body: Callable[[Client], Awaitable[dict[str, Any]]]

    async def create(self, client: Client) -> str:
        """Create one and return its id."""
        answer = await client.post(self.path, json=await self.body(client))
        assert answer.status_code == 201, answer.text
        return str(answer.json()[self.id_field])


async def _trunk(_: Client) -> dict[str, Any]:
    return {"name": "Dublin", "sip": {"uri": "sip:pbx.example.com"}}


async def _group(client: Client) -> dict[str, Any]:
    return {"name": "Ireland", "trunks": [{"voice_trunk_id": await VOICE_TRUNK.create(client)}]}


async def _sms_trunk(_: Client) -> dict[str, Any]:
    return {"name": "Texts", "email": {"address": "sms@example.com"}}


async def _capacity_group(_: Client) -> dict[str, Any]:
    return {"name": "Shared", "channels": 5}


async def _profile(_: Client) -> dict[str, Any]:
    return {"name": "Desk", "capacity": 1}


VOICE_TRUNK: Final = Thing("voice trunk", "/v1/voice-trunks", "voice_trunk_id", _trunk)
GROUP: Final = Thing("voice trunk group", "/v1/voice-trunk-groups", "voice_trunk_group_id", _group)
SMS_TRUNK: Final = Thing("SMS trunk", "/v1/sms-trunks", "sms_trunk_id", _sms_trunk)
CAPACITY_GROUP: Final = Thing("capacity group", "/v1/capacity-groups", "capacity_group_id", _capacity_group)
PROFILE: Final = Thing(
    "configuration profile", "/v1/configuration-profiles", "configuration_profile_id", _profile
)


async def by_a_did(client: Client, action: str, thing: Thing, thing_id: str, number: str) -> Codes:
    """Let a DID take it. Return the status and the code."""
    answer = await on_dids(client, action, [number], **{thing.id_field: thing_id})
    code = answer["results"][0]["code"]
    assert answer["done"] == int(code is None)
    return 200, code


async def by_a_profile(client: Client, _: str, thing: Thing, thing_id: str, __: str) -> Codes:
    """Let a new profile name it."""
    answer = await client.post(PROFILE.path, json={"name": "Desk", thing.id_field: thing_id})
    return answer.status_code, answer.json().get("code")


async def by_a_group(client: Client, _: str, thing: Thing, thing_id: str, __: str) -> Codes:
    """Let a new voice trunk group contain it."""
    trunks = [{thing.id_field: thing_id}]
    answer = await client.post(GROUP.path, json={"name": "Ireland", "trunks": trunks})
    return answer.status_code, answer.json().get("code")


Take = Callable[[Client, str, Thing, str, str], Coroutine[Any, Any, Codes]]
KINDS: Final[dict[str, tuple[Thing, Take, str, Codes, str]]] = {
    "voice trunk, DID": (VOICE_TRUNK, by_a_did, "set-voice", (200, "voice_trunk_not_found"), "live DID"),
    "voice trunk, group": (VOICE_TRUNK, by_a_group, "", (404, "not_found"), "voice trunk group"),
    "voice trunk, profile": (VOICE_TRUNK, by_a_profile, "", (404, "not_found"), "configuration profile"),
    "group, DID": (GROUP, by_a_did, "set-voice", (200, "voice_trunk_group_not_found"), "live DID"),
    "group, profile": (GROUP, by_a_profile, "", (404, "not_found"), "configuration profile"),
    "SMS trunk, DID": (SMS_TRUNK, by_a_did, "set-sms", (200, "sms_trunk_not_found"), "live DID"),
    "SMS trunk, profile": (SMS_TRUNK, by_a_profile, "", (404, "not_found"), "configuration profile"),
    "capacity group, DID": (
        CAPACITY_GROUP,
        by_a_did,
        "set-capacity",
        (200, "capacity_group_not_found"),
        "live DID",
    ),
    "capacity group, profile": (
        CAPACITY_GROUP,
        by_a_profile,
        "",
        (404, "not_found"),
        "configuration profile",
    ),
    "profile, DID": (
        PROFILE,
        by_a_did,
        "apply-profile",
        (200, "configuration_profile_not_found"),
        "live DID",
    ),
}
"""What is deleted and who takes it; how it is taken; what the taker is answered if it loses; who is counted."""


class Race:
    """Starts both sides of each round so that both win at times: the one that has lost starts earlier in the next."""

    def __init__(self) -> None:
        self._order, self._lead_s, self._wins = random.Random(10), 0.0, Counter[str]()

    async def run(
        self, deleting: Awaitable[httpx.Response], taking: Awaitable[Any]
    ) -> tuple[httpx.Response, Any]:
        """Run one round. Return the answers of both sides."""
        lead_s = self._lead_s + self._order.uniform(-STEP_S, STEP_S)
        deleted, taken = await asyncio.gather(_after(lead_s, deleting), _after(-lead_s, taking))
        is_deleted = deleted.status_code == HTTPStatus.NO_CONTENT
        self._lead_s += STEP_S if is_deleted else -STEP_S
        self._wins["deleted" if is_deleted else "taken"] += 1
        return deleted, taken

    async def check(self, provisioning: Any, kind: str) -> None:
        """Nothing that is left names what is deleted."""
        print(f"{kind}: {dict(self._wins)}")  # noqa: T201 - for a run with many rounds
        assert (await provisioning.fetch(DANGLING))[0][0] == 0
        assert ROUNDS < ENOUGH or set(self._wins) == {"deleted", "taken"}


@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_taken_at_the_instant_of_its_deletion_is_in_use_or_gone(
    provisioning: Any, messages: Any, kind: str
) -> None:
    """Nothing that is left names a deleted thing."""
    thing, take, action, lost, user = KINDS[kind]
    await provisioning.receive(*(messages.purchased(uuid4(), number=n, **SMS_AND_VOICE) for n in NUMBERS))
    client, race = provisioning.client(), Race()

    async def one_round(turn: int) -> None:
        thing_id = await thing.create(client)
        taking = take(client, action, thing, thing_id, NUMBERS[turn])
        deleted, taken = await race.run(client.delete(f"{thing.path}/{thing_id}"), taking)
        if deleted.status_code == 204:
            assert taken == lost
        else:
            assert (deleted.status_code, deleted.json()["code"], taken[1]) == (409, "in_use", None)
            assert deleted.json()["detail"].startswith(f"1 {user} uses this {thing.what}.")

    await _rounds(one_round)
    await race.check(provisioning, kind)


async def _taking_and_deleting(provisioning: Any, messages: Any, kind: str) -> tuple[Any, Any]:
    """Make a DID and a thing. Return what takes the thing and what deletes it; neither has begun."""
    thing, take, action, *_ = KINDS[kind]
    await provisioning.receive(messages.purchased(**SMS_AND_VOICE), messages.did_changed(**SMS_AND_VOICE))
    client = provisioning.client()
    thing_id = await thing.create(client)
    taking = take(client, action, thing, thing_id, messages.number)
    return taking, client.delete(f"{thing.path}/{thing_id}")


@pytest.mark.parametrize("kind", KINDS)
async def test_a_deletion_waits_for_what_takes_the_thing(provisioning: Any, messages: Any, kind: str) -> None:
    """It is taken and that is not committed yet. The deletion waits, counts the taker and is refused."""
    thing, _, _, _, user = KINDS[kind]
    taking, deleting = await _taking_and_deleting(provisioning, messages, kind)
    taken, deleted, has_waited = await in_this_order(provisioning, taking, deleting)
    assert has_waited
    assert (taken[1], deleted.status_code, deleted.json()["code"]) == (None, 409, "in_use")
    assert deleted.json()["detail"].startswith(f"1 {user} uses this {thing.what}.")


@pytest.mark.parametrize("kind", KINDS)
async def test_what_takes_a_thing_waits_for_its_deletion(provisioning: Any, messages: Any, kind: str) -> None:
    """It is deleted and that is not committed yet. The taker waits and is refused."""
    lost = KINDS[kind][3]
    taking, deleting = await _taking_and_deleting(provisioning, messages, kind)
    deleted, taken, has_waited = await in_this_order(provisioning, deleting, taking)
    assert has_waited
    assert (deleted.status_code, taken) == (204, lost)


async def test_an_automatic_profile_that_is_deleted_when_a_did_arrives_is_in_use_or_gone(
    provisioning: Any, messages: Any
) -> None:
    """The new DID has the profile, or it has none and is not held up."""
    client, race = provisioning.client(), Race()
    dids = {number: uuid4() for number in NUMBERS}
    accounts = {number: f"master/acme/{turn}" for turn, number in enumerate(NUMBERS)}

    async def one_round(turn: int) -> None:
        number = NUMBERS[turn]
        base = {"number": number, "account": accounts[number]}
        await provisioning.receive(messages.purchased(dids[number], **base))
        profile = {"name": "Desk", "capacity": 1, "automatic_for": accounts[number]}
        created = (await client.post(PROFILE.path, json=profile)).json()
        path = f"{PROFILE.path}/{created['configuration_profile_id']}"
        arriving = provisioning.receive(messages.did_changed(did_id=dids[number], **base))
        deleted, _ = await race.run(client.delete(path), arriving)
        capacity = (await client.get(f"/v1/routing/{dids[number]}")).json()["capacity"]
        assert (deleted.status_code, capacity) in {(204, None), (409, 1)}

    await _rounds(one_round)
    await race.check(provisioning, "automatic profile, new DID")


async def test_the_refusal_says_by_what_a_target_is_used_and_what_to_do_first(
    provisioning: Any, messages: Any
) -> None:
    """A DID, a group and two profiles use a trunk. It can be deleted when all have left it."""
    client = provisioning.client()
    await provisioning.receive(messages.purchased())
    trunk_id = await VOICE_TRUNK.create(client)
    await by_a_did(client, "set-voice", VOICE_TRUNK, trunk_id, messages.number)
    group = (
        await client.post(GROUP.path, json={"name": "I", "trunks": [{"voice_trunk_id": trunk_id}]})
    ).json()
    profiles = [
        (await client.post(PROFILE.path, json={"name": "Desk", "voice_trunk_id": trunk_id})).json()
        for _ in range(2)
    ]
    refused = await client.delete(f"{VOICE_TRUNK.path}/{trunk_id}")
    assert refused.json()["detail"] == (
        "1 live DID, 1 voice trunk group and 2 configuration profiles use this voice trunk. Replace it on the DIDs or "
        "clear their routing, and take it out of the voice trunk groups and of the configuration profiles, then delete "
        "it."
    )
    await client.post("/v1/routing/batch/clear", json={"dids": [messages.number]})
    await client.delete(f"{GROUP.path}/{group['voice_trunk_group_id']}")
    first, second = [f"{PROFILE.path}/{each['configuration_profile_id']}" for each in profiles]
    await client.patch(first, json={"voice_trunk_id": None})
    refused = await client.delete(f"{VOICE_TRUNK.path}/{trunk_id}")
    assert refused.json()["detail"] == (
        "1 configuration profile uses this voice trunk. Take it out of the configuration profiles, then delete it."
    )
    changed = await client.patch(f"{VOICE_TRUNK.path}/{trunk_id}", json={"name": "Cork"})
    assert changed.status_code == 200, "a change reaches DIDs, and a profile is none"
    assert (await client.delete(second)).status_code == 204
    assert (await client.delete(f"{VOICE_TRUNK.path}/{trunk_id}")).status_code == 204


async def _rounds(one_round: Callable[[int], Awaitable[None]]) -> None:
    """Run all rounds, some at once."""
    for turn in range(0, ROUNDS, AT_ONCE):
        await asyncio.gather(*(one_round(each) for each in range(turn, min(turn + AT_ONCE, ROUNDS))))


async def _after(delay_s: float, call: Awaitable[Any]) -> Any:
    await asyncio.sleep(max(delay_s, 0))
    return await call
