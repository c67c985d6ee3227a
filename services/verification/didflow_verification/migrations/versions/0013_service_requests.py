"""Requests for additional services, and what a number can do."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP, UUID

revision = "verification_0013"
down_revision = "verification_0012"
branch_labels = None
depends_on = None


def text(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Text, nullable=nullable)


def instant(name: str, *, nullable: bool = True) -> sa.Column:
    return sa.Column(name, TIMESTAMP(timezone=True), nullable=nullable)


def identifier(name: str, *, key: bool = False) -> sa.Column:
    return sa.Column(name, UUID(as_uuid=True), primary_key=key, nullable=False)


def upgrade() -> None:
    op.add_column("registrations", sa.Column("features", JSONB, comment="what the number can do, as heard"))
    op.add_column("registrations", sa.Column("services", JSONB, nullable=False, server_default="{}"))
    op.create_table(
        "service_requests",
        identifier("request_id", key=True),
        identifier("did_id"),
        text("number"),
        text("account"),
        text("service"),
        text("state"),
        identifier("identity_id"),
        sa.Column("identity_revision", sa.Integer),
        text("identity_account"),
        sa.Column("data", JSONB, comment="personal data: nowhere else; null once closed"),
        sa.Column("reasons", JSONB, nullable=False),
        instant("requested_at", nullable=False),
        text("requested_by"),
        instant("decided_at"),
        text("decided_by", nullable=True),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    op.create_index("service_requests_did", "service_requests", ["did_id", "requested_at"])
    op.create_index(
        "service_requests_account",
        "service_requests",
        [sa.text('account COLLATE "C"'), "requested_at", "request_id"],
    )
    op.create_index(
        "service_requests_open",
        "service_requests",
        ["requested_at", "request_id"],
        postgresql_where=sa.text("state <> 'not_configured'"),
    )


def downgrade() -> None:
    op.drop_table("service_requests")
    op.drop_column("registrations", "services")
    op.drop_column("registrations", "features")
