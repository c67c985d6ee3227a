"""Inventory as a service: it names the parts and contains no logic."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from didflow_chassis.commandline import command_line
from didflow_chassis.service import Service
from didflow_inventory import handlers, store
from didflow_inventory.commandline import rebuild_tool
from didflow_inventory.domain.did import Did
from didflow_inventory.domain.stock import number
from didflow_inventory.jobs import JOBS
from didflow_inventory.settings import InventorySettings


def _routers() -> Iterable[Any]:
    from didflow_inventory import api  # noqa: PLC0415 - a worker has no routes to load

    return api.routers()


def service(settings: InventorySettings) -> Service:
    """Build the service."""
    return Service(
        name="inventory",
        settings=settings,
        main=Did,
        kinds=store.KINDS,
        events=handlers.events(settings),
        commands=handlers.commands(settings),
        due=handlers.DUE,
        jobs=JOBS,
        history=handlers.HISTORY,
        routers=_routers,
        problems={"price_not_allowed": 403},
        migrations=Path(__file__).parent / "migrations",
        on_start=number.warm_up,
    )


main = command_line("inventory", service, InventorySettings, {"rebuild": rebuild_tool})
