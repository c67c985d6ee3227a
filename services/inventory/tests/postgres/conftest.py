"""Inventory with its HTTP API on a real PostgreSQL."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
import pytest
from harness.fixtures import OnPostgres

from didflow_chassis.testing import ServiceOnPostgres
from didflow_inventory.service import service
from didflow_inventory.settings import InventorySettings

SERVICE = service(InventorySettings.placeholder())


class InventoryOnPostgres(ServiceOnPostgres):
    """Inventory with its HTTP API. A caller is written as `role:account`; its subject is ann."""

    async def call(
        self, method: str, path: str, by: str = "reseller:master/acme", key: str | None = None, **more: Any
    ) -> httpx.Response:
        """Send one request."""
        role, _, account = by.partition(":")
        headers = {"Idempotency-Key": key} if key else {}
        return await self.client(account, role).request(method, path, headers=headers, **more)

    async def get(self, path: str, by: str = "reseller:master/acme", **params: Any) -> Any:
        """Return the body of the answer to a GET that must succeed."""
        response = await self.call("GET", path, by, params=params)
        assert response.status_code == 200, response.text
        return response.json()

    async def purchase(self, make: Any, number: str, **changes: Any) -> Any:
        """Purchase a number, and return the body of the answer."""
        body = purchase_body(make, number=number, order_id=f"for {number}", **changes)
        response = await self.call("POST", "/v1/purchases", key=number, json=body)
        assert response.status_code == 201, response.text
        return response.json()


def purchase_body(make: Any, **changes: Any) -> dict[str, Any]:
    """Return the body of a purchase. It has no did_id unless one is given."""
    body: dict[str, Any] = json.loads(json.dumps(make.purchase_data(**changes), default=str))
    if "did_id" not in changes:
        del body["did_id"]
    return body


@pytest.fixture
def body_of(make: Any) -> Callable[..., dict[str, Any]]:
    """The function that returns the body of a purchase."""
    return partial(purchase_body, make)


@pytest.fixture
async def inventory(on_postgres: OnPostgres, make: Any) -> InventoryOnPostgres:
    """Inventory with the accounts that most tests need."""
    opened: Any = await on_postgres(
        SERVICE, now=make.zero, caller=make.caller(), opened_as=InventoryOnPostgres
    )
    for path in ("master", "master/acme", "master/acme/shop", "other"):
        body = {"path": path, "name": path, "may_set_prices": path != "other"}
        assert (await opened.call("POST", "/v1/accounts", "operator:root", json=body)).status_code == 201
    found: InventoryOnPostgres = opened
    return found
