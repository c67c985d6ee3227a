"""The queries of the API. Each one returns only what the caller reaches.

Routings and carrier commands belong to the holder of the DID. Voice trunks also serve the accounts below their own.
"""

from collections.abc import Collection
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import UUID as PG_UUID

from didflow_chassis.decision import Caller
from didflow_chassis.tables import job_results
from didflow_chassis.tenancy import within
from didflow_provisioning.domain.carrier_command import CarrierCommand
from didflow_provisioning.domain.routing import Routing
from didflow_provisioning.domain.voice_trunks import VoiceTrunk
from didflow_provisioning.store.tables import (
    CARRIER_COMMAND,
    ROUTING,
    VOICE_TARGET,
    VOICE_TRUNK,
    carrier_commands,
    routings,
    voice_trunks,
)

CARRIER_COMMAND_SORTS = {"issued_at": carrier_commands.c.issued_at}
VOICE_TRUNK_SORTS = {"name": voice_trunks.c.name, "created_at": voice_trunks.c.created_at}


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


def usable_voice_trunks(caller: Caller, *conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Select the trunks that the caller reaches, and the trunks of the accounts above that serve the caller."""
    is_usable = sa.or_(
        within(voice_trunks.c.account, caller), voice_trunks.c.account.in_(_accounts_above(caller.account))
    )
    columns = (voice_trunks.c[name] for name in VOICE_TRUNK.columns)
    return sa.select(*columns).where(is_usable, voice_trunks.c.deleted.is_(False), *conditions)


def dids_on_trunk(trunk_id: UUID, after: UUID, limit: int) -> sa.Select[Any]:
    """Select the live DIDs that use a voice trunk, in the order of their ids, behind one of them."""
    columns = routings.c.did_id, routings.c.number
    is_next = sa.and_(_is_on_trunk(trunk_id), routings.c.did_id > after)
    return sa.select(*columns).where(is_next).order_by(routings.c.did_id).limit(limit)


def late_dids_on_trunk(trunk_id: UUID, job_id: UUID, known: Collection[UUID], limit: int) -> sa.Select[Any]:
    """Select live DIDs that use a voice trunk and have no result in a job, except those that are known already.

    The results name a DID by its number."""
    has_result = sa.exists().where(job_results.c.job_id == job_id, job_results.c.item == routings.c.number)
    columns = routings.c.did_id, routings.c.number
    is_late = sa.and_(_is_on_trunk(trunk_id), routings.c.did_id.not_in(known), ~has_result)
    return sa.select(*columns).where(is_late).order_by(routings.c.did_id).limit(limit)


def to_routing(row: Any) -> Routing:
    """Return the routing in a row of `routings_named`."""
    return ROUTING.from_row(tuple(row)).state


def to_carrier_command(row: Any) -> CarrierCommand:
    """Return the carrier command in a row of `carrier_commands_within`."""
    return CARRIER_COMMAND.from_row(tuple(row)).state


def to_voice_trunk(row: Any) -> VoiceTrunk:
    """Return the voice trunk in a row of `usable_voice_trunks`."""
    return VOICE_TRUNK.from_row(tuple(row)).state


def _is_on_trunk(trunk_id: UUID) -> sa.ColumnElement[bool]:
    # Written out as in the index: an expression with parameters in it would not use the index.
    target = sa.literal_column(f"({VOICE_TARGET})", PG_UUID(as_uuid=True))
    return sa.and_(routings.c.voice.is_not(None), target == trunk_id)


def _accounts_above(account: str) -> list[str]:
    parts = account.split("/")
    return ["/".join(parts[:depth]) for depth in range(1, len(parts))]
