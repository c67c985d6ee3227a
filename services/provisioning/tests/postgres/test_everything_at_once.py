"""Targets, groups, profiles and DIDs are changed at the same time, in an order that a seed decides, while jobs run."""

import asyncio
from random import Random
from typing import Any

import pytest

from didflow_contracts.events import DidRemoved
from didflow_contracts.ids import derived_id

NUMBERS = [f"+3531960{n:04}" for n in range(30)]
FEATURES = ["voice_in", "sms_in"]
ROUNDS, AT_ONCE = 4, 10
MEMBERS = """
SELECT g.reserved, g.dids, g.channels, coalesce(sum((r.capacity)::int), 0) AS held, count(r.did_id) AS members
FROM capacity_groups g LEFT JOIN routings r ON (r.capacity_group ->> 'group_id')::uuid = g.group_id
GROUP BY g.group_id
"""
DELIVERIES = """
SELECT number, voice -> 'delivery' ->> 'id' AS target, (
    SELECT array_agg(e ->> 'address') FROM jsonb_array_elements(voice -> 'delivery' -> 'endpoints') AS e) AS addresses
FROM routings WHERE voice IS NOT NULL
"""
LEFT_BEHIND = (
    "SELECT FROM jobs WHERE state <> 'done' UNION ALL SELECT FROM parked UNION ALL SELECT FROM dead_letters"
)


class Many:
    """Changes one of the things at random, over HTTP or by an event of another service."""

    def __init__(self, provisioning: Any, messages: Any, random: Random) -> None:
        self._provisioning, self._messages, self._random = provisioning, messages, random
        self.client = provisioning.client()
        self._sequence = 0
        self.trunks: list[str] = []
        self.groups: list[str] = []
        self._shared: list[str] = []
        self._profiles: list[str] = []
        self.removed: set[str] = set()

    async def prepare(self) -> None:
        """Create DIDs, trunks, groups and profiles."""
        for number in NUMBERS:
            purchase = self._messages.purchased(derived_id(number), number=number, features=FEATURES)
            await self._provisioning.receive(purchase)
        for n in range(4):
            self.trunks.append(await self._created("voice-trunks", sip={"uri": f"sip:a{n}.example.com"}))
        for _ in range(3):
            self.groups.append(await self._created("voice-trunk-groups", trunks=self._some_trunks()))
            self._shared.append(await self._created("capacity-groups", channels=self._random.randint(3, 30)))
        for group, shared in zip(self.groups, self._shared, strict=True):
            named = {"voice_trunk_group_id": group, "capacity_group_id": shared}
            self._profiles.append(await self._created("configuration-profiles", **named))

    async def change(self, n: int) -> None:
        """Change one thing. What is refused is refused; nothing answers 500."""
        random = self._random
        trunk, group, shared = (
            random.choice(self.trunks),
            random.choice(self.groups),
            random.choice(self._shared),
        )
        actions: tuple[tuple[str, dict[str, Any]], ...] = (
            ("set-voice", {"voice_trunk_id": trunk}),
            ("set-voice", {"voice_trunk_group_id": group}),
            ("set-capacity", {"capacity_group_id": shared, "capacity": random.randint(0, 4)}),
            ("apply-profile", {"configuration_profile_id": random.choice(self._profiles)}),
            ("clear", {}),
        )
        kind = random.randrange(len(actions) + 6)
        if kind < len(actions):
            action, body = actions[kind]
            dids = random.sample(NUMBERS, random.randint(1, 12))
            await self._sent("POST", f"routing/batch/{action}", {"dids": dids} | body)
        elif kind == len(actions):
            await self._sent("PATCH", f"voice-trunks/{trunk}", {"sip": {"uri": f"sip:b{n}.example.com"}})
        elif kind == len(actions) + 1:
            await self._sent("PATCH", f"voice-trunk-groups/{group}", {"trunks": self._some_trunks()})
        elif kind == len(actions) + 2:
            by = random.choice([*self.groups, *(other for other in self.trunks if other != trunk)])
            await self._sent("POST", f"voice-trunks/{trunk}/replace", {"by": by})
        elif kind == len(actions) + 3:
            await self._sent("PATCH", f"capacity-groups/{shared}", {"channels": random.randint(1, 40)})
        else:
            await self._receive(random.choice(NUMBERS), is_removed=kind == len(actions) + 4)

    async def _receive(self, number: str, *, is_removed: bool) -> None:
        """Give a DID to another holder, or remove it."""
        self._sequence += 1
        named = {"did_id": derived_id(number), "number": number}
        if is_removed:
            data = named | {"account": "master/acme", "reason": "aged_out", "refunded": False}
            event = self._messages.event(DidRemoved.model_validate(data), "/didflow/billing", self._sequence)
            self.removed.add(number)
        else:
            holder = self._random.choice(["master/acme", "master/acme/shop", "master"])
            more = {"account": holder, "features": FEATURES}
            event = self._messages.did_changed(sequence=self._sequence, **named, **more)
        await self._provisioning.receive(event)

    def _some_trunks(self) -> list[dict[str, str]]:
        some = self._random.sample(self.trunks, self._random.randint(1, 3))
        return [{"voice_trunk_id": trunk} for trunk in some]

    async def _created(self, path: str, **body: Any) -> str:
        made = await self._sent("POST", path, {"name": "x"} | body)
        return next(str(value) for name, value in made.items() if name.endswith("_id"))

    async def _sent(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = await self.client.request(method, f"/v1/{path}", json=body)
        assert answer.status_code in (200, 201, 202, 409), answer.text
        content: dict[str, Any] = answer.json()
        return content

    async def addresses(self) -> dict[str, list[str]]:
        """Return the addresses of each trunk and group as they are now."""
        found: dict[str, list[str]] = {}
        for trunk in self.trunks:
            shown = (await self.client.get(f"/v1/voice-trunks/{trunk}")).json()
            found[trunk] = [endpoint["address"] for endpoint in shown["endpoints"]]
        for group in self.groups:
            shown = (await self.client.get(f"/v1/voice-trunk-groups/{group}")).json()
            found[group] = sorted(found[each["voice_trunk_id"]][0] for each in shown["trunks"])
        return found


@pytest.mark.parametrize("seed", [1, 2])
async def test_each_did_has_its_target_as_it_is_and_each_group_what_its_members_have(
    provisioning: Any, messages: Any, seed: int
) -> None:
    """After changes, replacements, handovers and removals at once. All jobs end, and no message fails."""
    many = Many(provisioning, messages, Random(seed))
    await many.prepare()
    for n in range(ROUNDS):
        changes = (many.change(n * AT_ONCE + place) for place in range(AT_ONCE))
        await asyncio.gather(*changes, provisioning.run_jobs())
    await provisioning.run_jobs()
    assert await provisioning.fetch(LEFT_BEHIND) == []
    for reserved, dids, channels, held, members in await provisioning.fetch(MEMBERS):
        assert (reserved, dids) == (held, members)
        assert reserved <= channels
    present, delivered = await many.addresses(), await provisioning.fetch(DELIVERIES)
    for row in delivered:
        assert sorted(row["addresses"]) == present[row["target"]], row["number"]
    assert {row["number"] for row in delivered}.isdisjoint(many.removed)
    assert len(delivered) >= len(NUMBERS) // 4
