"""A whole didflow on one machine: servers, migrations, workers, simulator, APIs and accounts.

Each step of the start waits for a condition, never for a fixed time. Everything stops when the block ends.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx

from didflow import document_key, processes, servers, state, web
from didflow.embedded.databases import roles_of
from didflow.embedded.wait import DeadlineMissedError, until
from didflow.errors import DidNotStart
from didflow.http_client import Api, http_client
from didflow.issuer import ISSUER, Issuer
from didflow.private_files import private_folder
from didflow.servers import Servers, Wanted
from didflow.services import SERVICES, service
from didflow.supervisor import Supervisor
from didflow_chassis import migrate

ACCOUNTS: Final = {
    "master": "Master reseller",
    "master/acme": "Acme",
    "master/acme/shop": "Acme's shop",
    "master/globex": "Globex",
}
"""The accounts that every stack has, parents first."""

ENTERPRISES: Final = frozenset({"master/acme/shop"})
"""Those of them that are enterprises. The others are resellers, below the root."""

_READY_S: Final = 60.0

Print = Callable[[str], None]


@dataclass(kw_only=True)
class Stack:
    """A running stack. `listening` is the socket of its APIs."""

    folder: Path
    servers: Servers
    listening: socket.socket = field(repr=False)
    issuer: Issuer
    supervisor: Supervisor = field(repr=False)

    @property
    def base(self) -> str:
        """The base URL of all APIs."""
        return f"http://127.0.0.1:{self.listening.getsockname()[1]}"

    def state(self) -> state.StackState:
        """Return the state for the other commands."""
        return state.StackState(
            pid=os.getpid(),
            born=state.birth_of(os.getpid()),
            kafka=self.servers.kafka,
            http=self.base,
            postgres=dict(self.servers.postgres),
            topic_prefix=self.servers.topic_prefix,
            embedded_kafka=self.servers.embedded_kafka,
            embedded_postgres=self.servers.embedded_postgres,
            children=self.supervisor.pids,
            health=self.supervisor.health,
        )

    async def start_worker(self, name: str) -> None:
        """Start a service's worker and wait until it is ready. Raises DidNotStart."""
        self.supervisor.start(processes.worker(name, self.servers))
        await self.ready([name])

    async def ready(self, names: Collection[str]) -> None:
        """Wait until these workers are ready. Raises DidNotStart."""
        async with httpx.AsyncClient(timeout=2, trust_env=False) as client:
            await asyncio.gather(*(self._ready(client, name) for name in names))

    async def _ready(self, client: httpx.AsyncClient, name: str) -> None:
        async def answers() -> bool:
            self.supervisor.check(name)
            try:
                return (await client.get(f"{self.supervisor.health[name]}/healthz/ready")).is_success
            except httpx.TransportError:
                return False

        condition: Callable[[], Awaitable[bool]] = answers
        try:
            await until(condition, within=_READY_S, what=f"start of {name}'s worker")
        except DeadlineMissedError as error:
            raise DidNotStart(str(error)) from None


@asynccontextmanager
async def running(
    wanted: Wanted, folder: Path, *, tell: Print, port: int | None = None, late: Collection[str] = ()
) -> AsyncIterator[Stack]:
    """Run a stack in a folder for the duration of the block. The caller starts the workers in `late`.

    Raises StackRuns, BadInput (a busy port), Missing, DidNotStart and the embedded servers' errors.
    """
    os.environ["NO_PROXY"] = ",".join(filter(None, (os.environ.get("NO_PROXY"), "127.0.0.1,localhost")))
    async with AsyncExitStack() as exits:
        exits.enter_context(state.held(folder))
        state.forget(folder)
        exits.callback(state.forget, folder)
        # First of all: a busy port is an error before anything starts.
        listening = web.listen(port)
        exits.callback(listening.close)
        exits.enter_context(document_key.document_key(folder))
        loading = asyncio.create_task(asyncio.to_thread(_load))
        tell("starting Kafka and PostgreSQL")
        used = await exits.enter_async_context(servers.opened(wanted, folder))
        await loading
        tell("migrating four databases")
        await _migrate(used)
        stack = _stack(folder, used, listening, tell, exits)
        tell("starting four workers, the carrier simulator and the APIs")
        await _start(stack, exits, late)
        yield stack


def _stack(
    folder: Path, used: Servers, listening: socket.socket, tell: Print, exits: AsyncExitStack
) -> Stack:
    logs = private_folder(folder / "logs")
    issuer = Issuer.of(folder, ISSUER)

    def changed() -> None:
        state.write(folder, stack.state())

    supervisor = Supervisor(logs, tell, changed)
    exits.push_async_callback(supervisor.stop)
    stack = Stack(folder=folder, servers=used, listening=listening, issuer=issuer, supervisor=supervisor)
    return stack


async def _start(stack: Stack, exits: AsyncExitStack, late: Collection[str]) -> None:
    """Start every process, serve the APIs, create the accounts and the carrier, and wait for the workers."""
    early = [name for name in SERVICES if name not in late]
    for name in early:
        stack.supervisor.start(processes.worker(name, stack.servers))
    stack.supervisor.start(processes.simulator(stack.servers))
    await exits.enter_async_context(web.serving(stack.servers, stack.issuer, stack.listening))
    async with http_client(stack.base, stack.issuer.token(role="operator", account="master")) as api:
        await create_accounts(api, ACCOUNTS)
        await create_carrier(api, processes.SIMULATOR)
    await stack.ready(early)


async def create_accounts(api: Api, accounts: dict[str, str]) -> None:
    """Create the accounts that do not exist, parents first. They may set prices. Raises CallFailed."""
    present = {item["path"] for item in await api.pages("/v1/accounts")}
    for path, name in accounts.items():
        if path in present:
            continue
        kind = {"kind": "enterprise"} if path in ENTERPRISES else {}
        await api.post("/v1/accounts", {"path": path, "name": name, "may_set_prices": True} | kind)


async def create_carrier(api: Api, name: str) -> None:
    """Create a carrier that serves all accounts of the stack, if it does not exist. Raises CallFailed."""
    if name not in {item["name"] for item in await api.pages("/v1/carriers")}:
        await api.post("/v1/carriers", {"account": "master", "name": name, "kind": "both"})


async def _migrate(used: Servers) -> None:
    """Migrate the databases one after the other, because Alembic keeps its context in the process."""
    for name in SERVICES:
        owner = used.owners[name]
        await migrate.upgrade(owner, service(name), roles_of(owner))


def _load() -> None:
    """Import the services. This runs while the servers start."""
    for name in SERVICES:
        service(name)
