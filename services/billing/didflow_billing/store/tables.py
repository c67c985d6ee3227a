"""The tables of billing and the kinds that are stored in them: terms, the ledger, and the price list.

Triggers of the ledger keep the totals, in the transaction that writes the entries. See the migration.
"""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import UUID as PG_UUID

from didflow_billing.domain.ledger import LedgerEntry
from didflow_billing.domain.prices.row import PriceRow, PriceSeries
from didflow_billing.domain.term import Term
from didflow_chassis.row_access import RowsOfAccount, readable, written_by_triggers
from didflow_chassis.states import Kind, instant, state_table

METADATA = sa.MetaData()

terms = state_table(
    "terms",
    METADATA,
    sa.Column("did_id", PG_UUID(as_uuid=True), primary_key=True),
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("account", sa.Text, nullable=False, comment="holder of the DID, as last received"),
    sa.Column("payer", sa.Text, nullable=False, comment="account that purchased the DID and is charged"),
    sa.Column("order_id", sa.Text),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("price", JSONB),
    sa.Column("billing_period", sa.Integer),
    sa.Column("cycles_left", sa.Integer),
    instant("purchased_at"),
    sa.Column("period", sa.Integer, nullable=False),
    instant("period_start"),
    instant("expires_at"),
    instant("aging_until"),
    instant("anchor"),
    sa.Column("anchor_months", sa.Integer, nullable=False),
    sa.Column("free_days", sa.Integer, nullable=False),
    sa.Column("registration", sa.Text),
    sa.Column("completed", sa.Boolean, nullable=False),
    sa.Column("accepted", sa.Boolean, nullable=False),
    sa.Column("charges", JSONB, nullable=False),
    sa.Column("entry_count", sa.Integer, nullable=False),
    sa.Column("sequences", JSONB, nullable=False),
    instant("changed_at"),
    sa.Column("reminded", JSONB, comment="last reminder published: ends_at, days"),
    instant("due_at"),
    sa.Index("terms_due_at", "due_at", postgresql_where=sa.text("due_at IS NOT NULL")),
    sa.Index("terms_live_number", "number", postgresql_where=sa.text("state <> 'closed'")),
    emits=True,
    rows=RowsOfAccount(),
)

ledger = sa.Table(
    "ledger",
    METADATA,
    sa.Column("entry_id", PG_UUID(as_uuid=True), primary_key=True),
    sa.Column("did_id", PG_UUID(as_uuid=True), nullable=False),
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("position", sa.Integer, nullable=False, comment="counts the entries of a DID, from 1"),
    sa.Column("order_id", sa.Text),
    sa.Column("payer", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("amount", sa.Numeric, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    instant("period_start"),
    instant("period_end"),
    sa.Column("reverses", PG_UUID(as_uuid=True)),
    instant("posted_at", nullable=False),
    instant("recorded_at", nullable=False),
    sa.Index(
        "ledger_charged_once",
        "did_id",
        "period_start",
        unique=True,
        postgresql_where=sa.text("kind IN ('recurring', 'renewal')"),
    ),
    sa.Index("ledger_did", "did_id", "position", unique=True),
    sa.Index("ledger_number", "number"),
    sa.Index("ledger_order", "order_id", postgresql_where=sa.text("order_id IS NOT NULL")),
    sa.Index("ledger_payer", sa.text('payer COLLATE "C"'), "posted_at", "entry_id"),
    sa.Index("ledger_payer_did", sa.text('payer COLLATE "C"'), "did_id", "currency"),
    sa.Index(
        "ledger_posted_at",
        "posted_at",
        "entry_id",
        postgresql_include=("payer", "order_id", "currency", "kind", "amount"),
    ),
    sa.Index("ledger_recorded_at", "recorded_at", "entry_id"),
    sa.Index("ledger_reverses", "reverses", unique=True, postgresql_where=sa.text("reverses IS NOT NULL")),
    info=readable(RowsOfAccount(column="payer")),
)

_NAME = sa.Text(collation="C")


account_totals = sa.Table(
    "account_totals",
    METADATA,
    sa.Column(
        "period", _NAME, primary_key=True, comment="all, a month, a day or an hour of posted_at, in UTC"
    ),
    sa.Column("account", _NAME, primary_key=True),
    sa.Column("currency", _NAME, primary_key=True),
    sa.Column("stripe", sa.SmallInteger, primary_key=True, comment="so that writers do not wait for one row"),
    sa.Column("charged", sa.Numeric, nullable=False),
    sa.Column("refunded", sa.Numeric, nullable=False),
    instant("first_at", nullable=False),
    instant("last_at", nullable=False),
    info=readable(RowsOfAccount()) | written_by_triggers(),
)
"""What each account and the accounts below it pay. A total is the sum of its stripes."""

order_totals = sa.Table(
    "order_totals",
    METADATA,
    sa.Column("account", _NAME, primary_key=True),
    sa.Column("order_id", _NAME, primary_key=True, comment="empty for entries without an order"),
    sa.Column("currency", _NAME, primary_key=True),
    sa.Column("day", sa.Date, primary_key=True, comment="of posted_at, in UTC"),
    sa.Column("stripe", sa.SmallInteger, primary_key=True, comment="so that writers do not wait for one row"),
    sa.Column("charged", sa.Numeric, nullable=False),
    sa.Column("refunded", sa.Numeric, nullable=False),
    info=readable(RowsOfAccount()) | written_by_triggers(),
)
"""What each payer pays for each order on each day. Most orders have entries on one day of a month."""

price_series = state_table(
    "price_series",
    METADATA,
    sa.Column("key", sa.Text, primary_key=True, comment="account, country and number type"),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("country", sa.Text, nullable=False, comment="* for every country"),
    sa.Column("number_type", sa.Text, nullable=False, comment="* for every type"),
    sa.Column("prices", JSONB, nullable=False, comment="the rows of prices, the earliest first"),
    rows=RowsOfAccount(serves_below=True),
)

prices = sa.Table(
    "prices",
    METADATA,
    sa.Column("price_id", PG_UUID(as_uuid=True), primary_key=True),
    sa.Column("account", sa.Text, nullable=False, comment="it holds for this account and those below it"),
    sa.Column("country", sa.Text, nullable=False, comment="* for every country"),
    sa.Column("number_type", sa.Text, nullable=False, comment="* for every type"),
    instant("effective_from", nullable=False),
    sa.Column("setup", sa.Numeric, nullable=False),
    sa.Column("recurring", sa.Numeric, nullable=False, comment="per month"),
    sa.Column("currency", sa.Text, nullable=False),
    instant("recorded_at", nullable=False),
    sa.Column("recorded_by", sa.Text, nullable=False, comment="actor"),
    sa.Index("prices_row", "account", "country", "number_type", "effective_from", unique=True),
    sa.Index("prices_account", sa.text('account COLLATE "C"'), "price_id"),
    sa.Index("prices_effective_from", "effective_from", "price_id"),
    info=readable(RowsOfAccount()),
)

TERM = Kind(model=Term, table=terms, key="did_id", subject="number", due="due_at")
LEDGER = Kind(model=LedgerEntry, table=ledger, key="entry_id", append_only=True, recorded="recorded_at")
PRICE_SERIES = Kind(model=PriceSeries, table=price_series, key="key", subject="account")
PRICES = Kind(model=PriceRow, table=prices, key="price_id", append_only=True)
KINDS = (TERM, LEDGER, PRICE_SERIES, PRICES)
