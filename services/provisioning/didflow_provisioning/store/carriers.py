"""What is read about carriers: which ones got commands, when they last answered, and which are silent."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from didflow_chassis.decision import OPERATOR, Caller
from didflow_chassis.tables import NOW
from didflow_chassis.telemetry.service_gauges import ServiceGauge
from didflow_chassis.tenancy import within
from didflow_provisioning.domain.carriers.silence import CarrierContact, is_silent
from didflow_provisioning.store.tables import CARRIER_CONTACT, carrier_commands, carrier_contacts, routings


def contacts() -> sa.Select[Any]:
    """Select the contact of each carrier that commands were sent to, and the service's time."""
    return sa.select(*(carrier_contacts.c[name] for name in CARRIER_CONTACT.columns), NOW.label("now"))


def contact_of(command_id: UUID) -> sa.Select[Any]:
    """Select the contact of the carrier of a command, and the service's time."""
    is_its_carrier = carrier_commands.c.carrier == carrier_contacts.c.carrier
    return (
        contacts().join(carrier_commands, is_its_carrier).where(carrier_commands.c.command_id == command_id)
    )


def to_contact(row: Any) -> tuple[CarrierContact, datetime]:
    """Return the contact in a row of `contacts`, and the service's time."""
    *columns, now = tuple(row)
    return CARRIER_CONTACT.from_row(columns).state, now


def carriers_of_dids(caller: Caller) -> sa.Select[Any] | None:
    """Select the carriers of the DIDs that the caller reaches. None for an operator, who sees all carriers."""
    if caller.role == OPERATOR:
        return None
    return (
        sa.select(routings.c.served_by, routings.c.sms_carrier)
        .where(within(routings.c.account, caller))
        .distinct()
    )


def silent_carriers(configured: Iterable[str]) -> ServiceGauge:
    """Return the metric of silent carriers. Carriers without settings of their own are counted together."""
    return ServiceGauge(
        name="silent_carriers",
        what="1 while a carrier is silent; `other`: silent carriers without settings of their own",
        label="carrier",
        values=tuple(configured),
        statement=contacts(),
        measure=_silent,
    )


def _silent(rows: Sequence[Any]) -> Mapping[str, float]:
    read = map(to_contact, rows)
    return {contact.carrier: float(is_silent(contact, now)) for contact, now in read}
