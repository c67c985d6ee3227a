"""Provisioning's own tables: routings, lines, commands to carriers, voice trunks."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP, UUID

revision = "provisioning_0001"
down_revision = None
branch_labels = ("provisioning",)
depends_on = None


def instant(name: str, *, nullable: bool = True) -> sa.Column:
    return sa.Column(name, TIMESTAMP(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "routings",
        sa.Column("did_id", UUID(as_uuid=True), primary_key=True),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False, comment="who holds the DID, as last heard"),
        sa.Column("features", JSONB, nullable=False),
        sa.Column("carrier", sa.Text),
        sa.Column("sms_carrier", sa.Text),
        sa.Column("origin", sa.Text),
        sa.Column("stock", sa.Text),
        sa.Column("confirmed", sa.Boolean, nullable=False, comment="inventory has given it the number"),
        sa.Column("registration", sa.Text),
        sa.Column("term", sa.Text),
        sa.Column("ended", sa.Text, comment="why it was removed or refused"),
        sa.Column("carrier_state", sa.Text, nullable=False),
        sa.Column("failed_because", sa.Text),
        sa.Column("served_by", sa.Text, comment="the carrier that it was last ordered from"),
        sa.Column("voice", JSONB),
        sa.Column("capacity", JSONB),
        sa.Column("sms", JSONB),
        sa.Column("applied", JSONB, nullable=False, comment="what the carrier has of voice, capacity and sms"),
        sa.Column("out", JSONB, comment="the DID's open command"),
        sa.Column("failures", JSONB, nullable=False),
        sa.Column("seen", JSONB, nullable=False, comment="last applied sequence of each axis heard"),
        instant("due_at"),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("correlation_id", sa.Text, nullable=False),
    )
    op.create_index("routings_due_at", "routings", ["due_at"], postgresql_where=sa.text("due_at IS NOT NULL"))
    op.create_index(
        "routings_live_number", "routings", ["number"], postgresql_where=sa.text("ended IS NULL")
    )
    op.create_index(
        "routings_voice_target",
        "routings",
        [sa.text("(voice -> 'delivery' ->> 'id')")],
        postgresql_where=sa.text("voice IS NOT NULL"),
    )

    op.create_table(
        "lines",
        sa.Column("number", sa.Text, primary_key=True),
        sa.Column("lives", JSONB, nullable=False, comment="DIDs not released yet, earliest first"),
        sa.Column("open", UUID(as_uuid=True), comment="the number's one open command"),
        sa.Column("sent", sa.BigInteger, nullable=False),
        instant("due_at"),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    op.create_index("lines_due_at", "lines", ["due_at"], postgresql_where=sa.text("due_at IS NOT NULL"))

    op.create_table(
        "carrier_commands",
        sa.Column("command_id", UUID(as_uuid=True), primary_key=True),
        sa.Column("did_id", UUID(as_uuid=True), nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False, comment="who held the DID when it was ordered"),
        sa.Column("carrier", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("asked", JSONB, nullable=False, comment="what its parameters say"),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        instant("issued_at", nullable=False),
        instant("deadline", nullable=False),
        instant("next_at"),
        instant("give_up_at", nullable=False),
        sa.Column("code", sa.Text),
        sa.Column("message", sa.Text),
        sa.Column("carrier_reference", sa.Text),
        instant("closed_at"),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    op.create_index("carrier_commands_did", "carrier_commands", ["did_id", "issued_at", "command_id"])
    op.create_index("carrier_commands_number", "carrier_commands", ["number"])
    op.create_index("carrier_commands_issued_at", "carrier_commands", ["issued_at", "command_id"])
    op.create_index(
        "carrier_commands_unfinished",
        "carrier_commands",
        ["state", "issued_at", "command_id"],
        postgresql_where=sa.text("state <> 'succeeded'"),
    )

    op.create_table(
        "voice_trunks",
        sa.Column("trunk_id", UUID(as_uuid=True), primary_key=True),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("endpoints", JSONB, nullable=False),
        instant("created_at", nullable=False),
        sa.Column("deleted", sa.Boolean, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    op.create_index("voice_trunks_account", "voice_trunks", [sa.text('account COLLATE "C"'), "name", "trunk_id"])


def downgrade() -> None:
    op.drop_table("voice_trunks")
    op.drop_table("carrier_commands")
    op.drop_table("lines")
    op.drop_table("routings")
