"""The carrier with an HTTP API and the processes of its adapter, beside an installation.

The carrier's own log is the judge of what reached it.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import httpx
from faults.installation import ACCOUNT, Installation, ready
from faults.recording_client import OpenClient, RecordingClient
from harness.processes import RunningProcess
from harness.rest_carrier import KEY, SECRET, TOKEN, configuration_file

from didflow.embedded.ports import free_port
from didflow.processes import script
from didflow_chassis.dead_letters import connect
from didflow_contracts.topics import SERVICES

NAME: Final = "rest"
_SENT: Final = "SELECT number, command_id FROM carrier_commands ORDER BY number, issued_at, command_id"


@dataclass(kw_only=True)
class RestCarrier:
    """A carrier that can be stopped and started, and its adapters. `rate` is its limit of requests in a second."""

    installation: Installation
    folder: Path
    rate: int
    port: int = field(default_factory=free_port)
    adapters: list[RunningProcess] = field(default_factory=list)
    _starts: count = field(default_factory=count)  # type: ignore[type-arg]

    def start(self, *options: str) -> RunningProcess:
        """Start the carrier with these options. It knows nothing of what was before."""
        command = [script("didflow-http-carrier"), "--port", str(self.port), "--rate", str(self.rate)]
        env = {"CARRIER_TOKEN": TOKEN, "CARRIER_WEBHOOK_SECRET": SECRET}
        return self.installation.launcher.start(
            f"carrier-{next(self._starts)}", [*command, *options], env=env
        )

    def start_adapters(self, processes: int, **changes: Any) -> None:
        """Start processes of the adapter. Each one receives the webhooks of what it has sent."""
        parts = self.installation.parts
        env = {
            "DIDFLOW_KAFKA": parts.kafka,
            "DIDFLOW_TOPIC_PREFIX": parts.topic_prefix,
            "DIDFLOW_RATE_PER_S": str(self.rate),
            "DIDFLOW_RATE_HEADROOM_S": "2",  # a busy machine delays a request by less
            "DIDFLOW_CONCURRENCY": "100",
            "DIDFLOW_SESSION_TIMEOUT_MS": "4000",
            "CARRIER_TOKEN": TOKEN,
            "CARRIER_WEBHOOK_SECRET": SECRET,
            "CALLBACK_KEY": KEY,
        }
        for number in range(processes):
            file = configuration_file(self.folder, self.port, free_port(), **changes)
            command = [script("didflow-http-adapter"), "run", str(file)]
            self.adapters.append(self.installation.launcher.start(f"adapter-{number}", command, env=env))

    async def log(self) -> Mapping[str, Any]:
        """Return what the carrier executed and how often it was asked."""
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {TOKEN}"}, trust_env=False) as client:
            answer = await client.get(f"http://127.0.0.1:{self.port}/log", timeout=30)
        found: Mapping[str, Any] = answer.json()
        return found

    async def sent(self) -> dict[str, list[UUID]]:
        """Return the commands of each number, in the order in which provisioning made them."""
        connection = await connect(self.installation.parts.postgres["provisioning"])
        try:
            rows = await connection.fetch(_SENT)
        finally:
            await connection.close()
        return grouped((row["number"], row["command_id"]) for row in rows)


def grouped(pairs: Any) -> dict[str, list[Any]]:
    """Return the second items by the first one, in order."""
    found: dict[str, list[Any]] = defaultdict(list)
    for first, second in pairs:
        found[first].append(second)
    return dict(found)


def executed(log: Mapping[str, Any]) -> dict[str, list[UUID]]:
    """Return the commands that the carrier executed for each number, in its order."""
    return grouped((each["number"], UUID(each["key"])) for each in log["executions"])


async def open_office(
    installation: Installation,
    open_client: OpenClient,
    exits: AsyncExitStack,
    timing: Mapping[str, Any],
    services: Sequence[str] = SERVICES,
) -> RecordingClient:
    """Start the services with this timing of the carrier. New DIDs get a trunk and two channels by themselves."""
    settings = {
        "inventory": {"DEFAULT_CARRIER": NAME},
        "provisioning": {"CARRIERS": json.dumps({NAME: timing}), "CLOCK_INTERVAL_S": "0.1"},
    }
    workers = [installation.worker(name, **settings.get(name, {})) for name in services]
    apis = [installation.api(name, **settings[name]) for name in ("inventory", "provisioning")]
    client = await open_client(installation)
    await ready(*workers, *apis)
    for api in apis:
        client.apis[api.service] = await exits.enter_async_context(installation.http_client(api))
    profile = {"voice_trunk_id": await client.trunk(), "capacity": 2, "automatic_for": ACCOUNT}
    await client.created(
        "provisioning", "/v1/configuration-profiles", {"name": "Desk", "account": ACCOUNT, **profile}
    )
    return client
