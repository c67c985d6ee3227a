"""How routings, lines, commands and trunks lie in tables, and what can be read of them.

Every query is cut to the caller's reach: by who holds the DID, and for trunks by whom they serve.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.dialects.postgresql import UUID as PG_UUID

from didflow_chassis.decision import Caller
from didflow_chassis.states import Kind, state_table
from didflow_chassis.tenancy import within
from didflow_provisioning.domain.carrier_command import CarrierCommand
from didflow_provisioning.domain.line import Line
from didflow_provisioning.domain.routing import Routing
from didflow_provisioning.domain.trunks import VoiceTrunk

METADATA = sa.MetaData()


def _instant(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, TIMESTAMP(timezone=True), nullable=nullable)


routings = state_table(
    "routings",
    METADATA,
    sa.Column("did_id", PG_UUID(as_uuid=True), primary_key=True),
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("account", sa.Text, nullable=False, comment="who holds the DID, as last heard"),
    sa.Column("features", JSONB, nullable=False),
    sa.Column("carrier", sa.Text),
    sa.Column("sms_carrier", sa.Text),
    sa.Column("origin", sa.Text),
    sa.Column("stock", sa.Text),
    sa.Column("confirmed", sa.Boolean, nullable=False, comment="inventory has given it the number"),
    sa.Column("registration", sa.Text),
    sa.Column("term", sa.Text),
    sa.Column("ended", sa.Text, comment="why it was removed or refused"),
    sa.Column("carrier_state", sa.Text, nullable=False),
    sa.Column("failed_because", sa.Text),
    sa.Column("served_by", sa.Text, comment="the carrier that it was last ordered from"),
    sa.Column("voice", JSONB),
    sa.Column("capacity", JSONB),
    sa.Column("sms", JSONB),
    sa.Column("applied", JSONB, nullable=False, comment="what the carrier has of voice, capacity and sms"),
    sa.Column("out", JSONB, comment="the DID's open command"),
    sa.Column("failures", JSONB, nullable=False),
    sa.Column("seen", JSONB, nullable=False, comment="last applied sequence of each axis heard"),
    _instant("due_at"),
    sa.Index("routings_due_at", "due_at", postgresql_where=sa.text("due_at IS NOT NULL")),
    sa.Index("routings_live_number", "number", postgresql_where=sa.text("ended IS NULL")),
    sa.Index(
        "routings_voice_target",
        sa.text("(voice -> 'delivery' ->> 'id')"),
        postgresql_where=sa.text("voice IS NOT NULL"),
    ),
    emits=True,
)

lines = state_table(
    "lines",
    METADATA,
    sa.Column("number", sa.Text, primary_key=True),
    sa.Column("lives", JSONB, nullable=False, comment="DIDs not released yet, earliest first"),
    sa.Column("open", PG_UUID(as_uuid=True), comment="the number's one open command"),
    sa.Column("sent", sa.BigInteger, nullable=False),
    _instant("due_at"),
    sa.Index("lines_due_at", "due_at", postgresql_where=sa.text("due_at IS NOT NULL")),
)

commands = state_table(
    "carrier_commands",
    METADATA,
    sa.Column("command_id", PG_UUID(as_uuid=True), primary_key=True),
    sa.Column("did_id", PG_UUID(as_uuid=True), nullable=False),
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("account", sa.Text, nullable=False, comment="who held the DID when it was ordered"),
    sa.Column("carrier", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("asked", JSONB, nullable=False, comment="what its parameters say"),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    _instant("issued_at", nullable=False),
    _instant("deadline", nullable=False),
    _instant("next_at"),
    _instant("give_up_at", nullable=False),
    sa.Column("code", sa.Text),
    sa.Column("message", sa.Text),
    sa.Column("carrier_reference", sa.Text),
    _instant("closed_at"),
    sa.Index("carrier_commands_did", "did_id", "issued_at", "command_id"),
    sa.Index("carrier_commands_number", "number"),
    sa.Index("carrier_commands_issued_at", "issued_at", "command_id"),
    sa.Index(
        "carrier_commands_unfinished",
        "state",
        "issued_at",
        "command_id",
        postgresql_where=sa.text("state <> 'succeeded'"),
    ),
)

trunks = state_table(
    "voice_trunks",
    METADATA,
    sa.Column("trunk_id", PG_UUID(as_uuid=True), primary_key=True),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("endpoints", JSONB, nullable=False),
    _instant("created_at", nullable=False),
    sa.Column("deleted", sa.Boolean, nullable=False),
    sa.Index("voice_trunks_account", sa.text('account COLLATE "C"'), "name", "trunk_id"),
)

ROUTING = Kind(model=Routing, table=routings, key="did_id", subject="number", due="due_at")
LINE = Kind(model=Line, table=lines, key="number", subject="number", due="due_at")
COMMAND = Kind(model=CarrierCommand, table=commands, key="command_id", subject="number")
TRUNK = Kind(model=VoiceTrunk, table=trunks, key="trunk_id")
KINDS = (ROUTING, LINE, COMMAND, TRUNK)

COMMAND_SORTS = {"issued_at": commands.c.issued_at}
TRUNK_SORTS = {"name": trunks.c.name, "created_at": trunks.c.created_at}


def routings_named(names: Iterable[UUID | str], caller: Caller) -> sa.Select[Any]:
    """Select the routings in the caller's reach that these `did_id`s and numbers name.

    A `did_id` names its DID whatever became of it, a number only a living one: the one that inventory has
    given it to first, then the latest, while another purchase of it is not refused yet.
    """
    ids = [name for name in names if isinstance(name, UUID)]
    numbers = [name for name in names if isinstance(name, str)]
    living = sa.and_(routings.c.number.in_(numbers), routings.c.ended.is_(None))
    return (
        sa.select(*(routings.c[name] for name in ROUTING.columns))
        .where(sa.or_(routings.c.did_id.in_(ids), living), within(routings.c.account, caller))
        .order_by(routings.c.confirmed.desc(), routings.c.did_id.desc())
    )


def orders(caller: Caller, *conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Select commands for DIDs that the caller's subtree holds now."""
    holder = routings.c.did_id == commands.c.did_id
    return (
        sa.select(*(commands.c[name] for name in COMMAND.columns))
        .select_from(commands.join(routings, holder))
        .where(within(routings.c.account, caller), *conditions)
    )


def usable_trunks(caller: Caller, *conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Select the trunks of the caller's subtree, and those above that serve the caller's account."""
    reach = sa.or_(within(trunks.c.account, caller), trunks.c.account.in_(_above(caller.account)))
    columns = (trunks.c[name] for name in TRUNK.columns)
    return sa.select(*columns).where(reach, trunks.c.deleted.is_(False), *conditions)


def uses_of_trunk(trunk_id: UUID) -> sa.Select[Any]:
    """Count the living DIDs whose calls go to a trunk."""
    target = routings.c.voice["delivery"]["id"].astext
    return sa.select(sa.func.count().label("uses")).where(
        routings.c.voice.is_not(None), target == str(trunk_id)
    )


def routing_in(row: Any) -> Routing:
    """Build the routing of a row of `routings_named`."""
    return ROUTING.from_row(tuple(row)).state


def order_in(row: Any) -> CarrierCommand:
    """Build the command of a row of `orders`."""
    return COMMAND.from_row(tuple(row)).state


def trunk_in(row: Any) -> VoiceTrunk:
    """Build the trunk of a row of `usable_trunks`."""
    return TRUNK.from_row(tuple(row)).state


def _above(account: str) -> list[str]:
    parts = account.split("/")
    return ["/".join(parts[:depth]) for depth in range(1, len(parts))]
