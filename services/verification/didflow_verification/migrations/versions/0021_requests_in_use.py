"""What open requests for services rest on is in use too."""

import sqlalchemy as sa
from alembic import op

revision = "verification_0021"
down_revision = "verification_0013"
branch_labels = None
depends_on = None

DOCUMENTS = """
SELECT d.document_id, count(DISTINCT u.did_id), 1::bigint
FROM documents d JOIN details_in_use u ON u.identity_id = d.identity_id
WHERE u.document_ids ? d.document_id::text OR EXISTS (
    SELECT FROM verifications v WHERE v.identity_id = d.identity_id AND v.status IN ('pending', 'approved')
    AND v.document_ids ? d.document_id::text)
GROUP BY d.document_id
"""

BEFORE = f"""
CREATE OR REPLACE VIEW detail_uses AS
SELECT identity_id AS detail_id, count(DISTINCT did_id) AS dids, 1::bigint AS version
FROM details_in_use GROUP BY identity_id
UNION ALL
SELECT a.address_id, count(DISTINCT u.did_id), 1::bigint
FROM addresses a JOIN details_in_use u ON u.identity_id = a.identity_id AND u.address_id = a.address_id
GROUP BY a.address_id
UNION ALL {DOCUMENTS}
"""

USES = f"""
CREATE OR REPLACE VIEW detail_uses AS
SELECT identity_id AS detail_id, count(DISTINCT did_id) AS dids, 1::bigint AS version
FROM (SELECT identity_id, did_id FROM details_in_use
      UNION ALL
      SELECT identity_id, did_id FROM service_requests WHERE state <> 'not_configured') AS u
GROUP BY identity_id
UNION ALL
SELECT address_id, count(DISTINCT did_id), 1::bigint
FROM (SELECT a.address_id, u.did_id
      FROM addresses a JOIN details_in_use u ON u.identity_id = a.identity_id AND u.address_id = a.address_id
      UNION ALL
      SELECT (data ->> 'address_id')::uuid, did_id FROM service_requests
      WHERE state <> 'not_configured' AND data ->> 'address_id' IS NOT NULL) AS u
GROUP BY address_id
UNION ALL {DOCUMENTS}
"""


def upgrade() -> None:
    op.create_index("service_requests_identity", "service_requests", ["identity_id"])
    op.create_index(
        "service_requests_address",
        "service_requests",
        [sa.text("((data ->> 'address_id')::uuid)")],
        postgresql_where=sa.text("state <> 'not_configured'"),
    )
    op.execute(USES)


def downgrade() -> None:
    op.execute(BEFORE)
    op.drop_index("service_requests_address")
    op.drop_index("service_requests_identity")
