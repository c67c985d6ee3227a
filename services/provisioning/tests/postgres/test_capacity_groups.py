"""Capacity groups on PostgreSQL: over HTTP, and while many DIDs reserve their channels at once."""

import asyncio
from typing import Any

import asyncpg
import httpx
import pytest
from harness.routing_calls import on_dids
from harness.two_transactions import in_this_order

from didflow_contracts.ids import derived_id

DIDS = 200
CHANNELS = 50
NUMBERS = [f"+3531960{n:04}" for n in range(DIDS)]
PAUSE_S = 0.005
BETWEEN = {1: 10, 10: 2}
"""How often at least some channels are seen free and others not, by the number of DIDs in a batch."""

GROUPS_AND_MEMBERS = """
SELECT g.reserved, g.dids, g.channels, sum(coalesce((r.capacity)::int, 0)) FILTER (WHERE r.did_id IS NOT NULL) AS held,
       count(r.did_id) AS members
FROM capacity_groups g LEFT JOIN routings r ON (r.capacity_group ->> 'group_id')::uuid = g.group_id
GROUP BY g.group_id, g.reserved, g.dids, g.channels
"""


async def create(client: httpx.AsyncClient, **changes: Any) -> str:
    """Create a capacity group and return its id."""
    body = {"name": "Shared", "channels": CHANNELS} | changes
    response = await client.post("/v1/capacity-groups", json=body)
    assert response.status_code == 201, response.text
    group_id: str = response.json()["capacity_group_id"]
    return group_id


async def join(client: httpx.AsyncClient, numbers: list[str], group_id: str, **more: Any) -> dict[str, Any]:
    """Make numbers members of a group. Return the answer of the batch."""
    return await on_dids(client, "set-capacity", numbers, capacity_group_id=group_id, **more)


async def delete(client: httpx.AsyncClient, group_id: str) -> httpx.Response:
    """Delete a group."""
    return await client.delete(f"/v1/capacity-groups/{group_id}")


@pytest.fixture
async def many(provisioning: Any, messages: Any) -> Any:
    """Provisioning with 200 DIDs."""
    await provisioning.receive(*(messages.purchased(derived_id(n), number=n) for n in NUMBERS))
    return provisioning


class Reader:
    """Reads the group over HTTP, and the group with its members in one statement, until it is stopped.

    `seen` is what was free over HTTP, and `exact` what was free beside the members. That is read on a connection of its
    own: those of the service all wait for the lock of the group.
    """

    def __init__(self, provisioning: Any, group_id: str) -> None:
        self._provisioning, self._path = provisioning, f"/v1/capacity-groups/{group_id}"
        self.seen: list[int] = []
        self.exact: list[int] = []
        self._is_stopped = False
        self._tasks = [asyncio.create_task(read()) for read in (self._over_http, self._with_members)]

    async def stop(self) -> None:
        """End the reads. Raises what was wrong."""
        self._is_stopped = True
        await asyncio.gather(*self._tasks)

    async def _over_http(self) -> None:
        client = self._provisioning.client()
        while not self._is_stopped:
            shown = (await client.get(self._path)).json()
            assert shown["free"] == CHANNELS - shown["reserved"]
            assert 0 <= shown["free"] <= CHANNELS
            self.seen.append(shown["free"])
            await asyncio.sleep(PAUSE_S)

    async def _with_members(self) -> None:
        """Compare what is reserved with what the members have, again and again."""
        connection = await asyncpg.connect(self._provisioning.database.dsn)
        while not self._is_stopped:
            ((reserved, dids, channels, held, members),) = await connection.fetch(GROUPS_AND_MEMBERS)
            assert (reserved, dids) == (held or 0, members)
            assert reserved <= channels
            self.exact.append(channels - reserved)
            await asyncio.sleep(PAUSE_S)
        await connection.close()


@pytest.mark.parametrize("size", [1, 10, DIDS])
async def test_of_200_dids_at_once_50_get_the_50_channels(many: Any, size: int) -> None:
    """150 are refused `capacity_exhausted`, and a reader sees at no moment another number of free channels."""
    client = many.client()
    group_id = await create(client)
    reader = Reader(many, group_id)
    batches = [NUMBERS[n : n + size] for n in range(0, DIDS, size)]
    answers = await asyncio.gather(*(join(client, batch, group_id) for batch in batches))
    await reader.stop()
    codes = [result["code"] for answer in answers for result in answer["results"]]
    assert (codes.count(None), codes.count("capacity_exhausted")) == (CHANNELS, DIDS - CHANNELS)
    for free in (reader.seen, reader.exact):
        assert free == sorted(free, reverse=True)
    assert size == DIDS or len([free for free in reader.exact if 0 < free < CHANNELS]) >= BETWEEN[size]
    assert (await client.get(f"/v1/capacity-groups/{group_id}")).json()["free"] == 0
    members = [result["did"] for answer in answers for result in answer["results"] if result["code"] is None]
    await client.post("/v1/routing/batch/clear", json={"dids": members[:3]})
    again = [number for number in NUMBERS if number not in members][:5]
    assert (await join(client, again, group_id))["done"] == 3


