"""The tables of inventory, and the kinds of state that they store."""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import UUID as PG_UUID

from didflow_chassis.commit_order import TRANSACTION, transaction_column
from didflow_chassis.http.event_ids import KEPT_FOR
from didflow_chassis.row_access import CheckedRows, RowsOfAccount, readable
from didflow_chassis.states import Kind, instant, state_table, written_at
from didflow_inventory.domain.accounts.account import Account
from didflow_inventory.domain.accounts.carriers import Carrier, CarrierUse
from didflow_inventory.domain.accounts.operators import Operator, OperatorUse
from didflow_inventory.domain.accounts.users import User, UserUse
from didflow_inventory.domain.did import Did
from didflow_inventory.domain.history.entry import HistoryEntry
from didflow_inventory.domain.my_numbers.change import DidChange
from didflow_inventory.domain.my_numbers.listing import FILTERS
from didflow_inventory.domain.packages.package import Package, PackageClient, PackageUse
from didflow_inventory.domain.stock.number import Number, OrderedNumber
from didflow_inventory.domain.stock.reservation import HeldNumbers, Reservation

METADATA = sa.MetaData()

VIEWS = sa.MetaData()
"""The views. They are loaded like tables and never written."""


def _uuid(name: str, *, nullable: bool = True, primary_key: bool = False) -> sa.Column[UUID]:
    return sa.Column(name, PG_UUID(as_uuid=True), nullable=nullable, primary_key=primary_key)


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
    instant("purchased_at", nullable=False),
    _text("stock", nullable=False),
    _text("last_step", nullable=False),
    instant("held_since"),
    instant("until"),
    *(_text(name) for name in ("after_hold", "held_by", "before_hold", "next_after_hold", "blocked_by")),
    _text("account", nullable=False),
    _flag("in_enterprise"),
    _text("payer", nullable=False),
    _text("user"),
    _text("package_key"),
    _json("features"),
    _text("carrier"),
    _text("sms_carrier"),
    _text("origin", nullable=False),
    _json("tags"),
    *(_text(name) for name in ("description", "notes", "refusal_code", "removal_reason")),
    instant("removed_at"),
    _json("holders"),
    _json("assignment", nullable=True),
    *(_json(name) for name in ("registration", "services", "routing", "term", "sequences")),
    instant("assignment_refused_at"),
    _text("published_status"),
    _text("status"),
    _text("shown_region"),
    _uuid("identity_id"),
    instant("expires_at"),
    *(_flag(f"in_{name}") for name in FILTERS),
    emits=True,
    rows=CheckedRows(),
)

numbers = state_table(
    "numbers",
    METADATA,
    _text("number", nullable=False, primary_key=True),
    _uuid("did_id"),
    _uuid("last_did_id"),
    _flag("releasing"),
    _text("stock"),
    _text("uploaded_by"),
    instant("uploaded_at"),
    *(_text(name) for name in ("country", "region", "number_type")),
    _json("features"),
    *(_text(name) for name in ("operator", "carrier", "sms_carrier")),
    _uuid("reservation_id"),
    _text("held_for"),
    instant("until"),
    *(_text(name) for name in ("tag", "notes", "after_hold")),
    rows=RowsOfAccount(column="uploaded_by", serves_below=True),
)

ordered_numbers = state_table(
    "ordered_numbers",
    METADATA,
    _text("key", nullable=False, primary_key=True),
    _text("number", nullable=False),
    _uuid("did_id", nullable=False),
)

reservations = state_table(
    "reservations",
    METADATA,
    _uuid("reservation_id", nullable=False, primary_key=True),
    _text("account", nullable=False),
    _json("numbers"),
    _text("state", nullable=False),
    instant("created_at", nullable=False),
    instant("expires_at", nullable=False),
    instant("due_at"),
    instant("ended_at"),
)

held_numbers = state_table(
    "held_numbers",
    METADATA,
    _text("account", nullable=False, primary_key=True),
    _json("held"),
)

accounts = state_table(
    "accounts",
    METADATA,
    _text("path", nullable=False, primary_key=True),
    _text("name", nullable=False),
    _text("kind", nullable=False),
    _text("default_carrier"),
    _text("default_sms_carrier"),
    _flag("allow_external_numbers"),
    _flag("may_set_prices"),
    instant("created_at", nullable=False),
    rows=CheckedRows(column="path"),
)

users = state_table(
    "users",
    METADATA,
    _uuid("user_id", nullable=False, primary_key=True),
    _text("account", nullable=False),
    _text("name", nullable=False),
    _text("kind", nullable=False),
    _text("subject"),
    _text("email"),
    _uuid("default_did"),
    _text("default_number"),
    _flag("sms_enabled"),
    _text("extension"),
    instant("created_at", nullable=False),
    _flag("deleted"),
    rows=RowsOfAccount(),
)

user_uses = state_table(
    "user_uses",
    VIEWS,
    _text("user_id", nullable=False, primary_key=True),
    sa.Column("dids", sa.BigInteger, nullable=False),
)

carriers = state_table(
    "carriers",
    METADATA,
    _uuid("carrier_id", nullable=False, primary_key=True),
    _text("account", nullable=False),
    _text("name", nullable=False),
    _text("kind", nullable=False),
    instant("created_at", nullable=False),
    _flag("deleted"),
    rows=RowsOfAccount(serves_below=True),
)

