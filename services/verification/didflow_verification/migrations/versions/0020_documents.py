"""Documents with their encrypted bytes, changes of details, erasure, and who read what."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import BYTEA, JSONB, TIMESTAMP, UUID

revision = "verification_0020"
down_revision = "verification_0010"
branch_labels = None
depends_on = None

IN_USE = """
CREATE VIEW details_in_use AS
SELECT did_id, number, (assigned ->> 'identity_id')::uuid AS identity_id,
       (assigned ->> 'address_id')::uuid AS address_id, assigned -> 'document_ids' AS document_ids
FROM registrations WHERE ended IS NULL AND assigned IS NOT NULL
UNION ALL
SELECT did_id, number, (approved ->> 'identity_id')::uuid, (approved ->> 'address_id')::uuid,
       approved -> 'document_ids'
FROM registrations WHERE ended IS NULL AND approved IS NOT NULL
"""

USES = """
CREATE VIEW detail_uses AS
SELECT identity_id AS detail_id, count(DISTINCT did_id) AS dids, 1::bigint AS version
FROM details_in_use GROUP BY identity_id
UNION ALL
SELECT a.address_id, count(DISTINCT u.did_id), 1::bigint
FROM addresses a JOIN details_in_use u ON u.identity_id = a.identity_id AND u.address_id = a.address_id
GROUP BY a.address_id
UNION ALL
SELECT d.document_id, count(DISTINCT u.did_id), 1::bigint
FROM documents d JOIN details_in_use u ON u.identity_id = d.identity_id
WHERE u.document_ids ? d.document_id::text OR EXISTS (
    SELECT FROM verifications v WHERE v.identity_id = d.identity_id AND v.status IN ('pending', 'approved')
    AND v.document_ids ? d.document_id::text)
GROUP BY d.document_id
"""

BELONGINGS = """
CREATE VIEW belongings AS
SELECT i.identity_id,
       coalesce((SELECT jsonb_agg(a.address_id) FROM addresses a
                 WHERE a.identity_id = i.identity_id AND a.erased_at IS NULL), '[]') AS address_ids,
       coalesce((SELECT jsonb_agg(d.document_id) FROM documents d
                 WHERE d.identity_id = i.identity_id AND d.erased_at IS NULL), '[]') AS document_ids,
       1::bigint AS version
FROM identities i
"""


def instant(name: str, *, nullable: bool = True) -> sa.Column:
    return sa.Column(name, TIMESTAMP(timezone=True), nullable=nullable)


def identifier(name: str, *, key: bool = False, nullable: bool = False) -> sa.Column:
    return sa.Column(name, UUID(as_uuid=True), primary_key=key, nullable=nullable)


def text(name: str, *, comment: str | None = None) -> sa.Column:
    return sa.Column(name, sa.Text, nullable=False, comment=comment)


def version() -> sa.Column:
    return sa.Column("version", sa.BigInteger, nullable=False)


def upgrade() -> None:
    op.add_column("identities", instant("erased_at"))
    op.add_column("addresses", instant("erased_at"))
    for details in ("assigned", "approved"):
        op.create_index(
            f"registrations_{details}_identity",
            "registrations",
            [sa.text(f"(({details} ->> 'identity_id')::uuid)")],
            postgresql_where=sa.text("ended IS NULL"),
        )
    op.create_index("verifications_identity", "verifications", ["identity_id"])
    documents()
    changes()
    op.execute(IN_USE)
    op.execute(USES)
    op.execute(BELONGINGS)


def documents() -> None:
    op.create_table(
        "documents",
        identifier("document_id", key=True),
        identifier("identity_id"),
        text("account", comment="its identity's"),
        text("kind"),
        text("media_type", comment="what the content was found to be"),
        sa.Column("size", sa.BigInteger, nullable=False, comment="bytes in clear"),
        identifier("content_id", nullable=True),
        sa.Column("issued_on", sa.Date),
        sa.Column("expires_on", sa.Date),
        sa.Column("states", JSONB, nullable=False, comment="personal data: nowhere else"),
        instant("created_at", nullable=False),
        text("created_by"),
        instant("erased_at"),
        version(),
    )
    op.create_index(
        "documents_account", "documents", [sa.text('account COLLATE "C"'), "created_at", "document_id"]
    )
    op.create_index("documents_identity", "documents", ["identity_id"])
    op.create_index("documents_content", "documents", ["content_id"], unique=True)

    op.create_table(
        "document_contents",
        identifier("content_id", key=True),
        identifier("document_id"),
        text("account", comment="with the document's id bound to the ciphertext"),
        text("key_id", comment="the configured key that it is encrypted under"),
        text("place", comment="where its chunks lie: database or objects"),
        sa.Column(
            "loose_since",
            TIMESTAMP(timezone=True),
            comment="since when perhaps no document has it; null: one does",
        ),
    )
    op.create_index("document_contents_key", "document_contents", ["key_id", "content_id"])
    op.create_index(
        "document_contents_loose",
        "document_contents",
        ["loose_since"],
        postgresql_where=sa.text("loose_since IS NOT NULL"),
    )

    op.create_table(
        "document_chunks",
        identifier("content_id", key=True),
        sa.Column("place", sa.Integer, primary_key=True),
        sa.Column("sealed", BYTEA, nullable=False, comment="AES-256-GCM"),
    )
    op.execute("ALTER TABLE document_chunks ALTER COLUMN sealed SET STORAGE EXTERNAL")


def changes() -> None:
    op.create_table(
        "detail_changes",
        identifier("change_id", key=True),
        identifier("identity_id"),
        identifier("address_id", nullable=True),
        sa.Column("revision", sa.Integer, nullable=False),
        instant("changed_at", nullable=False),
        text("changed_by"),
    )
    op.create_index("detail_changes_identity", "detail_changes", ["identity_id", "changed_at"])

    op.create_table(
        "reassessments",
        identifier("did_id", key=True),
        text("number"),
        instant("due_at"),
        text("changed_by"),
        version(),
    )
    op.create_index(
        "reassessments_due_at", "reassessments", ["due_at"], postgresql_where=sa.text("due_at IS NOT NULL")
    )

    op.create_table(
        "personal_reads",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        instant("at", nullable=False),
        text("subject", comment="the reader's"),
        text("account", comment="the reader's"),
        text("role"),
        text("what", comment="identity, address, document or content"),
        identifier("thing_id"),
    )
    op.create_index("personal_reads_thing", "personal_reads", ["thing_id", "at"])
    op.create_index("personal_reads_at", "personal_reads", ["at"])


def downgrade() -> None:
    for view in ("belongings", "detail_uses", "details_in_use"):
        op.execute(f"DROP VIEW {view}")
    for table in ("personal_reads", "reassessments", "detail_changes", "document_chunks", "document_contents"):
        op.drop_table(table)
    op.drop_table("documents")
    op.drop_index("verifications_identity")
    for details in ("assigned", "approved"):
        op.drop_index(f"registrations_{details}_identity")
    op.drop_column("addresses", "erased_at")
    op.drop_column("identities", "erased_at")
