"""An installation for one test: its own databases, topics under its prefix, and separate processes.

Nothing restarts automatically. A killed process stays down until the test starts it again.
"""

import asyncio
import itertools
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from harness.fault_journal import JOURNAL
from harness.migrations import migration_of
from harness.processes import Processes, RunningProcess, until

from didflow import processes
from didflow.embedded.databases import reader_of
from didflow.embedded.ports import free_port
from didflow.errors import NotIdle
from didflow.http_client import Api, http_client
from didflow.idle import IdleCheck, only_ask
from didflow.issuer import AUDIENCE, JWKS_PATH, Issuer
from didflow.servers import Servers
from didflow.services import service
from didflow.tail import partitions_of
from didflow_chassis.database import Database
from didflow_chassis.dead_letters import connect
from didflow_chassis.decision import Caller
from didflow_chassis.kafka_clients import connection
from didflow_chassis.settings import Settings, load
from didflow_chassis.stage import Answer, HttpCall, IdempotencyKey, Stage
from didflow_chassis.stage.telemetry import StageTelemetry
from didflow_chassis.telemetry.metrics import Metrics
from didflow_chassis.telemetry.tracing import start_tracing
from didflow_contracts.topics import SERVICES
from didflow_inventory.api.bodies import AccountBody
from didflow_inventory.domain.accounts.commands import CreateAccount

ACCOUNTS: Final = ("master", "master/beta", "master/gamma", "master/acme")
ACCOUNT: Final = ACCOUNTS[-1]
IDLE_S: Final = 60.0
READY_S: Final = 60.0
REPEATS: Final = re.compile(r'^didflow_duplicates_total\{origin="kafka"\} ([0-9.]+)', re.MULTILINE)
TESTS: Final = Path(__file__).parents[1]
_POINTS: Final = re.compile(r"[a-z._]+=[a-z]+")
_OPEN_COMMANDS: Final = "SELECT count(*) FROM carrier_commands WHERE state IN ('out', 'waiting')"


@dataclass(kw_only=True)
class Member:
    """One process of a service, with the URLs of its health port and of its API (if it is one)."""

    name: str
    service: str
    process: RunningProcess = field(repr=False)
    health: str
    base: str
    launch: Callable[[], RunningProcess] = field(repr=False)

    def again(self) -> "Member":
        """Start the process again with the same settings and addresses."""
        return replace(self, process=self.launch())

    async def ready(self, within: float = READY_S) -> "Member":
        """Wait until the process is ready. Raises DeadlineMissedError, or AssertionError if the process ends."""

        async def answers() -> bool:
            assert self.process.exit_code is None, f"{self.name} ended:\n{self.process.log_tail()}"
            await asyncio.sleep(0.05)
            return await self.health_answer("/healthz/ready") is not None

        await until(answers, within=within, what=f"start of {self.name}")
        return self

    async def duplicates(self) -> int:
        """Return the number of repeats since the start of the process, or 0 if it does not answer."""
        counted = REPEATS.search(await self.health_answer("/metrics") or "")
        return int(float(counted[1])) if counted else 0

    async def health_answer(self, path: str) -> str | None:
        """Return the answer of the health port, or None if there is no successful answer."""
        async with httpx.AsyncClient(timeout=2, trust_env=False) as client:
            try:
                response = await client.get(self.health + path)
            except httpx.TransportError:
                return None
        return response.text if response.is_success else None


