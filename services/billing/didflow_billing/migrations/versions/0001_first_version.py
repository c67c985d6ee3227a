"""The tables of billing: terms, the ledger and the price list."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP, UUID

revision = "billing_0001"
down_revision = None
branch_labels = ("billing",)
depends_on = None


def instant(name: str, *, nullable: bool = True) -> sa.Column:
    return sa.Column(name, TIMESTAMP(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "terms",
        sa.Column("did_id", UUID(as_uuid=True), primary_key=True),
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
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("correlation_id", sa.Text, nullable=False),
    )
    op.create_index("terms_due_at", "terms", ["due_at"], postgresql_where=sa.text("due_at IS NOT NULL"))
    op.create_index("terms_live_number", "terms", ["number"], postgresql_where=sa.text("state <> 'closed'"))

    op.create_table(
        "ledger",
        sa.Column("entry_id", UUID(as_uuid=True), primary_key=True),
        sa.Column("did_id", UUID(as_uuid=True), nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("position", sa.Integer, nullable=False, comment="counts the entries of a DID, from 1"),
        sa.Column("order_id", sa.Text),
        sa.Column("payer", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("amount", sa.Numeric, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        instant("period_start"),
        instant("period_end"),
        sa.Column("reverses", UUID(as_uuid=True)),
        instant("posted_at", nullable=False),
    )
    op.create_index("ledger_did", "ledger", ["did_id", "position"], unique=True)
    op.create_index("ledger_number", "ledger", ["number"])
    op.create_index("ledger_order", "ledger", ["order_id"], postgresql_where=sa.text("order_id IS NOT NULL"))
    op.create_index("ledger_payer", "ledger", [sa.text('payer COLLATE "C"'), "posted_at", "entry_id"])
    op.create_index("ledger_posted_at", "ledger", ["posted_at", "entry_id"])
    op.create_index(
        "ledger_reverses", "ledger", ["reverses"], unique=True, postgresql_where=sa.text("reverses IS NOT NULL")
    )

    op.create_table(
        "price_series",
        sa.Column("key", sa.Text, primary_key=True, comment="account, country and number type"),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("country", sa.Text, nullable=False, comment="* for every country"),
        sa.Column("number_type", sa.Text, nullable=False, comment="* for every type"),
        sa.Column("prices", JSONB, nullable=False, comment="the rows of prices, the earliest first"),
        sa.Column("version", sa.BigInteger, nullable=False),
    )

    op.create_table(
        "prices",
        sa.Column("price_id", UUID(as_uuid=True), primary_key=True),
        sa.Column(
            "account", sa.Text, nullable=False, comment="it holds for this account and those below it"
        ),
        sa.Column("country", sa.Text, nullable=False, comment="* for every country"),
        sa.Column("number_type", sa.Text, nullable=False, comment="* for every type"),
        instant("effective_from", nullable=False),
        sa.Column("setup", sa.Numeric, nullable=False),
        sa.Column("recurring", sa.Numeric, nullable=False, comment="per month"),
        sa.Column("currency", sa.Text, nullable=False),
        instant("recorded_at", nullable=False),
        sa.Column("recorded_by", sa.Text, nullable=False, comment="actor"),
    )
    op.create_index(
        "prices_row", "prices", ["account", "country", "number_type", "effective_from"], unique=True
    )
    op.create_index("prices_account", "prices", [sa.text('account COLLATE "C"'), "price_id"])
    op.create_index("prices_effective_from", "prices", ["effective_from", "price_id"])


def downgrade() -> None:
    op.drop_table("prices")
    op.drop_table("price_series")
    op.drop_table("ledger")
    op.drop_table("terms")
