"""Billing on a real PostgreSQL, at the time of the purchase."""

from typing import Any

import httpx
import pytest
from harness.fixtures import OnPostgres

from didflow_billing.service import service
from didflow_billing.settings import BillingSettings
from didflow_chassis.testing import ServiceOnPostgres

SERVICE = service(BillingSettings.placeholder())


@pytest.fixture
async def billing(on_postgres: OnPostgres, make: Any) -> ServiceOnPostgres:
    """A billing service without any DID."""
    return await on_postgres(SERVICE, now=make.zero, caller=make.caller)


@pytest.fixture
async def active(billing: ServiceOnPostgres, make: Any) -> ServiceOnPostgres:
    """Billing with one active DID of `master/acme`."""
    await billing.receive(make.purchased(), make.did_changed(), make.registration("not_required"))
    return billing


@pytest.fixture
def acme(active: ServiceOnPostgres) -> httpx.AsyncClient:
    """A reseller of the account that holds the DID."""
    return active.client()
