"""Revocations and loads of the catalogue, and the registrations that they make due."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP, UUID

revision = "verification_0012"
down_revision = "verification_0011"
branch_labels = None
depends_on = None


def instant(name: str, *, nullable: bool = True) -> sa.Column:
    return sa.Column(name, TIMESTAMP(timezone=True), nullable=nullable)


def text(name: str) -> sa.Column:
    return sa.Column(name, sa.Text, nullable=False)


def upgrade() -> None:
    op.create_table(
        "rechecks",
        sa.Column("did_id", UUID(as_uuid=True), primary_key=True),
        text("number"),
        instant("due_at"),
        sa.Column("revoked", UUID(as_uuid=True), comment="the review that it rests on and that is no more"),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    op.create_index("rechecks_due", "rechecks", ["due_at"], postgresql_where=sa.text("due_at IS NOT NULL"))
    op.create_table(
        "revocations",
        sa.Column("verification_id", UUID(as_uuid=True), primary_key=True),
        instant("revoked_at", nullable=False),
        text("revoked_by"),
    )
    op.create_table(
        "catalogue_changes",
        sa.Column("change_id", UUID(as_uuid=True), primary_key=True),
        text("country"),
        instant("changed_at", nullable=False),
        text("changed_by"),
        sa.Column("lines", JSONB, nullable=False),
        sa.Column("anew", sa.Boolean, nullable=False),
    )
    op.create_index("catalogue_changes_country", "catalogue_changes", ["country", "changed_at"])
    op.create_index(
        "registrations_rests_on",
        "registrations",
        [sa.text("((approved ->> 'rests_on')::uuid)")],
        postgresql_where=sa.text("ended IS NULL AND (approved ->> 'rests_on') IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("registrations_rests_on")
    for table in ("catalogue_changes", "revocations", "rechecks"):
        op.drop_table(table)
