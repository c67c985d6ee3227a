"""How inventory's states lie in tables, and every question that is asked of them.

A query that shows a DID or an account names the caller: tenancy stands in the statement, not around it.
"""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.dialects.postgresql import UUID as PG_UUID

from didflow_chassis.decision import Caller
from didflow_chassis.states import Kind, state_table
from didflow_chassis.tables import clock
from didflow_chassis.tenancy import within
from didflow_inventory.domain.account import Account
from didflow_inventory.domain.did import Did
from didflow_inventory.domain.history import HistoryEntry
from didflow_inventory.domain.status import FILTERS, Filter
from didflow_inventory.domain.stock import Number, Order

METADATA = sa.MetaData()


def _uuid(name: str, *, nullable: bool = True, primary_key: bool = False) -> sa.Column[UUID]:
    return sa.Column(name, PG_UUID(as_uuid=True), nullable=nullable, primary_key=primary_key)


def _instant(name: str, *, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, TIMESTAMP(timezone=True), nullable=nullable)


def _text(name: str, *, nullable: bool = True, primary_key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable, primary_key=primary_key)


def _json(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, JSONB, nullable=nullable)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False)


dids = state_table(
    "dids",
    METADATA,
    _uuid("did_id", nullable=False, primary_key=True),
    _text("number", nullable=False),
    _text("number_type", nullable=False),
    *(_text(name) for name in ("country", "region", "area", "order_id")),
    _instant("purchased_at", nullable=False),
    _text("stock", nullable=False),
    _instant("until"),
    _text("after_hold"),
    _flag("held_by_package"),
    _text("account", nullable=False),
    _text("payer", nullable=False),
    _text("user"),
    _json("features"),
    _text("carrier"),
    _text("sms_carrier"),
    _text("origin", nullable=False),
    _json("tags"),
    *(_text(name) for name in ("description", "refusal", "removal")),
    _instant("removed_at"),
    _json("assigned", nullable=True),
    *(_json(name) for name in ("registration", "services", "routing", "term", "seen")),
    _text("said"),
    _text("status"),
    _uuid("identity_id"),
    _instant("expires_at"),
    *(_flag(f"in_{name}") for name in FILTERS),
    emits=True,
)

numbers = state_table(
    "numbers",
    METADATA,
    _text("number", nullable=False, primary_key=True),
    _uuid("did_id"),
    _uuid("last_did"),
    _flag("releasing"),
    _text("stock"),
    _text("uploader"),
)

orders = state_table(
    "orders",
    METADATA,
    _text("key", nullable=False, primary_key=True),
    _text("number", nullable=False),
    _uuid("did_id", nullable=False),
)

accounts = state_table(
    "accounts",
    METADATA,
    _text("path", nullable=False, primary_key=True),
    _text("name", nullable=False),
    _text("default_carrier"),
    _flag("allow_external_numbers"),
    _instant("created_at", nullable=False),
)

history = sa.Table(
    "history",
    METADATA,
    sa.Column("position", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    _uuid("did_id", nullable=False),
    _text("number", nullable=False),
    _text("account", nullable=False),
    _instant("at", nullable=False),
    _instant("recorded_at", nullable=False),
    _text("type", nullable=False),
    _text("source"),
    _text("event_id"),
    sa.Column("event_sequence", sa.BigInteger),
    _text("causation_id"),
    _text("actor", nullable=False),
    _text("outcome", nullable=False),
    _text("code"),
    _json("changes"),
    _json("extra"),
)

DIDS: Final = Kind(model=Did, table=dids, key="did_id", subject="number")
NUMBERS: Final = Kind(model=Number, table=numbers, key="number", subject="number")
ORDERS: Final = Kind(model=Order, table=orders, key="key", subject="number")
ACCOUNTS: Final = Kind(model=Account, table=accounts, key="path")
HISTORY: Final = Kind(model=HistoryEntry, table=history, key="did_id", append_only=True)
KINDS: Final[tuple[Kind[Any], ...]] = (DIDS, NUMBERS, ORDERS, ACCOUNTS, HISTORY)

DID_SORTS: Final = {name: dids.c[name] for name in ("number", "expires_at", "purchased_at", "status")}
ACCOUNT_SORTS: Final = {name: accounts.c[name] for name in ("path", "name", "created_at")}
NOW: Final = (sa.func.clock_timestamp() + sa.select(clock.c.shift).scalar_subquery()).label("now")
"""The service's time, as the stage reads it."""


def my_numbers(caller: Caller, chosen: Filter, *conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Select the living DIDs of the caller's subtree that a quick filter shows, each with the time."""
    return _dids().where(dids.c[f"in_{chosen}"], within(dids.c.account, caller), *conditions)


def one_did(caller: Caller, name: UUID | str) -> sa.Select[Any]:
    """Select one DID: a number means the one that lives on it, an id also a former one."""
    return _dids().where(_named(name), within(dids.c.account, caller))


def summary(caller: Caller) -> sa.Select[Any]:
    """Count the DIDs of the caller's subtree under each quick filter, in one pass."""
    counts = [sa.func.count().filter(dids.c[f"in_{name}"]).label(name) for name in FILTERS]
    columns: list[sa.ColumnElement[Any]] = [*counts]
    return sa.select(*columns).where(dids.c.in_all, within(dids.c.account, caller))


def living(caller: Caller, ids: Sequence[UUID], named: Sequence[str]) -> sa.Select[Any]:
    """Select id and number of the living DIDs in the caller's reach that go by these ids or numbers."""
    either = sa.or_(dids.c.did_id.in_(ids), dids.c.number.in_(named))
    return sa.select(dids.c.did_id, dids.c.number).where(
        dids.c.in_all, within(dids.c.account, caller), either
    )


def story(did_id: UUID) -> sa.Select[Any]:
    """Select the story of a DID that the caller has been shown."""
    return sa.select(history).where(history.c.did_id == did_id)


def account_tree(caller: Caller) -> sa.Select[Any]:
    """Select the accounts of the caller's subtree."""
    return sa.select(*(accounts.c[name] for name in ACCOUNTS.columns)).where(within(accounts.c.path, caller))


def did_in(row: Any) -> Did:
    """Read the DID out of a row."""
    return DIDS.from_row([row[name] for name in DIDS.columns]).state


def account_in(row: Any) -> Account:
    """Read the account out of a row."""
    return ACCOUNTS.from_row([row[name] for name in ACCOUNTS.columns]).state


def entry_in(row: Any) -> HistoryEntry:
    """Read the entry out of a row; it has no version, being written once."""
    return HISTORY.from_row([*(row[name] for name in HISTORY.columns), 0]).state


def _dids() -> sa.Select[Any]:
    return sa.select(*(dids.c[name] for name in DIDS.columns), NOW)


def _named(name: UUID | str) -> sa.ColumnElement[bool]:
    if isinstance(name, UUID):
        return dids.c.did_id == name
    return sa.and_(dids.c.number == name, dids.c.in_all)
