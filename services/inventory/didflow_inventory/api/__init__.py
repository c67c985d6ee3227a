"""The HTTP API of inventory. Routes translate; `domain/` decides what is allowed, `store/` what is visible."""

from collections.abc import Iterable

from didflow_chassis.http import Router, me_router
from didflow_inventory.api import accounts, audit_log, changes, numbers, portings, purchases
from didflow_inventory.api.holding.routes import router as holding_router
from didflow_inventory.api.packages.routes import router as packages_router
from didflow_inventory.api.stock.reservations import router as reservations_router
from didflow_inventory.api.stock.routes import router as stock_router
from didflow_inventory.api.suppliers.routes import router as suppliers_router
from didflow_inventory.api.users.routes import router as users_router


def routers() -> Iterable[Router]:
    """Return the routers of inventory."""
    return (
        purchases.router,
        portings.router,
        changes.router,
        numbers.router,
        holding_router,
        stock_router,
        reservations_router,
        accounts.router,
        users_router,
        suppliers_router,
        packages_router,
        audit_log.router,
        me_router,
    )
