"""Verification, put together: nothing but wiring."""

from pathlib import Path
from typing import Final

from didflow_chassis.commandline import command_line
from didflow_chassis.service import Service
from didflow_verification import api, handlers, store
from didflow_verification.documents.routes import LARGER_BODIES
from didflow_verification.domain import areas
from didflow_verification.domain.registration import Registration
from didflow_verification.settings import VerificationSettings

SERVICE: Final = Service(
    name="verification",
    main=Registration,
    kinds=store.KINDS,
    events=handlers.EVENTS,
    commands=handlers.COMMANDS,
    due=handlers.DUE,
    routers=api.routers,
    problems={"not_found": 404, "reasons_missing": 422},
    larger_bodies=LARGER_BODIES,
    migrations=Path(__file__).parent / "migrations",
    on_start=areas.warm_up,
)

main = command_line(SERVICE, VerificationSettings)
