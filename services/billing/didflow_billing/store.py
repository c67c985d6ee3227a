"""How terms and the ledger lie in tables, and what can be read of them.

Every query that serves a caller takes the condition of its tenancy: terms by holder, the ledger by payer.
"""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.dialects.postgresql import UUID as PG_UUID

from didflow_billing.domain.ledger import LedgerEntry
from didflow_billing.domain.term import Term
from didflow_chassis.states import Kind, state_table

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
    sa.Index("ledger_payer", sa.text('payer COLLATE "C"'), "posted_at", "entry_id"),
    sa.Index("ledger_posted_at", "posted_at", "entry_id"),
    sa.Index("ledger_reverses", "reverses", unique=True, postgresql_where=sa.text("reverses IS NOT NULL")),
)

TERM = Kind(model=Term, table=terms, key="did_id", subject="number", due="due_at")
LEDGER = Kind(model=LedgerEntry, table=ledger, key="entry_id", append_only=True)
KINDS = (TERM, LEDGER)

Tenancy = sa.ColumnElement[bool]


def term_of(name: UUID | str, tenancy: Tenancy) -> sa.Select[tuple[object, ...]]:
    """Select one term: by `did_id` whatever its state, by number the live one. One row or none."""
    return terms_of([name], tenancy).limit(1)


def terms_of(names: list[UUID | str], tenancy: Tenancy) -> sa.Select[tuple[object, ...]]:
    """Select the terms that these `did_id`s and numbers name, columns as `TERM.from_row` takes them.

    A number names its live DID; while a purchase of a number that another holds is not refused yet, the
    accepted one comes first, then the latest.
    """
    ids = [name for name in names if isinstance(name, UUID)]
    numbers = [name for name in names if isinstance(name, str)]
    named = sa.or_(terms.c.did_id.in_(ids), sa.and_(terms.c.number.in_(numbers), terms.c.state != "closed"))
    columns = [terms.c[name] for name in TERM.columns]
    order = (terms.c.accepted.desc(), terms.c.purchased_at.desc().nulls_last(), terms.c.did_id)
    return sa.select(*columns).where(named, tenancy).order_by(*order)


def ledger_lines(
    tenancy: Tenancy,
    *,
    did: UUID | str | None = None,
    order_id: str | None = None,
    kind: str | None = None,
) -> sa.Select[tuple[object, ...]]:
    """Select ledger lines, columns as `LEDGER.from_row` takes them; a number means all its DIDs."""
    wanted = [tenancy]
    if did is not None:
        wanted.append((ledger.c.did_id if isinstance(did, UUID) else ledger.c.number) == did)
    if order_id is not None:
        wanted.append(ledger.c.order_id == order_id)
    if kind is not None:
        wanted.append(ledger.c.kind == kind)
    return sa.select(*(ledger.c[name] for name in LEDGER.columns)).where(*wanted)
