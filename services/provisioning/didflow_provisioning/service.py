"""Provisioning as a service: it names the parts and contains no logic."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from didflow_chassis.commandline import command_line
from didflow_chassis.service import Holder, Service
from didflow_provisioning import handlers, jobs, store
from didflow_provisioning.commandline import secret_tools
from didflow_provisioning.domain.routing import Routing
from didflow_provisioning.settings import ProvisioningSettings
from didflow_provisioning.store import carriers


def _routers() -> Iterable[Any]:
    from didflow_provisioning import api  # noqa: PLC0415 - a worker has no routes to load

    return api.routers()


def service(settings: ProvisioningSettings) -> Service:
    """Build the service."""
    return Service(
        name="provisioning",
        settings=settings,
        main=Routing,
        kinds=store.KINDS,
        events=handlers.events(settings),
        commands=handlers.commands(settings),
        due=handlers.due(settings),
        jobs=jobs.JOBS,
        gauges=(carriers.silent_carriers(settings.carriers),),
        holder=lambda routing: Holder(routing.number, routing.account),
        routers=_routers,
        problems={"not_found": 404},
        migrations=Path(__file__).parent / "migrations",
    )


TOOLS: Final = {"secrets": secret_tools}

main = command_line("provisioning", service, ProvisioningSettings, TOOLS)
