"""Inventory, put together: nothing but wiring."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from didflow_chassis.commandline import command_line
from didflow_chassis.service import Service
from didflow_inventory import handlers, store
from didflow_inventory.domain import stock
from didflow_inventory.domain.did import Did
from didflow_inventory.settings import InventorySettings


def _routers() -> Iterable[Any]:
    from didflow_inventory import api  # noqa: PLC0415 - a worker has no routes to load

    return api.routers()


SERVICE: Final = Service(
    name="inventory",
    main=Did,
    kinds=store.KINDS,
    events=handlers.EVENTS,
    commands=handlers.COMMANDS,
    due=handlers.DUE,
    history=handlers.HISTORY,
    routers=_routers,
    migrations=Path(__file__).parent / "migrations",
    on_start=stock.warm_up,
)

main = command_line(SERVICE, InventorySettings)
