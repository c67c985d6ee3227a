"""Voice trunks are deleted while DIDs take them. A deleted trunk is never the voice target of a DID."""

import asyncio
import random
from collections.abc import Coroutine, Iterator
from typing import Any

import httpx
from harness.routing_calls import set_voice

from didflow_contracts.ids import derived_id

ROUNDS = 8
CALLERS = 4
BATCHES = 20
BATCH_SIZE = 50
MAX_LEAD_S = 0.01
NUMBERS = [f"+3531960{n:04}" for n in range(BATCHES * BATCH_SIZE)]

DIDS_ON_DELETED_TRUNKS = """
SELECT count(*) FROM routings JOIN voice_trunks ON trunk_id = (voice -> 'delivery' ->> 'id')::uuid WHERE deleted
"""


async def delete(client: httpx.AsyncClient, trunk_id: str, key: str) -> httpx.Response:
    """Delete a trunk under an idempotency key."""
    return await client.delete(f"/v1/voice-trunks/{trunk_id}", headers={"Idempotency-Key": key})


class Race:
    """One trunk that 1,000 DIDs take in batches while it is deleted again and again."""

    def __init__(self, client: httpx.AsyncClient, trunk_id: str) -> None:
        self.client, self.trunk_id = client, trunk_id
        self.deletions: dict[str, httpx.Response] = {}
        self.answers: list[dict[str, Any]] = []

    async def run(self, order: random.Random) -> None:
        """Let callers send batches one after another, and another one delete. Either side may start a little later."""
        batches = [NUMBERS[n::BATCHES] for n in range(BATCHES)]
        order.shuffle(batches)
        left = iter(batches)
        lead_s = order.uniform(-MAX_LEAD_S, MAX_LEAD_S)
        taking = (_after(lead_s, self._take(left)) for _ in range(CALLERS))
        await asyncio.gather(_after(-lead_s, self._delete_until_done()), *taking)

    async def check_replays(self) -> None:
        """Each deletion under the same key has the same answer, byte for byte."""
        for key, first in self.deletions.items():
            again = await delete(self.client, self.trunk_id, key)
            assert (again.status_code, again.content) == (first.status_code, first.content)
            assert again.headers["Idempotent-Replayed"] == "true"

    @property
    def is_deleted(self) -> bool:
        """True if a deletion was answered with 204."""
        return any(answer.status_code == 204 for answer in self.deletions.values())

    async def _take(self, batches: Iterator[list[str]]) -> None:
        for numbers in batches:
            self.answers.append(await set_voice(self.client, numbers, self.trunk_id))

    async def _delete_until_done(self) -> None:
        while not self.is_deleted and len(self.answers) < BATCHES:
            key = f"{self.trunk_id} {len(self.deletions)}"
            self.deletions[key] = await delete(self.client, self.trunk_id, key)
            await self.check_replays()


async def _after(delay_s: float, call: Coroutine[Any, Any, None]) -> None:
    await asyncio.sleep(delay_s)
    await call


async def test_no_did_is_on_a_trunk_that_is_deleted_while_1000_dids_take_it(
    provisioning: Any, messages: Any, create_trunk: Any
) -> None:
    """Either the trunk is deleted and no DID has it, or all 1,000 DIDs have it and each deletion was refused `in_use`.

    A retry under the same key gives the same answer, during the race and after it.
    """
    await provisioning.receive(*(messages.purchased(derived_id(n), number=n) for n in NUMBERS))
    client, order = provisioning.client(), random.Random(10)
    races = []
    for _ in range(ROUNDS):
        race = Race(client, await create_trunk(client))
        await race.run(order)
        races.append(race)
        assert (await provisioning.fetch(DIDS_ON_DELETED_TRUNKS))[0][0] == 0
        taken = sum(answer["done"] for answer in race.answers)
        assert (race.is_deleted, taken) in {(True, 0), (False, len(NUMBERS))}
        for refused in (answer for answer in race.deletions.values() if answer.status_code != 204):
            assert (refused.status_code, refused.json()["code"]) == (409, "in_use")
            assert int(refused.json()["detail"].split()[0]) % BATCH_SIZE == 0
    await set_voice(client, NUMBERS, await create_trunk(client))
    for race in races:
        last = await delete(client, race.trunk_id, "last")
        assert last.status_code == (404 if race.is_deleted else 204)
        await race.check_replays()
