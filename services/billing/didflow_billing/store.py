"""How terms and the ledger lie in tables, and what can be read of them.

Every query is cut to the caller's reach: terms by their holder, the ledger by who pays.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.dialects.postgresql import UUID as PG_UUID

from didflow_billing.domain.ledger import LedgerEntry
from didflow_billing.domain.term import Term
from didflow_chassis.decision import Caller
from didflow_chassis.states import Kind, state_table
from didflow_chassis.tables import clock
from didflow_chassis.tenancy import within

METADATA = sa.MetaData()


def _instant(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, TIMESTAMP(timezone=True), nullable=nullable)


terms = state_table(
    "terms",
    METADATA,
    sa.Column("did_id", PG_UUID(as_uuid=True), primary_key=True),
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("account", sa.Text, nullable=False, comment="who holds the DID, as last heard"),
    sa.Column("payer", sa.Text, nullable=False, comment="who purchased it and is charged"),
    sa.Column("order_id", sa.Text),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("price", JSONB),
    sa.Column("billing_period", sa.Integer),
    sa.Column("cycles_left", sa.Integer),
    _instant("purchased_at"),
    sa.Column("period", sa.Integer, nullable=False),
    _instant("period_start"),
    _instant("expires_at"),
    _instant("aging_until"),
    _instant("anchor"),
    sa.Column("anchor_months", sa.Integer, nullable=False),
    sa.Column("extended", sa.Integer, nullable=False),
    sa.Column("registration", sa.Text),
    sa.Column("completed", sa.Boolean, nullable=False),
    sa.Column("accepted", sa.Boolean, nullable=False),
    sa.Column("charges", JSONB, nullable=False),
    sa.Column("entries", sa.Integer, nullable=False),
    sa.Column("seen", JSONB, nullable=False),
    _instant("due_at"),
    sa.Index("terms_due_at", "due_at", postgresql_where=sa.text("due_at IS NOT NULL")),
    sa.Index("terms_live_number", "number", postgresql_where=sa.text("state <> 'closed'")),
    emits=True,
)

ledger = sa.Table(
    "ledger",
    METADATA,
    sa.Column("entry_id", PG_UUID(as_uuid=True), primary_key=True),
    sa.Column("did_id", PG_UUID(as_uuid=True), nullable=False),
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("line", sa.Integer, nullable=False, comment="its place in its DID's count, from 1"),
    sa.Column("order_id", sa.Text),
    sa.Column("payer", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("amount", sa.Numeric, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    _instant("period_start"),
    _instant("period_end"),
    sa.Column("reverses", PG_UUID(as_uuid=True)),
    _instant("posted_at", nullable=False),
    sa.Index("ledger_did", "did_id", "line", unique=True),
    sa.Index("ledger_number", "number"),
    sa.Index("ledger_order", "order_id", postgresql_where=sa.text("order_id IS NOT NULL")),
    sa.Index("ledger_payer", sa.text('payer COLLATE "C"'), "posted_at", "entry_id"),
    sa.Index("ledger_posted_at", "posted_at", "entry_id"),
    sa.Index("ledger_reverses", "reverses", unique=True, postgresql_where=sa.text("reverses IS NOT NULL")),
)

TERM = Kind(model=Term, table=terms, key="did_id", subject="number", due="due_at")
LEDGER = Kind(model=LedgerEntry, table=ledger, key="entry_id", append_only=True)
KINDS = (TERM, LEDGER)

LEDGER_SORTS: Mapping[str, sa.ColumnElement[Any]] = {"posted_at": ledger.c.posted_at}
"""What the ledger may be sorted by."""

NOW = sa.select((sa.func.clock_timestamp() + sa.select(clock.c.shift).scalar_subquery()).label("now"))
"""The service's time: the database's, with what the embedded stack has moved it by."""


def terms_named(names: Iterable[UUID | str], caller: Caller) -> sa.Select[Any]:
    """Select the terms in the caller's reach that these `did_id`s and numbers name.

    A `did_id` names its DID whatever became of it, a number only a living one. While a purchase of a number
    that another DID has is not refused yet, both live: the accepted one comes first, then the latest.
    """
    ids = [name for name in names if isinstance(name, UUID)]
    numbers = [name for name in names if isinstance(name, str)]
    living = sa.and_(terms.c.number.in_(numbers), terms.c.state != "closed")
    order = (terms.c.accepted.desc(), terms.c.purchased_at.desc().nulls_last(), terms.c.did_id)
    return (
        sa.select(*(terms.c[name] for name in TERM.columns))
        .where(sa.or_(terms.c.did_id.in_(ids), living), within(terms.c.account, caller))
        .order_by(*order)
    )


def ledger_lines(caller: Caller, *conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Select the ledger lines that accounts in the caller's reach pay."""
    columns = (ledger.c[name] for name in LEDGER.columns)
    return sa.select(*columns).where(within(ledger.c.payer, caller), *conditions)


def term_in(row: Any) -> Term:
    """Build the term of a row of `terms_named`."""
    return TERM.from_row(row).state


def line_in(row: Any) -> LedgerEntry:
    """Build the entry of a row of `ledger_lines`."""
    return LedgerEntry(**{name: row[name] for name in LEDGER.names})
