"""When approvals end, when the clock looks at a registration, and the papers of a review."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

revision = "verification_0011"
down_revision = "verification_0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("registrations", sa.Column("lapse", JSONB, comment="the known end of what is approved"))
    op.add_column("registrations", sa.Column("due_at", TIMESTAMP(timezone=True)))
    op.create_index(
        "registrations_due", "registrations", ["due_at"], postgresql_where=sa.text("due_at IS NOT NULL")
    )
    op.add_column("approvals", sa.Column("document_ids", JSONB, nullable=False, server_default="[]"))


def downgrade() -> None:
    op.drop_column("approvals", "document_ids")
    op.drop_index("registrations_due")
    op.drop_column("registrations", "due_at")
    op.drop_column("registrations", "lapse")
