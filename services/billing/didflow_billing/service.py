"""Billing as a service: it names the parts and contains no logic."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from didflow_billing import handlers, store
from didflow_billing.domain.term import Term
from didflow_billing.settings import BillingSettings
from didflow_chassis.commandline import command_line
from didflow_chassis.service import Holder, Service


def _routers() -> Iterable[Any]:
    from didflow_billing import api  # noqa: PLC0415 - a worker has no routes to load

    return api.routers()


def service(settings: BillingSettings) -> Service:
    """Build the service."""
    return Service(
        name="billing",
        settings=settings,
        main=Term,
        kinds=store.KINDS,
        events=handlers.EVENTS,
        commands=handlers.COMMANDS,
        due=handlers.DUE,
        holder=lambda term: Holder(term.number, term.account),
        routers=_routers,
        problems={"not_found": 404},
        checks=(store.PRICE_FOR_EVERY_NUMBER,),
        migrations=Path(__file__).parent / "migrations",
    )


main = command_line("billing", service, BillingSettings)