async def test_free_is_exact_while_dids_join_and_leave_at_once(many: Any) -> None:
    """Each DID joins with 1 or 2 channels and leaves, in batches that run side by side. At the end all is free."""
    client = many.client()
    group_id = await create(client)
    reader = Reader(many, group_id)

    async def come_and_go(numbers: list[str], channels: int) -> None:
        for _ in range(2):
            await join(client, numbers, group_id, capacity=channels)
            await client.post("/v1/routing/batch/clear", json={"dids": numbers})

    batches = [NUMBERS[n : n + 20] for n in range(0, DIDS, 20)]
    await asyncio.gather(*(come_and_go(batch, 1 + n % 2) for n, batch in enumerate(batches)))
    await reader.stop()
    assert len(set(reader.exact)) > len((0, CHANNELS))
    shown = (await client.get(f"/v1/capacity-groups/{group_id}")).json()
    assert (shown["reserved"], shown["free"], shown["dids"]) == (0, CHANNELS, 0)


async def test_a_batch_of_members_writes_the_group_once(many: Any) -> None:
    """Its version counts the writes: one for the batch, not one for each DID."""
    client = many.client()
    group_id = await create(client, overcommit=True)
    await join(client, NUMBERS[:1], group_id)
    (one,) = await many.fetch("SELECT version FROM capacity_groups")
    await join(client, NUMBERS[1:], group_id)
    (all_,) = await many.fetch("SELECT version, reserved FROM capacity_groups")
    assert (all_["version"] - one["version"], all_["reserved"]) == (1, DIDS)


async def test_the_group_is_over_http_what_was_created_and_changed(provisioning: Any) -> None:
    """It is created, listed, shown, changed and deleted."""
    client = provisioning.client()
    group_id = await create(client, name="Desk", channels=5)
    path = f"/v1/capacity-groups/{group_id}"
    shown = (await client.get(path)).json()
    assert shown.pop("created_at")
    assert shown == {
        "capacity_group_id": group_id,
        "account": "master/acme",
        "name": "Desk",
        "channels": 5,
        "overcommit": False,
        "reserved": 0,
        "free": 5,
        "dids": 0,
    }
    changed = await client.patch(path, json={"channels": 7, "overcommit": True})
    assert (changed.json()["free"], changed.json()["overcommit"], changed.json()["name"]) == (7, True, "Desk")
    listed = (await client.get("/v1/capacity-groups")).json()["items"]
    assert [item["capacity_group_id"] for item in listed] == [group_id]
    assert (await delete(client, group_id)).status_code == 204
    assert (await client.get(path)).status_code == 404
    assert (await client.patch(path, json={"channels": 7})).status_code == 404


async def test_a_group_serves_its_account_and_the_accounts_below(provisioning: Any) -> None:
    """Callers below see it and cannot change it. Callers beside do not see it."""
    group_id = await create(provisioning.client("master/acme"))
    path = f"/v1/capacity-groups/{group_id}"
    below = provisioning.client("master/acme/shop", "enterprise_admin")
    assert (await below.get(path)).json()["free"] == CHANNELS
    assert len((await below.get("/v1/capacity-groups")).json()["items"]) == 1
    beside = provisioning.client("master/acme2")
    assert (await beside.get(path)).status_code == 404
    assert (await beside.get("/v1/capacity-groups")).json()["items"] == []
    for client in (below, beside):
        assert (await client.patch(path, json={"channels": 1})).status_code == 404
        assert (await delete(client, group_id)).status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "capacity"),
        ({"capacity_group_id": None}, "capacity"),
        ({"capacity": "unlimited", "capacity_group_id": str(derived_id("x"))}, "capacity"),
        ({"capacity": -1, "capacity_group_id": str(derived_id("x"))}, "capacity"),
        ({"capacity_group_id": "x"}, "capacity_group_id"),
    ],
)
async def test_a_capacity_that_says_nothing_or_too_much_is_refused(
    purchased: Any, messages: Any, body: dict[str, Any], field: str
) -> None:
    """422 names the field."""
    response = await purchased.client().post(
        "/v1/routing/batch/set-capacity", json={"dids": [messages.number]} | body
    )
    assert response.status_code == 422
    assert [error["field"] for error in response.json()["errors"]] == [field]


async def test_a_change_waits_for_the_did_that_takes_the_last_channel(purchased: Any, messages: Any) -> None:
    """The group keeps the channel that a DID has just reserved."""
    client = purchased.client()
    group_id = await create(client, channels=1)
    change = client.patch(f"/v1/capacity-groups/{group_id}", json={"channels": 0})
    joined, changed, has_waited = await in_this_order(
        purchased, join(client, [messages.number], group_id), change
    )
    assert has_waited
    assert (joined["done"], changed.status_code, changed.json()["code"]) == (1, 409, "in_use")


async def test_a_removal_waits_for_the_did_that_joins_the_group(purchased: Any, messages: Any) -> None:
    """The removal was read before the DID joined. It frees the channels that it did not know of."""
    client = purchased.client()
    group_id = await create(client)
    joined, _, has_waited = await in_this_order(
        purchased,
        join(client, [messages.number], group_id, capacity=7),
        purchased.receive(messages.removed()),
    )
    assert has_waited
    assert joined["done"] == 1
    shown = (await client.get(f"/v1/capacity-groups/{group_id}")).json()
    assert (shown["reserved"], shown["dids"]) == (0, 0)