carrier_uses = state_table(
    "carrier_uses", VIEWS, _uuid("carrier_id", nullable=False, primary_key=True), _flag("voice"), _flag("sms")
)

operators = state_table(
    "operators",
    METADATA,
    _uuid("operator_id", nullable=False, primary_key=True),
    _text("account", nullable=False),
    _text("name", nullable=False),
    _json("countries"),
    _text("notes"),
    instant("created_at", nullable=False),
    _flag("deleted"),
    rows=RowsOfAccount(serves_below=True),
)

operator_uses = state_table("operator_uses", VIEWS, _uuid("operator_id", nullable=False, primary_key=True))

packages = state_table(
    "packages",
    METADATA,
    _uuid("package_id", nullable=False, primary_key=True),
    _text("account", nullable=False),
    _text("name", nullable=False),
    sa.Column("count", sa.Integer, nullable=False),
    _json("selection"),
    sa.Column("hold_days", sa.Integer, nullable=False),
    _text("state", nullable=False),
    instant("created_at", nullable=False),
    rows=RowsOfAccount(serves_below=True),
)

package_clients = state_table(
    "package_clients",
    METADATA,
    _text("key", nullable=False, primary_key=True),
    _uuid("package_id", nullable=False),
    _text("account", nullable=False),
    _flag("active"),
    sa.Column("picks", sa.BigInteger, nullable=False),
    instant("since", nullable=False),
    rows=RowsOfAccount(),
)

package_uses = state_table(
    "package_uses",
    VIEWS,
    _text("key", nullable=False, primary_key=True),
    sa.Column("dids", sa.BigInteger, nullable=False),
    sa.Column("picks", sa.BigInteger, nullable=False),
)

history = sa.Table(
    "history",
    METADATA,
    sa.Column("position", sa.BigInteger, sa.Identity(always=True), nullable=False),
    transaction_column(),
    _text("thing", nullable=False),
    _uuid("did_id"),
    _text("thing_id"),
    _text("number"),
    _text("account", nullable=False),
    instant("at", nullable=False),
    instant("recorded_at", nullable=False),
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
    _text("claimed_actor"),
    sa.PrimaryKeyConstraint("transaction_id", "position"),
    info=readable(CheckedRows()),
)

did_changes = sa.Table(
    "did_changes",
    METADATA,
    transaction_column(),
    sa.Column("position", sa.BigInteger, sa.Identity(always=True), nullable=False),
    written_at(),
    _uuid("did_id", nullable=False),
    _text("number", nullable=False),
    *(_text(name) for name in ("account", "user", "status", "former_account", "former_user")),
    sa.PrimaryKeyConstraint(TRANSACTION, "position"),
    info=readable(RowsOfAccount(former="former_account")),
)

DIDS: Final = Kind(
    model=Did, table=dids, key="did_id", subject="number", due="until", parts=("holding", "views", "listing")
)
NUMBERS: Final = Kind(model=Number, table=numbers, key="number", subject="number")
ORDERED_NUMBERS: Final = Kind(model=OrderedNumber, table=ordered_numbers, key="key", subject="number")
RESERVATIONS: Final = Kind(
    model=Reservation, table=reservations, key="reservation_id", due="due_at", ended="ended_at"
)
HELD_NUMBERS: Final = Kind(model=HeldNumbers, table=held_numbers, key="account")
ACCOUNTS: Final = Kind(model=Account, table=accounts, key="path")
USERS: Final = Kind(model=User, table=users, key="user_id")
USER_USES: Final = Kind(model=UserUse, table=user_uses, key="user_id")
CARRIERS: Final = Kind(model=Carrier, table=carriers, key="carrier_id")
CARRIER_USES: Final = Kind(model=CarrierUse, table=carrier_uses, key="carrier_id")
OPERATORS: Final = Kind(model=Operator, table=operators, key="operator_id")
OPERATOR_USES: Final = Kind(model=OperatorUse, table=operator_uses, key="operator_id")

PACKAGES: Final = Kind(model=Package, table=packages, key="package_id")
PACKAGE_CLIENTS: Final = Kind(model=PackageClient, table=package_clients, key="key")
PACKAGE_USES: Final = Kind(model=PackageUse, table=package_uses, key="key")
HISTORY: Final = Kind(model=HistoryEntry, table=history, key="did_id", append_only=True)
DID_CHANGES: Final = Kind(
    model=DidChange, table=did_changes, key="did_id", append_only=True, kept_for=KEPT_FOR + timedelta(hours=1)
)
"""The rows are kept for longer than the ids with which clients resume."""
KINDS: Final[tuple[Kind[Any], ...]] = (
    DIDS,
    NUMBERS,
    ORDERED_NUMBERS,
    ACCOUNTS,
    USERS,
    USER_USES,
    CARRIERS,
    CARRIER_USES,
    OPERATORS,
    OPERATOR_USES,
    HISTORY,
    DID_CHANGES,
    RESERVATIONS,
    HELD_NUMBERS,
    PACKAGES,
    PACKAGE_CLIENTS,
    PACKAGE_USES,
)