@dataclass(kw_only=True)
class Installation:
    """The addresses of the installation, and the functions that start its processes."""

    parts: Servers
    issuer: Issuer
    jwks: str
    launcher: Processes = field(repr=False)
    members: list[Member] = field(default_factory=list, repr=False)

    @property
    def services(self) -> tuple[str, ...]:
        """The services that have a database here."""
        return tuple(name for name in SERVICES if name in self.parts.postgres)

    @property
    def settings(self) -> Settings:
        """Return the settings for Kafka."""
        dsn = next(iter(self.parts.postgres.values()))
        prefix = self.parts.topic_prefix
        return load(Settings, kafka=self.parts.kafka, topic_prefix=prefix, postgres=dsn, production=False)

    def worker(
        self, name: str, index: int = 0, *, command: Sequence[str] | None = None, **settings: str
    ) -> Member:
        """Start a worker of a service. `index` distinguishes several workers. `settings` are without their prefix.

        With `command`, it is not the service's own program.
        """
        return self._start("worker", name, index, {"MEMBER_ID": f"{name}-{index}", **settings}, command)

    def api(self, name: str, index: int = 0, **settings: str) -> Member:
        """Start the HTTP API of a service on its own port."""
        tokens = {"OIDC_ISSUER": self.issuer.url, "OIDC_JWKS_URL": self.jwks, "OIDC_AUDIENCE": AUDIENCE}
        reader = {"POSTGRES_READER": reader_of(self.parts.postgres[name])}
        return self._start("api", name, index, {**tokens, **reader, **settings})

    def _start(
        self,
        kind: str,
        name: str,
        index: int,
        settings: Mapping[str, str],
        command: Sequence[str] | None = None,
    ) -> Member:
        health, http = free_port(), free_port()
        ports = {"HEALTH_PORT": str(health), "HTTP_PORT": str(http)}
        variables = {"POSTGRES": self.parts.postgres[name], "POOL_SIZE": "5", **ports, **settings}
        label = f"{name}-{kind}-{index}"
        environment = processes.environment(self.parts, name, variables)
        if command is None:
            command = [processes.script(f"didflow-{name}"), kind]
        else:
            environment["PYTHONPATH"] = str(TESTS)
        launch = partial(self.launcher.start, label, command, env=environment)
        process = launch()
        for point in _POINTS.findall(settings.get("FAILPOINTS", "")):
            JOURNAL.begin(f"failpoint {point}", label)
        urls = {"health": f"http://127.0.0.1:{health}", "base": f"http://127.0.0.1:{http}"}
        self.members.append(Member(name=label, service=name, process=process, launch=launch, **urls))
        return self.members[-1]

    async def duplicates(self) -> int:
        """Return the number of repeats that the running processes have counted."""
        return sum(await asyncio.gather(*(member.duplicates() for member in self.members)))

    def token(self, role: str = "operator", account: str = "master") -> str:
        """Return a signed token."""
        return self.issuer.token(role=role, account=account)

    @asynccontextmanager
    async def http_client(self, api: Member, role: str = "operator") -> AsyncIterator[Api]:
        """Open a client of one API."""
        async with http_client(api.base, self.token(role)) as client:
            yield client

    async def unfinished_work(self, within: float = IDLE_S, *, carrier: bool = True) -> list[str]:
        """Wait until no work is in progress. Return the work that is left after `within` seconds."""
        async with self._idle_check(carrier=carrier) as check:
            try:
                await check.wait(within=within)
            except NotIdle as error:
                return [str(error)]
        return []

    @asynccontextmanager
    async def _idle_check(self, *, carrier: bool) -> AsyncIterator["_IdleCheck"]:
        settings = self.settings
        async with AsyncExitStack() as exits:
            databases, partitions = {}, {}
            for name in self.services:
                databases[name] = await connect(self.parts.postgres[name])
                exits.push_async_callback(databases[name].close)
                topics = [settings.topic_prefix + topic for topic in service(name).topics_read]
                partitions[name] = await partitions_of(settings, topics)
            consumer = AIOKafkaConsumer(**connection(settings), group_id=None)
            await consumer.start()
            exits.push_async_callback(consumer.stop)
            only_ask(consumer, itertools.chain(*partitions.values()))
            admin: Any = AIOKafkaAdminClient(**connection(settings))
            exits.push_async_callback(admin.close)
            await admin.start()
            yield _IdleCheck(
                databases=databases,
                partitions=partitions,
                consumer=consumer,
                admin=admin,
                prefix=settings.topic_prefix,
                carrier=carrier,
            )


@dataclass(kw_only=True)
class _IdleCheck(IdleCheck):
    """The idle check, which here also requires that no carrier command is open."""

    carrier: bool = True

    async def _database(self, name: str) -> list[str]:
        found = await super()._database(name)
        if name == "provisioning" and self.carrier:
            count = await self.databases[name].fetchval(_OPEN_COMMANDS)
            found += [f"the carrier: {count} open commands"] if count else []
        return found


async def _prepare(name: str, dsn: str) -> None:
    await migration_of(name)(dsn)
    if name == "inventory":
        await _create_accounts(dsn)


PREPARE: Final[Mapping[str, Callable[[str], Awaitable[None]]]] = {
    name: partial(_prepare, name) for name in SERVICES
}
"""Service -> the function that prepares its empty database: migrations, and the accounts of inventory."""


async def _create_accounts(dsn: str) -> None:
    database = Database(dsn, application="test", size=2)
    await database.start()
    tracing = start_tracing(service="inventory", process="test", endpoint=None)
    stage = Stage(service("inventory"), database, StageTelemetry(Metrics(), tracing))
    caller = Caller(subject="test", account="master", role="operator")
    for path in ACCOUNTS:
        properties = AccountBody(path=path, name=path, may_set_prices=True).properties()
        command = CreateAccount(entity_id=path, subject="", caller=caller, path=path, properties=properties)
        key = IdempotencyKey(account="master", subject="test", route="test", value=None, digest=bytes(32))
        await stage.command([command], HttpCall(key=key, actor="user:test", answer=_created))
    await database.stop()


def _created(_: Sequence[Any]) -> Answer:
    return Answer(status=201, body=b"")


Install = Callable[..., Awaitable[Installation]]
"""`await install("billing", "inventory")`: an installation of these services, none of them started yet."""

InstallOn = Callable[..., Installation]
"""`install_on(dsns)`: the same on existing databases, service -> DSN.

With `is_checked=False`, the consistency check does not read them: they are those of another installation.
"""


async def ready(*members: Member) -> tuple[Member, ...]:
    """Wait until all of these processes are ready."""
    return tuple(await asyncio.gather(*(member.ready() for member in members)))


def jwks_url(port: int) -> str:
    """Return the URL of the issuer's keys."""
    return f"http://127.0.0.1:{port}{JWKS_PATH}"
