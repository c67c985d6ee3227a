"""Which addresses of a DID were changed: open requests for services may rest on others than the DID itself."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "verification_0022"
down_revision = "verification_0021"
branch_labels = None
depends_on = None

PLACES = """
CREATE VIEW places_in_use AS
SELECT did_id, number, identity_id, address_id FROM details_in_use
UNION ALL
SELECT did_id, number, identity_id, (data ->> 'address_id')::uuid FROM service_requests
WHERE state <> 'not_configured' AND data ->> 'address_id' IS NOT NULL
"""


def upgrade() -> None:
    op.add_column(
        "reassessments",
        sa.Column("address_ids", JSONB, nullable=False, server_default="[]", comment="changed since"),
    )
    op.execute(PLACES)


def downgrade() -> None:
    op.execute("DROP VIEW places_in_use")
    op.drop_column("reassessments", "address_ids")
