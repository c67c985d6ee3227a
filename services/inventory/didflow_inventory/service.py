"""Inventory, put together: nothing but wiring."""

from pathlib import Path
from typing import Final

from didflow_chassis.commandline import command_line
from didflow_chassis.service import Service
from didflow_inventory import api, handlers, store
from didflow_inventory.domain.did import Did
from didflow_inventory.settings import InventorySettings

SERVICE: Final = Service(
    name="inventory",
    main=Did,
    kinds=store.KINDS,
    events=handlers.EVENTS,
    commands=handlers.COMMANDS,
    due=handlers.DUE,
    record=handlers.RECORD,
    routers=api.routers,
    migrations=Path(__file__).parent / "migrations",
)

main = command_line(SERVICE, InventorySettings)
