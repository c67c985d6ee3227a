"""Billing, put together: nothing but wiring."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from didflow_billing import handlers, store
from didflow_billing.domain.term import Term
from didflow_chassis.commandline import command_line
from didflow_chassis.service import Service


def _routers() -> Iterable[Any]:
    from didflow_billing import api  # noqa: PLC0415 - a worker has no routes to load

    return api.routers()


SERVICE: Final = Service(
    name="billing",
    main=Term,
    kinds=store.KINDS,
    events=handlers.EVENTS,
    commands=handlers.COMMANDS,
    due=handlers.DUE,
    routers=_routers,
    problems={"not_found": 404},
    migrations=Path(__file__).parent / "migrations",
)

main = command_line(SERVICE)
