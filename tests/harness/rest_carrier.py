"""The simulated carrier, its adapter and the receiver of webhooks, on real sockets of this process."""

import asyncio
import base64
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from didflow_adapters.http import Configuration, HttpCarrier
from didflow_adapters.http.process import server
from didflow_adapters.kit import PRESENT, CommandReference, Outcome
from didflow_adapters.rest_carrier import RestCarrier
from didflow_webhooks import new_secret
from harness.processes import until

FILE = Path(__file__).parents[2] / "adapters" / "configurations" / "rest-carrier.yaml"
TOKEN = "carrier-token-of-this-test"
SECRET = new_secret()
KEY = base64.urlsafe_b64encode(b"k" * 32).decode()


def changed(**changes: Any) -> Configuration:
    """Return the shipped configuration with other fields."""
    return Configuration.model_validate(yaml.safe_load(FILE.read_text()) | changes)


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


def configuration_file(
    folder: Path, carrier_port: int, webhook_port: int, public_port: int | None = None, **changes: Any
) -> Path:
    """Write the shipped configuration with these ports and other changes. Webhooks are sent to `public_port`."""
    content = yaml.safe_load(FILE.read_text())
    public_url = f"http://127.0.0.1:{public_port or webhook_port}/webhooks"
    content["webhook"] |= {"port": webhook_port, "public_url": public_url}
    path = folder / f"adapter-{webhook_port}.yaml"
    path.write_text(yaml.safe_dump(content | {"base_url": f"http://127.0.0.1:{carrier_port}"} | changes))
    return path


@asynccontextmanager
async def serving(application: Any) -> AsyncIterator[int]:
    """Serve an application on a free port.

    The server is started and stopped by hand: its own ways to wait and to stop take 0.2 s.
    """
    running = server(application, "127.0.0.1", 0)
    running.config.load()
    running.lifespan = running.config.lifespan_class(running.config)
    await running.startup()
    try:
        yield running.servers[0].sockets[0].getsockname()[1]
    finally:
        for listening in running.servers:
            listening.close()
        for connection in tuple(running.server_state.connections):
            connection.shutdown()
        tasks = tuple(running.server_state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@dataclass
class World:
    """A carrier, one or two processes of its adapter, and what they published by webhook."""

    rest: RestCarrier
    adapter: HttpCarrier
    reported: list[tuple[CommandReference, Outcome]] = field(default_factory=list)
    receivers: list[int] = field(default_factory=list)

    async def execute(self, command: Any) -> Outcome:
        """Call the adapter as the kit does."""
        token = PRESENT.set(CommandReference.of(command))
        try:
            outcome: Outcome = await getattr(self.adapter, command.data.action)(
                command.data, command.data.parameters
            )
            return outcome
        finally:
            PRESENT.reset(token)

    async def until_reported(self, count: int = 1) -> None:
        """Wait until this many outcomes were reported by webhook."""
        await until(lambda: len(self.reported) >= count, within=5, what=f"{count} webhooks")

    def executions(self) -> list[tuple[str, str]]:
        """Return number and action of everything that the carrier did."""
        return [(each.number, each.action) for each in self.rest.numbers.executions]
