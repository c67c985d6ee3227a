"""Verification's own tables: the catalogue, end users, registrations, attempts and reviews."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP, UUID

revision = "verification_0001"
down_revision = None
branch_labels = ("verification",)
depends_on = None


def instant(name: str, *, nullable: bool = True) -> sa.Column:
    return sa.Column(name, TIMESTAMP(timezone=True), nullable=nullable)


def identifier(name: str, *, key: bool = False, nullable: bool = False) -> sa.Column:
    return sa.Column(name, UUID(as_uuid=True), primary_key=key, nullable=nullable)


def text(name: str, *, nullable: bool = False, comment: str | None = None) -> sa.Column:
    return sa.Column(name, sa.Text, nullable=nullable, comment=comment)


def json(name: str, *, nullable: bool = False, comment: str | None = None) -> sa.Column:
    return sa.Column(name, JSONB, nullable=nullable, comment=comment)


def count(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Integer, nullable=nullable)


def version() -> sa.Column:
    return sa.Column("version", sa.BigInteger, nullable=False)


def upgrade() -> None:
    op.create_table(
        "catalogue",
        sa.Column("country", sa.Text, primary_key=True, comment="ISO-2; * for anywhere else"),
        json("languages"),
        json("places"),
        json("requirements", comment="all rows in all versions"),
        version(),
    )

    op.create_table(
        "identities",
        identifier("identity_id", key=True),
        text("account", comment="the account that it serves, with those below"),
        text("type"),
        json("person", comment="personal data: nowhere else"),
        count("revision"),
        instant("created_at", nullable=False),
        text("created_by"),
        version(),
    )
    op.create_index(
        "identities_account", "identities", [sa.text('account COLLATE "C"'), "created_at", "identity_id"]
    )

    op.create_table(
        "addresses",
        identifier("address_id", key=True),
        identifier("identity_id"),
        text("account", comment="its identity's"),
        json("place", comment="personal data: nowhere else"),
        count("revision"),
        instant("created_at", nullable=False),
        text("created_by"),
        version(),
    )
    op.create_index(
        "addresses_account", "addresses", [sa.text('account COLLATE "C"'), "created_at", "address_id"]
    )
    op.create_index("addresses_identity", "addresses", ["identity_id"])

    op.create_table(
        "registrations",
        identifier("did_id", key=True),
        text("number"),
        text("country"),
        text("number_type"),
        text("end_user_type", nullable=True, comment="as ordered: only says what is shown first"),
        text("account", comment="who holds the DID, as last heard"),
        json("holders", comment="who held it since when"),
        text("state"),
        text("requirement"),
        count("requirement_version"),
        json("approved", nullable=True),
        json("assigned", nullable=True),
        sa.Column("open", sa.Boolean, nullable=False, comment="the last attempt is not decided"),
        count("attempt"),
        json("reasons"),
        instant("assigned_at"),
        instant("grace_until"),
        instant("started_at", nullable=False),
        text("ended", nullable=True, comment="removed or refused: frozen"),
        json("seen"),
        version(),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("correlation_id", sa.Text, nullable=False),
    )
    op.create_index(
        "registrations_live_number",
        "registrations",
        ["number"],
        postgresql_where=sa.text("ended IS NULL"),
    )

    op.create_table(
        "verifications",
        identifier("verification_id", key=True),
        text("reference"),
        identifier("did_id"),
        text("number"),
        text("account"),
        text("country"),
        text("number_type"),
        text("end_user_type", nullable=True),
        count("attempt"),
        text("status"),
        text("requirement"),
        count("requirement_version"),
        text("prefix", comment="the number's, where the area matters; else empty"),
        identifier("identity_id"),
        count("identity_revision", nullable=True),
        identifier("address_id", nullable=True),
        count("address_revision", nullable=True),
        json("document_ids"),
        json("findings"),
        json("reasons"),
        sa.Column("automatic", sa.Boolean, nullable=False),
        identifier("rests_on", nullable=True),
        instant("submitted_at", nullable=False),
        text("submitted_by", nullable=True),
        instant("decided_at"),
        text("decided_by", nullable=True),
        text("claimed_by", nullable=True),
        instant("claimed_until"),
        version(),
    )
    op.create_index("verifications_did", "verifications", ["did_id", "attempt"], unique=True)
    op.create_index(
        "verifications_queue",
        "verifications",
        ["submitted_at", "verification_id"],
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_index(
        "verifications_account",
        "verifications",
        [sa.text('account COLLATE "C"'), "submitted_at", "verification_id"],
    )
    op.create_index("verifications_reference", "verifications", ["reference"])

    op.create_table(
        "approvals",
        sa.Column("approval_key", sa.Text, primary_key=True),
        identifier("verification_id"),
        text("requirement"),
        count("requirement_version"),
        count("identity_revision", nullable=True),
        count("address_revision", nullable=True),
        instant("valid_until"),
        instant("approved_at", nullable=False),
        version(),
    )
    op.create_index("approvals_verification", "approvals", ["verification_id"])


def downgrade() -> None:
    for table in ("approvals", "verifications", "registrations", "addresses", "identities", "catalogue"):
        op.drop_table(table)
