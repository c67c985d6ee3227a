"""Verification as a service: it names the parts and contains no logic."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from didflow_chassis.commandline import command_line
from didflow_chassis.service import Holder, Service
from didflow_verification import handlers, jobs, store
from didflow_verification.catalogue.commandline import catalogue_tools
from didflow_verification.commandline import document_tools, identity_tools
from didflow_verification.documents.former import encryption
from didflow_verification.domain.axes.registration import Registration
from didflow_verification.domain.details.document import MAX_BYTES
from didflow_verification.domain.evaluation import numbering_plan
from didflow_verification.settings import VerificationSettings

FORM_BYTES: Final = 128 * 1024
"""The size of an upload's form without the file, in bytes."""


def _routers() -> Iterable[Any]:
    from didflow_verification import api  # noqa: PLC0415 - a worker does not load the routes

    return api.routers()


def service(settings: VerificationSettings) -> Service:
    """Build the service."""
    return Service(
        name="verification",
        settings=settings,
        main=Registration,
        kinds=store.kinds_with(encryption(settings.keyring())),
        events=handlers.EVENTS,
        commands=handlers.COMMANDS,
        due=handlers.DUE,
        jobs=jobs.JOBS,
        holder=lambda registration: Holder(registration.number, registration.account),
        routers=_routers,
        problems={
            "not_found": 404,
            "reasons_missing": 422,
            "address_missing": 422,
            "address_outside_country": 422,
            "bad_format": 422,
            "missing_field": 422,
            "po_box": 422,
            "not_automatic": 422,
            "unknown_field": 422,
        },
        larger_bodies={"/v1/documents": MAX_BYTES + FORM_BYTES},
        migrations=Path(__file__).parent / "migrations",
        on_start=numbering_plan.warm_up,
    )


TOOLS: Final = {"catalogue": catalogue_tools, "documents": document_tools, "identity": identity_tools}

main = command_line("verification", service, VerificationSettings, TOOLS)
