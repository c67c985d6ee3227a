"""Active DIDs on one voice trunk, their carrier in a process of its own, and purchases of another account."""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import httpx
from faults.example_events import ExampleDid
from faults.installation import Installation
from faults.job_items import ITEMS, OPERATOR, PREFIX, TEMPLATE, is_item
from faults.noting_carrier import executed, start_carrier
from harness.steady_purchases import Purchase, SteadyPurchases, steady_purchases

from didflow.services import service
from didflow_chassis.testing import ServiceOnPostgres
from didflow_contracts.envelope import Event
from didflow_contracts.events import ResultReported
from didflow_contracts.ids import uuid7
from didflow_provisioning.domain.commands import SetVoice

BUYER: Final = "master/beta"
EVENTS: Final = {"did.purchased": None, "did.changed": 1, "verification.not_required": 1}
"""The events after which a number is activated, and their sequences."""
STATES: Final = """
SELECT number, (voice -> 'delivery' ->> 'id')::uuid AS wanted, voice -> 'delivery' = applied -> 'voice' AS is_applied
FROM routings WHERE account <> $1
"""
NOT_CLOSED_IN_ORDER: Final = """
SELECT number FROM (
    SELECT number, issued_at, lag(closed_at) OVER (PARTITION BY number ORDER BY issued_at, command_id) AS former_end,
        count(*) OVER (PARTITION BY number) AS commands
    FROM carrier_commands WHERE action = 'set_voice' AND account <> $1) AS c
WHERE former_end > issued_at
"""
"""The numbers that got a command before the one before was answered."""


@dataclass(frozen=True, kw_only=True)
class Moves:
    """Provisioning with the DIDs, in this process: it starts the jobs over HTTP, and reads tables."""

    provisioning: ServiceOnPostgres
    client: httpx.AsyncClient
    notes: Path
    purchases: SteadyPurchases
    trunk_id: str

    async def create_trunk(self, name: str) -> str:
        """Create a trunk of the operator and return its id."""
        return await _create_trunk(self.client, name)

    async def start(self, method: str, path: str, **body: Any) -> UUID:
        """Start a job by one call. Return its id."""
        answer = await self.client.request(method, f"/v1/voice-trunks/{path}", json=body)
        assert answer.status_code == 202, answer.text
        return UUID(answer.json()["job_id"])

    async def processed(self, job_id: UUID) -> tuple[str, int]:
        """Return the state of a job, and how many DIDs it has decided."""
        rows = await self.provisioning.fetch(
            "SELECT state, done + refused FROM jobs WHERE job_id = $1", job_id
        )
        return rows[0][0], rows[0][1]

    async def outcomes(self, job_id: UUID) -> list[tuple[str, str]]:
        """Return the number and the outcome of each result of a job."""
        found = "SELECT item, outcome FROM job_results WHERE job_id = $1"
        return [tuple(row) for row in await self.provisioning.fetch(found, job_id)]


@asynccontextmanager
async def moves(installation: Installation, dids: int) -> AsyncIterator[Moves]:
    """Write the DIDs, and run the carrier and the clients for the duration of the block."""
    parts = installation.parts
    async with AsyncExitStack() as exits:
        provisioning = await exits.enter_async_context(
            ServiceOnPostgres.open(
                service("provisioning"), parts.postgres["provisioning"], caller=OPERATOR, migrate=False
            )
        )
        client = provisioning.client("master", "operator")
        trunk_id = await _create_trunk(client, "former")

        async def activated(running: ServiceOnPostgres) -> None:
            await _activate(running, UUID(trunk_id))

        await replace(ITEMS["provisioning"], topics=EVENTS, template=activated).fill(provisioning, dids)
        notes = start_carrier(installation)
        purchases = await exits.enter_async_context(
            steady_purchases(parts.kafka, parts.topic_prefix, "provisioning.commands", _purchases())
        )
        yield Moves(
            provisioning=provisioning, client=client, notes=notes, purchases=purchases, trunk_id=trunk_id
        )


async def _activate(running: ServiceOnPostgres, trunk_id: UUID) -> None:
    """Let the carrier activate the DID that is copied, and set its trunk."""
    await _succeed(running)
    voice = SetVoice(
        entity_id=TEMPLATE.did_id,
        subject=TEMPLATE.number,
        caller=OPERATOR,
        next_command_id=uuid7(),
        voice_trunk_id=trunk_id,
    )
    await running.run(voice)
    await _succeed(running)


async def _succeed(running: ServiceOnPostgres) -> None:
    command = (await running.published("provisioning.commands"))[-1].data
    result = ResultReported(
        did_id=command.did_id,
        number=command.number,
        account=command.account,
        command_id=command.command_id,
        attempt=command.attempt,
        outcome="succeeded",
        carrier_reference="REF",
    )
    source, at = "/carriers/simulator", await running.now()
    await running.receive(Event(id=str(command.command_id), source=source, time=at, data=result))


async def _create_trunk(client: httpx.AsyncClient, name: str) -> str:
    body = {"name": name, "account": "master", "sip": {"uri": f"sip:{name}.example.com"}}
    answer = await client.post("/v1/voice-trunks", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["voice_trunk_id"])


def _purchases() -> Iterator[Purchase]:
    """Yield purchases of another account without end. Each is answered by the command to activate its number."""
    now = datetime.now(UTC)
    for n in count(2_000_000):
        did = ExampleDid(name=f"purchase {n}", number=f"{PREFIX}{n}", begin=now)
        steps = enumerate(EVENTS.items())
        own = {"did.purchased": {"country": None, "area": None, "order_id": did.name}}
        yield [did.event(m, topic, s, account=BUYER, **own.get(topic, {})) for m, (topic, s) in steps]


def wrong(found: Moves, expected: list[tuple[str, str]], dids: int) -> Iterator[str]:
    """Yield what is wrong about the commands that the carrier has executed: each number must have these, in order."""
    done: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for number, name, address in executed(found.notes):
        if is_item(number):
            done[number].append((name, address))
    if len(done) != dids:
        yield f"{len(done)} DIDs got a command, not {dids}"
    yield from (f"{number}: {commands}" for number, commands in done.items() if commands != expected)
