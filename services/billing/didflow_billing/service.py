"""Billing, put together: nothing but wiring."""

from pathlib import Path
from typing import Final

from didflow_billing import api, handlers, store
from didflow_billing.domain.term import Term
from didflow_chassis.commandline import command_line
from didflow_chassis.service import Service

SERVICE: Final = Service(
    name="billing",
    main=Term,
    kinds=store.KINDS,
    events=handlers.EVENTS,
    commands=handlers.COMMANDS,
    due=handlers.DUE,
    routers=api.routers,
    problems={"not_found": 404},
    migrations=Path(__file__).parent / "migrations",
)

main = command_line(SERVICE)
