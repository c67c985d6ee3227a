"""One installation for all attacks, because its start takes longer than an attack.

The bystanders' idle time is measured once.
All tests of this folder run in one event loop, because the clients of the installation belong to it.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

import asyncpg
import httpx
import orjson
import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from faults.installation import PREPARE, Installation, jwks_url, ready
from harness.outside_records import ATTACKER, BYSTANDER
from harness.postgres import TemplateDatabases
from harness.processes import Processes
from harness.steady_purchases import at, steady_purchases
from harness.topics import create_topics, delete_topics

from attacks.bystanders import ANSWERS, Bystanders, purchases
from attacks.target import FACTOR, Target
from didflow import processes as programs
from didflow.document_key import document_key
from didflow.issuer import Issuer
from didflow.servers import Servers
from didflow.web import Dispatcher
from didflow_chassis.servers import listen, serving
from didflow_contracts.topics import DEAD_LETTER_TOPICS, SERVICES, TOPICS

IDLE_S = 5.0
SOURCES: Final = [
    {"prefix": "/orders/acme", "kind": "order_system", "accounts": [ATTACKER], "may_set_prices": True},
    {"prefix": "/orders/acme/web", "kind": "order_system", "accounts": [ATTACKER]},
    {"prefix": "/orders/beta", "kind": "order_system", "accounts": [BYSTANDER], "may_set_prices": True},
    {"prefix": "/portals/acme", "kind": "portal", "accounts": [ATTACKER]},
    {"prefix": "/carriers/simulator", "kind": "adapter", "carriers": ["simulator"]},
    {"prefix": "/carriers/other", "kind": "adapter", "carriers": ["other"]},
]
"""The registered sources. All others may say nothing."""
WARM_UP_S = 2.0
_TARGETS = pytest.StashKey[Target]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run all tests of this folder in the event loop of the session, as the installation does."""
    for item in items:
        if item.path.parent.name == "attacks":
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def target(
    kafka: str,
    template_databases: TemplateDatabases,
    tmp_path_factory: pytest.TempPathFactory,
    pytestconfig: pytest.Config,
) -> AsyncIterator[Target]:
    """The attacked installation, idle, with the idle time of its bystanders."""
    folder = tmp_path_factory.mktemp("attacked")
    launcher = Processes(folder=folder)
    prefix = f"a{secrets.token_hex(4)}."
    names = [prefix + name for name in (*TOPICS, *DEAD_LETTER_TOPICS.values())]
    async with AsyncExitStack() as exits:
        await create_topics(kafka, names)
        exits.push_async_callback(delete_topics, kafka, names)
        dsns = {name: await template_databases.copy(name, PREPARE[name]) for name in SERVICES}
        for dsn in dsns.values():
            exits.push_async_callback(template_databases.drop, dsn)
        servers = Servers(
            kafka=kafka, postgres=dsns, topic_prefix=prefix, embedded_kafka=False, embedded_postgres=False
        )
        issuer = Issuer.of(folder, "http://didflow.localhost/attacks")
        port = await exits.enter_async_context(
            serving(Dispatcher([], issuer.jwks), listen("127.0.0.1", 0), "jwks")
        )
        exits.enter_context(document_key(folder))
        exits.push_async_callback(launcher.end)
        installation = Installation(parts=servers, issuer=issuer, jwks=jwks_url(port), launcher=launcher)
        sources = folder / "sources.json"
        sources.write_bytes(orjson.dumps(SOURCES))
        target = await _opened(installation, sources, exits)
        pytestconfig.stash[_TARGETS] = target
        await _measure_idle(target)
        yield target


async def _opened(installation: Installation, sources: Path, exits: AsyncExitStack) -> Target:
    """Start all processes and open the clients."""
    parts = installation.parts
    registered = {"SOURCES_FILE": str(sources), "UNREGISTERED_SOURCES": "closed"}
    apis = {name: installation.api(name, **registered) for name in SERVICES}
    for name in SERVICES:
        installation.worker(name, **registered)
    carrier = installation.launcher.start(
        programs.SIMULATOR,
        programs.simulator(parts).command,
        env=programs.environment(parts, programs.SIMULATOR, {}),
    )
    await ready(*installation.members)
    clients = {name: await exits.enter_async_context(_client(api.base)) for name, api in apis.items()}
    shop = await exits.enter_async_context(_client(apis["inventory"].base))
    shop.headers["Authorization"] = f"Bearer {installation.token('service', BYSTANDER)}"
    bystanders = await exits.enter_async_context(
        steady_purchases(
            parts.kafka, parts.topic_prefix, ANSWERS, purchases(), opened_as=Bystanders, shop=shop
        )
    )
    databases: dict[str, Any] = {}
    for name, dsn in parts.postgres.items():
        databases[name] = await asyncpg.create_pool(dsn, min_size=1, max_size=3)
        exits.push_async_callback(databases[name].close)
    producer = AIOKafkaProducer(
        bootstrap_servers=parts.kafka, acks="all", linger_ms=5, max_request_size=2 * 1024 * 1024
    )
    admin: Any = AIOKafkaAdminClient(bootstrap_servers=parts.kafka)
    await producer.start()
    exits.push_async_callback(producer.stop)
    await admin.start()
    exits.push_async_callback(admin.close)
    return Target(
        installation=installation,
        carrier=carrier,
        bystanders=bystanders,
        producer=producer,
        admin=admin,
        clients=clients,
        databases=databases,
    )


def _client(base: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=base, timeout=30, trust_env=False)


async def _measure_idle(target: Target) -> None:
    """Measure the bystanders without any attack, after a warm-up."""
    for name in SERVICES:
        answer = await target.call(name, "GET", f"/v1/{name}/dead-letters", role="operator", account="master")
        assert answer.is_success, answer.text
    async with target.bystanders.steady():
        await asyncio.sleep(WARM_UP_S)
    lost = target.bystanders.lost
    assert not lost, f"purchases are lost without any attack: {lost} {target.bystanders.refused}"
    async with target.bystanders.steady() as target.idle:
        await asyncio.sleep(IDLE_S)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print what each attack cost the bystanders."""
    target = config.stash.get(_TARGETS, None)
    if target is not None:
        terminalreporter.section("attacks")
        idle = f"p50 {at(target.idle, 0.5):.0f} ms, p95 {at(target.idle, 0.95):.0f} ms"
        terminalreporter.write_line(
            f"bystanders, idle: {idle}; limit of p95 {target.limit_ms:.0f} ms ({FACTOR:g} x)"
        )
        for figures in target.figures:
            terminalreporter.write_line(str(figures))
