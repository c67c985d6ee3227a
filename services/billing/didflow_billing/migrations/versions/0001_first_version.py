"""The tables of billing: terms and the ledger."""

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


def downgrade() -> None:
    op.drop_table("ledger")
    op.drop_table("terms")
