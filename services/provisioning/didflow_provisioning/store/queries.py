"""The queries of the API. Each one returns only what the caller reaches.

Routings and carrier commands belong to the holder of the DID.
"""

from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from didflow_chassis.decision import Caller
from didflow_chassis.states import WRITTEN_AT
from didflow_chassis.tenancy import within
from didflow_provisioning.domain.carrier_command import CarrierCommand
from didflow_provisioning.domain.routing import Routing
from didflow_provisioning.store.tables import (
    CARRIER_COMMAND,
    ROUTING,
    carrier_commands,
    credential_reads,
    routings,
)

LISTED_READS: Final = 1_000
"""How many reads of a secret are listed."""

CARRIER_COMMAND_SORTS = {"issued_at": carrier_commands.c.issued_at}


def routings_named(names: set[UUID | str], caller: Caller) -> sa.Select[Any]:
    """Select the routings of these `did_id`s and numbers that the caller reaches.

    A `did_id` names its DID, live or not. A number names its live DIDs only. Several purchases of one number can be
    live until inventory refuses all but one. The one that inventory has confirmed comes first, then the latest.
    """
    ids = [name for name in names if isinstance(name, UUID)]
    numbers = [name for name in names if isinstance(name, str)]
    is_live = sa.and_(routings.c.number.in_(numbers), routings.c.end_reason.is_(None))
    return (
        sa.select(*(routings.c[name] for name in ROUTING.columns))
        .where(sa.or_(routings.c.did_id.in_(ids), is_live), within(routings.c.account, caller))
        .order_by(routings.c.confirmed.desc(), routings.c.did_id.desc())
    )


def carrier_commands_within(caller: Caller, *conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Select the carrier commands of the DIDs whose holder the caller reaches."""
    is_same_did = routings.c.did_id == carrier_commands.c.did_id
    return (
        sa.select(*(carrier_commands.c[name] for name in CARRIER_COMMAND.columns))
        .select_from(carrier_commands.join(routings, is_same_did))
        .where(within(routings.c.account, caller), *conditions)
    )


def credential_reads_of(trunk_id: UUID) -> sa.Select[Any]:
    """Select who has read the secret of an SMS trunk, the latest first: `LISTED_READS` at most."""
    columns = credential_reads.c
    latest_first = (columns[WRITTEN_AT].desc(), columns.id.desc())
    reads = sa.select(credential_reads).where(columns.trunk_id == trunk_id)
    return reads.order_by(*latest_first).limit(LISTED_READS)


def to_routing(row: Any) -> Routing:
    """Return the routing in a row of `routings_named`."""
    return ROUTING.from_row(tuple(row)).state


def to_carrier_command(row: Any) -> CarrierCommand:
    """Return the carrier command in a row of `carrier_commands_within`."""
    return CARRIER_COMMAND.from_row(tuple(row)).state
