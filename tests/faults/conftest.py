"""What every fault test starts from: an installation on real parts, an oracle with its ledger, and a seed.

The seed is `DIDFLOW_SEED`, or random; it is printed with every failure, and setting it plays the same again.
"""

import os
import random
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from faults.carrier import Carry, serving_carrier
from faults.evidence import Evidence, gather
from faults.installation import PREPARE, Install, Installation, InstallOn, jwks_url
from faults.invariants import Judge, violations
from faults.ledger import Ledger
from faults.oracle import Ask, Oracle, asking
from harness.fixtures import DatabaseFor
from harness.processes import Processes

from didflow.dispatch import Dispatcher
from didflow.issuer import Issuer
from didflow.parts import Parts
from didflow_chassis.servers import serving

ISSUER = "http://didflow.localhost/faults"


@pytest.fixture
def seed() -> int:
    """The seed of this run."""
    chosen = int(os.environ.get("DIDFLOW_SEED") or random.randrange(2**32))
    print(f"DIDFLOW_SEED={chosen}")  # noqa: T201 - pytest shows it with a failure
    return chosen


@pytest.fixture
async def exits() -> AsyncIterator[AsyncExitStack]:
    """What a test opened and leaves to its end."""
    async with AsyncExitStack() as stack:
        yield stack


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """What was acknowledged in this test."""
    opened = Ledger(tmp_path / "ledger.jsonl")
    yield opened
    opened.close()


@pytest.fixture
async def issuer(tmp_path: Path, exits: AsyncExitStack) -> tuple[Issuer, str]:
    """The development issuer, and where its keys are read."""
    made = Issuer.of(tmp_path, ISSUER)
    port = await exits.enter_async_context(serving(Dispatcher([], made.jwks), "127.0.0.1", 0, "jwks"))
    return made, jwks_url(port)


@pytest.fixture
def install_on(kafka: str, topics: str, processes: Processes, issuer: tuple[Issuer, str]) -> InstallOn:
    """Lays out installations on databases that are there; see `InstallOn`."""

    def lay_out(dsns: Mapping[str, str]) -> Installation:
        parts = Parts(
            kafka=kafka, postgres=dsns, topic_prefix=topics, embedded_kafka=False, embedded_postgres=False
        )
        return Installation(parts=parts, issuer=issuer[0], jwks=issuer[1], launcher=processes)

    return lay_out


@pytest.fixture
async def install(install_on: InstallOn, database_for: DatabaseFor) -> Install:
    """Lays out installations on the run's Kafka and PostgreSQL; see `Install`."""

    async def lay_out(*services: str) -> Installation:
        return install_on({name: await database_for(name, PREPARE[name]) for name in services})

    return lay_out


@pytest.fixture
async def ask(ledger: Ledger, seed: int, exits: AsyncExitStack) -> Ask:
    """Opens oracles; see `Ask`."""

    async def open_one(at: Installation) -> Oracle:
        return await exits.enter_async_context(asking(at, ledger, seed=seed))

    return open_one


@pytest.fixture
async def carrier(ledger: Ledger, exits: AsyncExitStack) -> Carry:
    """Opens carriers; see `Carry`."""

    async def open_one(at: Installation) -> None:
        await exits.enter_async_context(serving_carrier(at, ledger))

    return open_one


@pytest.fixture
def judge(ledger: Ledger) -> Judge:
    """Judges an installation; see `Judge`."""

    async def judged(at: Installation, *oracles: Oracle) -> Evidence:
        evidence = await gather(at, await at.unrest())
        wrong = [str(violation) for violation in violations(ledger, evidence)]
        wrong += [words for oracle in oracles for words in oracle.odd]
        assert not wrong, "\n".join(wrong[:50])
        return evidence

    return judged
