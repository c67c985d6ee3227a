"""Provisioning on a real PostgreSQL database, without Kafka."""

from typing import Any
from uuid import uuid4

import httpx
import pytest
from harness.fixtures import OnPostgres

from didflow_chassis.decision import Caller
from didflow_chassis.testing import ServiceOnPostgres
from didflow_contracts.events import CarrierCommandIssued
from didflow_provisioning.service import service
from didflow_provisioning.settings import CarrierTiming, ProvisioningSettings

RESELLER = Caller(subject="ann", account="master/acme", role="reseller")
TRUNK = {"name": "Dublin", "sip": {"uri": "sip:pbx.example.com:5061", "transport": "tls", "codecs": ["opus"]}}


@pytest.fixture
async def provisioning(on_postgres: OnPostgres) -> ServiceOnPostgres:
    """Provisioning with a database of this test's own. The default caller is the reseller `master/acme`."""
    return await on_postgres(service(ProvisioningSettings.placeholder()), caller=RESELLER)


@pytest.fixture
def issued(provisioning: Any) -> Any:
    """Returns all published attempts at carrier commands."""

    async def load() -> list[CarrierCommandIssued]:
        return [event.data for event in await provisioning.published("provisioning.commands")]

    return load


@pytest.fixture
async def purchased(provisioning: ServiceOnPostgres, messages: Any) -> ServiceOnPostgres:
    """Provisioning with one DID of `master/acme` that waits for its registration."""
    await provisioning.receive(messages.purchased(), messages.did_changed())
    return provisioning


@pytest.fixture
def create_trunk() -> Any:
    """Creates a voice trunk and returns its id."""

    async def create(client: httpx.AsyncClient, **changes: Any) -> str:
        response = await client.post("/v1/voice-trunks", json=TRUNK | changes)
        assert response.status_code == 201, response.text
        trunk_id: str = response.json()["voice_trunk_id"]
        return trunk_id

    return create


@pytest.fixture
def with_carriers(on_postgres: OnPostgres) -> Any:
    """Opens provisioning with settings of carriers."""

    async def opened(**carriers: CarrierTiming) -> ServiceOnPostgres:
        settings = ProvisioningSettings.placeholder().model_copy(update={"carriers": carriers})
        return await on_postgres(service(settings), caller=RESELLER)

    return opened


@pytest.fixture
def numbers_of(messages: Any) -> Any:
    """Builds the events that make numbers ready for their activation."""

    def build(count: int, **changes: Any) -> list[Any]:
        events = []
        for n in range(count):
            base = {"did_id": uuid4(), "number": f"+35319{600000 + n}", **changes}
            named = {name: value for name, value in base.items() if name != "carrier"}
            events += [messages.purchased(**base), messages.did_changed(**base)]
            events += [messages.registration(**named)]
        return events

    return build
