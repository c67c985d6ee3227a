"""F36: an outsider with its own user on a broker with access rules poses as a service and as another tenant."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
from faults.guarded_broker import guarded_broker
from faults.installation import PREPARE, InstallOn, ready
from faults.outsider import (
    ACCEPTED,
    REGISTERED,
    as_services,
    of_another_tenant,
    opened,
    sources_file,
    victim_purchase,
)
from harness.access import ADMIN, Guard, allow
from harness.fixtures import DatabaseFor
from harness.outside_records import record
from harness.topics import create_topics

from didflow_contracts.access import all_rules
from didflow_contracts.topics import DEAD_LETTER_TOPICS, SERVICES, TOPICS, topics_written_by

USERS: Final = (ADMIN, *SERVICES, *(str(source.principal) for source in REGISTERED))
GUARD: Final = Guard(users={name: f"secret-of-{name}" for name in USERS})


@pytest.fixture
async def kafka() -> AsyncIterator[str]:
    """Run a broker for this test."""
    async with guarded_broker(GUARD) as bootstrap:
        yield bootstrap


@pytest.fixture
async def topics(kafka: str) -> str:
    """Create all topics, and the rules of the services and of the registered sources."""
    await create_topics(kafka, (*TOPICS, *DEAD_LETTER_TOPICS.values()), **GUARD.client())
    await allow(kafka, GUARD, all_rules(REGISTERED))
    return ""


async def test_access_rules_keep_outsiders_away_from_the_topics_of_services(
    topics: str, install_on: InstallOn, database_for: DatabaseFor, tmp_path: Path
) -> None:
    """F36: an order system cannot write what services say. What it may write, it can only write in its own name."""
    installation = install_on(
        {name: await database_for(name, PREPARE[name]) for name in ("inventory", "billing")}
    )
    sources = sources_file(tmp_path)
    workers = (installation.worker(name, **sources, **GUARD.settings(name)) for name in installation.services)
    await ready(*workers)
    victim = victim_purchase()
    foreign = {topic.name for name in SERVICES for topic in topics_written_by(name)}
    async with (
        opened(installation, GUARD.client("orders-acme")) as acme,
        opened(installation, GUARD.client("orders-beta")) as beta,
    ):
        assert {topic for topic in foreign if await acme.is_refused(topic)} == foreign
        forged = [*as_services(victim), *of_another_tenant(victim)[:3]]
        await acme.publish(forged)
        await beta.publish([record("did.purchased", victim, source="/orders/beta")])
        await beta.becomes("billing", ACCEPTED, victim["did_id"], True)
        for name in installation.services:
            assert await beta.letters(name, victim) == {"unexpected_source": len(forged)}
