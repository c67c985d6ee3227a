"""Inventory on a real PostgreSQL: its stage and its API, with the accounts that most tests need."""

from typing import Any

import httpx
import pytest
from harness.fixtures import OnPostgres

from didflow_chassis.testing import ServiceOnPostgres
from didflow_inventory.service import service
from didflow_inventory.settings import InventorySettings

SERVICE = service(InventorySettings.placeholder())


class InventoryOnPostgres(ServiceOnPostgres):
    """Inventory with its API. A caller is written as `role:account`."""

    async def call(
        self, method: str, path: str, who: str = "reseller:master/acme", key: str | None = None, **more: Any
    ) -> httpx.Response:
        """Make one request."""
        role, _, account = who.partition(":")
        headers = {"Idempotency-Key": key} if key else {}
        return await self.client(account, role).request(method, path, headers=headers, **more)

    async def get(self, path: str, who: str = "reseller:master/acme", **params: Any) -> Any:
        """Return the answer to a GET that must succeed."""
        response = await self.call("GET", path, who, params=params)
        assert response.status_code == 200, response.text
        return response.json()


@pytest.fixture
async def inventory(on_postgres: OnPostgres, say: Any) -> ServiceOnPostgres:
    """Inventory with the accounts that most tests need."""
    opened = await on_postgres(SERVICE, now=say.zero, caller=say.caller(), opened_as=InventoryOnPostgres)
    for path in ("master", "master/acme", "master/acme/shop", "other"):
        body = {"path": path, "name": path}
        assert (await opened.call("POST", "/v1/accounts", "operator:root", json=body)).status_code == 201
    return opened
