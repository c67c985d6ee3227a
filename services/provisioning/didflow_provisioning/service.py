"""Provisioning, put together: nothing but wiring."""

from pathlib import Path
from typing import Final

from didflow_chassis.commandline import command_line
from didflow_chassis.service import Service
from didflow_provisioning import api, handlers, store
from didflow_provisioning.domain.routing import Routing

SERVICE: Final = Service(
    name="provisioning",
    main=Routing,
    kinds=store.KINDS,
    events=handlers.EVENTS,
    commands=handlers.COMMANDS,
    due=handlers.DUE,
    routers=api.routers,
    problems={"not_found": 404},
    migrations=Path(__file__).parent / "migrations",
)

main = command_line(SERVICE)
